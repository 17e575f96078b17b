"""Webhooks of Jira Cloud: what people did to an issue (developer.atlassian.com "Webhooks")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from statuspulse.domain.incident import IncidentState
from statuspulse.domain.integration import Change, Report, is_signed_by_us
from statuspulse.domain.jira import adf, workflow
from statuspulse.domain.jira.labels import incident_of
from statuspulse.domain.jira.settings import Settings
from statuspulse.engine.inbound.reading import parsed, part, text, the_object

_KEY_LIMIT = 255
_NAME_LIMIT = 100
_NOTE_LIMIT = 10_000
_LATEST = 1 << 53
_CHANGES = {IncidentState.ACKNOWLEDGED: Change.ACKNOWLEDGED, IncidentState.RESOLVED: Change.RESOLVED}


def read(config: Mapping[str, Any], body: bytes) -> tuple[Report, ...]:
    """What a message tells, nothing where it concerns no incident; raises UnreadableError."""
    document = the_object(parsed(body), "the body")
    issue = part(document, "issue")
    key = text(issue, "key", _KEY_LIMIT)
    if key is None:
        return ()
    settings, fields = Settings.of(config), part(issue, "fields")
    told: dict[str, Any] = {
        "external_id": key,
        "incident_id": incident_of(_list(fields, "labels")),
        "url": settings.browse_url(key),
        "at": _instant(document.get("timestamp")),
    }
    match document.get("webhookEvent"):
        case "jira:issue_created" if told["incident_id"] is not None:
            # A clone has the labels of its original: a key is learned here only where none is known.
            return (Report(change=Change.TRIGGERED, is_grouped=True, **told, **_author(document, "user")),)
        case "jira:issue_updated" if _is_move(document):
            change = _change(settings, fields)
            return () if change is None else (Report(change=change, **told, **_author(document, "user")),)
        case "comment_created":
            return _comment(told, part(document, "comment"))
        case _:
            return ()


def _change(settings: Settings, fields: Mapping[str, Any]) -> Change | None:
    """Moving an issue back says nothing: nobody is paged because a card was dragged."""
    status = workflow.status_of(fields.get("status"))
    state = None if status is None else workflow.meaning(settings, status)
    return None if state is None else _CHANGES[state]


def _comment(told: Mapping[str, Any], comment: Mapping[str, Any]) -> tuple[Report, ...]:
    """One of ours says so at its end: it is no news, whoever else uses our account."""
    said = adf.text_of(comment.get("body"))[:_NOTE_LIMIT]
    if not said or is_signed_by_us(said):
        return ()
    return (Report(change=Change.NOTE, **told, **_author(comment, "author"), text=said),)


def _is_move(document: Mapping[str, Any]) -> bool:
    items = _list(part(document, "changelog"), "items")
    return any(isinstance(item, Mapping) and item.get("field") == "status" for item in items)


def _author(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Jira tells no e-mail addresses; people are called by the name that they show."""
    user = part(document, name)
    return {"author_id": text(user, "accountId"), "author": text(user, "displayName", _NAME_LIMIT)}


def _instant(value: object) -> int | None:
    """Milliseconds."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _LATEST else None


def _list(document: Mapping[str, Any], name: str) -> list[Any]:
    found = document.get(name)
    return found if isinstance(found, list) else []
