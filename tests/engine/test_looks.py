"""Results of looks that somebody asked for: kept as history, counted nowhere, handed to whoever waits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Connection

from statuspulse.bus.local import LocalBus
from statuspulse.domain.health import Health
from statuspulse.domain.result import Result, ResultKind
from statuspulse.domain.schedule import Grid
from statuspulse.domain.times import SECOND, to_datetime
from statuspulse.engine.intake import Tally
from statuspulse.engine.jobs import Found, Jobs
from statuspulse.engine.sight import sights_of
from statuspulse.protocol.documents import Item, Job
from statuspulse.storage import monitors as monitor_rows
from statuspulse.storage import results, states
from tests.engine.world import REFUSED, START, World, result

PROBE = "prb_2d4f6h8j"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    begun = World.begin(tmp_path)
    yield begun
    begun.database.close()


def at(seconds: float) -> int:
    return START + round(seconds * SECOND)


def look_item(world: World, found: Result, job_id: str | None = "chk_one") -> Item:
    return msgspec.structs.replace(world.items(found)[0], job_id=job_id)


def see_look(world: World, found: Result, job_id: str | None = "chk_one") -> Tally:
    receipt, tally = world.ship([look_item(world, found, job_id)], found.observed_at + 200)
    assert (receipt.accepted, receipt.rejected) == (1, [])
    return tally


def a_job(job_id: str = "chk_one", **members: object) -> Job:
    job = Job(
        job_id=job_id,
        kind="test",
        monitor_id=None,
        config_version=0,
        type="http",
        spec={},
        timeout_ms=1000,
        not_before=to_datetime(START),
        deadline_at=to_datetime(START + 5 * SECOND),
    )
    return msgspec.structs.replace(job, **members)


def test_a_look_is_stored_and_moves_nothing(world: World) -> None:
    monitor = world.monitor()
    world.see(result(monitor, at(0)))
    before = world.state(monitor)
    for second in (1, 2, 3, 4):
        tally = see_look(world, result(monitor, at(second), REFUSED, kind=ResultKind.MANUAL))
        assert (tally.placed, tally.transitions, tally.unseen) == ([], 0, [])
    assert world.stored(monitor) == 5
    assert world.state(monitor) == before
    assert world.incidents() == []


def test_a_look_makes_no_pending_monitor_up(world: World) -> None:
    monitor = world.monitor()
    see_look(world, result(monitor, at(1), kind=ResultKind.MANUAL))
    assert world.state(monitor).health is Health.PENDING


@pytest.mark.parametrize("restarts", [False, True])
def test_looks_hold_no_state_up_that_the_schedule_does_not_confirm(world: World, *, restarts: bool) -> None:
    monitor = world.monitor()
    world.see(result(monitor, at(0)), result(monitor, at(10)))
    for second in range(20, 300, 10):
        see_look(world, result(monitor, at(second), kind=ResultKind.MANUAL))
    if restarts:
        world.restart()
    world.sweep(at(300))
    assert world.state(monitor).health is Health.UNKNOWN


@pytest.mark.parametrize("restarts", [False, True])
def test_a_slot_that_comes_after_a_later_look_still_votes(world: World, *, restarts: bool) -> None:
    monitor = world.monitor()
    world.see(result(monitor, at(0)), result(monitor, at(10), REFUSED))
    see_look(world, result(monitor, at(22), kind=ResultKind.MANUAL))
    if restarts:
        world.restart()
    world.see(result(monitor, at(20), REFUSED))
    assert world.state(monitor).health is Health.DOWN


def test_a_look_is_not_what_a_status_shows(world: World) -> None:
    monitor = world.monitor()
    world.see(result(monitor, at(0)))
    see_look(world, result(monitor, at(5), REFUSED, kind=ResultKind.MANUAL))
    key = world.key_of(monitor)

    def read(connection: Connection) -> tuple[int | None, int]:
        stored = monitor_rows.get(connection, world.team_id, monitor)
        assert stored is not None
        sight = sights_of(connection, [(stored, states.state_of(connection, key))], at(6))[key]
        return sight.last_probe_at, monitor_rows.last_probes(connection, [key])[key]

    assert world.database.read_now(read) == (at(0) + 12, at(0) + 12)


def test_a_look_never_takes_the_place_of_a_slot(world: World) -> None:
    monitor = world.monitor()
    slot = Grid.of(monitor, 10 * SECOND, 0, 1).next_slot(START)
    tally = see_look(world, result(monitor, slot, kind=ResultKind.MANUAL))
    assert tally.looks[0].result.scheduled_at == slot + 1
    world.see(result(monitor, slot))
    assert world.stored(monitor) == 2
    assert world.state(monitor).health is Health.UP


def test_two_looks_at_one_moment_are_both_kept(world: World) -> None:
    monitor = world.monitor()
    found = result(monitor, at(1), kind=ResultKind.MANUAL)
    items = [look_item(world, found, job_id) for job_id in ("chk_one", "chk_two")]
    _, tally = world.ship(items, at(2))
    assert len({look.result.scheduled_at for look in tally.looks}) == 2
    assert world.stored(monitor) == 2


def test_the_same_look_sent_again_changes_nothing(world: World) -> None:
    monitor = world.monitor()
    item = look_item(world, result(monitor, at(1), kind=ResultKind.MANUAL))
    world.ship([item], at(2))
    receipt, tally = world.ship([item], at(3))
    assert (receipt.accepted, receipt.duplicates, tally.looks) == (0, 1, [])
    assert world.stored(monitor) == 1


def test_a_paused_monitor_keeps_its_looks(world: World) -> None:
    monitor = world.monitor()
    world.pause(monitor, at(1))
    assert len(see_look(world, result(monitor, at(2), kind=ResultKind.MANUAL)).looks) == 1
    assert world.stored(monitor) == 1


def test_what_a_test_found_is_accepted_and_stored_nowhere(world: World) -> None:
    monitor = world.monitor()
    tally = see_look(world, result("", at(1), REFUSED, kind=ResultKind.MANUAL))
    assert [(look.job_id, look.result.monitor_id) for look in tally.looks] == [("chk_one", "")]
    assert world.stored(monitor) == 0


def test_a_look_at_a_monitor_that_is_gone_is_rejected(world: World) -> None:
    receipt, tally = world.ship([look_item(world, result("mon_zzzzzzzz", at(1), kind=ResultKind.MANUAL))], at(2))
    assert [rejected.code for rejected in receipt.rejected] == ["unknown_monitor"]
    assert tally.looks == []


def test_a_scheduled_result_without_a_monitor_is_no_test(world: World) -> None:
    receipt, _ = world.ship([look_item(world, result("", at(1)))], at(2))
    assert [rejected.code for rejected in receipt.rejected] == ["unknown_monitor"]


def test_a_look_is_not_rolled_up(world: World) -> None:
    monitor = world.monitor()
    see_look(world, result(monitor, at(1), kind=ResultKind.MANUAL))
    key = world.key_of(monitor)
    found = world.database.read_now(
        lambda connection: list(results.verdicts_between(connection, [key], [1], START, at(60)))
    )
    assert found == []


async def test_a_job_goes_to_the_first_probe_of_its_region_that_asks() -> None:
    jobs = Jobs(LocalBus())
    jobs.ask("local", a_job())
    assert jobs.offered("elsewhere", "prb_other", START) == []
    assert [job.job_id for job in jobs.offered("local", PROBE, START)] == ["chk_one"]
    assert jobs.offered("local", "prb_second", START + 3000) == []


async def test_a_job_is_offered_again_every_two_seconds_until_its_deadline() -> None:
    jobs = Jobs(LocalBus())
    jobs.ask("local", a_job())
    offers = [len(jobs.offered("local", PROBE, START + 500 * step)) for step in range(14)]
    assert offers == [1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0]
    assert jobs.next_offer_at("local", PROBE) is None


async def test_a_job_is_not_offered_before_its_time() -> None:
    jobs = Jobs(LocalBus())
    jobs.ask("local", a_job(not_before=to_datetime(START) + timedelta(seconds=1)))
    assert jobs.offered("local", PROBE, START + 999) == []
    assert jobs.next_offer_at("local", PROBE) == START + 1000
    assert len(jobs.offered("local", PROBE, START + 1000)) == 1


async def test_the_result_goes_to_whoever_asked_and_is_offered_no_more() -> None:
    jobs = Jobs(LocalBus())
    waiting = jobs.ask("local", a_job())
    jobs.offered("local", PROBE, START)
    found = Found(probe_id=PROBE, result=replace(result("", START), kind=ResultKind.MANUAL))
    jobs.settle("chk_unknown", "local", found)
    jobs.settle("chk_one", "elsewhere", found)
    assert not waiting.done()
    jobs.settle("chk_one", "local", found)
    jobs.settle("chk_one", "local", found)
    assert await waiting is found
    assert jobs.offered("local", PROBE, START + 2500) == []
    jobs.withdraw("chk_one")
    assert len(jobs) == 0


async def test_closing_sends_away_whoever_waits() -> None:
    jobs = Jobs(LocalBus())
    waiting = jobs.ask("local", a_job(monitor_id="mon_9x2k4p7q", kind="run_now"))
    assert jobs.is_asked("mon_9x2k4p7q")
    assert not jobs.is_asked("mon_zzzzzzzz")
    jobs.close()
    assert await waiting is None
