"""What is owed of an incident, as tests look at it."""

from __future__ import annotations

from statuspulse.storage import outbox
from statuspulse.storage.database import Database
from statuspulse.storage.outbox import Notification, Wanted


def all_of_incident(database: Database, team_id: str, incident_id: str) -> list[Notification]:
    """Everything that was ever owed of an incident, in the order in which it was."""
    wanted = Wanted(incident_id=incident_id)
    found = database.read_now(
        lambda connection: outbox.page(connection, team_id, wanted, after=None, descending=False, limit=10_000)
    )
    return sorted(found, key=lambda one: (one.created_at, one.seq, one.id))
