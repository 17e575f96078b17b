"""Who names a channel: what may not be left pointing at nothing."""

from __future__ import annotations

from sqlalchemy import Connection, select

from statuspulse.storage import slos
from statuspulse.storage.schema import escalation_policies, members, monitors, users


def of(connection: Connection, team_id: str, channel_id: str) -> list[str]:
    """Every policy, person, monitor and objective of the team that names the channel, in words."""
    by_policies = select(escalation_policies.c.slug).where(
        escalation_policies.c.team_id == team_id, escalation_policies.c.rules.contains(channel_id, autoescape=True)
    )
    by_people = (
        select(users.c.email)
        .join(members, members.c.user_id == users.c.id)
        .where(members.c.team_id == team_id, members.c.contacts.contains(channel_id, autoescape=True))
    )
    by_monitors = select(monitors.c.id).where(
        monitors.c.team_id == team_id,
        monitors.c.deleted_at.is_(None),
        monitors.c.config.contains(channel_id, autoescape=True),
    )
    return [
        *(f"escalation policy {slug}" for slug in sorted(connection.scalars(by_policies))),
        *(f"the contacts of {email}" for email in sorted(connection.scalars(by_people))),
        *(f"monitor {one}" for one in sorted(connection.scalars(by_monitors))),
        *(f"SLO {name}" for name in slos.names_channel(connection, team_id, channel_id)),
    ]
