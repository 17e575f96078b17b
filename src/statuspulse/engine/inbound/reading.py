"""Documents of other systems, of which nothing is sure: members of the right kind, or none."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from statuspulse.domain.integration import UnreadableError
from statuspulse.domain.times import from_text

_NAME_LIMIT = 255


def parsed(body: bytes) -> Any:
    """The JSON of a body; raises UnreadableError."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise UnreadableError("the body is no JSON") from None


def the_object(value: object, what: str) -> dict[str, Any]:
    """Raises UnreadableError for anything else."""
    if not isinstance(value, dict):
        raise UnreadableError(f"{what} is no object")
    return value


def part(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The object that is the member, empty where there is none."""
    value = document.get(name)
    return value if isinstance(value, dict) else {}


def text(document: Mapping[str, Any], name: str, limit: int = _NAME_LIMIT) -> str | None:
    """The member as a text without control characters, None where there is none to show."""
    value = document.get(name)
    if not isinstance(value, str):
        return None
    plain = "".join(char if char.isprintable() or char in "\n\t" else " " for char in value).strip()
    return plain[:limit] or None


def instant(document: Mapping[str, Any], name: str) -> int | None:
    """The member as ms since the epoch; None where there is no time, or one from before all computers."""
    value = document.get(name)
    if not isinstance(value, str):
        return None
    try:
        at = from_text(value)
    except (ValueError, OverflowError):
        return None
    return at if at > 0 else None
