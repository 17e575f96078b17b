"""Figures: exact where they are counted, within 1 % where they come from a sketch, and never more than was seen."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection

from statuspulse.domain.actor import SYSTEM
from statuspulse.domain.health import Health, Position, Standing, State
from statuspulse.domain.incident import IncidentState
from statuspulse.domain.monitor import Severity
from statuspulse.domain.result import ResultKind, Verdict
from statuspulse.domain.rollup import Bucket, edge
from statuspulse.domain.timeline import Timeline
from statuspulse.domain.times import DAY, HOUR, MINUTE, SECOND
from statuspulse.domain.uptime import Interval, Span, Sums
from statuspulse.engine import rollups
from statuspulse.engine.closed_checks import ClosedChecks
from statuspulse.engine.figures import WINDOWS, Figures, figures_of
from statuspulse.engine.sight import Sight, sights_of
from statuspulse.storage import incidents, states
from statuspulse.storage.database import Database
from statuspulse.storage.incidents import Incident
from statuspulse.storage.monitors import Monitor
from tests.engine.past import NOW, REGIONS, TEAM_ID, Past, look

PERCENTILES = (50, 90, 95, 99)
# Of a check every 30 s with a timeout of 10 s and one retry: it starts at most 5 s late, ends at most 26 s after its
# slot, and two more seconds may pass on the way.
PATIENCE = 28 * SECOND


@pytest.fixture
def past(database: Database) -> Past:
    return Past.begin(database)


@pytest.fixture
def quick(sqlite_database: Database) -> Past:
    return Past.begin(sqlite_database)


def sights(past: Past, now: int, *shown: Monitor) -> list[Sight]:
    def read(connection: Connection) -> list[Sight]:
        found = sights_of(connection, [(one, states.state_of(connection, one.key)) for one in shown], now)
        return [found[one.key] for one in shown]

    return list(past.read(read))


def figures(past: Past, now: int, monitor: Monitor, window: str = "24h") -> Figures:
    [sight] = sights(past, now, monitor)
    found: dict[int, Figures] = past.read(
        lambda connection: figures_of(connection, TEAM_ID, [(monitor, sight)], window, now, ClosedChecks(8))
    )
    return found[monitor.key]


def stand(past: Past, monitor: Monitor, positions: dict[int, Position]) -> None:
    changed = {(monitor.key, region_key): Standing(position=position) for region_key, position in positions.items()}
    past.write(lambda connection: states.save_standings(connection, changed))


def exact_percentile(samples: Sequence[int], percent: float) -> int:
    return sorted(samples)[max(1, math.ceil(percent * len(samples) / 100)) - 1]


# --- latency and counts -----------------------------------------------------------------------------------


@pytest.mark.parametrize("rolled_at", [None, 40 * MINUTE, 7 * HOUR, DAY])
def test_percentiles_of_all_regions_are_within_one_percent_of_the_exact_ones(past: Past, rolled_at: int | None) -> None:
    begin = NOW - NOW % DAY
    now = begin + DAY
    monitor = past.monitor(born=begin, regions=list(REGIONS))
    chance = random.Random(11)
    placed = [
        look(
            monitor,
            at,
            Verdict.FAILED if chance.random() < 0.01 else Verdict.OK,
            region_key=region_key,
            latency_us=int(chance.lognormvariate(9 + region_key, 0.6)),
        )
        for region_key in (1, 2, 3)
        for at in range(begin, now, 2 * MINUTE)
    ]
    past.write(lambda connection: rollups.roll(connection, begin, 1000))
    past.see(*placed)
    while rolled_at is not None and past.write(lambda connection: rollups.roll(connection, begin + rolled_at, 1000)):
        pass
    good = [item for item in placed if item.result.verdict is Verdict.OK]
    found = figures(past, now, monitor)
    assert_close(found.checks.whole(), [item.result.observation.latency_us or 0 for item in good])
    assert (found.checks.whole().checks, found.checks.whole().failed) == (len(placed), len(placed) - len(good))
    for region_key in (1, 2, 3):
        own = [item.result.observation.latency_us or 0 for item in good if item.region_key == region_key]
        assert_close(found.checks.region(region_key), own)


def test_percentiles_of_thirty_days_are_within_one_percent_of_the_exact_ones(quick: Past) -> None:
    """Most of the window lies in days and hours, its beginning and its end in narrower buckets and in results."""
    begin = NOW - NOW % DAY - 30 * DAY
    monitor, chance = quick.monitor(born=begin), random.Random(13)
    now = begin + 30 * DAY + 7 * HOUR + 13 * MINUTE
    placed = [
        look(monitor, at, latency_us=int(chance.lognormvariate(11 + (at // DAY) % 3, 0.5)))
        for at in range(begin, now, 5 * MINUTE)
    ]
    quick.write(lambda connection: rollups.roll(connection, begin, 1000))
    quick.see(*placed)
    while quick.write(lambda connection: rollups.roll(connection, now, 1000)):
        pass
    shown = figures(quick, now, monitor, "30d")
    since = edge(now - 30 * DAY, now)
    inside = [item.result.observation.latency_us or 0 for item in placed if item.result.scheduled_at >= since]
    assert len(inside) > 8000
    assert_close(shown.checks.whole(), inside)
    for percent in PERCENTILES:
        exact = exact_percentile(inside, percent)
        assert shown.checks.percentile_us(percent) == pytest.approx(exact, rel=0.01)


def assert_close(bucket: Bucket, samples: Sequence[int]) -> None:
    latency = bucket.latency
    assert (latency.count, latency.total_us) == (len(samples), sum(samples))
    assert (latency.min_us, latency.max_us) == (min(samples), max(samples))
    for percent in PERCENTILES:
        exact = exact_percentile(samples, percent)
        assert latency.percentile(percent) == pytest.approx(exact, rel=0.01)


def test_only_scheduled_checks_with_a_verdict_are_counted(past: Past) -> None:
    monitor = past.monitor()
    past.see(
        look(monitor, NOW - 5 * MINUTE),
        look(monitor, NOW - 4 * MINUTE, Verdict.FAILED),
        look(monitor, NOW - 3 * MINUTE, Verdict.VOID),
        look(monitor, NOW - 2 * MINUTE, kind=ResultKind.RECHECK, latency_us=9_000_000),
        look(monitor, NOW - MINUTE, kind=ResultKind.MANUAL),
    )
    checks = figures(past, NOW, monitor).checks.whole()
    assert (checks.checks, checks.failed, checks.void) == (2, 1, 1)
    assert checks.latency.max_us == 12_000


def test_a_window_holds_what_it_spans(past: Past) -> None:
    monitor = past.monitor(born=NOW - 100 * DAY)
    past.see(*[look(monitor, NOW - age) for age in (30 * MINUTE, 20 * HOUR, 6 * DAY, 29 * DAY)])
    while past.write(lambda connection: rollups.roll(connection, NOW, 1000)):
        pass
    counts = {window: figures(past, NOW, monitor, window).checks.whole().checks for window in WINDOWS}
    assert counts == {"1h": 1, "24h": 2, "7d": 3, "30d": 4, "90d": 4}


def test_without_results_there_is_no_latency(past: Past) -> None:
    checks = figures(past, NOW, past.monitor()).checks.whole()
    assert (checks.checks, checks.latency.percentile(95), checks.latency.mean()) == (0, None, None)


# --- uptime -----------------------------------------------------------------------------------------------


def test_the_six_sums_are_the_window_since_creation(quick: Past) -> None:
    chance = random.Random(5)
    for number in range(1, 30):
        born = NOW - chance.choice((30 * MINUTE, 5 * HOUR, 40 * HOUR, 20 * DAY, 100 * DAY)) - chance.randrange(1000)
        monitor = quick.monitor(number, born=born, regions=list(REGIONS[: chance.randint(1, 3)]))
        cuts = sorted(chance.randrange(born, NOW) for _ in range(chance.randrange(12)))
        spans = [
            (monitor.key, Span(region=region, start=start, end=start + chance.randrange(1, 3 * HOUR)))
            for region in (1, 2, 3)
            for start in range(born, NOW, 7 * HOUR)
            if chance.random() < 0.5
        ]

        def store(connection: Connection, key: int = monitor.key, cuts: Any = cuts, spans: Any = spans) -> None:
            for cut in cuts:
                states.cut_intervals(connection, key, cut, chance.choice(list(State)))
            states.add_unseen(connection, spans)

        quick.write(store)
        if chance.random() < 0.5:
            quick.see(look(monitor, NOW - chance.randrange(HOUR)))
        for window, found in figures(quick, NOW, monitor).sums.items():
            assert found.window == min(WINDOWS[window], NOW - born)


@given(
    cuts=st.lists(st.tuples(st.integers(1, 60), st.sampled_from(list(State))), max_size=6),
    spans=st.lists(st.tuples(st.integers(1, 3), st.integers(-5, 60), st.integers(1, 20)), max_size=6),
    regions=st.integers(1, 3),
    start=st.integers(0, 30),
    length=st.integers(1, 40),
)
def test_sums_agree_with_counting_every_millisecond(
    cuts: list[tuple[int, State]], spans: list[tuple[int, int, int]], regions: int, start: int, length: int
) -> None:
    edges = sorted({(0, State.UP), *cuts}, key=lambda cut: cut[0])
    ends = [*(at for at, _ in edges[1:]), 80]
    intervals = [Interval(start=at, end=end, state=state) for (at, state), end in zip(edges, ends, strict=True)]
    # At most one hole for each region: those of one region never overlap.
    apart = {region: Span(region=region, start=at, end=at + long) for region, at, long in spans if region <= regions}
    holes = list(apart.values())
    counted: Counter[State] = Counter()
    for at in range(start, start + length):
        state = next(one.state for one in intervals if one.start <= at < one.end)
        seeing = regions - sum(hole.start <= at < hole.end for hole in holes)
        blind = 2 * seeing < regions and state not in (State.PAUSED, State.MAINTENANCE)
        counted[State.UNKNOWN if blind else state] += 1
    assert Timeline.of(intervals, holes, regions, []).sums(start, start + length) == Sums(
        up=counted[State.UP],
        degraded=counted[State.DEGRADED],
        down=counted[State.DOWN],
        unknown=counted[State.UNKNOWN] + counted[State.PENDING],
        maintenance=counted[State.MAINTENANCE],
        paused=counted[State.PAUSED],
    )


def test_every_window_weighs_its_own_time(past: Past) -> None:
    monitor = past.monitor(born=NOW - 100 * DAY)

    def store(connection: Connection) -> None:
        states.cut_intervals(connection, monitor.key, NOW - 20 * DAY, State.DOWN)
        states.cut_intervals(connection, monitor.key, NOW - 19 * DAY, State.UP)
        states.cut_intervals(connection, monitor.key, NOW - 2 * DAY, State.DEGRADED)
        states.cut_intervals(connection, monitor.key, NOW - DAY - HOUR, State.DOWN)
        states.cut_intervals(connection, monitor.key, NOW - DAY + 864_000, State.UP)

    past.write(store)
    past.see(look(monitor, NOW - 10 * SECOND))
    found = figures(past, NOW, monitor, "24h")
    assert {name: one.uptime_pct for name, one in found.sums.items()} == {
        "1h": 100.0,
        "24h": 99.0,
        "7d": 99.2619,
        "30d": 96.4944,
        "90d": 98.8314,
    }
    assert (found.in_window.down, found.coverage_pct) == (864_000, 100.0)


def test_before_its_creation_a_monitor_has_no_time_and_no_coverage(past: Past) -> None:
    monitor = past.monitor(born=NOW - 6 * HOUR)
    past.see(look(monitor, NOW - 10 * SECOND))
    found = figures(past, NOW, monitor, "24h")
    assert (found.in_window, found.coverage_pct) == (Sums(up=6 * HOUR), 25.0)


# --- sight ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("age", "unknown"),
    [
        (0, 0),
        (30 * SECOND, 0),
        (30 * SECOND + PATIENCE - 1, 0),
        (30 * SECOND + PATIENCE, PATIENCE),
        (80 * SECOND, 50 * SECOND),
    ],
)
def test_an_overdue_result_makes_the_time_since_the_end_of_sight_unknown(past: Past, age: int, unknown: int) -> None:
    monitor = past.monitor()
    past.see(look(monitor, NOW - age))
    found = figures(past, NOW, monitor).in_window
    assert (found.unknown, found.up) == (unknown, DAY - unknown)


def test_a_monitor_that_is_checked_in_time_never_shows_unknown_time(quick: Past) -> None:
    """Every second, with the slowest checks that are still in time: all attempts time out one after the other."""
    monitor = quick.monitor(interval_seconds=1, timeout_ms=1000, retry={"count": 0, "delay_ms": 100}, born=NOW)
    shipped = 500 + 1000 + 500  # late start, time-out, way
    for now in range(NOW, NOW + 10 * SECOND, 100):
        slot = now - shipped
        if slot >= NOW and slot % SECOND == NOW % SECOND:
            quick.see(look(monitor, slot))
        assert figures(quick, now, monitor).in_window.unknown == 0


def test_the_hole_is_gone_when_the_result_comes(past: Past) -> None:
    monitor = past.monitor()
    past.see(look(monitor, NOW - 80 * SECOND))
    assert figures(past, NOW, monitor).in_window.unknown > 0
    past.see(look(monitor, NOW - 50 * SECOND), look(monitor, NOW - 20 * SECOND))
    assert figures(past, NOW, monitor).in_window.unknown == 0


@pytest.mark.parametrize(
    ("ages", "unknown"),
    [
        ((80, 5), 0),
        ((80, 100), 50),
        ((80, 100, 5), 50),
        ((80, 5, 5), 0),
        ((5, 5, 5), 0),
        ((5, 900, None), 0),  # the third looked never; its time begins with the last edit
    ],
)
def test_time_is_unknown_when_fewer_than_half_of_the_regions_see(
    past: Past, ages: tuple[int | None, ...], unknown: int
) -> None:
    monitor = past.monitor(regions=list(REGIONS[: len(ages)]), born=NOW - DAY)
    monitor = replace(monitor, updated_at=NOW - 20 * SECOND)
    past.see(
        *[
            look(monitor, NOW - age * SECOND, region_key=place)
            for place, age in enumerate(ages, start=1)
            if age is not None
        ]
    )
    assert figures(past, NOW, monitor).in_window.unknown == unknown * SECOND


def test_a_void_result_is_no_sight(past: Past) -> None:
    monitor = past.monitor()
    past.see(look(monitor, NOW - 80 * SECOND), *[look(monitor, NOW - age, Verdict.VOID) for age in (50_000, 20_000)])
    found = figures(past, NOW, monitor).in_window
    assert found.unknown == 50 * SECOND
    [sight] = sights(past, NOW, monitor)
    assert sight.last_probe_at == NOW - 20_000 + 100


def test_holes_that_were_stored_and_the_one_up_to_now_add_up(past: Past) -> None:
    monitor = past.monitor()
    hole = Span(region=1, start=NOW - 10 * MINUTE, end=NOW - 5 * MINUTE)
    gone = Span(region=2, start=NOW - DAY, end=NOW - HOUR)  # of a region that the monitor had once
    past.write(lambda connection: states.add_unseen(connection, [(monitor.key, hole), (monitor.key, gone)]))
    past.see(look(monitor, NOW - 5 * MINUTE), look(monitor, NOW - 90 * SECOND))
    assert figures(past, NOW, monitor).in_window.unknown == 5 * MINUTE + 60 * SECOND


def test_an_edit_that_moves_the_slots_leaves_no_hole(past: Past) -> None:
    monitor = past.monitor(interval_seconds=10)
    past.see(look(monitor, NOW - 55 * SECOND))  # made under the first version, when it was checked every 60 s
    edited = replace(monitor, config_version=2, updated_at=NOW - 8 * SECOND)
    assert figures(past, NOW, edited).in_window.unknown == 0
    assert figures(past, NOW + MINUTE, edited).in_window.unknown == 105 * SECOND


def test_time_before_the_votes_count_is_what_was_decided(past: Past) -> None:
    """After a seed, a pause or an unknown stretch the intervals tell; a hole may not reach back into them."""
    monitor = past.monitor()
    past.see(look(monitor, NOW - 5 * HOUR))
    state = replace(past.state_of(monitor), votes_from=NOW - 70 * SECOND)
    past.write(lambda connection: states.save_state(connection, monitor.key, state))
    assert figures(past, NOW, monitor).in_window.unknown == 70 * SECOND


def test_a_paused_monitor_misses_nothing(past: Past) -> None:
    monitor = past.monitor(state=State.PAUSED)
    past.see(look(monitor, NOW - 5 * HOUR))
    assert figures(past, NOW, monitor).in_window == Sums(paused=DAY)
    [sight] = sights(past, NOW, monitor)
    assert (sight.stale, sight.state.state, sight.holes) == (False, State.PAUSED, ())


def test_a_state_that_nobody_confirms_is_shown_as_unknown(past: Past) -> None:
    """Even where the engine cannot store it: a full disk must not leave everything green."""
    monitor = past.monitor()
    seen_at = NOW - 160 * SECOND  # 70 s for which a vote lives, and 90 s without a decision
    past.see(look(monitor, seen_at - 101))
    [stale], [fresh] = sights(past, NOW, monitor), sights(past, NOW - 2, monitor)
    assert (fresh.stale, fresh.state.state) == (False, State.UP)
    assert (stale.stale, stale.state.state, stale.state.health) == (True, State.UNKNOWN, Health.UNKNOWN)
    assert stale.state.since == seen_at - 1


def test_a_region_says_what_its_standing_is_while_it_may_vote(past: Past) -> None:
    monitor = past.monitor(regions=list(REGIONS))
    stand(past, monitor, {1: Position.PASSING, 2: Position.FAILING})
    past.see(look(monitor, NOW - 5000), look(monitor, NOW - 5000, Verdict.FAILED, region_key=2))
    [sight] = sights(past, NOW, monitor)
    assert [region.health for region in sight.regions] == [Health.UP, Health.DOWN, Health.PENDING]
    assert sight.failing_regions == [REGIONS[1]]
    assert sight.regions[1].newest is not None
    assert sight.regions[1].newest.failure is not None
    assert sight.regions[1].newest.failure.detail == "503 instead of 200"
    [later] = sights(past, NOW + 70 * SECOND, monitor)
    assert [region.health for region in later.regions] == [Health.UNKNOWN, Health.UNKNOWN, Health.PENDING]


def test_many_monitors_are_read_at_once_and_kept_apart(past: Past) -> None:
    born = [past.monitor(number, born=NOW - number * HOUR) for number in (1, 2, 3)]
    past.see(*[look(monitor, NOW - age) for monitor in born for age in range(1000, monitor.key * 30_000, 30_000)])
    shown = list(zip(born, sights(past, NOW, *born), strict=True))
    found = past.read(lambda connection: figures_of(connection, TEAM_ID, shown, "24h", NOW, ClosedChecks(8)))
    assert [found[monitor.key].checks.whole().checks for monitor in born] == [1, 2, 3]
    assert [found[monitor.key].in_window.up for monitor in born] == [HOUR, 2 * HOUR, 3 * HOUR]


# --- incidents --------------------------------------------------------------------------------------------


def test_incidents_of_the_window_and_the_mean_time_to_resolve(past: Past) -> None:
    monitor, other = past.monitor(1), past.monitor(2)

    def incident(number: int, monitor: Monitor, triggered: int, resolved: int | None) -> Incident:
        return Incident(
            id=f"inc_{number:08d}",
            team_id=TEAM_ID,
            number=0,
            monitor_key=monitor.key,
            monitor_id=monitor.id,
            dedup_key=f"key-{number}",
            state=IncidentState.TRIGGERED if resolved is None else IncidentState.RESOLVED,
            version=1,
            title="Down",
            severity=Severity.CRITICAL,
            source="monitor",
            assignee=None,
            occurrences=1,
            notify=False,
            policy=None,
            triggered_at=triggered,
            triggered_by=SYSTEM,
            resolved_at=resolved,
            created_at=triggered,
            updated_at=triggered,
        )

    def store(connection: Connection) -> None:
        for one in (
            incident(1, monitor, NOW - 3 * DAY, NOW - 2 * DAY),
            incident(2, monitor, NOW - 25 * HOUR, NOW - 23 * HOUR),
            incident(3, monitor, NOW - 2 * HOUR, NOW - HOUR),
            incident(4, monitor, NOW - MINUTE, None),
            incident(5, other, NOW - MINUTE, None),
        ):
            incidents.insert(connection, one)

    past.write(store)
    found = figures(past, NOW, monitor).incidents
    assert (found.triggered, found.mean_time_to_resolve) == (2, 1.5 * HOUR)
    assert figures(past, NOW, monitor, "7d").incidents.triggered == 4
    quiet = figures(past, NOW, other).incidents
    assert (quiet.triggered, quiet.mean_time_to_resolve) == (1, None)
    stranger = past.read(
        lambda connection: figures_of(
            connection, "team_00000002", [(monitor, sights(past, NOW, monitor)[0])], "24h", NOW, ClosedChecks(8)
        )
    )
    assert stranger[monitor.key].incidents.triggered == 0
