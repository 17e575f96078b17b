"""The shapes of answers about tokens, for the OpenAPI document."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from statuspulse.api.answers.common import Answer, Envelope, ListEnvelope


class TokenItem(Answer):
    """A token inside another answer; its text is shown once, when it is made or rotated."""

    object: Literal["token"]
    id: str
    team_id: str
    team_ids: list[str]
    name: str
    prefix: str
    last4: str
    scopes: list[str]
    ip_allowlist: list[str]
    expires_at: datetime | None
    last_used_at: datetime | None
    last_used_ip: str | None
    revoked_at: datetime | None
    created_at: datetime
    updated_at: datetime


class TokenAnswer(TokenItem, Envelope):
    """A token."""


class IssuedTokenAnswer(TokenItem, Envelope):
    """A token with its text, which is shown this once."""

    token: str


class TokenList(ListEnvelope):
    """A page of tokens."""

    data: list[TokenItem]


class RateLimit(Answer):
    """A limit that the token may meet, and what is left of it; limits that are switched off are absent."""

    policy: str
    quota: int
    window_seconds: int
    remaining: int


class PrincipalAnswer(Envelope):
    """Whom the token of the call stands for, and what it may do in this team."""

    object: Literal["principal"]
    token_id: str
    name: str
    team_id: str
    team_slug: str
    team_ids: list[str]
    scopes: list[str]
    expires_at: datetime | None
    ip: str | None
    rate_limits: list[RateLimit]
