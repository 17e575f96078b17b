"""What Jira tells us by its webhooks: who signed it, and what people did; pure (`WIRE.md` 8)."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from statuspulse.delivery.providers.jira import adf
from statuspulse.delivery.providers.jira.issue import incident_of
from statuspulse.delivery.providers.jira.workflow import Status, status_of

SIGNATURE_HEADER = "x-hub-signature"
IDENTIFIER_HEADER = "x-atlassian-webhook-identifier"

# The header names the method; today Jira uses the first. Weaker ones would let the sender of a forgery choose.
_METHODS = ("sha256", "sha384", "sha512")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One webhook. `status` is set where the issue was moved, `comment` where somebody wrote on it.

    `incident_id` is what a label of the issue names, `account_id` whoever did it, `at` when (ms of Jira's clock).
    """

    key: str
    incident_id: str | None
    at: int
    account_id: str | None
    actor: str
    created: bool = False
    moved: bool = False
    status: Status | None = None
    comment: str | None = None
    comment_id: str | None = None


def is_signed(header: str | None, body: bytes, secret: str) -> bool:
    """Whether the body was signed with the secret: `X-Hub-Signature: <method>=<hex>`."""
    method, _, claimed = (header or "").strip().partition("=")
    if method.lower() not in _METHODS:
        return False
    expected = hmac.new(secret.encode(), body, getattr(hashlib, method.lower())).hexdigest()
    return hmac.compare_digest(expected.encode(), claimed.strip().lower().encode("utf-8", "replace"))


def identity(headers: Mapping[str, str], body: bytes) -> str:
    """The same for every copy of a webhook; where Jira names none, the body does."""
    named = headers.get(IDENTIFIER_HEADER, "").strip()
    return named[:200] if named else hashlib.sha256(body).hexdigest()


def read(body: bytes) -> Told | None:
    """What it says; None for what concerns no issue, or says nothing that we act on."""
    document = _object(body)
    issue = _mapping(document.get("issue"))
    key = issue.get("key")
    if not isinstance(key, str) or not key:
        return None
    fields = _mapping(issue.get("fields"))
    labels = fields.get("labels")
    common: dict[str, Any] = {
        "key": key,
        "incident_id": incident_of(labels if isinstance(labels, list) else ()),
        "at": document["timestamp"] if _is_instant(document.get("timestamp")) else 0,
    }
    match document.get("webhookEvent"):
        case "jira:issue_created":
            return Told(**common, **_author(document.get("user")), created=True)
        case "jira:issue_updated" if _is_move(document):
            status = status_of(fields.get("status"))
            return Told(**common, **_author(document.get("user")), moved=True, status=status)
        case "comment_created":
            return _comment(common, _mapping(document.get("comment")))
        case _:
            return None


def _comment(common: dict[str, Any], comment: Mapping[str, Any]) -> Told | None:
    text = adf.text_of(comment.get("body"))
    if not text:
        return None
    return Told(**common, **_author(comment.get("author")), comment=text, comment_id=str(comment.get("id", "")))


def _is_move(document: Mapping[str, Any]) -> bool:
    items = _mapping(document.get("changelog")).get("items")
    return isinstance(items, list) and any(_mapping(item).get("field") == "status" for item in items)


def _author(user: object) -> dict[str, Any]:
    """Jira tells no e-mail addresses; people are called by the name that they show."""
    said = _mapping(user)
    account, name = said.get("accountId"), said.get("displayName")
    return {
        "account_id": account if isinstance(account, str) else None,
        "actor": name.strip()[:100] if isinstance(name, str) and name.strip() else "Jira",
    }


def _is_instant(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 53


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        return _mapping(json.loads(body))
    except (ValueError, RecursionError):
        return {}
