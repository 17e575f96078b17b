"""The headers that say who calls."""

from __future__ import annotations

from statuspulse import __version__
from statuspulse.client.errors import UsageError


def headers_of(token: str | None, team: str | None) -> tuple[tuple[str, str], ...]:
    """Raises UsageError for what no header can carry; the text never holds the token."""
    headers = [("User-Agent", f"statuspulse-python/{__version__}")]
    if token is not None:
        if not token or not token.isascii() or not token.isprintable() or " " in token:
            raise UsageError("the token has to be printable ASCII without spaces")
        headers.append(("Authorization", f"Bearer {token}"))
    if team is not None:
        if not team or not team.isascii() or not team.isprintable():
            raise UsageError("the team has to be a slug or an id")
        headers.append(("StatusPulse-Team", team))
    return tuple(headers)
