"""What the probes of a region have to check: all of it, or what has changed since a version."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from statuspulse.catalog import secrets
from statuspulse.catalog.secrets import Owner
from statuspulse.domain.specs.registry import spec_of
from statuspulse.protocol.conversion import spec_document
from statuspulse.protocol.documents import AssignedMonitor, RetryDocument
from statuspulse.storage import watch
from statuspulse.storage.sealing import Keyring
from statuspulse.storage.watch import WatchedMonitor


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignedSet:
    """The state of a region under a version; with a base only the difference to it."""

    version: int
    base: int | None
    monitors: list[AssignedMonitor]
    removed: list[str]


def assigned(connection: Connection, keyring: Keyring, region: str, known_version: int | None) -> AssignedSet | None:
    """The difference to the version that the probe has, a snapshot where it has none, None where nothing changed.

    A version that was never given out, as after a restored backup, is answered with a snapshot.
    """
    version = watch.revision(connection)
    if known_version == version:
        return None
    base = known_version if known_version is not None and 0 < known_version < version else None
    monitors: list[AssignedMonitor] = []
    removed: list[str] = []
    for monitor in watch.changed_since(connection, base or 0):
        config = monitor.config
        if monitor.deleted or monitor.paused or monitor.resting or region not in config["regions"]:
            removed.append(monitor.id)
        else:
            monitors.append(_assigned(keyring, monitor, config, region))
    return AssignedSet(version=version, base=base, monitors=monitors, removed=removed if base is not None else [])


def unchanged(version: int) -> AssignedSet:
    """A delta without anything in it, for an answer that brings jobs alone."""
    return AssignedSet(version=version, base=version, monitors=[], removed=[])


def _assigned(keyring: Keyring, monitor: WatchedMonitor, sealed: dict[str, Any], region: str) -> AssignedMonitor:
    """Secrets go out in clear: the probe has to send them."""
    config = secrets.opened(keyring, Owner(monitor_id=monitor.id, team_id=monitor.team_id), sealed)
    regions: list[str] = config["regions"]
    return AssignedMonitor(
        monitor_id=monitor.id,
        team_id=monitor.team_id,
        config_version=monitor.config_version,
        type=config["type"],
        interval_seconds=config["interval_seconds"],
        timeout_ms=config["timeout_ms"],
        retry=RetryDocument(count=config["retry"]["count"], delay_ms=config["retry"]["delay_ms"]),
        region_index=regions.index(region),
        region_count=len(regions),
        region_strategy=config["region_strategy"],
        spec=spec_document(spec_of(config)),
    )
