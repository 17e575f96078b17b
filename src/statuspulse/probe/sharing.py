"""Which of its region's monitors this probe runs: those it wins among the live probes."""

from __future__ import annotations

from dataclasses import dataclass

from statuspulse.domain.schedule import owner


@dataclass(frozen=True, slots=True, kw_only=True)
class Sharing:
    """Who we are, the live probes of the region and the number of that set. Without members nothing is shared."""

    probe_id: str = ""
    members: tuple[str, ...] = ()
    epoch: int = 0

    @property
    def is_alone(self) -> bool:
        return not self.members or self.members == (self.probe_id,)

    def has(self, monitor_id: str) -> bool:
        """Whether the monitor is ours."""
        return self.is_alone or owner(monitor_id, self.members) == self.probe_id
