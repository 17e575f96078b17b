"""Tokens of the API, found by the digest of their text; the text itself is never stored."""

from __future__ import annotations

import json
from dataclasses import dataclass

from sqlalchemy import Connection, func, select, update

from statuspulse.storage.schema import teams, tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """One token as it is shown: `prefix` and `last4` are all that is kept of its text in clear."""

    id: str
    team_id: str
    name: str
    prefix: str
    last4: str
    scopes: tuple[str, ...]
    expires_at: int | None
    revoked_at: int | None
    created_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundToken:
    """A token with what the check of a call needs of its team."""

    token: Token
    team_slug: str
    of_first_team: bool


def insert(connection: Connection, token: Token, digest: bytes) -> None:
    """Stores a token; raises IntegrityError when one with the same text exists."""
    connection.execute(
        tokens.insert().values(
            id=token.id,
            team_id=token.team_id,
            name=token.name,
            digest=digest,
            prefix=token.prefix,
            last4=token.last4,
            scopes=json.dumps(list(token.scopes)),
            expires_at=token.expires_at,
            revoked_at=token.revoked_at,
            created_at=token.created_at,
            updated_at=token.created_at,
        )
    )


def by_digest(connection: Connection, digest: bytes) -> FoundToken | None:
    """The token with the digest, of whichever team, revoked and expired ones included."""
    oldest = select(teams.c.id).order_by(teams.c.created_at, teams.c.id).limit(1).scalar_subquery()
    query = (
        select(tokens, teams.c.slug, (tokens.c.team_id == oldest).label("of_first_team"))
        .join(teams, teams.c.id == tokens.c.team_id)
        .where(tokens.c.digest == digest)
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    token = Token(
        id=row.id,
        team_id=row.team_id,
        name=row.name,
        prefix=row.prefix,
        last4=row.last4,
        scopes=tuple(json.loads(row.scopes)),
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        created_at=row.created_at,
    )
    return FoundToken(token=token, team_slug=row.slug, of_first_team=bool(row.of_first_team))


def revoke(connection: Connection, team_id: str, token_id: str, now: int) -> bool:
    """Ends a token for good; answers whether the team had a live one with the id."""
    ended = connection.execute(
        update(tokens)
        .where(tokens.c.team_id == team_id, tokens.c.id == token_id, tokens.c.revoked_at.is_(None))
        .values(revoked_at=now, updated_at=now)
    )
    return ended.rowcount == 1


def count(connection: Connection) -> int:
    """How many tokens the instance ever had."""
    return connection.scalar(select(func.count()).select_from(tokens)) or 0


def exists(connection: Connection, token_id: str) -> bool:
    """Whether any team has a token with the id."""
    return connection.scalar(select(tokens.c.id).where(tokens.c.id == token_id)) is not None
