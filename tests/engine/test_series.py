"""Series: each bucket within 1 % of the exact percentiles, all of them together the window, and no claim beyond."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection

from statuspulse.domain.health import State
from statuspulse.domain.periods import Width, edges
from statuspulse.domain.result import Verdict
from statuspulse.domain.rollup import FINEST, Bucket
from statuspulse.domain.times import DAY, HOUR, MINUTE, SECOND
from statuspulse.domain.uptime import Span
from statuspulse.engine import rollups
from statuspulse.engine.closed_checks import Checks
from statuspulse.engine.latency import latency_cells
from statuspulse.engine.series import checks_by_bucket
from statuspulse.engine.sight import sights_of
from statuspulse.engine.uptime_series import UptimeSeries, uptime_series
from statuspulse.storage import rollups as rollup_rows
from statuspulse.storage import states
from statuspulse.storage.database import Database
from statuspulse.storage.monitors import Monitor
from statuspulse.storage.results import Placed
from statuspulse.storage.rollups import Mark, Place
from tests.engine.past import NOW, REGIONS, TEAM_ID, Past, look
from tests.engine.test_figures import assert_close

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def past(database: Database) -> Past:
    return Past.begin(database)


def series(past: Past, monitor: Monitor, places: list[int], now: int = NOW) -> list[Checks | None]:
    found: list[Checks | None] = past.read(
        lambda connection: checks_by_bucket(connection, [monitor.key], places, now)[monitor.key]
    )
    return found


def whole(checks: Checks | None) -> Bucket:
    assert checks is not None
    return checks.whole()


def roll_up(past: Past, begun: int, now: int) -> None:
    past.write(lambda connection: rollups.roll(connection, begun, 1000))
    while past.write(lambda connection: rollups.roll(connection, now, 1000)):
        pass


def a_day_of_results(past: Past, monitor: Monitor, begun: int, now: int) -> list[Placed]:
    chance = random.Random(7)
    placed = [
        look(
            monitor,
            at,
            Verdict.FAILED if chance.random() < 0.02 else Verdict.OK,
            region_key=region_key,
            latency_us=int(chance.lognormvariate(9 + region_key, 0.5)),
        )
        for region_key in (1, 2)
        for at in range(begun, now, 2 * MINUTE)
    ]
    past.see(*placed)
    return placed


@pytest.mark.parametrize("rolled", [False, True])
def test_every_bucket_is_within_one_percent_of_its_own_results(past: Past, rolled: bool) -> None:
    begun = NOW - NOW % HOUR - DAY
    monitor = past.monitor(born=begun, regions=list(REGIONS[:2]))
    placed = a_day_of_results(past, monitor, begun, NOW)
    if rolled:
        roll_up(past, begun, NOW)
    places = edges(begun, NOW, Width.HOUR, ZoneInfo("UTC"))
    found = series(past, monitor, places)
    assert len(found) == len(places) - 1 >= 24
    for (start, end), checks in zip(pairwise(places), found, strict=True):
        mine = [item for item in placed if start <= item.result.scheduled_at < end]
        good = [item.result.observation.latency_us or 0 for item in mine if item.result.verdict is Verdict.OK]
        assert whole(checks).checks == len(mine)
        assert_close(whole(checks), good)


def test_days_of_a_zone_are_made_of_hours(past: Past) -> None:
    begun = NOW - NOW % DAY - 2 * DAY
    monitor = past.monitor(born=begun, regions=list(REGIONS[:2]))
    placed = a_day_of_results(past, monitor, begun, NOW)
    roll_up(past, begun, NOW)
    places = edges(begun + 5 * HOUR, NOW, Width.DAY, BERLIN)
    for (start, end), checks in zip(pairwise(places), series(past, monitor, places), strict=True):
        assert whole(checks).checks == sum(start <= item.result.scheduled_at < end for item in placed)


def test_buckets_narrower_than_the_rollups_that_are_left_have_no_checks(past: Past) -> None:
    monitor = past.monitor(born=NOW - 200 * DAY)
    old, recent = NOW - NOW % DAY - 120 * DAY, NOW - NOW % HOUR - 20 * DAY

    def store(connection: Connection) -> None:
        rollup_rows.save(connection, DAY, {Place(monitor.key, 1, old): Bucket(ok=2880)})
        rollup_rows.save(connection, HOUR, {Place(monitor.key, 1, recent): Bucket(ok=120)})
        for width in (FINEST, HOUR, DAY):
            until = NOW - NOW % width
            mark = Mark(width=width, complete_until=until, sweep_until=until, next_key=0)
            rollup_rows.save_mark(connection, mark)

    past.write(store)
    assert series(past, monitor, [old, old + HOUR, old + 2 * HOUR]) == [None, None]
    assert [whole(one).ok for one in series(past, monitor, [old - DAY, old, old + DAY])] == [0, 2880]
    assert series(past, monitor, [recent, recent + FINEST]) == [None]
    assert [whole(one).ok for one in series(past, monitor, [recent, recent + HOUR, recent + 2 * HOUR])] == [120, 0]


def test_a_region_by_itself_and_all_together(past: Past) -> None:
    monitor = past.monitor(regions=list(REGIONS[:2]))
    past.see(
        *(look(monitor, NOW - place * MINUTE, region_key=1, latency_us=10_000) for place in (1, 2, 3)),
        look(monitor, NOW - MINUTE, region_key=2, latency_us=90_000),
    )

    def cells(regions: list[str] | None) -> list[tuple[str | None, int, Any]]:
        found: Any = past.read(
            lambda connection: latency_cells(connection, monitor.key, regions, [NOW - HOUR, NOW], NOW)
        )
        return [(cell.region, cell.latency.count, cell.latency.percentile(50)) for cell in found]

    assert cells(None) == [(None, 4, pytest.approx(10_000, rel=0.01))]
    assert cells(list(REGIONS[:2])) == [("us-east", 3, 10_000), ("eu-west", 1, 90_000)]


def uptime(past: Past, monitor: Monitor, places: list[int]) -> UptimeSeries:
    def read(connection: Connection) -> UptimeSeries:
        sights = sights_of(connection, [(monitor, states.state_of(connection, monitor.key))], NOW)
        return uptime_series(connection, TEAM_ID, [(monitor, sights[monitor.key])], places, NOW)[0]

    found: UptimeSeries = past.read(read)
    return found


def test_the_sums_of_all_buckets_are_those_of_the_window_to_the_millisecond(past: Past) -> None:
    chance = random.Random(5)
    for number in range(1, 8):
        born = NOW - chance.randrange(10 * DAY, 40 * DAY)
        monitor = past.monitor(number, born=born)
        cuts = sorted({chance.randrange(born, NOW) for _ in range(20)})
        holes = [
            (monitor.key, Span(region=1, start=at, end=at + chance.randrange(1, HOUR)))
            for at in range(born, NOW - HOUR, 9 * HOUR)
        ]

        def store(connection: Connection, key: int = monitor.key, cuts: Any = cuts, holes: Any = holes) -> None:
            for cut in cuts:
                states.cut_intervals(connection, key, cut, chance.choice(list(State)))
            states.add_unseen(connection, holes)

        past.write(store)
        places = edges(NOW - 30 * DAY, NOW, Width.DAY, BERLIN)
        found = uptime(past, monitor, places)
        totals = found.totals.sums
        assert totals.window == min(30 * DAY, NOW - born)
        for kind in ("up", "degraded", "down", "unknown", "maintenance", "paused"):
            assert sum(getattr(period.sums, kind) for period in found.periods) == getattr(totals, kind)
        for period in found.periods:
            assert period.sums.window == max(0, period.end - max(period.start, born))
            assert (period.worst is None) == (period.end <= born)


def test_the_worst_state_and_the_time_between_failures(past: Past) -> None:
    start = NOW - 10 * HOUR
    monitor = past.monitor(born=start)

    def store(connection: Connection) -> None:
        for hours, state in ((1, State.DOWN), (1.5, State.UP), (4, State.UNKNOWN), (5, State.DOWN), (6, State.UP)):
            states.cut_intervals(connection, monitor.key, start + round(hours * HOUR), state)

    past.write(store)
    past.see(look(monitor, NOW - 5 * SECOND))
    found = uptime(past, monitor, [start + hour * HOUR for hour in range(11)])
    worst = [None if period.worst is None else period.worst.value for period in found.periods]
    assert worst == ["up", "down", "up", "up", "unknown", "down", "up", "up", "up", "up"]
    assert found.totals.outages == 2
    assert found.totals.mean_time_between_failures == (1 + 2.5 + 4) * HOUR / 2
    assert found.totals.coverage_pct == 90
