"""What is done with tokens: make, rotate, revoke. No token gives away more than it has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection

from statuspulse.catalog.identifiers import fresh_id
from statuspulse.catalog.members.token import LONGEST_LIFE, TokenRequest
from statuspulse.catalog.references import Change
from statuspulse.catalog.refusals import Detail, InvalidInputError, RefusedError, existing
from statuspulse.catalog.validation import read
from statuspulse.domain.access import TOKEN_PURPOSE, Principal, make_token, shown_parts
from statuspulse.domain.difference import Difference, differences
from statuspulse.domain.grant import Grant
from statuspulse.domain.networks import parse_network
from statuspulse.domain.scope import expand
from statuspulse.domain.secret import Secret
from statuspulse.domain.times import SECOND, to_text
from statuspulse.storage import audit, tokens
from statuspulse.storage.sealing import Keyring
from statuspulse.storage.tokens import Token

_BEYOND_GRANT = (
    "A token gives away no more than it has: no other scopes, no later end, no further networks, no other teams."
)
_LAST_MAKER = (
    "It is the last live token of the team that can make others; make another with tokens:write first. "
    "The operator can end it with statuspulse admin token revoke."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """A token with the text that is shown once."""

    token: Token
    text: Secret


def grant_of(token: Token) -> Grant:
    """All that a token has, in every team of its own."""
    return Grant(
        team_ids=frozenset(token.team_ids),
        scopes=expand(token.scopes, of_first_team=True),
        expires_at=token.expires_at,
        networks=tuple(parse_network(text) for text in token.networks),
    )


def create(
    connection: Connection, keyring: Keyring, change: Change, maker: Principal, sent: Mapping[str, Any]
) -> Issued:
    """A new token of the maker's team, or of several of the maker's; raises InvalidInputError, RefusedError.

    What is not said it has from its maker: an end, and the networks that it may be used from.
    """
    request = read(TokenRequest, sent)
    if problems := [*_unknown_teams(request, maker), *_misplaced_end(request, change.now)]:
        raise InvalidInputError(problems)
    token = _wanted(connection, request, change, maker)
    _check(maker.grant, grant_of(token))
    return issue(connection, keyring, change, token)


def issue(connection: Connection, keyring: Keyring, change: Change, token: Token) -> Issued:
    """Stores a token under a fresh secret and tells the audit log of each of its teams."""
    text = make_token()
    prefix, last4 = shown_parts(text)
    issued = replace(token, prefix=prefix, last4=last4)
    tokens.insert(connection, issued, keyring.digest(TOKEN_PURPOSE, text))
    _record(connection, change, "token.created", issued, list(differences({}, _facts(issued))))
    return Issued(token=issued, text=Secret(text))


def unissued(
    connection: Connection,
    *,
    name: str,
    team_ids: tuple[str, ...],
    scopes: tuple[str, ...],
    expires_at: int | None,
    networks: tuple[str, ...],
    now: int,
) -> Token:
    """A token under a fresh id that has no secret yet and is not stored."""
    return Token(
        id=fresh_id(connection, "tok", tokens.exists),
        team_ids=team_ids,
        name=name,
        prefix="",
        last4="",
        scopes=scopes,
        networks=networks,
        expires_at=expires_at,
        revoked_at=None,
        last_used_at=None,
        last_used_ip=None,
        created_at=now,
        updated_at=now,
    )


def rotate(
    connection: Connection, keyring: Keyring, change: Change, maker: Principal, token_id: str, overlap_seconds: int
) -> Issued:
    """Another secret for a token; the one of before works on for the overlap.

    Raises MissingError; RefusedError for a token that has ended, and for one that has more than the one that asks: its
    secret would be a way to that.
    """
    stored = get(connection, change.team_id, token_id)
    if stored.revoked_at is not None or (stored.expires_at is not None and stored.expires_at <= change.now):
        raise RefusedError("resource_missing", "The token has ended; make a new one.")
    if stored.id != maker.token_id and not maker.grant.covers(grant_of(stored)):
        raise _beyond_grant(maker.grant.missing_scopes(grant_of(stored)))
    text = make_token()
    shown = shown_parts(text)
    tokens.replace_secret(
        connection,
        stored.id,
        keyring.digest(TOKEN_PURPOSE, text),
        shown,
        now=change.now,
        old_until=change.now + overlap_seconds * SECOND,
    )
    issued = replace(stored, prefix=shown[0], last4=shown[1], updated_at=change.now)
    _record(connection, change, "token.rotated", issued, [Difference("/last4", stored.last4, issued.last4)])
    return Issued(token=issued, text=Secret(text))


def revoke(connection: Connection, change: Change, maker: Principal, token_id: str) -> bool:
    """Ends a token for good, in all of its teams; answers whether it was live.

    Raises MissingError; RefusedError for another token with a scope that the one that asks lacks, and for the last of
    the team that can make others. A further team, a later end or more networks are no hindrance: whoever may do as much
    here may end what serves the team.
    """
    stored = get(connection, change.team_id, token_id)
    if stored.id != maker.token_id and (missing := maker.grant.missing_scopes(grant_of(stored))):
        raise _beyond_grant(missing)
    live = tokens.live_of_team(connection, change.team_id, change.now)
    if _makes_others(stored) and [one.id for one in live if _makes_others(one)] == [stored.id]:
        raise RefusedError("resource_in_use", _LAST_MAKER)
    return end(connection, change, token_id)


def end(connection: Connection, change: Change, token_id: str) -> bool:
    """The same for the operator, whom nothing hinders. Raises MissingError."""
    stored = get(connection, change.team_id, token_id)
    if not tokens.revoke(connection, change.team_id, token_id, change.now):
        return False
    _record(connection, change, "token.revoked", stored, [Difference("/revoked_at", None, to_text(change.now))])
    return True


def get(connection: Connection, team_id: str, token_id: str) -> Token:
    """Raises MissingError."""
    return existing(tokens.get(connection, team_id, token_id))


def _makes_others(token: Token) -> bool:
    return "tokens:write" in grant_of(token).scopes


def _unknown_teams(request: TokenRequest, maker: Principal) -> Iterator[Detail]:
    for place, team_id in enumerate(request.team_ids or ()):
        if team_id not in maker.grant.team_ids:
            message = "names no team that your token belongs to"
            yield Detail(code="reference_not_found", path=("team_ids", place), message=message)


def _misplaced_end(request: TokenRequest, now: int) -> Iterator[Detail]:
    if request.expires_at is not None and not now < request.expires_at <= now + LONGEST_LIFE:
        message = "must lie ahead, and at most 366 days"
        yield Detail(code="parameter_out_of_range", path=("expires_at",), message=message)


def _wanted(connection: Connection, request: TokenRequest, change: Change, maker: Principal) -> Token:
    return unissued(
        connection,
        name=request.name,
        team_ids=tuple(request.team_ids or (change.team_id,)),
        scopes=tuple(request.scopes),
        expires_at=maker.grant.expires_at if request.expires_at is None else request.expires_at,
        networks=tuple(request.ip_allowlist) or tuple(str(network) for network in maker.grant.networks),
        now=change.now,
    )


def _check(maker: Grant, wanted: Grant) -> None:
    if missing := maker.missing_scopes(wanted):
        raise _beyond_grant(missing)
    problems = []
    if maker.ends_before(wanted):
        message = "must not be later than the end of your own token"
        problems.append(Detail(code="parameter_out_of_range", path=("expires_at",), message=message))
    if maker.is_nearer_than(wanted):
        message = "must lie within the networks of your own token"
        problems.append(Detail(code="parameter_out_of_range", path=("ip_allowlist",), message=message))
    if problems:
        raise InvalidInputError(problems)


def _beyond_grant(scopes: Sequence[str]) -> RefusedError:
    details = [
        Detail(
            code="scope_insufficient",
            path=(),
            message=f"The token lacks the scope {scope}.",
            extra={"required_scope": scope},
        )
        for scope in scopes
    ]
    return RefusedError("scope_insufficient", _BEYOND_GRANT, details)


def _facts(token: Token) -> dict[str, Any]:
    return {
        "name": token.name,
        "scopes": list(token.scopes),
        "ip_allowlist": list(token.networks),
        "expires_at": None if token.expires_at is None else to_text(token.expires_at),
        "last4": token.last4,
    }


def _record(connection: Connection, change: Change, action: str, token: Token, diff: list[Difference]) -> None:
    for team_id in token.team_ids:
        audit.record(
            connection, team_id, at=change.now, actor=change.actor, action=action, resource=token.id, diff=diff
        )
