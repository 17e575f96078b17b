"""Notices that a probe does not hold what its region is assigned: it then gets a snapshot."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock

from sqlalchemy import Connection

from statuspulse.domain.assignment_digest import digest_text, share
from statuspulse.storage import watch
from statuspulse.storage.watch import WatchedMonitor


@dataclass(frozen=True, slots=True)
class _Assigned:
    version: int
    regions: frozenset[str]


class Drift:
    """The digest of every region, kept up with the rows, and the probes whose own differs.

    Used by several threads of the database.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._revision = 0
        self._monitors: dict[str, _Assigned] = {}
        self._digests: dict[str, int] = {}
        self._suspects: set[str] = set()

    def compare(
        self, connection: Connection, region: str, probe_id: str, version: int | None, digest: str | None
    ) -> int:
        """Remembers a probe that has the newest version and another digest; answers the newest version."""
        with self._lock:
            self._refresh(connection)
            if version == self._revision and digest not in (None, digest_text(self._digests.get(region, 0))):
                self._suspects.add(probe_id)
            return self._revision

    def is_suspected(self, probe_id: str) -> bool:
        return probe_id in self._suspects

    def settle(self, probe_id: str) -> None:
        """The probe gets a snapshot; if that does not help, the next heartbeat tells."""
        self._suspects.discard(probe_id)

    def monitor_ids(self, connection: Connection, region: str) -> list[str]:
        """What the probes of a region check together."""
        with self._lock:
            self._refresh(connection)
            return [monitor_id for monitor_id, assigned in self._monitors.items() if region in assigned.regions]

    def _refresh(self, connection: Connection) -> None:
        current = watch.revision(connection)
        if current == self._revision:
            return
        for monitor in watch.changed_since(connection, self._revision):
            self._toggle(monitor.id)
            self._take(monitor)
            self._toggle(monitor.id)
        self._revision = current

    def _take(self, monitor: WatchedMonitor) -> None:
        if monitor.deleted or monitor.paused:
            self._monitors.pop(monitor.id, None)
        else:
            regions = frozenset(monitor.config["regions"])
            self._monitors[monitor.id] = _Assigned(monitor.config_version, regions)

    def _toggle(self, monitor_id: str) -> None:
        """Takes the monitor into the digests of its regions, or out of them."""
        assigned = self._monitors.get(monitor_id)
        if assigned is not None:
            for region in assigned.regions:
                self._digests[region] = self._digests.get(region, 0) ^ share(monitor_id, assigned.version)
