"""What is remembered of a monitor is never other than what a fresh read gives, whatever was written meanwhile."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from sqlalchemy import Connection

from statuspulse.domain.health import State
from statuspulse.domain.incident import IncidentState
from statuspulse.domain.result import Verdict
from statuspulse.domain.times import DAY, HOUR, MINUTE, SECOND
from statuspulse.domain.uptime import Interval, Span
from statuspulse.engine import rollups
from statuspulse.engine.closed_checks import Checks, ClosedChecks
from statuspulse.engine.figures import Figures, figures_of
from statuspulse.engine.known_pasts import KnownPast, KnownPasts, Seen, Told
from statuspulse.engine.sight import Sight, sights_of
from statuspulse.storage import incidents, late, monitors, results, states
from statuspulse.storage.database import Database
from statuspulse.storage.monitors import Monitor
from statuspulse.storage.status import IncidentFigures, Incidents
from tests.contracts.ground import an_incident
from tests.deep import deep
from tests.engine.past import NOW, TEAM_ID, Past, look

BORN = NOW - 2 * DAY


@pytest.fixture
def past(database: Database) -> Past:
    return Past.begin(database)


def shown(past: Past, monitor: Monitor, window: str, now: int, memory: ClosedChecks) -> Any:
    """Everything that an answer tells of the figures."""

    def read(connection: Connection) -> Figures:
        found = monitors.get_with_state(connection, TEAM_ID, monitor.id)
        assert found is not None
        sight: Sight = sights_of(connection, [found], now)[monitor.key]
        return figures_of(connection, TEAM_ID, [(monitor, sight)], window, now, memory)[monitor.key]

    one = past.read(read)
    percentiles = [one.checks.percentile_us(percent) for percent in (50, 95, 99)]
    regions = [(one.checks.region(key), one.checks.percentile_us(95, key)) for key in (1, 2, 3)]
    return one.sums, one.checks.whole(), percentiles, regions, one.incidents, one.coverage_pct


@dataclass
class Story:
    """Things that befall one monitor, drawn at random; `now` moves on by itself."""

    past: Past
    monitor: Monitor
    chance: random.Random
    now: int = NOW
    incidents: int = 0

    def somewhere(self, back: int = DAY) -> int:
        return self.now - self.chance.randrange(back)

    def looks_come_in(self) -> None:
        verdicts = [self.chance.choice((Verdict.OK, Verdict.OK, Verdict.FAILED, Verdict.VOID)) for _ in range(5)]
        begun = self.now - 5 * 30 * SECOND
        placed = [look(self.monitor, begun + n * 30_000, one) for n, one in enumerate(verdicts)]
        self.take(placed)

    def a_late_look_comes_in(self) -> None:
        region = self.chance.choice((1, 2))
        latency_us = int(10 ** self.chance.uniform(3, 6))
        self.take([look(self.monitor, self.somewhere(20 * MINUTE), region_key=region, latency_us=latency_us)])

    def a_look_is_ahead(self) -> None:
        self.take([look(self.monitor, self.now + 10 * SECOND, region_key=1)])

    def take(self, placed: list[Any]) -> None:
        def store(connection: Connection) -> None:
            results.insert(connection, placed)
            rollups.touch(connection, placed)

        self.past.write(store)

    def rolls(self) -> None:
        while self.past.write(lambda connection: rollups.roll(connection, self.now, rollups.ROWS_PER_STEP)):
            pass

    def state_changes(self) -> None:
        state = self.chance.choice((State.UP, State.DOWN, State.DEGRADED, State.UNKNOWN, State.PAUSED))
        at = self.somewhere(HOUR)
        self.past.write(lambda connection: states.cut_intervals(connection, self.monitor.key, at, state))

    def nobody_looks(self) -> None:
        start = self.somewhere()
        hole = Span(region=1, start=start, end=min(self.now, start + self.chance.randrange(1, HOUR)))
        self.past.write(lambda connection: states.add_unseen(connection, [(self.monitor.key, hole)]))

    def late_results_are_read(self) -> None:
        start = self.somewhere()
        told = Interval(start=start, end=start + 5 * MINUTE, state=self.chance.choice((State.UP, State.DOWN)))
        self.past.write(
            lambda connection: late.replace_between(connection, self.monitor.key, start, start + HOUR, [told])
        )

    def an_incident_comes_and_goes(self) -> None:
        self.incidents += 1
        begun = self.somewhere()
        found = an_incident(
            self.incidents,
            team_id=TEAM_ID,
            monitor_key=self.monitor.key,
            monitor_id=self.monitor.id,
            triggered_at=begun,
        )
        kept = self.past.write(lambda connection: incidents.insert(connection, found))
        if self.chance.random() < 0.7:
            over = replace(kept, state=IncidentState.RESOLVED, resolved_at=begun + 7 * SECOND, version=2)
            self.past.write(lambda connection: incidents.save(connection, over, read_version=1))

    def time_passes(self) -> None:
        self.now += self.chance.choice((SECOND, 40 * SECOND, 6 * MINUTE, HOUR))


@pytest.mark.parametrize("seed", [0, *deep((1, 2))])
def test_whatever_happens_a_read_is_as_a_first_one_would_be(past: Past, seed: int) -> None:
    chance = random.Random(seed)
    story = Story(past, past.monitor(born=BORN), chance)
    happens: list[Callable[[], None]] = [
        story.looks_come_in,
        story.looks_come_in,
        story.a_late_look_comes_in,
        story.a_look_is_ahead,
        story.rolls,
        story.state_changes,
        story.nobody_looks,
        story.late_results_are_read,
        story.an_incident_comes_and_goes,
        story.time_passes,
        story.time_passes,
    ]
    memory = ClosedChecks(8)
    for _ in range(60):
        chance.choice(happens)()
        for window in ("1h", "24h"):
            remembered = shown(past, story.monitor, window, story.now, memory)
            assert remembered == shown(past, story.monitor, window, story.now, ClosedChecks(8))


def test_what_nothing_has_touched_is_not_read_again(past: Past) -> None:
    monitor = past.monitor(born=BORN)
    past.see(*(look(monitor, NOW - n * 30 * SECOND) for n in range(1, 20)))
    memory = ClosedChecks(8)
    shown(past, monitor, "24h", NOW, memory)
    known = memory.pasts.recall(monitor.key, 0)
    assert known is not None
    [seen] = known.windows.values()
    shown(past, monitor, "24h", NOW + SECOND, memory)
    assert memory.pasts.recall(monitor.key, 0) is known
    assert list(known.windows.values()) == [seen]


def nothing(rewrites: int) -> KnownPast:
    return KnownPast(rewrites=rewrites, intervals=(), unseen=(), late=(), excluded=(), incidents=Incidents())


def test_only_what_was_read_last_is_kept() -> None:
    memory = KnownPasts(2)
    for key in (1, 2, 3):
        memory.keep(key, nothing(7))
    assert [memory.recall(key, 7) is None for key in (1, 2, 3)] == [True, False, False]
    assert memory.recall(3, 8) is None
    kept = memory.recall(2, 7)
    assert kept is not None
    for start in range(9):
        seen = Seen(start=start, complete=(), rest=start, results=0, told=Told(Checks()))
        memory.keep_window(kept, seen)
    assert sorted(kept.windows) == [4, 5, 6, 7, 8]


def test_incidents_are_counted_by_their_instants() -> None:
    found = Incidents.of([(10, 15), (12, None), (20, 50), (3, 11)])
    assert found.between(10, 20) == IncidentFigures(triggered=2, resolved=2, lasted=5 + 8)
    assert found.between(0, 100) == IncidentFigures(triggered=4, resolved=3, lasted=5 + 30 + 8)
    assert found.between(13, 15) == IncidentFigures()
