"""The shapes of answers about teams and their members, for the OpenAPI document."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from statuspulse.api.answers.common import Answer, Envelope, ListEnvelope


class TeamSettingsItem(Answer):
    """What a team settles for all of its calls."""

    require_preconditions: bool
    lenient_references: bool
    status_default_window: Literal["24h", "7d"]
    reopen_window_seconds: int
    fallback_channel: str | None


class TeamItem(Answer):
    """A team inside another answer."""

    object: Literal["team"]
    id: str
    team_id: str
    name: str
    slug: str
    default_policy: str | None
    default_regions: list[str]
    timezone: str
    settings: TeamSettingsItem
    version: int
    created_at: datetime
    updated_at: datetime


class TeamAnswer(TeamItem, Envelope):
    """A team."""


class NewTeamAnswer(TeamItem, Envelope):
    """A new team with its first token, shown this once; null where the calling token may make none."""

    token: str | None


class TeamList(ListEnvelope):
    """A page of teams."""

    data: list[TeamItem]


class MemberItem(Answer):
    """A member of a team inside another answer; `id` is the user's."""

    object: Literal["member"]
    id: str
    user_id: str
    team_id: str
    email: str
    role: str
    contacts: list[str]
    created_at: datetime
    updated_at: datetime


class MemberAnswer(MemberItem, Envelope):
    """A member of a team."""


class MemberList(ListEnvelope):
    """A page of members."""

    data: list[MemberItem]
