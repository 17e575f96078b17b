"""A monitor with a past, written straight into the tables: results, decided intervals and holes at given instants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from statuspulse.domain.actor import Actor
from statuspulse.domain.failure import Failure, FailureClass
from statuspulse.domain.health import Health, State
from statuspulse.domain.result import Observation, Result, ResultKind, Verdict
from statuspulse.domain.times import DAY, SECOND, from_text
from statuspulse.storage import monitors, probes, results, states, teams
from statuspulse.storage.database import Database
from statuspulse.storage.monitors import Monitor
from statuspulse.storage.results import Placed
from statuspulse.storage.states import MonitorState
from statuspulse.storage.teams import Team

TEAM_ID = "team_00000001"
NOW = from_text("2026-11-23T06:23:55.204Z")
REGIONS = ("us-east", "eu-west", "ap-south")
_FAILURES = {
    Verdict.OK: None,
    Verdict.FAILED: Failure(FailureClass.STATUS_MISMATCH, "503 instead of 200"),
    Verdict.VOID: Failure(FailureClass.PROBE_ERROR, "no_descriptors"),
}


@dataclass(frozen=True)
class Past:
    """A database with a team and three regions."""

    database: Database

    @classmethod
    def begin(cls, database: Database) -> Past:
        def prepare(connection: Connection) -> None:
            teams.insert(connection, Team(id=TEAM_ID, slug="ours", name="Ours", created_at=1, updated_at=1))
            for slug in REGIONS:
                probes.ensure_region(connection, slug, slug, 1)

        past = cls(database)
        past.write(prepare)
        return past

    def write(self, work: Any) -> Any:
        return self.database.submit(work).result(60)

    def read(self, work: Any) -> Any:
        return self.database.read_now(work)

    def monitor(
        self,
        number: int = 1,
        *,
        born: int = NOW - DAY,
        state: State = State.UP,
        created_at: int | None = None,
        **config: Any,
    ) -> Monitor:
        """Every 30 s from the first region; in its state since `born`, from when on votes count."""
        document = {
            "name": f"Monitor {number}",
            "regions": [REGIONS[0]],
            "interval_seconds": 30,
            "timeout_ms": 10_000,
            "notifications": [],
            "notification_rules": [],
            "retry": {"count": 1, "delay_ms": 1000},
            "failure_threshold": 2,
            "recovery_threshold": 2,
            "quorum": "majority",
            "region_strategy": "parallel",
            "degraded_latency_ms": None,
            "tags": [],
            "escalation_policy": None,
            "severity": "critical",
            **config,
        }
        unkeyed = Monitor(
            key=0,
            id=f"mon_{number:08d}",
            team_id=TEAM_ID,
            name=document["name"],
            type="http",
            target="https://shop.example/",
            config=document,
            config_version=1,
            judged_from_version=1,
            revision=number,
            paused=state is State.PAUSED,
            resume_at=None,
            updated_by=Actor("token", "tok_00000001", "ops"),
            created_at=born if created_at is None else created_at,
            updated_at=born,
        )
        health = Health.PENDING if state in (State.PAUSED, State.MAINTENANCE) else Health(state.value)
        first = MonitorState(health=health, state=state, since=born, seq=1, votes_from=born)

        def store(connection: Connection) -> Monitor:
            key = monitors.insert(connection, unkeyed)
            states.begin(connection, key, first)
            stored = monitors.get(connection, TEAM_ID, unkeyed.id)
            assert stored is not None
            return stored

        kept: Monitor = self.write(store)
        return kept

    def state_of(self, monitor: Monitor) -> MonitorState:
        state: MonitorState = self.read(lambda connection: states.state_of(connection, monitor.key))
        return state

    def see(self, *placed: Placed) -> None:
        self.write(lambda connection: results.insert(connection, placed))


def look(
    monitor: Monitor,
    at: int,
    verdict: Verdict = Verdict.OK,
    *,
    region_key: int = 1,
    latency_us: int | None = 12_000,
    kind: ResultKind = ResultKind.SCHEDULED,
    version: int = 1,
) -> Placed:
    """A result whose slot is `at`; the check took 100 ms."""
    result = Result(
        monitor_id=monitor.id,
        region=REGIONS[region_key - 1],
        scheduled_at=at,
        kind=kind,
        round=at // (30 * SECOND),
        lag_us=0,
        observed_at=at + 100,
        attempt=1,
        config_version=version,
        observation=Observation(failure=_FAILURES[verdict], latency_us=latency_us),
    )
    return Placed(monitor_key=monitor.key, region_key=region_key, probe_key=1, result=result)
