"""What a fresh database needs before anyone can call: a first team, the region of this host, a token."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from statuspulse.catalog.identifiers import fresh_id
from statuspulse.domain.access import (
    PROBE_KEY_PREFIX,
    PROBE_KEY_PURPOSE,
    TOKEN_PURPOSE,
    make_token,
    may_be_given,
    shown_parts,
)
from statuspulse.domain.secret import Secret
from statuspulse.storage import probes, teams, tokens
from statuspulse.storage.sealing import Keyring
from statuspulse.storage.teams import Team
from statuspulse.storage.tokens import Token

LOCAL_REGION = "local"


class BootstrapTokenError(ValueError):
    """The token of the settings cannot be one; the text is for the operator and does not quote it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstStart:
    """What was made: secrets that are shown once, None where there was nothing to make."""

    team_id: str
    admin_token: Secret | None
    local_probe_key: Secret | None


def set_up(connection: Connection, keyring: Keyring, *, bootstrap_token: str | None, now: int) -> FirstStart:
    """Makes what is missing; a second start makes nothing."""
    team = ensure_first_team(connection, now)
    return FirstStart(
        team_id=team.id,
        admin_token=_ensure_token(connection, keyring, team.id, bootstrap_token, now),
        local_probe_key=_ensure_local_probe(connection, keyring, now),
    )


def ensure_first_team(connection: Connection, now: int) -> Team:
    return teams.first(connection) or new_team(connection, slug="default", name="Default", now=now)


def new_team(connection: Connection, *, slug: str, name: str, now: int) -> Team:
    team_id = fresh_id(connection, "team", teams.exists)
    team = Team(id=team_id, slug=slug, name=name, created_at=now, updated_at=now)
    teams.insert(connection, team)
    return team


def new_token(
    connection: Connection,
    keyring: Keyring,
    *,
    team_id: str,
    name: str,
    text: str,
    scopes: tuple[str, ...],
    expires_at: int | None,
    now: int,
) -> bool:
    """Accepts the text as a token from now on; answers False where it was one before, of whatever fate."""
    digest = keyring.digest(TOKEN_PURPOSE, text)
    if tokens.by_digest(connection, digest) is not None:
        return False
    prefix, last4 = shown_parts(text)
    token = Token(
        id=fresh_id(connection, "tok", tokens.exists),
        team_ids=(team_id,),
        name=name,
        prefix=prefix,
        last4=last4,
        scopes=scopes,
        networks=(),
        expires_at=expires_at,
        revoked_at=None,
        last_used_at=None,
        last_used_ip=None,
        created_at=now,
        updated_at=now,
    )
    tokens.insert(connection, token, digest)
    return True


def new_probe(
    connection: Connection, keyring: Keyring, *, probe_id: str | None, region_key: int, name: str, now: int
) -> Secret:
    """A probe and its key."""
    key = make_token(PROBE_KEY_PREFIX)
    probes.insert(
        connection,
        probe_id or fresh_id(connection, "prb", probes.exists),
        region_key=region_key,
        name=name,
        digest=keyring.digest(PROBE_KEY_PURPOSE, key),
        now=now,
    )
    return Secret(key)


def renew_probe_key(connection: Connection, keyring: Keyring, probe_id: str, now: int) -> Secret:
    """Another key for a probe whose own was lost; the old one ends."""
    key = make_token(PROBE_KEY_PREFIX)
    probes.replace_key(connection, probe_id, keyring.digest(PROBE_KEY_PURPOSE, key), now)
    return Secret(key)


def ensure_local_region(connection: Connection, now: int) -> int:
    return probes.ensure_region(connection, LOCAL_REGION, "Local", now)


def _ensure_local_probe(connection: Connection, keyring: Keyring, now: int) -> Secret | None:
    region_key = ensure_local_region(connection, now)
    if probes.first_of_region(connection, LOCAL_REGION) is not None:
        return None
    return new_probe(connection, keyring, probe_id=None, region_key=region_key, name=LOCAL_REGION, now=now)


def _ensure_token(connection: Connection, keyring: Keyring, team_id: str, given: str | None, now: int) -> Secret | None:
    """The operator's own token works verbatim; without one, and without any token yet, one is made."""
    if given is not None and not may_be_given(given):
        raise BootstrapTokenError("the bootstrap token needs 16 to 255 printable ASCII characters without spaces")
    if given is None and tokens.count(connection) > 0:
        return None
    text = make_token() if given is None else given
    try:
        with connection.begin_nested():
            new_token(
                connection,
                keyring,
                team_id=team_id,
                name="bootstrap",
                text=text,
                scopes=("admin",),
                expires_at=None,
                now=now,
            )
    except IntegrityError:
        return None
    return Secret(text) if given is None else None
