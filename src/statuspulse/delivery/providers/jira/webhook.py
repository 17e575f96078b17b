"""What people did to an issue, as Jira's webhooks tell it; pure (`WIRE.md` 8, developer.atlassian.com "Webhooks")."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from statuspulse.delivery.providers.jira import adf, workflow
from statuspulse.delivery.providers.jira.issue import incident_of
from statuspulse.delivery.providers.jira.settings import Settings
from statuspulse.domain.incident import IncidentState
from statuspulse.domain.integration import Change, Report, UnreadableError

_NAME_LIMIT = 100
_LATEST = 1 << 53
_CHANGES = {IncidentState.ACKNOWLEDGED: Change.ACKNOWLEDGED, IncidentState.RESOLVED: Change.RESOLVED}


def read(config: Mapping[str, Any], body: bytes) -> Sequence[Report]:
    """The changes that a webhook tells of; none where it says nothing that we act on. Raises UnreadableError."""
    document = _object(body)
    issue = _mapping(document.get("issue"))
    key = issue.get("key")
    if not isinstance(key, str) or not 0 < len(key) <= 255:
        return ()
    settings, fields = Settings.of(config), _mapping(issue.get("fields"))
    told: dict[str, Any] = {
        "external_id": key,
        "incident_id": incident_of(_list(fields.get("labels"))),
        "url": settings.browse_url(key),
        "at": _instant(document.get("timestamp")),
    }
    match document.get("webhookEvent"):
        case "jira:issue_created" if told["incident_id"] is not None:
            return [Report(change=Change.TRIGGERED, **told, **_author(document.get("user")))]
        case "jira:issue_updated" if _is_move(document):
            change = _change(settings, fields)
            return [] if change is None else [Report(change=change, **told, **_author(document.get("user")))]
        case "comment_created":
            return _comment(told, _mapping(document.get("comment")))
        case _:
            return ()


def _change(settings: Settings, fields: Mapping[str, Any]) -> Change | None:
    """Moving an issue back says nothing: nobody is paged because a card was dragged."""
    status = workflow.status_of(fields.get("status"))
    state = None if status is None else workflow.meaning(settings, status)
    return None if state is None else _CHANGES[state]


def _comment(told: Mapping[str, Any], comment: Mapping[str, Any]) -> Sequence[Report]:
    text = adf.text_of(comment.get("body"))
    return [Report(change=Change.NOTE, **told, **_author(comment.get("author")), text=text)] if text else ()


def _is_move(document: Mapping[str, Any]) -> bool:
    items = _list(_mapping(document.get("changelog")).get("items"))
    return any(_mapping(item).get("field") == "status" for item in items)


def _author(user: object) -> dict[str, Any]:
    """Jira tells no e-mail addresses; people are called by the name that they show."""
    said = _mapping(user)
    account, name = said.get("accountId"), said.get("displayName")
    return {
        "author_id": account if isinstance(account, str) else None,
        "author": name.strip()[:_NAME_LIMIT] if isinstance(name, str) and name.strip() else None,
    }


def _instant(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _LATEST else None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise UnreadableError("the body is no JSON") from None
    if not isinstance(document, Mapping):
        raise UnreadableError("the body is no JSON object")
    return document
