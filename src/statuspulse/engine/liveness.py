"""Which probes are heard, kept in memory: a slow database must not make healthy probes look dead."""

from __future__ import annotations

from dataclasses import dataclass

from statuspulse.domain.clock_skew import ProbeClock
from statuspulse.domain.times import SECOND, from_datetime
from statuspulse.protocol.documents import Heartbeat

HEARTBEAT_SECONDS = 5
OFFLINE_AFTER = 15 * SECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """The last heartbeat of a probe, when it came (ms), and from where."""

    probe_id: str
    region: str
    heard_at: int
    heartbeat: Heartbeat
    ip: str | None = None

    @property
    def silent_from(self) -> int:
        """When it is offline, unless it is heard before."""
        return self.heard_at + OFFLINE_AFTER

    def is_online(self, now: int) -> bool:
        return now < self.silent_from


class Liveness:
    """The pulses and the clocks of all probes. Used on the event loop alone."""

    def __init__(self) -> None:
        self._pulses: dict[str, Pulse] = {}
        self._clocks: dict[str, ProbeClock] = {}

    def hear(self, probe_id: str, region: str, heartbeat: Heartbeat, now: int, *, ip: str | None = None) -> None:
        self._pulses[probe_id] = Pulse(probe_id=probe_id, region=region, heard_at=now, heartbeat=heartbeat, ip=ip)
        self.compare_clocks(probe_id, from_datetime(heartbeat.clock), now)

    def compare_clocks(self, probe_id: str, said: int, now: int) -> ProbeClock:
        """A message has come that the probe sent at `said` by its own clock."""
        clock = self._clocks[probe_id] = self.clock(probe_id).heard(said, now)
        return clock

    def clock(self, probe_id: str) -> ProbeClock:
        return self._clocks.get(probe_id) or ProbeClock()

    def forget(self, probe_id: str) -> None:
        """The probe was deleted."""
        self._pulses.pop(probe_id, None)
        self._clocks.pop(probe_id, None)

    def pulse(self, probe_id: str) -> Pulse | None:
        return self._pulses.get(probe_id)

    def is_online(self, probe_id: str, now: int) -> bool:
        pulse = self._pulses.get(probe_id)
        return pulse is not None and pulse.is_online(now)

    def pulses(self) -> list[Pulse]:
        """Every probe that was ever heard, by region and id."""
        return sorted(self._pulses.values(), key=lambda pulse: (pulse.region, pulse.probe_id))

    def online(self, now: int) -> list[Pulse]:
        return [pulse for pulse in self.pulses() if pulse.is_online(now)]

    def blind_regions(self, now: int) -> dict[str, frozenset[str]]:
        """Regions of which all live probes are blind, and the classes of addresses that none of them can see."""
        found: dict[str, frozenset[str]] = {}
        for pulse in self._pulses.values():
            if pulse.is_online(now):
                blind = frozenset(pulse.heartbeat.blind)
                found[pulse.region] = found.get(pulse.region, blind) & blind
        return {region: classes for region, classes in found.items() if classes}

    def silent_regions(self, now: int) -> frozenset[str]:
        """Where probes were heard and none is any more. Of a region that was never heard nothing is known."""
        heard = {pulse.region for pulse in self._pulses.values()}
        return frozenset(heard - {pulse.region for pulse in self._pulses.values() if pulse.is_online(now)})
