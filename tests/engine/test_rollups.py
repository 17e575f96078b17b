"""Rollups: every bucket holds exactly what the results say, however the work was cut up."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select

from statuspulse.domain.result import ResultKind, Verdict
from statuspulse.domain.rollup import FINEST, WIDTHS, Bucket, Stretch, cover, edge, floor
from statuspulse.domain.times import DAY, HOUR, MINUTE, SECOND
from statuspulse.engine import rollups
from statuspulse.engine.closed_checks import ClosedChecks
from statuspulse.engine.figures import checks_since
from statuspulse.storage import monitors as stored_monitors
from statuspulse.storage import results
from statuspulse.storage import rollups as stored
from statuspulse.storage.database import Database
from statuspulse.storage.monitors import Monitor
from statuspulse.storage.results import Placed
from statuspulse.storage.rollups import Place
from statuspulse.storage.schema import results as result_rows
from statuspulse.storage.schema import rollup_marks, rollup_touched
from statuspulse.storage.schema import rollups as rows
from tests.engine.past import NOW, TEAM_ID, Past, look
from tests.engine.world import START, World, result

MIDNIGHT = floor(NOW, DAY)
BEGIN = MIDNIGHT - 3 * HOUR
VERDICTS = (Verdict.OK, Verdict.OK, Verdict.OK, Verdict.FAILED, Verdict.VOID)


@pytest.fixture
def past(database: Database) -> Past:
    return Past.begin(database)


def some_looks(monitor: Monitor, start: int, end: int, *, step: int = MINUTE, seed: int = 7) -> list[Placed]:
    """Results of two regions of every verdict, some of them rechecks, with latencies over three decades."""
    chance = random.Random(seed * 1000 + monitor.key)
    return [
        look(
            monitor,
            at + chance.randrange(step),
            verdict := chance.choice(VERDICTS),
            region_key=region_key,
            latency_us=None if verdict is Verdict.VOID else int(10 ** chance.uniform(3, 6)),
            kind=chance.choice((ResultKind.SCHEDULED, ResultKind.SCHEDULED, ResultKind.RECHECK)),
        )
        for region_key in (1, 2)
        for at in range(start, end, step)
    ]


def steps(past: Past, now: int, limit: int = rollups.ROWS_PER_STEP) -> Iterator[int]:
    """Takes steps until there is nothing left to do."""
    for _ in range(10_000):
        done = past.write(lambda connection: rollups.roll(connection, now, limit))
        if done == 0:
            return
        yield done
    raise AssertionError("the work never ends")


def roll_all(past: Past, now: int) -> None:
    for _ in steps(past, now):
        pass


def expected(placed: Sequence[Placed], width: int, until: int) -> dict[Place, Bucket]:
    """A second, slow way to the buckets of one width that end by the instant."""
    buckets: dict[Place, Bucket] = {}
    for item in placed:
        start = floor(item.result.scheduled_at, width)
        if item.result.kind is ResultKind.SCHEDULED and start + width <= until:
            bucket = buckets.setdefault(Place(item.monitor_key, item.region_key, start), Bucket())
            bucket.add(item.result.verdict, item.result.observation.latency_us)
    return buckets


def buckets_of(past: Past, width: int) -> dict[Place, Bucket]:
    def read(connection: Connection) -> dict[Place, Bucket]:
        keys = set(connection.scalars(select(rows.c.monitor_key)))
        stretch = Stretch(width=width, start=0, end=NOW * 2)
        return dict(stored.between(connection, keys, stored.region_keys(connection), stretch))

    found: dict[Place, Bucket] = past.read(read)
    return found


def every_row(past: Past) -> list[Any]:
    return sorted(map(tuple, past.read(lambda connection: connection.execute(select(rows)).all())))


def test_every_bucket_holds_what_the_results_say(past: Past) -> None:
    placed = [
        item
        for number in (1, 2, 3)
        for item in some_looks(past.monitor(number), BEGIN - DAY, MIDNIGHT + 2 * HOUR, step=5 * MINUTE)
    ]
    past.write(lambda connection: rollups.roll(connection, BEGIN - DAY, 1000))
    past.see(*placed)
    now = MIDNIGHT + 2 * HOUR + 7 * MINUTE
    roll_all(past, now)
    for width, until in ((FINEST, MIDNIGHT + 2 * HOUR + FINEST), (HOUR, MIDNIGHT + 2 * HOUR), (DAY, MIDNIGHT)):
        wanted = expected(placed, width, until)
        assert len(wanted) > 5
        assert buckets_of(past, width) == wanted


def test_a_bucket_is_rolled_when_late_arrivals_have_had_their_time(past: Past) -> None:
    monitor = past.monitor()
    past.write(lambda connection: rollups.roll(connection, BEGIN + MINUTE, 1000))
    past.see(look(monitor, BEGIN + 10 * SECOND))
    roll_all(past, BEGIN + FINEST + MINUTE - 1)
    assert buckets_of(past, FINEST) == {}
    roll_all(past, BEGIN + FINEST + MINUTE)
    assert [bucket.checks for bucket in buckets_of(past, FINEST).values()] == [1]


def test_figures_are_exact_after_every_single_step(past: Past) -> None:
    monitors = [past.monitor(number) for number in (1, 2, 3)]
    placed = [item for monitor in monitors for item in some_looks(monitor, BEGIN, MIDNIGHT + HOUR)]
    past.write(lambda connection: rollups.roll(connection, BEGIN, 1000))
    past.see(*placed)
    now = MIDNIGHT + HOUR + 2 * MINUTE
    wanted: dict[tuple[int, int], Bucket] = {}
    for item in placed:
        if item.result.kind is ResultKind.SCHEDULED:
            bucket = wanted.setdefault((item.monitor_key, item.region_key), Bucket())
            bucket.add(item.result.verdict, item.result.observation.latency_us)
    taken = 0
    keys, memory = [monitor.key for monitor in monitors], ClosedChecks(8)
    for _ in steps(past, now, limit=1):
        found = past.read(lambda connection: checks_since(connection, keys, BEGIN, now, memory))
        assert {
            (key, region): bucket for key, checks in found.items() for region, bucket in checks.by_region.items()
        } == wanted
        taken += 1
    assert taken > 3 * len(WIDTHS)


def test_a_step_stops_at_the_next_monitor_when_it_has_read_enough(past: Past) -> None:
    for number in (1, 2, 3):
        past.see(*some_looks(past.monitor(number), BEGIN, BEGIN + FINEST, step=10 * SECOND))
    past.write(lambda connection: stored.begin(connection, BEGIN))
    reads = list(steps(past, BEGIN + FINEST + MINUTE, limit=1))
    assert len(reads) == 3
    assert max(reads) <= 60


def test_a_step_that_is_undone_is_done_again(past: Past) -> None:
    monitor = past.monitor()
    placed = some_looks(monitor, BEGIN, BEGIN + HOUR)
    past.write(lambda connection: rollups.roll(connection, BEGIN, 1000))
    past.see(*placed)

    def crash(connection: Connection) -> None:
        assert rollups.roll(connection, BEGIN + 2 * HOUR, 1000)
        raise RuntimeError("the process dies before the commit")

    with pytest.raises(RuntimeError):
        past.write(crash)
    assert buckets_of(past, FINEST) == {}
    roll_all(past, BEGIN + 2 * HOUR)
    assert buckets_of(past, HOUR) == expected(placed, HOUR, BEGIN + 2 * HOUR)


def test_rolling_all_anew_makes_the_same_rows(past: Past) -> None:
    for number in (1, 2):
        past.see(*some_looks(past.monitor(number), BEGIN - DAY, MIDNIGHT + HOUR, step=10 * MINUTE))
    now = MIDNIGHT + HOUR + 20 * MINUTE
    roll_all(past, now)
    before = every_row(past)
    assert len({row[0] for row in before}) == len(WIDTHS)

    def forget(connection: Connection) -> None:
        connection.execute(rollup_marks.delete())
        connection.execute(rows.delete())

    past.write(forget)
    roll_all(past, now)
    assert every_row(past) == before


def test_results_that_were_there_before_the_first_step_are_rolled_up(past: Past) -> None:
    placed = some_looks(past.monitor(), BEGIN - DAY, BEGIN, step=20 * MINUTE)
    past.see(*placed)
    roll_all(past, MIDNIGHT + HOUR)
    for width in WIDTHS:
        assert buckets_of(past, width) == expected(placed, width, MIDNIGHT)


def test_a_late_result_is_folded_into_every_bucket_that_it_belongs_to(past: Past) -> None:
    monitor = past.monitor()
    placed = some_looks(monitor, BEGIN, MIDNIGHT + HOUR)
    past.write(lambda connection: rollups.roll(connection, BEGIN, 1000))
    past.see(*placed)
    now = MIDNIGHT + 2 * HOUR
    roll_all(past, now)
    late = [
        look(monitor, BEGIN + 7 * MINUTE + 1, latency_us=5_000_000),
        look(monitor, BEGIN + 8 * MINUTE + 2, Verdict.FAILED, region_key=3),
        look(monitor, MIDNIGHT + 3, latency_us=1),
    ]

    def arrive(connection: Connection) -> None:
        results.insert(connection, late)
        rollups.touch(connection, late)

    past.write(arrive)
    past.write(arrive)
    roll_all(past, now)
    for width in WIDTHS:
        assert buckets_of(past, width) == expected([*placed, *late], width, MIDNIGHT + HOUR)
    assert past.read(lambda connection: connection.execute(select(rollup_touched)).all()) == []


def test_a_result_that_comes_in_the_middle_of_a_sweep_is_folded_in_once(past: Past) -> None:
    monitors = [past.monitor(number) for number in (1, 2)]
    past.write(lambda connection: rollups.roll(connection, BEGIN, 1000))
    placed = [look(monitor, BEGIN + SECOND) for monitor in monitors]
    past.see(*placed)
    now = BEGIN + FINEST + MINUTE
    assert past.write(lambda connection: rollups.roll(connection, now, 1))  # the first monitor is through

    def arrive(connection: Connection) -> None:
        late = [look(monitor, BEGIN + 2 * SECOND) for monitor in monitors]
        results.insert(connection, late)
        rollups.touch(connection, late)
        placed.extend(late)

    past.write(arrive)
    assert [hour.monitor_key for hour in past.read(lambda connection: stored.touched(connection, 10))] == [
        monitors[0].key
    ]
    roll_all(past, now)
    assert buckets_of(past, FINEST) == expected(placed, FINEST, now)


def test_only_scheduled_results_in_rolled_buckets_touch(past: Past) -> None:
    monitor = past.monitor()
    past.write(lambda connection: rollups.roll(connection, MIDNIGHT + MINUTE, 1000))
    placed = [look(monitor, MIDNIGHT), look(monitor, MIDNIGHT - 1, kind=ResultKind.RECHECK)]
    past.write(lambda connection: rollups.touch(connection, placed))
    assert past.read(lambda connection: stored.touched(connection, 10)) == []


def test_an_hour_whose_results_may_be_gone_is_left_as_it_is(past: Past) -> None:
    monitor = past.monitor()
    past.see(look(monitor, BEGIN), look(monitor, BEGIN + SECOND))
    roll_all(past, MIDNIGHT + 30 * DAY)
    before = every_row(past)
    past.write(lambda connection: connection.execute(result_rows.delete()))
    past.write(lambda connection: rollups.touch(connection, [look(monitor, BEGIN)]))
    roll_all(past, MIDNIGHT + 30 * DAY)
    assert every_row(past) == before


def test_the_last_results_of_a_deleted_monitor_are_rolled_up(past: Past) -> None:
    monitor = past.monitor()
    past.write(lambda connection: rollups.roll(connection, BEGIN, 1000))
    past.see(look(monitor, BEGIN + SECOND))
    past.write(lambda connection: stored_monitors.mark_deleted(connection, TEAM_ID, monitor.key, 9, BEGIN + MINUTE))
    roll_all(past, BEGIN + HOUR)
    assert [bucket.checks for bucket in buckets_of(past, FINEST).values()] == [1]


def test_intake_has_hours_rolled_up_again_that_results_come_late_for(tmp_path: Path) -> None:
    world = World.begin(tmp_path)
    try:
        monitor_id = world.monitor()
        world.ship(world.items(result(monitor_id, START + SECOND)), START + 2 * SECOND)
        past = Past(world.database)
        roll_all(past, START + HOUR)
        # The spool was cut off: newer than any result that is stored, and yet late.
        world.ship(world.items(result(monitor_id, START + 11 * SECOND)), START + HOUR + SECOND)
        # Older than the newest one that is stored.
        world.ship(world.items(result(monitor_id, START + 6 * SECOND)), START + HOUR + SECOND)
        roll_all(past, START + HOUR)
        assert [bucket.ok for bucket in buckets_of(past, FINEST).values()] == [3]
    finally:
        world.database.close()


def test_a_window_is_covered_by_the_widest_buckets_without_overlap_or_hole() -> None:
    complete = {FINEST: MIDNIGHT + 2 * HOUR + 2 * FINEST, HOUR: MIDNIGHT + HOUR, DAY: MIDNIGHT}
    stretches, rest = cover(MIDNIGHT - 2 * DAY - HOUR - FINEST, complete)
    assert [(one.width, one.start - MIDNIGHT, one.end - MIDNIGHT) for one in stretches] == [
        (FINEST, -2 * DAY - HOUR - FINEST, -2 * DAY - HOUR),
        (HOUR, -2 * DAY - HOUR, -2 * DAY),
        (DAY, -2 * DAY, 0),
        (HOUR, 0, HOUR),
        (FINEST, HOUR, 2 * HOUR + 2 * FINEST),
    ]
    assert rest == complete[FINEST]


def test_without_rollups_or_before_them_raw_results_tell() -> None:
    assert cover(BEGIN, {}) == ([], BEGIN)
    assert cover(BEGIN, {FINEST: BEGIN, HOUR: BEGIN - HOUR, DAY: BEGIN - DAY}) == ([], BEGIN)


def test_a_window_begins_at_the_nearest_edge_that_is_kept() -> None:
    assert edge(MIDNIGHT + 2 * MINUTE, MIDNIGHT + DAY) == MIDNIGHT
    assert edge(MIDNIGHT + 3 * MINUTE, MIDNIGHT + DAY) == MIDNIGHT + FINEST
    assert edge(MIDNIGHT + 31 * MINUTE, MIDNIGHT + 30 * DAY) == MIDNIGHT + HOUR
