"""What this probe has to check: kept on disk, so that a restart without the control plane goes on checking."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path

import msgspec
import structlog

from statuspulse.domain.schedule import hashed
from statuspulse.probe.segment import sync_folder
from statuspulse.protocol.documents import AssignedMonitor, Assignments

log = structlog.get_logger(__name__)


class _Stored(msgspec.Struct, kw_only=True):
    version: int
    region: str
    policy: list[str]
    monitors: list[AssignedMonitor]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What became different: monitors that are new or configured anew, and ids of those that are gone."""

    region: str
    policy: list[str]
    changed: list[AssignedMonitor]
    removed: list[str]


class AssignedSet:
    """The assigned monitors and the version of the set. What the disk gives is taken up at once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.version: int | None = None
        self.monitors: dict[str, AssignedMonitor] = {}
        self._digest = 0
        self._loaded = _load(path)
        if self._loaded is not None:
            self.version = self._loaded.version
            monitors = {monitor.monitor_id: monitor for monitor in self._loaded.monitors}
            self._replace(monitors, {}, monitors)

    @property
    def digest(self) -> str:
        """Equal sets of (monitor, version of its configuration) have equal digests, in any order."""
        return f"{self._digest:016x}"

    def loaded(self) -> Change | None:
        """What was on disk at the start; None if there was nothing."""
        kept = self._loaded
        if kept is None:
            return None
        return Change(region=kept.region, policy=kept.policy, changed=kept.monitors, removed=[])

    async def adopt(self, answer: Assignments) -> Change | None:
        """Stores a snapshot or a delta and then takes it up. None for a delta without a change, or on what we do not
        have; after the latter the version is None, which asks for a snapshot.
        """
        if answer.base == answer.version == self.version:
            return None
        if answer.base is not None and answer.base != self.version:
            self.version = None
            return None
        monitors = {} if answer.base is None else dict(self.monitors)
        for monitor in answer.monitors:
            monitors[monitor.monitor_id] = monitor
        for monitor_id in answer.removed:
            monitors.pop(monitor_id, None)
        stored = _Stored(
            version=answer.version, region=answer.region, policy=answer.policy, monitors=list(monitors.values())
        )
        await asyncio.to_thread(self._persist, stored)
        # Of a large set a delta touches little, and only that is looked at while the checks wait.
        named = {monitor.monitor_id for monitor in answer.monitors}.union(answer.removed)
        if answer.base is None:
            named.update(self.monitors)
        old = {key: self.monitors[key] for key in named if key in self.monitors}
        new = {key: monitors[key] for key in named if key in monitors}
        self.version = answer.version
        self._replace(monitors, old, new)
        return Change(
            region=answer.region,
            policy=answer.policy,
            changed=[monitor for key, monitor in new.items() if old.get(key) != monitor],
            removed=[key for key in old if key not in new],
        )

    def _replace(
        self,
        monitors: dict[str, AssignedMonitor],
        old: dict[str, AssignedMonitor],
        new: dict[str, AssignedMonitor],
    ) -> None:
        for monitor in (*old.values(), *new.values()):
            self._digest ^= hashed(f"{monitor.monitor_id}:{monitor.config_version}", "sp-digest")
        self.monitors = monitors

    def _persist(self, stored: _Stored) -> None:
        """The whole set or none of it. A full disk does not stop checks: a restart then begins with the old set."""
        draft = self._path.with_suffix(".new")
        try:
            fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            with os.fdopen(fd, "wb") as file:
                file.write(msgspec.msgpack.encode(stored))
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self._path)
            sync_folder(self._path.parent)
        except OSError as error:
            log.warning("probe.assignments_not_stored", error=str(error))


def _load(path: Path) -> _Stored | None:
    try:
        return msgspec.msgpack.decode(path.read_bytes(), type=_Stored)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        log.warning("probe.assignments_unreadable", error=str(error))
        return None
