"""Tokens of the API, found by the digest of their text; the text itself is never stored."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, func, or_, select, update

from statuspulse.domain import access
from statuspulse.domain.times import MINUTE
from statuspulse.storage.keyset import page_of
from statuspulse.storage.schema import teams, token_secrets, token_teams, tokens
from statuspulse.storage.teams import settings_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """One token as it is shown: `prefix` and `last4` are all that is kept of its text in clear.

    `networks` are the CIDRs that it may be used from, none for anywhere. `last_used_at` is true to the minute.
    """

    id: str
    team_ids: tuple[str, ...]
    name: str
    prefix: str
    last4: str
    scopes: tuple[str, ...]
    networks: tuple[str, ...]
    expires_at: int | None
    revoked_at: int | None
    last_used_at: int | None
    last_used_ip: str | None
    created_at: int
    updated_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundToken:
    """A token with what the check of a call needs of its teams, the oldest first.

    `secret_ends_at` is the end of the text that it was found by, None for its newest one.
    """

    token: Token
    secret_ends_at: int | None
    teams: tuple[access.Team, ...]


def insert(connection: Connection, token: Token, digest: bytes) -> None:
    """Stores a token; raises IntegrityError when one with the same text exists."""
    connection.execute(
        tokens.insert().values(
            id=token.id,
            name=token.name,
            prefix=token.prefix,
            last4=token.last4,
            scopes=json.dumps(list(token.scopes)),
            networks=json.dumps(list(token.networks)),
            expires_at=token.expires_at,
            revoked_at=token.revoked_at,
            created_at=token.created_at,
            updated_at=token.updated_at,
        )
    )
    connection.execute(token_secrets.insert().values(digest=digest, token_id=token.id))
    rows = [{"token_id": token.id, "team_id": team_id} for team_id in token.team_ids]
    connection.execute(token_teams.insert(), rows)


def replace_secret(
    connection: Connection, token_id: str, digest: bytes, shown: tuple[str, str], *, now: int, old_until: int
) -> None:
    """Gives the token another text, shown as (prefix, last4); those before end at the instant at the latest."""
    prefix, last4 = shown
    mine = token_secrets.c.token_id == token_id
    still = or_(token_secrets.c.ends_at.is_(None), token_secrets.c.ends_at > old_until)
    connection.execute(update(token_secrets).where(mine, still).values(ends_at=old_until))
    connection.execute(token_secrets.insert().values(digest=digest, token_id=token_id))
    connection.execute(update(tokens).where(tokens.c.id == token_id).values(prefix=prefix, last4=last4, updated_at=now))


def by_digest(connection: Connection, digest: bytes) -> FoundToken | None:
    """The token with the digest, of whichever team, revoked and expired ones included."""
    first = select(func.min(teams.c.key)).scalar_subquery()
    query = (
        select(
            tokens,
            token_secrets.c.ends_at,
            teams.c.id.label("team_id"),
            teams.c.slug,
            teams.c.settings,
            (teams.c.key == first).label("is_first"),
        )
        .select_from(token_secrets)
        .join(tokens, tokens.c.id == token_secrets.c.token_id)
        .join(token_teams, token_teams.c.token_id == tokens.c.id)
        .join(teams, teams.c.id == token_teams.c.team_id)
        .where(token_secrets.c.digest == digest)
        .order_by(teams.c.key)
    )
    rows = connection.execute(query).all()
    if not rows:
        return None
    return FoundToken(
        token=_token(rows[0], [row.team_id for row in rows]),
        secret_ends_at=rows[0].ends_at,
        teams=tuple(
            access.Team(id=row.team_id, slug=row.slug, is_first=bool(row.is_first), settings=settings_of(row.settings))
            for row in rows
        ),
    )


def get(connection: Connection, team_id: str, token_id: str) -> Token | None:
    found = _tokens(connection, _of_team(team_id).where(tokens.c.id == token_id))
    return found[0] if found else None


def page(
    connection: Connection, team_id: str, *, after: tuple[int, str] | None, descending: bool, limit: int
) -> list[Token]:
    """Up to `limit` tokens of a team by (created_at, id), from behind the key `after`; revoked ones included."""
    query = page_of(
        _of_team(team_id), tokens.c.created_at, tokens.c.id, after=after, descending=descending, limit=limit
    )
    return _tokens(connection, query)


def live_of_team(connection: Connection, team_id: str, now: int) -> list[Token]:
    """The tokens of a team that are neither revoked nor past their end."""
    lives = tokens.c.revoked_at.is_(None) & or_(tokens.c.expires_at.is_(None), tokens.c.expires_at > now)
    return _tokens(connection, _of_team(team_id).where(lives))


def all_of_instance(connection: Connection) -> list[Token]:
    """Every token that ever was, the oldest first; for the operator, who has no team."""
    return _tokens(connection, select(tokens).order_by(tokens.c.created_at, tokens.c.id))


def count_of(connection: Connection, team_id: str) -> int:
    """How many tokens a team ever had."""
    query = select(func.count()).select_from(token_teams).where(token_teams.c.team_id == team_id)
    return connection.scalar(query) or 0


def revoke(connection: Connection, team_id: str, token_id: str, now: int) -> bool:
    """Ends a token for good, in whichever teams; answers whether the team had a live one with the id."""
    ended = connection.execute(
        update(tokens)
        .where(tokens.c.id.in_(_ids_of(team_id)), tokens.c.id == token_id, tokens.c.revoked_at.is_(None))
        .values(revoked_at=now, updated_at=now)
    )
    return ended.rowcount == 1


def leave_team(connection: Connection, team_id: str, now: int) -> None:
    """The team's tokens serve it no more: those of no other team are revoked, the rest lose this one."""
    elsewhere = select(token_teams.c.token_id).where(token_teams.c.team_id != team_id)
    connection.execute(
        update(tokens)
        .where(tokens.c.id.in_(_ids_of(team_id)), tokens.c.id.not_in(elsewhere), tokens.c.revoked_at.is_(None))
        .values(revoked_at=now, updated_at=now)
    )
    connection.execute(
        delete(token_teams).where(token_teams.c.team_id == team_id, token_teams.c.token_id.in_(elsewhere))
    )


def note_use(connection: Connection, token_id: str, at: int, ip: str | None) -> None:
    """Remembers a use, unless one within the last minute is remembered."""
    old = or_(tokens.c.last_used_at.is_(None), tokens.c.last_used_at <= at - MINUTE)
    connection.execute(update(tokens).where(tokens.c.id == token_id, old).values(last_used_at=at, last_used_ip=ip))


def count(connection: Connection) -> int:
    """How many tokens the instance ever had."""
    return connection.scalar(select(func.count()).select_from(tokens)) or 0


def exists(connection: Connection, token_id: str) -> bool:
    """Whether any team has a token with the id."""
    return connection.scalar(select(tokens.c.id).where(tokens.c.id == token_id)) is not None


def _of_team(team_id: str) -> Select[Any]:
    return select(tokens).where(tokens.c.id.in_(_ids_of(team_id)))


def _ids_of(team_id: str) -> Select[Any]:
    return select(token_teams.c.token_id).where(token_teams.c.team_id == team_id)


def _tokens(connection: Connection, query: Select[Any]) -> list[Token]:
    rows = connection.execute(query).all()
    teams_by_token = _team_ids(connection, [row.id for row in rows])
    return [_token(row, teams_by_token[row.id]) for row in rows]


def _team_ids(connection: Connection, token_ids: Sequence[str]) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {token_id: [] for token_id in token_ids}
    query = (
        select(token_teams)
        .join(teams, teams.c.id == token_teams.c.team_id)
        .where(token_teams.c.token_id.in_(token_ids))
        .order_by(teams.c.key)
    )
    for row in connection.execute(query):
        found[row.token_id].append(row.team_id)
    return found


def _token(row: Row[Any], team_ids: Sequence[str]) -> Token:
    return Token(
        id=row.id,
        team_ids=tuple(team_ids),
        name=row.name,
        prefix=row.prefix,
        last4=row.last4,
        scopes=tuple(json.loads(row.scopes)),
        networks=tuple(json.loads(row.networks)),
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        last_used_at=row.last_used_at,
        last_used_ip=row.last_used_ip,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
