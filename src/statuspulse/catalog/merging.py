"""How a change meets what is stored: PUT merges top-level members, PATCH merges deeply (RFC 7396)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from statuspulse.catalog.kinds.registry import KINDS
from statuspulse.catalog.refusals import Path, check_identity, pointer

# Members of an answer that a caller may send back with it; they are not his to set.
READ_ONLY = frozenset(
    {
        "object",
        "request_id",
        "message",
        "warnings",
        "id",
        "monitor_id",
        "team_id",
        "target",
        "state",
        "health",
        "state_since",
        "last_probe_at",
        "next_probe_at",
        "ping_url",
        "open_incident_id",
        "created_at",
        "updated_at",
        "links",
        "applied_at",
        "updated_by",
        "changed",
    }
)


# Objects of several forms, told apart by `type`: what the forms before it had is none of the new one's.
_OF_SEVERAL_FORMS = frozenset({"auth"})


def writable(
    sent: Mapping[str, Any], holds: Mapping[str, Any], *, read_only: frozenset[str] = READ_ONLY
) -> dict[str, Any]:
    """What the caller may set of an answer that he sends back; raises InvalidInputError for that of another object.

    `holds` are the ids of the object in the path, by the names that they have in its answer.
    """
    check_identity(sent, holds)
    return {name: value for name, value in sent.items() if name not in read_only}


def under_one_name(sent: Mapping[str, Any], monitor_type: object) -> dict[str, Any]:
    """Every member under its one name; raises InvalidInputError where two names disagree."""
    document = dict(sent)
    if isinstance(monitor_type, str) and monitor_type in KINDS:
        KINDS[monitor_type].under_one_name(document)
    return document


def merged(stored: Mapping[str, Any], sent: Mapping[str, Any]) -> dict[str, Any]:
    """PUT: an absent member stays, null goes back to the default, everything else is replaced whole."""
    document = {**stored, **sent}
    return {name: value for name, value in document.items() if name not in sent or value is not None}


def patched(stored: Mapping[str, Any], sent: Mapping[str, Any]) -> dict[str, Any]:
    """PATCH: objects merge member by member, null removes, so that the default comes back."""
    document = dict(stored)
    for name, value in sent.items():
        if value is None:
            document.pop(name, None)
        elif isinstance(value, Mapping):
            before = document.get(name)
            if not isinstance(before, Mapping) or _changes_form(name, before, value):
                before = {}
            document[name] = patched(before, value)
        else:
            document[name] = value
    return document


def _changes_form(name: str, before: Mapping[str, Any], sent: Mapping[str, Any]) -> bool:
    return name in _OF_SEVERAL_FORMS and sent.get("type", before.get("type")) != before.get("type")


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """JSON pointers to what differs, in the order of the document."""
    return [pointer(path) for path in _differences(before, after, ())]


def _differences(before: Mapping[str, Any], after: Mapping[str, Any], path: Path) -> Iterator[Path]:
    for name in [*after, *(name for name in before if name not in after)]:
        old, new = before.get(name), after.get(name)
        here = (*path, name)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            yield from _differences(old, new, here)
        elif name not in before or name not in after or old != new:
            yield here
