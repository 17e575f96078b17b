"""What the status of some monitors shows of their incidents."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import BigInteger, Connection, bindparam, func, select

from statuspulse.domain.incident import IncidentState
from statuspulse.domain.monitor import Severity
from statuspulse.storage.prepared import Prepared
from statuspulse.storage.schema import incidents

# Built once: what a read of a status builds anew each time costs more than what it asks for.
_MINE = (incidents.c.team_id == bindparam("team")) & incidents.c.monitor_key.in_(bindparam("keys", expanding=True))
_START, _END = bindparam("start", type_=BigInteger), bindparam("end", type_=BigInteger)
_OPEN = Prepared(
    select(incidents)
    .where(_MINE, incidents.c.state != IncidentState.RESOLVED.value)
    .order_by(incidents.c.triggered_at.desc(), incidents.c.number.desc())
)
_TRIGGERED = Prepared(
    select(incidents.c.monitor_key, func.count())
    .where(_MINE, incidents.c.triggered_at >= _START, incidents.c.triggered_at < _END)
    .group_by(incidents.c.monitor_key)
)
_RESOLVED = Prepared(
    select(incidents.c.monitor_key, func.count(), func.sum(incidents.c.resolved_at - incidents.c.triggered_at))
    .where(_MINE, incidents.c.resolved_at >= _START, incidents.c.resolved_at < _END)
    .group_by(incidents.c.monitor_key)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenIncident:
    """The head of an incident that is not resolved."""

    id: str
    number: int
    title: str
    state: IncidentState
    severity: Severity
    version: int
    triggered_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentFigures:
    """How many incidents were triggered and resolved in a window, and how long (ms) the resolved ones lasted in all."""

    triggered: int = 0
    resolved: int = 0
    lasted: int = 0

    @property
    def mean_time_to_resolve(self) -> float | None:
        """In ms; None where nothing was resolved."""
        return self.lasted / self.resolved if self.resolved else None


def open_incidents(connection: Connection, team_id: str, monitor_keys: Collection[int]) -> dict[int, OpenIncident]:
    """The open incident of each monitor that has one, the oldest where there are several."""
    return {
        row.monitor_key: OpenIncident(
            id=row.id,
            number=row.number,
            title=row.title,
            state=IncidentState(row.state),
            severity=Severity(row.severity),
            version=row.version,
            triggered_at=row.triggered_at,
        )
        for row in _OPEN.rows(connection, team=team_id, keys=list(monitor_keys))
    }


def incident_figures(
    connection: Connection, team_id: str, monitor_keys: Collection[int], start: int, end: int
) -> dict[int, IncidentFigures]:
    """The figures of each monitor for [start, end); one without any incident in it is missing."""
    wanted: dict[str, Any] = {"team": team_id, "keys": list(monitor_keys), "start": start, "end": end}
    found: dict[int, IncidentFigures] = {}
    for key, count in _TRIGGERED.rows(connection, **wanted):
        found[key] = IncidentFigures(triggered=count)
    for key, count, lasted in _RESOLVED.rows(connection, **wanted):
        found[key] = replace(found.get(key, IncidentFigures()), resolved=count, lasted=int(lasted))
    return found


def triggered_between(
    connection: Connection, team_id: str, monitor_keys: Collection[int], start: int, end: int
) -> list[tuple[int, int]]:
    """(monitor key, when it was triggered) of every incident of the monitors in [start, end)."""
    query = select(incidents.c.monitor_key, incidents.c.triggered_at).where(
        incidents.c.team_id == team_id,
        incidents.c.monitor_key.in_(monitor_keys),
        incidents.c.triggered_at >= start,
        incidents.c.triggered_at < end,
    )
    return [(row.monitor_key, row.triggered_at) for row in connection.execute(query)]
