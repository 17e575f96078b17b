"""Teams and members as callers read them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from statuspulse.catalog.members.team import DEFAULT_REGIONS
from statuspulse.catalog.teams import TeamView
from statuspulse.domain.times import to_text
from statuspulse.storage.people import Member


def team_document(view: TeamView) -> dict[str, Any]:
    team = view.team
    return {
        "object": "team",
        "id": team.id,
        "team_id": team.id,
        "name": team.name,
        "slug": team.slug,
        "default_policy": view.default_policy,
        "default_regions": DEFAULT_REGIONS,
        "timezone": team.timezone,
        "settings": asdict(team.settings),
        "version": team.version,
        "created_at": to_text(team.created_at),
        "updated_at": to_text(team.updated_at),
    }


def member_document(member: Member, shown: Mapping[str, str]) -> dict[str, Any]:
    """`shown` has the masked URLs of the channels by their ids."""
    return {
        "object": "member",
        "id": member.user_id,
        "user_id": member.user_id,
        "team_id": member.team_id,
        "email": member.email,
        "role": member.role,
        "contacts": [shown[one] for one in member.contacts if one in shown],
        "created_at": to_text(member.created_at),
        "updated_at": to_text(member.updated_at),
    }
