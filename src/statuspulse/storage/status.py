"""What the status of some monitors shows of their incidents."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from sqlalchemy import BigInteger, Connection, bindparam, select

from statuspulse.domain.incident import IncidentState
from statuspulse.domain.monitor import Severity
from statuspulse.storage.prepared import Prepared
from statuspulse.storage.schema import incidents

# Built once: what a read of a status builds anew each time costs more than what it asks for.
_MINE = (incidents.c.team_id == bindparam("team")) & incidents.c.monitor_key.in_(bindparam("keys", expanding=True))
_OPEN = Prepared(
    select(incidents)
    .where(_MINE, incidents.c.state != IncidentState.RESOLVED.value)
    .order_by(incidents.c.triggered_at.desc(), incidents.c.number.desc())
)
_SINCE = Prepared(
    select(incidents.c.monitor_key, incidents.c.triggered_at, incidents.c.resolved_at).where(
        _MINE,
        (incidents.c.triggered_at >= bindparam("start", type_=BigInteger))
        | (incidents.c.resolved_at >= bindparam("start", type_=BigInteger)),
    )
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


@dataclass(frozen=True, slots=True)
class Incidents:
    """When the incidents of a monitor were triggered, and when those that are over were resolved, ascending.

    `lasted` is how long (ms) the first so many of the resolved ones lasted in all.
    """

    triggered: Sequence[int] = ()
    resolved: Sequence[int] = ()
    lasted: Sequence[int] = (0,)

    @classmethod
    def of(cls, found: Iterable[tuple[int, int | None]]) -> Incidents:
        """Of (when it was triggered, when it was resolved)."""
        incidents_found = list(found)
        over = sorted((resolved, resolved - triggered) for triggered, resolved in incidents_found if resolved)
        return cls(
            triggered=sorted(triggered for triggered, _ in incidents_found),
            resolved=[resolved for resolved, _ in over],
            lasted=list(accumulate((lasted for _, lasted in over), initial=0)),
        )

    def between(self, start: int, end: int) -> IncidentFigures:
        """The figures of [start, end)."""
        first, last = (bisect_left(self.resolved, at) for at in (start, end))
        return IncidentFigures(
            triggered=bisect_left(self.triggered, end) - bisect_left(self.triggered, start),
            resolved=last - first,
            lasted=self.lasted[last] - self.lasted[first],
        )


def incidents_since(
    connection: Connection, team_id: str, monitor_keys: Collection[int], start: int
) -> dict[int, Incidents]:
    """What of the incidents of each monitor lies after the instant; one without any is missing."""
    found: dict[int, list[tuple[int, int | None]]] = {}
    for row in _SINCE.rows(connection, team=team_id, keys=list(monitor_keys), start=start):
        found.setdefault(row.monitor_key, []).append((row.triggered_at, row.resolved_at))
    return {key: Incidents.of(of_monitor) for key, of_monitor in found.items()}


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
