"""The shapes of answers about escalation policies, for the OpenAPI document."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from statuspulse.api.answers.common import Answer, Envelope, ListEnvelope


class EscalationTarget(Answer):
    """One receiver of a step."""

    type: Literal["user", "channel", "monitor_notifications", "schedule"]
    id: str | None


class EscalationStep(Answer):
    """One rung of the ladder."""

    delay_seconds: int
    targets: list[EscalationTarget]
    only_between: dict[str, Any] | None


class EscalationRepeat(Answer):
    """How often the ladder is climbed again."""

    count: int
    delay_seconds: int


class PolicyItem(Answer):
    """An escalation policy inside another answer."""

    object: Literal["escalation_policy"]
    id: str
    team_id: str
    slug: str
    name: str
    description: str | None
    is_default: bool
    auto_created: bool
    steps: list[EscalationStep]
    repeat: EscalationRepeat
    ack_timeout_seconds: int | None
    auto_resolve_seconds: int | None
    severities: list[str]
    version: int
    created_at: datetime
    updated_at: datetime


class PolicyAnswer(PolicyItem, Envelope):
    """An escalation policy."""


class PolicyList(ListEnvelope):
    """A page of escalation policies."""

    data: list[PolicyItem]


class RehearsedStep(Answer):
    """A step as it would come, with the channels that would be told."""

    step: int
    repeat: int
    at: datetime
    channels: list[str]


class RehearsalAnswer(Envelope):
    """Who would be told when, if an incident were triggered now and nobody took it."""

    object: Literal["escalation_test"]
    policy: str
    steps: list[RehearsedStep]
