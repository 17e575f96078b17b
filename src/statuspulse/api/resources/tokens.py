"""Tokens: make, list, read, rotate, revoke; and who calls."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from sqlalchemy import Connection
from starlette.responses import Response

from statuspulse.api.answers.common import Deleted
from statuspulse.api.answers.token import IssuedTokenAnswer, PrincipalAnswer, TokenAnswer, TokenList
from statuspulse.api.dependencies import Call, CallOf
from statuspulse.api.documents.monitor import time_or_null
from statuspulse.api.envelope import answer
from statuspulse.api.examples import token as examples
from statuspulse.api.operation import ANY_TOKEN, Body, Operation
from statuspulse.api.paging import COUNT_LIMIT, ListQuery, Page, page_answer, place_of
from statuspulse.api.resources.monitors import change_of
from statuspulse.api.route import CheckedRoute
from statuspulse.catalog import tokens
from statuspulse.catalog.members.token import TokenRotation
from statuspulse.catalog.refusals import MissingError
from statuspulse.catalog.tokens import Issued
from statuspulse.domain.ids import is_id
from statuspulse.domain.times import SECOND, to_text
from statuspulse.storage import tokens as stored_tokens
from statuspulse.storage.tokens import Token

router = APIRouter(route_class=CheckedRoute, tags=["Tokens"])

CREATE = Operation(
    id="createToken",
    summary="Create a token; it gets at most what the calling token has",
    scope="tokens:write",
    status=201,
    answer=IssuedTokenAnswer,
    examples={"pipeline": examples.ISSUED},
    body=Body(schema="TokenRequest", examples={"pipeline": examples.NEW_TOKEN}),
)
LIST = Operation(
    id="listTokens",
    summary="List the tokens of the team, revoked ones included",
    scope="tokens:read",
    answer=TokenList,
    examples={"one": examples.TOKEN_LIST},
)
GET = Operation(
    id="getToken",
    summary="Get a token",
    scope="tokens:read",
    answer=TokenAnswer,
    examples={"pipeline": examples.TOKEN},
)
ROTATE = Operation(
    id="rotateToken",
    summary="Give a token another secret; the one of before works on for a while",
    scope="tokens:write",
    answer=IssuedTokenAnswer,
    examples={"pipeline": examples.ROTATED},
)
REVOKE = Operation(
    id="revokeToken",
    summary="Revoke a token within a second; it may revoke itself without the scope",
    scope="tokens:write",
    own_token="token_id",  # noqa: S106 - the name of a parameter
    answer=Deleted,
    examples={"revoked": examples.REVOKED},
    statuses=(409,),
)
ME = Operation(
    id="getMe",
    summary="Get whom the calling token stands for and what it may do",
    scope=ANY_TOKEN,
    answer=PrincipalAnswer,
    examples={"pipeline": examples.PRINCIPAL},
)


@router.post("/tokens", **CREATE.keywords)
async def create_token(call: CallOf, body: dict[str, Any]) -> Response:
    change, keyring, caller = change_of(call), call.services.parts.keyring, call.caller
    issued = await call.database.write(lambda connection: tokens.create(connection, keyring, change, caller, body))
    message = f'Token "{issued.token.name}" created; its text is shown this once.'
    headers = {"Location": f"/v1/tokens/{issued.token.id}"}
    return answer(call.request, "token", message, issued_document(call, issued), status=201, headers=headers)


@router.get("/tokens", **LIST.keywords)
async def list_tokens(call: CallOf, query: Annotated[ListQuery, Query()]) -> Response:
    after = place_of(call, query)

    def read(connection: Connection) -> Page:
        found = stored_tokens.page(
            connection, call.team_id, after=after, descending=query.order != "asc", limit=query.limit + 1
        )
        shown = found[: query.limit]
        return Page(
            data=[token_document(call, token) for token in shown],
            next_place=(shown[-1].created_at, shown[-1].id) if len(found) > query.limit else None,
            total=min(COUNT_LIMIT, stored_tokens.count_of(connection, call.team_id)) if query.include else None,
        )

    return page_answer(call, query, await call.database.read(read), "token", "tokens")


@router.get("/tokens/{token_id}", **GET.keywords)
async def get_token(call: CallOf, token_id: str) -> Response:
    known = _known_id(token_id)
    token = await call.database.read(lambda connection: tokens.get(connection, call.team_id, known))
    message = f'Token "{token.name}"{"" if token.revoked_at is None else "; it is revoked"}.'
    return answer(call.request, "token", message, token_document(call, token))


@router.post("/tokens/{token_id}/rotate", **ROTATE.keywords)
async def rotate_token(call: CallOf, token_id: str, body: TokenRotation | None = None) -> Response:
    change, known, keyring, caller = change_of(call), _known_id(token_id), call.services.parts.keyring, call.caller
    overlap = (body or TokenRotation()).overlap_seconds
    issued = await call.database.write(
        lambda connection: tokens.rotate(connection, keyring, change, caller, known, overlap)
    )
    call.services.tokens.forget()
    until = f"works until {to_text(change.now + overlap * SECOND)}" if overlap else "has ended"
    message = f"Token {known} rotated; the secret of before {until}."
    return answer(call.request, "token", message, issued_document(call, issued))


@router.delete("/tokens/{token_id}", **REVOKE.keywords)
async def revoke_token(call: CallOf, token_id: str) -> Response:
    change, known, caller = change_of(call), _known_id(token_id), call.caller
    was_live = await call.database.write(lambda connection: tokens.revoke(connection, change, caller, known))
    call.services.tokens.forget()
    message = f"Token {known} {'' if was_live else 'was already '}revoked."
    return answer(call.request, "token", message, {"id": known, "deleted": True})


@router.get("/me", **ME.keywords)
async def get_me(call: CallOf) -> Response:
    caller = call.caller
    members = {
        "token_id": caller.token_id,
        "name": caller.label,
        "team_id": caller.team_id,
        "team_slug": caller.team.slug,
        "team_ids": [team.id for team in caller.teams],
        "scopes": sorted(caller.scopes),
        "expires_at": time_or_null(caller.grant.expires_at),
        "ip": caller.origin.ip,
        "rate_limits": [
            {
                "policy": share.policy,
                "quota": share.limit.quota,
                "window_seconds": share.limit.window_seconds,
                "remaining": share.left.calls,
            }
            for share in call.services.throttle.shares_of(caller.token_id)
        ],
    }
    return answer(call.request, "principal", f'Token "{caller.label}" of team {caller.team.slug}.', members)


def token_document(call: Call, token: Token) -> dict[str, Any]:
    """Of its teams it shows those that the caller belongs to, too."""
    return {
        "object": "token",
        "id": token.id,
        "team_id": call.team_id if call.team_id in token.team_ids else token.team_ids[0],
        "team_ids": [team_id for team_id in token.team_ids if team_id in call.caller.grant.team_ids],
        "name": token.name,
        "prefix": token.prefix,
        "last4": token.last4,
        "scopes": list(token.scopes),
        "ip_allowlist": list(token.networks),
        "expires_at": time_or_null(token.expires_at),
        "last_used_at": time_or_null(token.last_used_at),
        "last_used_ip": token.last_used_ip,
        "revoked_at": time_or_null(token.revoked_at),
        "created_at": to_text(token.created_at),
        "updated_at": to_text(token.updated_at),
    }


def issued_document(call: Call, issued: Issued) -> dict[str, Any]:
    return {**token_document(call, issued.token), "token": issued.text.reveal()}


def _known_id(token_id: str) -> str:
    """An id of the form of a token's; raises MissingError for anything else, as for one that does not exist."""
    if not is_id(token_id, "tok"):
        raise MissingError
    return token_id
