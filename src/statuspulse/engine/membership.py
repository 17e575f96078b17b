"""Which probes of a region share its monitors: those that are heard and not drained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from statuspulse.engine.liveness import OFFLINE_AFTER, Liveness


@dataclass(frozen=True, slots=True)
class Members:
    """The live probes of a region, sorted, and the number of that set; a later set has a higher one.

    Without ids the set is not known, and probes keep the last one they were told.
    """

    epoch: int = 0
    probe_ids: tuple[str, ...] = ()


UNKNOWN = Members()


class Membership:
    """The sets of all regions. Used on the event loop alone.

    After a start nobody was heard yet: for as long as a silent probe counts as alive, a set is known only once all
    the probes of its region were heard.
    """

    def __init__(self, liveness: Liveness, begun_at: int) -> None:
        self._liveness = liveness
        self._known_from = begun_at + OFFLINE_AFTER
        self._sets: dict[str, Members] = {}

    def of(self, region: str, drained: Mapping[str, bool], now: int) -> Members:
        """`drained` holds the probes that the region has. Those that drain count only while there is no other."""
        heard = [pulse.probe_id for pulse in self._liveness.online(now) if pulse.probe_id in drained]
        if now < self._known_from and len(heard) < len(drained):
            return UNKNOWN
        staying = tuple(sorted(probe_id for probe_id in heard if not drained[probe_id])) or tuple(sorted(heard))
        if not staying:
            return UNKNOWN
        known = self._sets.get(region, UNKNOWN)
        if known.probe_ids != staying:
            known = self._sets[region] = Members(max(known.epoch + 1, now), staying)
        return known

    def changes_at(self, region: str, now: int) -> int | None:
        """When the set may be another one although nobody says anything; None while nobody is heard."""
        if now < self._known_from:
            return self._known_from
        return min(
            (pulse.silent_from for pulse in self._liveness.online(now) if pulse.region == region),
            default=None,
        )
