"""Escalation policies as monitors refer to them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from statuspulse.catalog.identifiers import fresh_id
from statuspulse.storage import policies
from statuspulse.storage.policies import Policy

# Told at once, then twice more a quarter of an hour apart.
SINGLE_STEP: dict[str, Any] = {
    "steps": [{"delay_seconds": 0, "targets": [{"type": "monitor_notifications", "id": None}], "only_between": None}],
    "repeat": {"count": 2, "delay_seconds": 900},
    "ack_timeout_seconds": None,
    "auto_resolve_seconds": None,
    "severities": [],
}


def provide(connection: Connection, team_id: str, slug: str, now: int) -> bool:
    """Makes the policy that a monitor names if the team has none of that name; answers whether it did."""
    if policies.get(connection, team_id, slug) is not None:
        return False
    return policies.insert_if_new(
        connection,
        Policy(
            id=fresh_id(connection, "esc", policies.exists),
            team_id=team_id,
            slug=slug,
            name=slug,
            auto_created=True,
            rules=SINGLE_STEP,
            created_at=now,
            updated_at=now,
        ),
    )
