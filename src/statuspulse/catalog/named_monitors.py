"""Monitors that a call names by their ids."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import Connection

from statuspulse.catalog.refusals import Detail, InvalidInputError
from statuspulse.storage import monitors


def check_monitors(
    connection: Connection, team_id: str, ids: Sequence[str], path: tuple[str, ...], *, but: Collection[str] = ()
) -> None:
    """Raises InvalidInputError for every id at `path` that no monitor of the team has, those in `but` left aside."""
    known = {*monitors.known_ids(connection, team_id, ids), *but}
    wrong = [place for place, monitor_id in enumerate(ids) if monitor_id not in known]
    if wrong:
        message = "names no monitor of this team"
        raise InvalidInputError(
            [Detail(code="reference_not_found", path=(*path, place), message=message) for place in wrong]
        )
