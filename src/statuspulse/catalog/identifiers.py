"""Fresh ids of configured objects: short, so that a taken one has to be noticed."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection

from statuspulse.domain.ids import new_id


def fresh_id(connection: Connection, prefix: str, exists: Callable[[Connection, str], bool]) -> str:
    """An id that no team uses."""
    while exists(connection, candidate := new_id(prefix)):
        pass
    return candidate
