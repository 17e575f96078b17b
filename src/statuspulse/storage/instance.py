"""What binds a database to the secret key it was filled under."""

from __future__ import annotations

from sqlalchemy import Connection, select, update

from statuspulse.storage.schema import instance


def key_fingerprint(connection: Connection) -> str | None:
    """The fingerprint of the key under which secrets were sealed; None in a fresh database."""
    found: str | None = connection.scalar(select(instance.c.key_fingerprint))
    return found


def bind(connection: Connection, fingerprint: str, now: int) -> None:
    """From now on only this key opens the database."""
    connection.execute(instance.insert().values(only=1, key_fingerprint=fingerprint, created_at=now))


def note_alive(connection: Connection, now: int) -> None:
    """Something that has to reach the disk."""
    connection.execute(update(instance).values(alive_at=now))
