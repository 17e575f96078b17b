"""Which monitor depends on which: edges between monitors that live."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import BigInteger, Connection, bindparam, delete, select, update

from statuspulse.domain.escalation import TimerKind
from statuspulse.domain.incident import IncidentState
from statuspulse.storage.monitors import Monitor, get_to_change
from statuspulse.storage.prepared import Prepared
from statuspulse.storage.schema import escalation_timers, incidents, monitor_dependencies, monitors, teams

_PARENTS = Prepared(
    select(monitors.c.key, monitors.c.id)
    .join(monitor_dependencies, monitor_dependencies.c.parent_key == monitors.c.key)
    .where(monitor_dependencies.c.monitor_key == bindparam("key", type_=BigInteger), monitors.c.deleted_at.is_(None))
    .order_by(monitor_dependencies.c.place)
)
_UNLINK = delete(monitor_dependencies).where(monitor_dependencies.c.monitor_key == bindparam("mine"))


def link(connection: Connection, monitor_key: int, team_id: str, parent_ids: Sequence[str]) -> None:
    """The monitor depends on these of its team, in this order, and on no others."""
    connection.execute(_UNLINK, {"mine": monitor_key})
    if not parent_ids:
        return
    found = connection.execute(
        select(monitors.c.id, monitors.c.key).where(
            monitors.c.team_id == team_id, monitors.c.id.in_(parent_ids), monitors.c.deleted_at.is_(None)
        )
    )
    keys = {row.id: row.key for row in found}
    rows = [
        {"monitor_key": monitor_key, "parent_key": keys[parent], "place": place}
        for place, parent in enumerate(parent_ids)
    ]
    connection.execute(monitor_dependencies.insert(), rows)


def parents_of(connection: Connection, monitor_key: int) -> dict[int, str]:
    """What the monitor depends on: ids by key, in the order of its configuration."""
    return {row.key: row.id for row in _PARENTS.rows(connection, key=monitor_key)}


def children_of(connection: Connection, team_id: str, monitor_key: int) -> list[Monitor]:
    """The monitors that depend on it. Nobody else changes them, or adds to them, before the transaction ends."""
    _lock(connection, team_id)
    query = (
        select(monitors.c.id)
        .join(monitor_dependencies, monitor_dependencies.c.monitor_key == monitors.c.key)
        .where(
            monitors.c.team_id == team_id,
            monitor_dependencies.c.parent_key == monitor_key,
            monitors.c.deleted_at.is_(None),
        )
        .order_by(monitors.c.key)
    )
    found = [get_to_change(connection, team_id, child) for child in connection.scalars(query).all()]
    return [child for child in found if child is not None]


def locked_graph(connection: Connection, team_id: str) -> dict[str, list[str]]:
    """What each monitor of the team depends on, by id; nobody else adds to it before the transaction ends."""
    _lock(connection, team_id)
    parent = monitors.alias("parent")
    query = (
        select(monitors.c.id, parent.c.id.label("parent_id"))
        .join(monitor_dependencies, monitor_dependencies.c.monitor_key == monitors.c.key)
        .join(parent, parent.c.key == monitor_dependencies.c.parent_key)
        .where(monitors.c.team_id == team_id, monitors.c.deleted_at.is_(None))
    )
    found: dict[str, list[str]] = {}
    for row in connection.execute(query):
        found.setdefault(row.id, []).append(row.parent_id)
    return found


def look_again(connection: Connection, monitor_key: int, now: int) -> None:
    """The monitor is another than it was, or depends on others: what it holds back is looked at now and not later."""
    children = select(monitor_dependencies.c.monitor_key).where(monitor_dependencies.c.parent_key == monitor_key)
    concerned = select(incidents.c.id).where(
        incidents.c.state != IncidentState.RESOLVED.value,
        incidents.c.monitor_key.in_(children) | (incidents.c.monitor_key == monitor_key),
    )
    connection.execute(
        update(escalation_timers)
        .where(
            escalation_timers.c.kind == TimerKind.HOLD.value,
            escalation_timers.c.due_at > now,
            escalation_timers.c.incident_id.in_(concerned),
        )
        .values(due_at=now)
    )


def _lock(connection: Connection, team_id: str) -> None:
    """Two processes on PostgreSQL could each add one half of a circle; the second waits for the team's row here."""
    connection.execute(select(teams.c.id).where(teams.c.id == team_id).with_for_update(key_share=True))
