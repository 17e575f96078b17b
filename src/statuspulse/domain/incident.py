"""What may become of an incident: which move leads from which state to which."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from statuspulse.domain.ids import is_id


class IncidentState(StrEnum):
    """Open are the first two."""

    TRIGGERED = "triggered"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class Move(StrEnum):
    """What a request does to an incident that exists."""

    NONE = "none"
    DEDUPLICATE = "deduplicate"
    ACKNOWLEDGE = "acknowledge"
    UNACKNOWLEDGE = "unacknowledge"
    RESOLVE = "resolve"
    REOPEN = "reopen"


class ResolveReason(StrEnum):
    """Why an incident ended."""

    RECOVERED = "recovered"
    MANUAL = "manual"
    AUTO_TIMEOUT = "auto_timeout"
    INTEGRATION = "integration"
    MONITOR_DELETED = "monitor_deleted"
    MONITOR_PAUSED = "monitor_paused"


class IncidentAlreadyResolvedError(Exception):
    """A resolved incident is not acknowledged or triggered again, unless the caller says `reopen`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a caller wants of an existing incident; `by_key` when a dedup key led to it, not its id."""

    state: IncidentState | None
    reopen: bool = False
    by_key: bool = False


def move(current: IncidentState, asked: Asked) -> Move:
    """The move that the request means; raises IncidentAlreadyResolvedError where the table says 409."""
    if asked.state is None:
        return Move.NONE
    if current is IncidentState.RESOLVED:
        return _on_resolved(asked)
    if asked.state is IncidentState.TRIGGERED and asked.by_key:
        return Move.DEDUPLICATE
    return Move.NONE if asked.state is current else _ON_OPEN[asked.state]


_ON_OPEN = {
    IncidentState.TRIGGERED: Move.UNACKNOWLEDGE,
    IncidentState.ACKNOWLEDGED: Move.ACKNOWLEDGE,
    IncidentState.RESOLVED: Move.RESOLVE,
}


def _on_resolved(asked: Asked) -> Move:
    if asked.state is IncidentState.RESOLVED:
        return Move.NONE
    if asked.state is IncidentState.TRIGGERED and asked.reopen:
        return Move.REOPEN
    raise IncidentAlreadyResolvedError


_AVAILABILITY = "/availability"


def availability_key(monitor_id: str) -> str:
    """The dedup key of the incident that a monitor opens by itself."""
    return monitor_id + _AVAILABILITY


def owner_of_key(dedup_key: str) -> str | None:
    """The id of the monitor that would open an incident with the key by itself; says nothing of its existence."""
    owner, separator, rest = dedup_key.partition(_AVAILABILITY)
    return owner if separator and not rest and is_id(owner, "mon") else None
