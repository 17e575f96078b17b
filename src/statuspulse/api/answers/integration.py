"""The shapes of answers about integrations, for the OpenAPI document."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from statuspulse.api.answers.common import Answer, Envelope, ListEnvelope

IntegrationKind = Literal["pagerduty", "jira", "alertmanager"]


class RestAccess(Answer):
    """Whose name changes by the REST API bear; the token is never shown."""

    from_email: str


class JiraTransitions(Answer):
    """Where an issue goes, as the name or the category of a status."""

    acknowledged: str
    resolved: str


class IntegrationItem(Answer):
    """An integration inside another answer. It has the members of its kind; of its secrets only the names are shown."""

    object: Literal["integration"]
    id: str
    team_id: str
    kind: IntegrationKind
    name: str
    enabled: bool
    health: Literal["ok", "failing", "disabled"]
    last_error: str | None
    last_success_at: datetime | None
    last_received_at: datetime | None
    secret_names: list[str]
    previous_secret_until: datetime | None
    webhook_url: str
    region: Literal["us", "eu"] | None = None
    rest: RestAccess | None = None
    direction: Literal["push", "both"] | None = None
    severity_map: dict[str, str] | None = None
    base_url: str | None = None
    email: str | None = None
    project_key: str | None = None
    issue_type: str | None = None
    create_on: list[str] | None = None
    priority_map: dict[str, str] | None = None
    transitions: JiraTransitions | None = None
    version: int
    created_at: datetime
    updated_at: datetime


class IntegrationAnswer(IntegrationItem, Envelope):
    """An integration."""


class MadeIntegrationAnswer(IntegrationItem, Envelope):
    """An integration with the secret that was just made for it where one was, which is shown once."""

    secret: str | None


class IntegrationList(ListEnvelope):
    """A page of integrations."""

    data: list[IntegrationItem]


class IntegrationTestAnswer(Envelope):
    """What came of a try-out."""

    object: Literal["integration_test"]
    integration_id: str
    ok: bool
    provider_status: int | None
    error_class: str | None
    latency_ms: int | None


class SyncLogItem(Answer):
    """Something that we said to the other side or that it told us; `error` is one word where it is ours."""

    object: Literal["sync_log_entry"]
    id: str
    at: datetime
    direction: Literal["out", "in"]
    what: str
    outcome: str
    incident_id: str | None
    external_id: str | None
    attempt: int | None
    http_status: int | None
    latency_ms: int | None
    error: str | None


class SyncLogList(ListEnvelope):
    """A page of a sync log."""

    data: list[SyncLogItem]


class AckAnswer(Envelope):
    """A message was taken in; it is worked off after this answer."""

    object: Literal["ack"]
