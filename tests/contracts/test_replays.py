"""What backtests read, and a whole backtest; on each engine."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection

from statuspulse.domain.actor import SYSTEM
from statuspulse.domain.incident import Move, ResolveReason
from statuspulse.domain.message import Facts
from statuspulse.domain.monitor import Severity
from statuspulse.domain.result import ResultKind, Verdict
from statuspulse.domain.times import HOUR, SECOND
from statuspulse.engine import backtest
from statuspulse.engine.backtest import Backtest, Terms
from statuspulse.engine.incidents import Opening, change, open_incident
from statuspulse.storage import replays
from statuspulse.storage.database import Database
from statuspulse.storage.monitors import Monitor
from statuspulse.storage.replays import Alarm
from tests.engine.past import NOW, REGIONS, TEAM_ID, Past, look

BEGIN = NOW - HOUR
STEP = 30 * SECOND


@pytest.fixture
def past(database: Database) -> Past:
    return Past.begin(database)


def test_verdicts_are_the_newest_of_one_region_and_no_more_than_asked_for(past: Past) -> None:
    monitor, other = past.monitor(1), past.monitor(2)
    past.see(
        *(look(monitor, BEGIN + place * STEP, version=2) for place in range(6)),
        look(monitor, BEGIN + STEP, region_key=2),
        look(other, BEGIN + 2 * STEP + 1),
        look(monitor, BEGIN + 6 * STEP, Verdict.VOID),
        look(monitor, BEGIN + 6 * STEP + 1, kind=ResultKind.MANUAL),
        look(monitor, BEGIN + 6 * STEP + 2, Verdict.FAILED, kind=ResultKind.RECHECK),
    )
    window = (BEGIN + STEP, BEGIN + 7 * STEP)
    found = past.read(lambda connection: list(replays.verdicts(connection, monitor.key, 1, window, 4)))
    assert [(one.at, one.verdict, one.latency_us, one.config_version) for one in found] == [
        (BEGIN + 6 * STEP + 2, Verdict.FAILED, None, 1),
        *((BEGIN + place * STEP, Verdict.OK, 12_000, 2) for place in (5, 4, 3)),
    ]


def test_alarms_are_what_the_monitor_opened_and_each_opening_of_it(past: Past) -> None:
    monitor = past.monitor()

    def happen(connection: Connection) -> None:
        for number, source in enumerate(("monitor", "manual")):
            incident = open_incident(connection, _opening(monitor, source), SYSTEM, BEGIN + number, Facts())
            incident = _move(connection, incident, Move.RESOLVE, BEGIN + 60_000)
            incident = _move(connection, incident, Move.REOPEN, BEGIN + 120_000)
            _move(connection, incident, Move.ACKNOWLEDGE, BEGIN + 130_000)

    past.write(happen)
    whole, late = (BEGIN, NOW), (BEGIN + 100_000, NOW)
    assert _alarms(past, monitor, whole) == [Alarm(BEGIN, None, (BEGIN, BEGIN + 120_000))]
    assert _alarms(past, monitor, late) == [Alarm(BEGIN, None, (BEGIN + 120_000,))]
    assert _alarms(past, monitor, (BEGIN - HOUR, BEGIN)) == []
    assert past.read(lambda connection: replays.alarms(connection, "team_00000002", monitor.key, whole)) == []


def test_a_backtest_of_a_past(past: Past) -> None:
    monitor = past.monitor(regions=list(REGIONS[:2]), recovery_threshold=1, quorum="any")
    for region_key, story in ((1, "oooooxxoooxxxoooooooo"), (2, "oooooooooooooooxxxxoo")):
        past.see(
            *(
                look(
                    monitor,
                    BEGIN + place * STEP + (region_key - 1) * STEP // 2,
                    Verdict.FAILED if letter == "x" else Verdict.OK,
                    region_key=region_key,
                )
                for place, letter in enumerate(story)
            )
        )
    assert _pages(past, monitor) == 3
    assert _pages(past, monitor, failure_threshold=3) == 2
    assert _pages(past, monitor, quorum="all") == 0
    assert _pages(past, monitor, regions=[REGIONS[1]]) == 1
    assert _backtested(past, monitor).simulated.sums.down == (2 + 3 + 4) * STEP


def _opening(monitor: Monitor, source: str) -> Opening:
    return Opening(
        team_id=TEAM_ID,
        title="Shop is down",
        severity=Severity.CRITICAL,
        source=source,
        triggered_at=BEGIN,
        monitor_key=monitor.key,
        monitor_id=monitor.id,
        dedup_key=source,
    )


def _move(connection: Connection, incident: Any, move: Move, now: int) -> Any:
    reason = ResolveReason.RECOVERED if move is Move.RESOLVE else None
    return change(connection, incident, move, SYSTEM, now, facts=Facts(), reason=reason)


def _alarms(past: Past, monitor: Monitor, window: tuple[int, int]) -> list[Alarm]:
    found: list[Alarm] = past.read(lambda connection: replays.alarms(connection, TEAM_ID, monitor.key, window))
    return found


def _backtested(past: Past, monitor: Monitor, **changed: Any) -> Backtest:
    config = {**monitor.config, **changed}
    terms = Terms(start=BEGIN - HOUR, end=BEGIN + 21 * STEP, config=config, mutes_flapping=False)
    found: Backtest = past.read(lambda connection: backtest.run(connection, monitor, terms, NOW))
    return found


def _pages(past: Past, monitor: Monitor, **changed: Any) -> int:
    return _backtested(past, monitor, **changed).simulated.pages
