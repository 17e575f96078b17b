"""Events about faults of our own: their bodies, as `events.schema.json` has them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from statuspulse.domain.event import Event, EventType
from statuspulse.domain.times import SECOND, to_text


class FaultKind(StrEnum):
    """What can go wrong with this process and what it stands on."""

    STORAGE_FULL = "storage_full"
    STORAGE_ERROR = "storage_error"
    SELF_STALL = "self_stall"
    CLOCK_STEP = "clock_step"

    @property
    def blinds(self) -> bool:
        """Whether results of checks cannot be stored meanwhile."""
        return self in {FaultKind.STORAGE_FULL, FaultKind.STORAGE_ERROR}


_COMPONENTS = {
    FaultKind.STORAGE_FULL: "database",
    FaultKind.STORAGE_ERROR: "database",
    FaultKind.SELF_STALL: "control_plane",
    FaultKind.CLOCK_STEP: "clock",
}
_DETAILS = {
    FaultKind.STORAGE_FULL: "The disk is full: changes are refused, and results of checks wait at their probes.",
    FaultKind.STORAGE_ERROR: "The database takes no changes: results of checks wait at their probes.",
    FaultKind.SELF_STALL: "The control plane stood still: timers and messages of that time are late.",
    FaultKind.CLOCK_STEP: "The clock of the control plane was set.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault, since when (ms), and what is to be said of it beside its kind."""

    kind: FaultKind
    since: int
    addition: str = ""


def began(fault: Fault, team_id: str, at: int, *, affected: int) -> Event:
    """To a team of which so many monitors are blind."""
    data = {
        "fault": fault.kind.value,
        "component": _COMPONENTS[fault.kind],
        "detail": f"{_DETAILS[fault.kind]}{fault.addition}",
        "since": to_text(fault.since),
        "affected_monitors": affected,
    }
    return Event(type=EventType.INSTANCE_FAULT, team_id=team_id, at=at, data=data)


def ended(fault: Fault, team_id: str, at: int, *, length: int) -> Event:
    """`length` is how long it lasted (ms)."""
    data = {
        "fault": fault.kind.value,
        "component": _COMPONENTS[fault.kind],
        "fault_seconds": max(0, length) / SECOND,
    }
    return Event(type=EventType.INSTANCE_RECOVERED, team_id=team_id, at=at, data=data)
