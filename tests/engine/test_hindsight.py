"""Late results: they tell of time that nobody saw, in whatever order they come, and change nothing else."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select

from statuspulse.domain.failure import Failure, FailureClass
from statuspulse.domain.health import State
from statuspulse.domain.result import Result
from statuspulse.domain.timeline import Timeline
from statuspulse.domain.times import DAY, HOUR, MINUTE, SECOND
from statuspulse.domain.uptime import Interval, Sums
from statuspulse.engine import hindsight
from statuspulse.engine.housekeeping import Housekeeping
from statuspulse.engine.sight import sights_of
from statuspulse.engine.timelines import timelines_of
from statuspulse.storage import late, monitors, states
from statuspulse.storage.schema import late_marks, outbox, state_intervals, transitions
from tests.deep import deep
from tests.engine.world import REFUSED, START, World, result
from tests.targets import until

STEP = 10 * SECOND
BLIND = Failure(FailureClass.PROBE_BLIND, "no network of its own")
REGIONS = ("local", "eu-west", "ap-south")
# By then whatever came late has been read for the last time.
SETTLED = 2 * MINUTE


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    begun = World.begin(tmp_path)
    yield begun
    begun.database.close()


def slot(number: int) -> int:
    return START + number * STEP


def read_late(world: World, now: int) -> int:
    """Reads everything that is due, as the house does; answers how many readings that took."""
    readings = 0
    while (found := world.database.read_now(lambda connection: hindsight.due(connection, now))) is not None:
        world.write(lambda connection, reading=found: hindsight.store(connection, reading, now))
        readings += 1
    return readings


def timeline(world: World, monitor_id: str, now: int) -> Timeline:
    def read(connection: Connection) -> Timeline:
        monitor = monitors.get(connection, world.team_id, monitor_id)
        assert monitor is not None
        sights = sights_of(connection, [(monitor, states.state_of(connection, monitor.key))], now)
        return timelines_of(connection, [(monitor, sights[monitor.key])], 0, now)[monitor.key]

    return world.database.read_now(read)


def told(world: World, monitor_id: str) -> list[Interval]:
    key = world.key_of(monitor_id)
    return world.database.read_now(
        lambda connection: late.intervals_by_monitor(connection, [key], 0, START + DAY).get(key, [])
    )


def decided(world: World) -> list[Any]:
    """Everything that was decided, and every message that is owed for it."""

    def read(connection: Connection) -> list[Any]:
        return [
            connection.execute(select(table).order_by(*table.primary_key.columns)).all()
            for table in (state_intervals, transitions, outbox)
        ]

    return [world.database.read_now(read), world.incidents()]


def merged(timeline: Timeline, start: int, end: int) -> list[tuple[State, int, int]]:
    """The stretches in [start, end), those of one state side by side taken together."""
    found: list[tuple[State, int, int]] = []
    for stretch in timeline.within(start, end):
        if found and found[-1][0] is stretch.state and found[-1][2] == stretch.start:
            found[-1] = (stretch.state, found[-1][1], stretch.end)
        else:
            found.append((stretch.state, stretch.start, stretch.end))
    return found


def test_a_probe_that_was_cut_off_for_an_hour_tells_what_it_saw(world: World) -> None:
    monitor = world.monitor()
    world.see(*(result(monitor, slot(n)) for n in range(10)))
    world.sweep(slot(20))
    spooled = [result(monitor, slot(n), REFUSED if 100 <= n < 160 else None) for n in range(10, 400)]
    world.ship(world.items(*spooled), slot(400))
    world.see(*(result(monitor, slot(n)) for n in range(400, 410)))
    before, now = decided(world), slot(410)
    # The newest three of them were young enough to vote.
    assert timeline(world, monitor, now).sums(START, now).unknown == 387 * STEP

    read_late(world, now + MINUTE)

    assert decided(world) == before
    assert timeline(world, monitor, now).sums(START, now) == Sums(up=350 * STEP, down=60 * STEP)
    assert told(world, monitor) == [
        Interval(start=slot(10), end=slot(100), state=State.UP),
        Interval(start=slot(100), end=slot(160), state=State.DOWN),
        Interval(start=slot(160), end=slot(397), state=State.UP),
    ]


def test_what_is_missing_from_the_spool_stays_unknown(world: World) -> None:
    monitor = world.monitor()
    world.see(*(result(monitor, slot(n)) for n in range(3)))
    world.sweep(slot(15))
    spooled = [result(monitor, slot(n), BLIND if 40 <= n < 50 else None) for n in range(20, 60)]
    world.ship(world.items(*spooled), slot(100))
    world.see(result(monitor, slot(100)))
    read_late(world, slot(100) + SETTLED)
    assert merged(timeline(world, monitor, slot(101)), START, slot(101)) == [
        (State.UP, slot(0), slot(3)),
        (State.UNKNOWN, slot(3), slot(20)),
        (State.UP, slot(20), slot(40)),
        (State.UNKNOWN, slot(40), slot(50)),
        (State.UP, slot(50), slot(60)),
        (State.UNKNOWN, slot(60), slot(100)),
        (State.UP, slot(100), slot(101)),
    ]


def test_one_late_failure_is_no_outage(world: World) -> None:
    monitor = world.monitor()
    world.see(*(result(monitor, slot(n)) for n in range(3)))
    world.sweep(slot(15))
    world.ship(world.items(*(result(monitor, slot(n), REFUSED if n == 8 else None) for n in range(3, 20))), slot(80))
    world.see(result(monitor, slot(80)))
    read_late(world, slot(80) + SETTLED)
    assert merged(timeline(world, monitor, slot(80)), START, slot(20)) == [(State.UP, START, slot(20))]


def test_a_minority_of_regions_that_tells_late_fills_nothing_alone(world: World) -> None:
    for slug in REGIONS[1:]:
        world.region(slug, START)
    monitor = world.monitor(regions=list(REGIONS))
    for n in range(3):
        world.see(*(result(monitor, slot(n), region=region) for region in REGIONS))
    world.sweep(slot(15))
    for region in REGIONS[:2]:
        world.ship(
            world.items(*(result(monitor, slot(n), region=region) for n in range(3, 40)), probe=region),
            slot(60),
            region=region,
        )
        read_late(world, slot(60) + MINUTE)
        seen = timeline(world, monitor, slot(60)).sums(slot(3), slot(40))
        assert seen == (Sums(unknown=37 * STEP) if region == REGIONS[0] else Sums(up=37 * STEP))


def test_checks_of_an_old_target_say_nothing_of_the_new_one(world: World) -> None:
    monitor = world.monitor()
    world.see(*(result(monitor, slot(n)) for n in range(3)))
    world.sweep(slot(15))
    world.edit(monitor, slot(16), url="http://192.0.2.2/health")
    world.ship(world.items(*(result(monitor, slot(n), version=1) for n in range(3, 40))), slot(60))
    read_late(world, slot(60) + SETTLED)
    assert told(world, monitor) == []


def test_a_pause_is_no_time_to_be_told_of(world: World) -> None:
    monitor = world.monitor()
    world.see(*(result(monitor, slot(n)) for n in range(3)))
    world.sweep(slot(15))
    world.pause(monitor, slot(20))
    world.resume(monitor, slot(30))
    world.ship(world.items(*(result(monitor, slot(n), REFUSED) for n in range(3, 40))), slot(45))
    read_late(world, slot(45) + SETTLED)
    states_seen = merged(timeline(world, monitor, slot(40)), slot(3), slot(40))
    assert states_seen == [
        (State.DOWN, slot(3), slot(20)),
        (State.PAUSED, slot(20), slot(30)),
        (State.DOWN, slot(30), slot(40)),
    ]


def test_results_are_read_once_when_they_have_settled(world: World) -> None:
    monitor = world.monitor()
    world.see(*(result(monitor, slot(n)) for n in range(3)))
    world.sweep(slot(15))
    for n in range(3, 40):
        world.ship(world.items(result(monitor, slot(n))), slot(60))
    assert read_late(world, slot(60)) == 0
    assert read_late(world, slot(60) + 10 * SECOND) == 1
    assert read_late(world, slot(60) + SETTLED) == 1
    assert read_late(world, slot(60) + HOUR) == 0
    assert world.database.read_now(lambda connection: connection.execute(select(late_marks)).all()) == []


def test_what_comes_while_it_is_read_is_read_next(world: World) -> None:
    monitor = world.monitor()
    world.see(*(result(monitor, slot(n)) for n in range(3)))
    world.sweep(slot(15))
    world.ship(world.items(*(result(monitor, slot(n)) for n in range(3, 20))), slot(60))
    later = slot(60) + SETTLED
    reading = world.database.read_now(lambda connection: hindsight.due(connection, later))
    assert reading is not None
    world.ship(world.items(*(result(monitor, slot(n)) for n in range(20, 40))), later)
    world.write(lambda connection: hindsight.store(connection, reading, later))
    read_late(world, later + SETTLED)
    assert told(world, monitor) == [Interval(start=slot(3), end=slot(40), state=State.UP)]


def test_late_results_of_a_deleted_monitor_are_forgotten(world: World) -> None:
    monitor = world.monitor()
    world.see(*(result(monitor, slot(n)) for n in range(3)))
    world.sweep(slot(15))
    world.ship(world.items(*(result(monitor, slot(n)) for n in range(3, 20))), slot(60))
    world.delete(monitor, slot(61))
    assert read_late(world, slot(60) + SETTLED) == 1
    assert world.database.read_now(lambda connection: connection.execute(select(late_marks)).all()) == []


async def test_the_house_reads_what_came_late_by_itself(world: World) -> None:
    monitor = world.monitor()
    world.see(*(result(monitor, slot(n)) for n in range(3)))
    world.sweep(slot(15))
    world.ship(world.items(*(result(monitor, slot(n)) for n in range(3, 20))), slot(60))
    house = Housekeeping(world.database, now=lambda: slot(60) + SETTLED)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(house.run())
        await until(lambda: told(world, monitor))
        running.cancel()
    assert told(world, monitor) == [Interval(start=slot(3), end=slot(20), state=State.UP)]


# --- properties ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Script:
    """What each region would have seen, slot by slot, and the slots [gap, back) of which it told late."""

    regions: tuple[str, ...]
    seen: dict[str, list[Failure | None]]
    gap: int
    back: int

    @classmethod
    def drawn(cls, chance: random.Random, regions: int) -> Script:
        length = chance.randrange(40, 60)
        gap = chance.randrange(8, 14)
        names = REGIONS[:regions]
        return cls(names, {name: _outages(chance, length) for name in names}, gap, gap + chance.randrange(2, 25))

    def results(self, monitor: str, slots: range) -> list[Result]:
        """By time; a void one is among them now and then."""
        return [
            result(monitor, slot(n) + place * SECOND, self.seen[name][n], region=name)
            for n in slots
            for place, name in enumerate(self.regions)
        ]

    @property
    def length(self) -> int:
        return len(self.seen["local"])


def _outages(chance: random.Random, length: int) -> list[Failure | None]:
    seen: list[Failure | None] = []
    while len(seen) < length:
        seen += [chance.choice((None, None, REFUSED, REFUSED, BLIND))] * chance.choice((1, 1, 2, 3, 8))
    return seen[:length]


def live_until_gap(world: World, script: Script, monitor: str) -> None:
    world.see(*script.results(monitor, range(script.gap)))
    world.sweep(slot(script.back) - SECOND)


def ship_shuffled(world: World, chance: random.Random, spooled: Sequence[Result], now: int) -> None:
    """In batches of any length and in any order."""
    waiting = list(spooled)
    chance.shuffle(waiting)
    while waiting:
        size = chance.randrange(1, 12)
        batch, waiting = waiting[:size], waiting[size:]
        for name in REGIONS:
            mine = [seen for seen in batch if seen.region == name]
            if mine:
                world.ship(world.items(*mine, probe=name), now, region=name)
        if chance.random() < 0.3:
            read_late(world, now + MINUTE)


@pytest.mark.parametrize("seed", [0, 1, 2, *deep((3, 4, 5))])
def test_any_order_of_late_results_gives_the_same_history(world: World, seed: int) -> None:
    chance = random.Random(seed)
    for slug in REGIONS[1:]:
        world.region(slug, START)
    script = Script.drawn(chance, 1 + seed % 3)
    end = slot(script.length)
    histories = []
    for _ in range(3):
        monitor = world.monitor(regions=list(script.regions))
        live_until_gap(world, script, monitor)
        world.see(*script.results(monitor, range(script.back, script.length)))
        before, first_hand = decided(world), timeline(world, monitor, end)

        ship_shuffled(world, chance, script.results(monitor, range(script.gap, script.back)), end)
        read_late(world, end + SETTLED)

        assert decided(world) == before
        now_known = timeline(world, monitor, end)
        for stretch in first_hand.stretches:
            if stretch.state is not State.UNKNOWN:
                assert merged(now_known, stretch.start, stretch.end) == [(stretch.state, stretch.start, stretch.end)]
        assert now_known.sums(START, end).window == end - START
        histories.append((told(world, monitor), now_known.stretches))
    assert all(history == histories[0] for history in histories)


@pytest.mark.parametrize("seed", [0, 1, 2, 3, *deep((4, 5, 6, 7))])
def test_hindsight_sees_what_would_have_been_decided_in_time(world: World, seed: int) -> None:
    """The oracle is the engine itself: a monitor whose results all came in time."""
    script = Script.drawn(random.Random(100 + seed), 1)
    end = slot(script.length)
    in_time, cut_off = world.monitor(), world.monitor()
    world.see(*script.results(in_time, range(script.length)))
    live_until_gap(world, script, cut_off)
    spooled = script.results(cut_off, range(script.gap, script.back))
    if seed % 2:
        world.ship(world.items(*spooled), slot(script.back) + 15 * MINUTE)
    world.see(*script.results(cut_off, range(script.back, script.length)))
    if not seed % 2:
        world.ship(world.items(*spooled), end + 15 * MINUTE)
    read_late(world, end + HOUR)
    start, until = slot(script.gap), slot(script.back)
    assert merged(timeline(world, cut_off, end), start, until) == merged(timeline(world, in_time, end), start, until)
