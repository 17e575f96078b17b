"""The shapes of answers about the audit log, for the OpenAPI document."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from statuspulse.api.answers.common import Actor, Answer, ListEnvelope


class DifferenceItem(BaseModel):
    """What became of one member; secrets are masked."""

    model_config = ConfigDict(extra="ignore")

    path: str
    before: Any
    after: Any


class AuditEntryItem(Answer):
    """One change: who, what, when, from where."""

    object: Literal["audit_entry"]
    id: str
    team_id: str
    at: datetime
    actor: Actor
    action: str
    resource: str
    diff: list[DifferenceItem]
    ip: str | None
    request_id: str | None


class AuditList(ListEnvelope):
    """A page of the audit log."""

    data: list[AuditEntryItem]
