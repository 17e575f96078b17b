"""Tokens by the hand of the operator, who has the data directory and so needs no other leave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from statuspulse.catalog import tokens
from statuspulse.catalog.references import Change
from statuspulse.catalog.refusals import existing
from statuspulse.catalog.tokens import Issued
from statuspulse.domain.actor import Actor
from statuspulse.domain.times import DAY
from statuspulse.storage import teams
from statuspulse.storage import tokens as stored_tokens
from statuspulse.storage.sealing import Keyring
from statuspulse.storage.teams import Team
from statuspulse.storage.tokens import Token

OPERATOR = Actor("operator", None, "statuspulse admin token")


class UnknownTeamError(Exception):
    """No team has the slug: one line that says which teams there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A token as the operator wants it: teams by slug, none for the first; networks none for anywhere."""

    name: str
    team_slugs: tuple[str, ...]
    scopes: tuple[str, ...]
    days: int | None
    networks: tuple[str, ...]


def create(connection: Connection, keyring: Keyring, wish: Wish, now: int) -> Issued:
    """Raises UnknownTeamError."""
    chosen = _teams(connection, wish.team_slugs)
    token = tokens.unissued(
        connection,
        name=wish.name,
        team_ids=tuple(team.id for team in chosen),
        scopes=wish.scopes,
        expires_at=None if wish.days is None else now + wish.days * DAY,
        networks=wish.networks,
        now=now,
    )
    return tokens.issue(connection, keyring, _change(chosen[0].id, now), token)


def revoke(connection: Connection, token_id: str, now: int) -> bool:
    """Ends a token of whichever teams; answers whether it was live. Raises MissingError."""
    token = existing(next((one for one in stored_tokens.all_of_instance(connection) if one.id == token_id), None))
    return tokens.end(connection, _change(token.team_ids[0], now), token_id)


def listed(connection: Connection) -> list[tuple[Token, list[str]]]:
    """Every token of the instance, the oldest first, with the slugs of its teams."""
    slugs = {team.id: team.slug for team in teams.all_of_instance(connection)}
    return [
        (token, [slugs[team_id] for team_id in token.team_ids if team_id in slugs])
        for token in stored_tokens.all_of_instance(connection)
    ]


def _teams(connection: Connection, slugs: Sequence[str]) -> list[Team]:
    known = {team.slug: team for team in teams.all_of_instance(connection)}
    unknown = [slug for slug in slugs if slug not in known]
    if unknown or not known:
        there_are = f"there are {', '.join(known)}" if known else "there are none before the first start of the server"
        raise UnknownTeamError(f"there is no team {unknown[0] if unknown else 'yet'}; {there_are}")
    return [known[slug] for slug in dict.fromkeys(slugs)] or [next(iter(known.values()))]


def _change(team_id: str, now: int) -> Change:
    return Change(team_id=team_id, actor=OPERATOR, now=now, strict=True)
