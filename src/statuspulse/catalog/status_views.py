"""The status of monitors: what holds now, quick to read, and the figures beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from statuspulse.catalog.monitor_views import next_probe
from statuspulse.catalog.refusals import existing
from statuspulse.engine.closed_checks import ClosedChecks
from statuspulse.engine.figures import Figures, figures_of
from statuspulse.engine.sight import Sight, sights_of
from statuspulse.engine.slo_reports import Stand, stands_beside
from statuspulse.storage import monitors, status
from statuspulse.storage.monitors import Monitor
from statuspulse.storage.states import MonitorState
from statuspulse.storage.status import OpenIncident


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What is known of a monitor at one moment, without any figure."""

    monitor: Monitor
    sight: Sight
    next_probe_at: int | None
    incident: OpenIncident | None

    @property
    def version(self) -> str:
        """Another one whenever more than figures is another: state, newest check, and what people have changed."""
        incident_version = 0 if self.incident is None else self.incident.version
        parts = (
            self.sight.state.seq,
            self.sight.last_probe_at or 0,
            self.monitor.config_version,
            incident_version,
            int(self.sight.stale),
            0 if self.sight.beat is None else self.sight.beat.started_at or 0,
            int(self.sight.state.flapping.is_on),
            self.sight.state.state.value,
            self.sight.outlook.next_start_at or 0,
            0 if self.sight.outlook.cover is None else self.sight.outlook.cover.until,
        )
        return "-".join(map(str, parts))


def head_of(connection: Connection, team_id: str, monitor_id: str, now: int) -> Head:
    """Raises MissingError."""
    found = existing(monitors.get_with_state(connection, team_id, monitor_id))
    return heads_of(connection, team_id, [found], now)[0]


def heads_of(
    connection: Connection, team_id: str, found: Sequence[tuple[Monitor, MonitorState]], now: int
) -> list[Head]:
    """The heads of some monitors of one team, in their order."""
    sights = sights_of(connection, found, now)
    incidents = status.open_incidents(connection, team_id, [monitor.key for monitor, _ in found])
    return [
        Head(
            monitor=monitor,
            sight=sights[monitor.key],
            next_probe_at=None
            if monitor.paused or monitor.resting
            else next_probe(monitor, sights[monitor.key].beat, now),
            incident=incidents.get(monitor.key),
        )
        for monitor, _ in found
    ]


def slas_beside(
    connection: Connection, team_id: str, heads: Sequence[Head], figures: Sequence[Figures], now: int
) -> list[Stand | None]:
    """How the objective of each head's own configuration stands, in their order; None without one."""
    by_key = {head.monitor.key: one for head, one in zip(heads, figures, strict=True)}
    found = stands_beside(connection, team_id, [head.monitor for head in heads], by_key, now)
    return [found.get(head.monitor.key) for head in heads]


def figures_beside(
    connection: Connection, team_id: str, heads: Sequence[Head], window: str, now: int, closed: ClosedChecks
) -> list[Figures]:
    """The figures of each head, in their order."""
    figures = figures_of(connection, team_id, [(head.monitor, head.sight) for head in heads], window, now, closed)
    return [figures[head.monitor.key] for head in heads]
