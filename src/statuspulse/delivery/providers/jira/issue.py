"""The issue of an incident and the comments on it, as documents of the third API; pure."""

from __future__ import annotations

from typing import Any

from statuspulse.delivery.wording import details, line, links, remarks, summary
from statuspulse.domain.integration import Operation, mirrored
from statuspulse.domain.jira import adf
from statuspulse.domain.jira.labels import label_of
from statuspulse.domain.jira.settings import Settings
from statuspulse.domain.message import Message

# Jira refuses more, and any line end.
SUMMARY_LIMIT = 255
INCIDENT_PROPERTY = "statuspulse.incident"
COMMENT_PROPERTY = "statuspulse.comment"

_LINE_LIMIT = 2000
_SENTENCES = {
    Operation.LINK: "This issue stands for incident {incident_id} of StatusPulse.",
    Operation.TRIGGER: "This issue stands for incident {incident_id} of StatusPulse.",
    Operation.UNACKNOWLEDGE: "The acknowledgement of incident {incident_id} was withdrawn.",
    Operation.REOPEN: "Incident {incident_id} was reopened.",
}


def new_issue(message: Message, settings: Settings, public_url: str) -> dict[str, Any]:
    """The body of `POST /rest/api/3/issue`."""
    blocks = [adf.paragraph(line(summary(message), _LINE_LIMIT)), adf.facts(details(message))]
    blocks += [adf.paragraph(text) for text in remarks(message)]
    ways = links(message, public_url)
    if ways:
        blocks.append(adf.links(ways))
    fields: dict[str, Any] = {
        "project": {"key": settings.project_key},
        "issuetype": {"id" if settings.issue_type.isdecimal() else "name": settings.issue_type},
        "summary": line(message.title, SUMMARY_LIMIT),
        "description": adf.document(*blocks),
        "labels": ["statuspulse", label_of(message.incident_id)],
    }
    priority = settings.priority_map.get(message.severity)
    if priority is not None:
        fields["priority"] = {"name": priority}
    return {"fields": fields, "properties": [{"key": INCIDENT_PROPERTY, "value": mark_of(message)}]}


def mark_of(message: Message) -> dict[str, Any]:
    """The property by which other programs tell whose issue it is."""
    return {"id": message.incident_id, "number": message.number}


def new_comment(operation: Operation, message: Message, mark: str) -> dict[str, Any]:
    """The body of `POST …/comment`: what happened to the incident; `mark` tells its copies apart."""
    if operation is Operation.NOTE:
        blocks = [adf.paragraph(mirrored(message.facts.note or "", message.actor))]
    else:
        said = _SENTENCES.get(operation)
        blocks = [] if said is None else [adf.paragraph(said.format(incident_id=message.incident_id))]
        blocks.append(adf.paragraph(mirrored(line(summary(message), _LINE_LIMIT), message.actor)))
    return {"body": adf.document(*blocks), "properties": [{"key": COMMENT_PROPERTY, "value": {"id": mark}}]}


def bears(comment: object, mark: str) -> bool:
    """Whether a comment of an answer is the one with the mark."""
    properties = comment.get("properties") if isinstance(comment, dict) else None
    wanted = {"key": COMMENT_PROPERTY, "value": {"id": mark}}
    return isinstance(properties, list) and wanted in properties
