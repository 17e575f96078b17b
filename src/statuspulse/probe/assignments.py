"""What this probe has to check: kept on disk, so that a restart without the control plane goes on checking."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path

import msgspec
import structlog

from statuspulse.domain.assignment_digest import digest_text, share
from statuspulse.probe.segment import sync_folder
from statuspulse.probe.sharing import Sharing
from statuspulse.protocol.documents import AssignedMonitor, Assignments

log = structlog.get_logger(__name__)


class _Stored(msgspec.Struct, kw_only=True):
    version: int
    region: str
    policy: list[str]
    monitors: list[AssignedMonitor]
    probe_id: str = ""
    members: list[str] = []
    epoch: int = 0

    @property
    def sharing(self) -> Sharing:
        return Sharing(probe_id=self.probe_id, members=tuple(self.members), epoch=self.epoch)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What became different: monitors that are new or configured anew, and ids of those that are gone.

    In a snapshot everything may look new. `is_shared_anew`: others may be ours now, whatever became of them.
    """

    region: str
    policy: list[str]
    changed: list[AssignedMonitor]
    removed: list[str]
    is_snapshot: bool
    is_shared_anew: bool


class AssignedSet:
    """The assigned monitors and the version of the set. What the disk gives is taken up at once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.version: int | None = None
        self.monitors: dict[str, AssignedMonitor] = {}
        self.sharing = Sharing()
        self._digest = 0
        self._loaded = _load(path)
        if self._loaded is not None:
            self.version = self._loaded.version
            self.sharing = self._loaded.sharing
            monitors = {monitor.monitor_id: monitor for monitor in self._loaded.monitors}
            self._replace(monitors, {}, monitors)

    @property
    def digest(self) -> str:
        """Equal sets of (monitor, version of its configuration) have equal digests, in any order."""
        return digest_text(self._digest)

    def loaded(self) -> Change | None:
        """What was on disk at the start; None if there was nothing."""
        kept = self._loaded
        if kept is None:
            return None
        return Change(
            region=kept.region,
            policy=kept.policy,
            changed=kept.monitors,
            removed=[],
            is_snapshot=True,
            is_shared_anew=False,
        )

    async def adopt(self, answer: Assignments) -> Change | None:
        """Stores a snapshot or a delta and then takes it up. None for a delta without a change, or on what we do not
        have; after the latter the version is None, which asks for a snapshot.
        """
        sharing = _sharing(self.sharing, answer)
        if answer.base == answer.version == self.version and sharing == self.sharing:
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
            version=answer.version,
            region=answer.region,
            policy=answer.policy,
            monitors=list(monitors.values()),
            probe_id=sharing.probe_id,
            members=list(sharing.members),
            epoch=sharing.epoch,
        )
        await asyncio.to_thread(self._persist, stored)
        # Of a large set a delta touches little, and only that is looked at while the checks wait.
        named = {monitor.monitor_id for monitor in answer.monitors}.union(answer.removed)
        if answer.base is None:
            named.update(self.monitors)
        old = {key: self.monitors[key] for key in named if key in self.monitors}
        new = {key: monitors[key] for key in named if key in monitors}
        self.version = answer.version
        before, self.sharing = self.sharing, sharing
        self._replace(monitors, old, new)
        return Change(
            region=answer.region,
            policy=answer.policy,
            changed=[monitor for key, monitor in new.items() if old.get(key) != monitor],
            removed=[key for key in old if key not in new],
            is_snapshot=answer.base is None,
            is_shared_anew=(before.probe_id, before.members) != (sharing.probe_id, sharing.members),
        )

    def _replace(
        self,
        monitors: dict[str, AssignedMonitor],
        old: dict[str, AssignedMonitor],
        new: dict[str, AssignedMonitor],
    ) -> None:
        for monitor in (*old.values(), *new.values()):
            self._digest ^= share(monitor.monitor_id, monitor.config_version)
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


def _sharing(known: Sharing, answer: Assignments) -> Sharing:
    """Without members the control plane does not know them, and the last ones go on."""
    if not answer.members:
        return known
    return Sharing(probe_id=answer.probe_id, members=tuple(answer.members), epoch=answer.epoch)


def _load(path: Path) -> _Stored | None:
    try:
        return msgspec.msgpack.decode(path.read_bytes(), type=_Stored)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        log.warning("probe.assignments_unreadable", error=str(error))
        return None
