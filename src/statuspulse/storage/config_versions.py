"""Every version of a monitor's configuration as it was stored, as far back as they are kept."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, select

from statuspulse.domain.actor import Actor
from statuspulse.storage.monitors import Monitor
from statuspulse.storage.schema import config_versions

# Bounded by their number and not by age, so that a monitor which nobody touches for years can still go back.
KEPT = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigVersion:
    """One version; `changed` points to what was new in it, `config` has its secrets sealed like the monitor's own."""

    version: int
    at: int
    actor: Actor
    changed: tuple[str, ...]
    config: dict[str, Any]


def record(connection: Connection, monitor: Monitor, changed: Sequence[str]) -> None:
    """Stores the configuration that the monitor has now, and lets go of the version that is one too many."""
    row = {
        "monitor_key": monitor.key,
        "version": monitor.config_version,
        "at": monitor.updated_at,
        "actor": json.dumps(monitor.updated_by.document(), ensure_ascii=False),
        "changed": json.dumps(list(changed), ensure_ascii=False),
        "config": json.dumps(monitor.config, ensure_ascii=False),
    }
    connection.execute(config_versions.insert(), row)
    if monitor.config_version > KEPT:
        forget(connection, monitor.key, through=monitor.config_version - KEPT)


def forget(connection: Connection, monitor_key: int, *, through: int) -> None:
    """Deletes the versions up to this one."""
    mine = config_versions.c.monitor_key == monitor_key
    connection.execute(config_versions.delete().where(mine, config_versions.c.version <= through))


def get(connection: Connection, monitor_key: int, version: int) -> ConfigVersion | None:
    query = select(config_versions).where(
        config_versions.c.monitor_key == monitor_key, config_versions.c.version == version
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else _version(row)


def oldest(connection: Connection, monitor_key: int) -> int | None:
    """The first version that is kept."""
    query = select(func.min(config_versions.c.version)).where(config_versions.c.monitor_key == monitor_key)
    found: int | None = connection.scalar(query)
    return found


def listed(
    connection: Connection, monitor_key: int, *, after: int | None, descending: bool, limit: int
) -> list[ConfigVersion]:
    """Up to `limit` versions from behind the one `after`."""
    version = config_versions.c.version
    query = select(config_versions).where(config_versions.c.monitor_key == monitor_key)
    if after is not None:
        query = query.where(version < after if descending else version > after)
    query = query.order_by(version.desc() if descending else version).limit(limit)
    return [_version(row) for row in connection.execute(query)]


def count(connection: Connection, monitor_key: int) -> int:
    mine = config_versions.c.monitor_key == monitor_key
    return connection.scalar(select(func.count()).select_from(config_versions).where(mine)) or 0


def _version(row: Row[Any]) -> ConfigVersion:
    return ConfigVersion(
        version=row.version,
        at=row.at,
        actor=Actor(**json.loads(row.actor)),
        changed=tuple(json.loads(row.changed)),
        config=json.loads(row.config),
    )


def schedules_of(connection: Connection, monitor_key: int) -> list[tuple[int, dict[str, Any]]]:
    """(when, configuration) of every version that is kept, ascending; secrets in them are sealed."""
    query = select(config_versions.c.at, config_versions.c.config).where(config_versions.c.monitor_key == monitor_key)
    return [(row.at, json.loads(row.config)) for row in connection.execute(query.order_by(config_versions.c.version))]
