"""From an answer that is no good one to the error that is raised."""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from statuspulse.client.errors import Refusal, StatusPulseError, UnexpectedAnswerError, error_of
from statuspulse.client.replies import Reply

_REDIRECTS = frozenset({301, 302, 303, 307, 308})


def refused(reply: Reply, *, after_silence: bool) -> StatusPulseError:
    """The error of a reply that is neither 2xx nor 304."""
    told = refusal_of(reply)
    if told is not None:
        return error_of(told, after_silence=after_silence)
    if reply.status in _REDIRECTS:
        return UnexpectedAnswerError(_redirected(reply), status=reply.status)
    kind = reply.media_type or "nothing that has a type"
    message = f"something in front of StatusPulse answered {reply.status} with {kind}"
    return UnexpectedAnswerError(message, status=reply.status)


def refusal_of(reply: Reply) -> Refusal | None:
    """What the envelope tells; None where the answer is not one of ours."""
    document = reply.document or {}
    error = document.get("error")
    if not isinstance(error, Mapping) or not isinstance(error.get("code"), str):
        return None
    details = error.get("details")
    return Refusal(
        status=reply.status,
        code=error["code"],
        message=_text(document.get("message")) or f"The call was answered with {reply.status}.",
        param=_text(error.get("param")),
        request_id=_text(document.get("request_id")),
        doc_url=_text(error.get("doc_url")),
        details=tuple(found for found in details if isinstance(found, dict)) if isinstance(details, list) else (),
        retry_after_seconds=retry_after(reply),
    )


def retry_after(reply: Reply) -> float | None:
    """Seconds to wait. A date counts from the `Date` of the same answer, for the clock here may be wrong; past is 0."""
    text = (reply.header("retry-after") or "").strip()
    if text.isascii() and text.isdecimal():
        return float(text)
    try:
        then, now = parsedate_to_datetime(text), parsedate_to_datetime(reply.header("date") or "")
        return max(0.0, (then - now).total_seconds())
    except (ValueError, TypeError):
        return None


def _redirected(reply: Reply) -> str:
    """Not followed: a redirect could carry the token to another host. Its query is nobody's business."""
    target = urlsplit(reply.header("location") or "")
    where = f"{target.scheme}://{target.hostname or ''}{target.path}" if target.hostname else target.path
    return f"the server redirects to {where or 'nowhere'}, and redirects are not followed; use that address"


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
