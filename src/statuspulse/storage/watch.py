"""Monitors as engine and probes see them: what has changed since a revision of the catalog."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from statuspulse.storage.dialect import insert_or_ignore
from statuspulse.storage.prepared import Prepared
from statuspulse.storage.schema import catalog_revision, monitors, regions

_REVISION = Prepared(select(catalog_revision.c.revision))
_BUMP = update(catalog_revision).values(revision=catalog_revision.c.revision + 1).returning(catalog_revision.c.revision)
_REGION_KEYS = Prepared(select(regions.c.slug, regions.c.key))


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedMonitor:
    """One monitor's row. The engine keeps every one of them, and the text of a document is a fifth of what it says."""

    key: int
    id: str
    team_id: str
    name: str
    target: str
    document: str
    config_version: int
    judged_from_version: int
    revision: int
    paused: bool
    resting: bool
    deleted: bool
    created_at: int
    updated_at: int

    @property
    def config(self) -> dict[str, Any]:
        """Every member of the configuration, normalised; read anew each time."""
        config: dict[str, Any] = json.loads(self.document)
        return config


def revision(connection: Connection) -> int:
    """The number of the last change that engine and probes must see; 0 before the first."""
    found = _REVISION.rows(connection)
    return found[0].revision if found else 0


def advance(connection: Connection) -> int:
    """Counts the revision up and returns it; every change of a monitor carries the one it was made under."""
    bumped: int | None = connection.scalar(_BUMP)
    if bumped is None:
        # The first change of all: of two processes one makes the row and the other waits for it.
        connection.execute(insert_or_ignore(connection, catalog_revision).values(only=1, revision=0))
        bumped = connection.execute(_BUMP).scalar_one()
    return bumped


def changed_since(connection: Connection, since: int) -> list[WatchedMonitor]:
    """Every monitor, deleted ones included, that changed after the revision; from 0 all that ever lived."""
    query = select(monitors).where(monitors.c.revision > since).order_by(monitors.c.key)
    if since == 0:
        query = query.where(monitors.c.deleted_at.is_(None))
    return [monitor_of(row) for row in connection.execute(query)]


def monitor_of(row: Row[Any]) -> WatchedMonitor:
    """The value of a row that has the columns of a monitor."""
    return WatchedMonitor(
        key=row.key,
        id=row.id,
        team_id=row.team_id,
        name=row.name,
        target=row.target,
        document=row.config,
        config_version=row.config_version,
        judged_from_version=row.judged_from_version,
        revision=row.revision,
        paused=row.paused,
        resting=row.resting,
        deleted=row.deleted_at is not None,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def living(connection: Connection, key: int) -> WatchedMonitor | None:
    """One monitor, None if it is deleted."""
    query = select(monitors).where(monitors.c.key == key, monitors.c.deleted_at.is_(None))
    row = connection.execute(query).one_or_none()
    return None if row is None else monitor_of(row)


def set_resting(connection: Connection, keys: Collection[int], *, resting: bool) -> None:
    """Probes look at these no more, or look at them again."""
    if keys:
        values = {"resting": resting, "revision": advance(connection)}
        connection.execute(update(monitors).where(monitors.c.key.in_(keys)).values(values))


def checked_by_team(connection: Connection, region: str) -> dict[str, int]:
    """How many monitors of each team are checked from a region at the moment; a team without any is missing."""
    query = select(monitors.c.team_id, monitors.c.config).where(
        monitors.c.deleted_at.is_(None), monitors.c.paused.is_(False)
    )
    found: dict[str, int] = {}
    for team_id, config in connection.execute(query):
        if region in json.loads(config)["regions"]:
            found[team_id] = found.get(team_id, 0) + 1
    return found


def active_by_team(connection: Connection) -> dict[str, int]:
    """How many monitors of each team are not paused; a team without any is missing."""
    query = (
        select(monitors.c.team_id, func.count())
        .where(monitors.c.deleted_at.is_(None), monitors.c.paused.is_(False))
        .group_by(monitors.c.team_id)
    )
    return {row[0]: row[1] for row in connection.execute(query)}


def region_keys(connection: Connection) -> dict[str, int]:
    """The key of every region by its slug."""
    return {row.slug: row.key for row in _REGION_KEYS.rows(connection)}
