"""Rows that others stand on: two teams, two regions with a probe, and monitors; and values made of what matters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from statuspulse.domain.actor import SYSTEM, Actor
from statuspulse.domain.failure import Failure
from statuspulse.domain.health import Health, State
from statuspulse.domain.incident import IncidentState
from statuspulse.domain.monitor import Severity
from statuspulse.domain.result import Observation, Result, ResultKind
from statuspulse.storage import monitors, probes, states, teams
from statuspulse.storage.database import Database
from statuspulse.storage.incidents import Incident
from statuspulse.storage.monitors import Monitor
from statuspulse.storage.results import Placed
from statuspulse.storage.states import MonitorState
from statuspulse.storage.teams import Team

TEAM = "team_00000001"
OTHER = "team_00000002"
ACTOR = Actor("token", "tok_00000001", "ops – Zürich")
BORN = 10_000


@dataclass(frozen=True)
class Ground:
    """A database with the rows above; keys are the database's own."""

    database: Database
    here: int
    there: int
    probe: int
    monitor: int
    neighbour: int

    def write(self, work: Any) -> Any:
        return self.database.submit(work).result(10)

    def read(self, work: Any) -> Any:
        return self.database.read_now(work)


def lay(database: Database) -> Ground:
    def fill(connection: Connection) -> dict[str, int]:
        for number, team_id in enumerate((TEAM, OTHER)):
            teams.insert(
                connection, Team(id=team_id, slug=f"team-{number}", name="Team", created_at=number, updated_at=number)
            )
        here = probes.ensure_region(connection, "local", "Local", 1)
        there = probes.ensure_region(connection, "eu-west", "Frankfurt", 1)
        probes.insert(connection, "prb_00000001", region_key=here, name="one", digest=b"one", now=1)
        probe = probes.by_id(connection, "prb_00000001")
        assert probe is not None
        monitor, neighbour = (_monitor(connection, number) for number in (1, 2))
        return {"here": here, "there": there, "probe": probe.key, "monitor": monitor, "neighbour": neighbour}

    return Ground(database=database, **database.submit(fill).result(10))


def _monitor(connection: Connection, number: int) -> int:
    name = f"Monitor {number}"
    key = monitors.insert(
        connection,
        Monitor(
            key=0,
            id=f"mon_{number:08d}",
            team_id=TEAM,
            name=name,
            type="http",
            target="https://shop.example/",
            config={
                "name": name,
                "type": "http",
                "tags": [],
                "regions": ["local", "eu-west"],
                "escalation_policy": None,
                "notifications": [],
                "notification_rules": [],
                "maintenance_windows": [],
            },
            config_version=1,
            judged_from_version=1,
            revision=number,
            paused=False,
            resume_at=None,
            updated_by=ACTOR,
            created_at=BORN,
            updated_at=BORN,
        ),
    )
    first = MonitorState(health=Health.PENDING, state=State.PENDING, since=BORN, seq=0, votes_from=BORN)
    states.begin(connection, key, first)
    return key


def an_incident(number: int, **changes: Any) -> Incident:
    members: dict[str, Any] = {
        "id": f"inc_{number:08d}",
        "team_id": TEAM,
        "number": 0,
        "monitor_key": None,
        "monitor_id": None,
        "dedup_key": None,
        "state": IncidentState.TRIGGERED,
        "version": 1,
        "title": f"Incident {number}",
        "severity": Severity.CRITICAL,
        "source": "manual",
        "assignee": None,
        "occurrences": 1,
        "notify": True,
        "policy": None,
        "triggered_at": 1000 + number,
        "triggered_by": SYSTEM,
        "created_at": 1000 + number,
        "updated_at": 1000 + number,
    }
    return Incident(**{**members, **changes})


def a_result(at: int, **changes: Any) -> Result:
    failure: Failure | None = changes.pop("failure", None)
    members: dict[str, Any] = {
        "monitor_id": "mon_00000001",
        "region": "local",
        "scheduled_at": at,
        "kind": ResultKind.SCHEDULED,
        "round": at // 1000,
        "lag_us": 150,
        "observed_at": at + 80,
        "attempt": 1,
        "config_version": 1,
        "observation": Observation(failure=failure, latency_us=80_000),
    }
    return Result(**{**members, **changes})


def placed(ground: Ground, result: Result, *, region: int | None = None, monitor: int | None = None) -> Placed:
    return Placed(monitor or ground.monitor, region or ground.here, ground.probe, result)
