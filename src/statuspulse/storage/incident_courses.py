"""When incidents were triggered, acknowledged and resolved, for figures over many of them."""

from __future__ import annotations

from typing import Literal

from sqlalchemy import Connection, select

from statuspulse.domain.incident_figures import Course
from statuspulse.domain.times import to_text
from statuspulse.storage.schema import incidents, monitors


def between(
    connection: Connection,
    team_id: str,
    start: int,
    end: int,
    *,
    group_by: Literal["monitor", "severity", "day"] | None,
) -> list[Course]:
    """The courses of the team's incidents that were triggered within [start, end), the oldest first."""
    query = (
        select(
            incidents.c.triggered_at,
            incidents.c.acknowledged_at,
            incidents.c.resolved_at,
            incidents.c.severity,
            monitors.c.id.label("monitor_id"),
        )
        .outerjoin(monitors, monitors.c.key == incidents.c.monitor_key)
        .where(incidents.c.team_id == team_id, incidents.c.triggered_at >= start, incidents.c.triggered_at < end)
        .order_by(incidents.c.triggered_at, incidents.c.id)
    )
    courses = []
    for row in connection.execute(query):
        named = {"monitor": row.monitor_id, "severity": row.severity, "day": to_text(row.triggered_at)[:10]}
        group = None if group_by is None else named[group_by]
        courses.append(Course(group, row.triggered_at, row.acknowledged_at, row.resolved_at))
    return courses
