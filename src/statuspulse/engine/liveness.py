"""Which probes are heard, kept in memory: a slow database must not make healthy probes look dead."""

from __future__ import annotations

from dataclasses import dataclass

from statuspulse.domain.times import SECOND
from statuspulse.protocol.documents import Heartbeat

HEARTBEAT_SECONDS = 5
_OFFLINE_AFTER = 15 * SECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """The last heartbeat of a probe, and when it came (ms)."""

    probe_id: str
    region: str
    heard_at: int
    heartbeat: Heartbeat

    def is_online(self, now: int) -> bool:
        return now - self.heard_at < _OFFLINE_AFTER


class Liveness:
    """The pulses of all probes. Used on the event loop alone."""

    def __init__(self) -> None:
        self._pulses: dict[str, Pulse] = {}

    def hear(self, probe_id: str, region: str, heartbeat: Heartbeat, now: int) -> None:
        self._pulses[probe_id] = Pulse(probe_id=probe_id, region=region, heard_at=now, heartbeat=heartbeat)

    def pulses(self) -> list[Pulse]:
        """Every probe that was ever heard, by region and id."""
        return sorted(self._pulses.values(), key=lambda pulse: (pulse.region, pulse.probe_id))

    def online(self, now: int) -> list[Pulse]:
        return [pulse for pulse in self.pulses() if pulse.is_online(now)]

    def silent_regions(self, now: int) -> frozenset[str]:
        """Where probes were heard and none is any more. Of a region that was never heard nothing is known."""
        heard = {pulse.region for pulse in self._pulses.values()}
        return frozenset(heard - {pulse.region for pulse in self._pulses.values() if pulse.is_online(now)})
