"""A new incident as a body means it, and what of a body becomes part of any incident."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection

from statuspulse.catalog.members.incident import ExternalLink, IncidentRequest
from statuspulse.catalog.references import Change
from statuspulse.catalog.refusals import Detail, InvalidInputError
from statuspulse.domain.message import Facts, Subject
from statuspulse.domain.monitor import Severity
from statuspulse.engine.incidents import Opening, note_of
from statuspulse.storage import policies
from statuspulse.storage.incidents import ExternalIds, TimelineEntry
from statuspulse.storage.monitors import Monitor

_SOURCE = "manual"


def opening_of(connection: Connection, change: Change, request: IncidentRequest, monitor: Monitor | None) -> Opening:
    """The new incident that a body means, with the defaults of its monitor; raises InvalidInputError without a title.

    What the body names has been found before.
    """
    if request.title is None and monitor is None:
        message = "is required without monitor_id"
        raise InvalidInputError([Detail(code="parameter_missing", path=("title",), message=message)])
    policy = request.escalation_policy
    if policy is None:
        default = policies.default_slug(connection, change.team_id)
        policy = default if monitor is None else monitor.config["escalation_policy"] or default
    severity = request.severity or ("error" if monitor is None else monitor.config["severity"])
    title = request.title or f"{'' if monitor is None else monitor.name}: manual incident"
    return Opening(
        team_id=change.team_id,
        title=title,
        severity=Severity(severity),
        source=_SOURCE,
        # A sender's clock may be ahead of ours; the future has not happened.
        triggered_at=change.now if request.occurred_at is None else min(request.occurred_at, change.now),
        monitor_key=None if monitor is None else monitor.key,
        monitor_id=None if monitor is None else monitor.id,
        dedup_key=request.dedup_key,
        policy=policy,
        assignee=request.assignee,
        notify=request.notify,
        external_ids=linked({}, request.external_ids.given()),
        note=note_or_none(change, request.notes),
    )


def linked(stored: ExternalIds, given: Mapping[str, ExternalLink | None]) -> ExternalIds:
    """The ids after a merge: None unlinks, and an id that is known keeps its URL unless there is a new one."""
    merged = dict(stored)
    for provider, link in given.items():
        if link is None:
            merged.pop(provider, None)
            continue
        known = stored.get(provider, {})
        url = known.get("url") if link.url is None and known.get("id") == link.id else link.url
        merged[provider] = {"id": link.id, "url": url}
    return merged


def facts_of(monitor: Monitor | None, note: TimelineEntry | None) -> Facts:
    """What a message can tell beside the incident."""
    text = None if note is None else note.detail["text"]
    if monitor is None:
        return Facts(note=text)
    subject = Subject(
        id=monitor.id,
        name=monitor.name,
        type=monitor.type,
        target=monitor.target,
        runbook_url=monitor.config["runbook_url"],
    )
    return Facts(subject=subject, note=text)


def note_or_none(change: Change, text: str | None) -> TimelineEntry | None:
    return note_of(change.actor, change.now, text) if text is not None and text.strip() else None
