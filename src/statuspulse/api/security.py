"""Who calls, and whether he may: bearer tokens after RFC 6750, scopes, team (`API.md` B.6, B.8)."""

from __future__ import annotations

from starlette.requests import HTTPConnection

from statuspulse.api.errors import ApiError
from statuspulse.api.tokens import REALM, TokenCache, unauthorized, wrong_credential
from statuspulse.catalog.refusals import Detail
from statuspulse.domain.access import Principal
from statuspulse.storage.probes import Probe


async def authenticate(request: HTTPConnection, tokens: TokenCache) -> Principal:
    """The principal of the call; raises 400 or 401. A credential that is present and wrong is never taken as absent."""
    principal = await tokens.principal(bearer_token(request))
    team = request.headers.get("statuspulse-team")
    if team is not None and team not in {principal.team_id, principal.team_slug}:
        raise ApiError(
            "invalid_header",
            "StatusPulse-Team names a team that this token does not belong to.",
            param="StatusPulse-Team",
        )
    return principal


async def authenticate_probe(request: HTTPConnection, tokens: TokenCache) -> Probe:
    """The probe that calls; raises 400, 401, or 403 for a token of people."""
    key = bearer_token(request)
    probe = await tokens.probe(key)
    if probe is not None:
        return probe
    await tokens.principal(key)
    raise wrong_credential()


def require(principal: Principal, scope: str) -> None:
    """Raises 403 unless the principal has the scope; asked before anything is looked up."""
    if scope in principal.scopes:
        return
    message = f"The token lacks the scope {scope}."
    detail = Detail(code="scope_insufficient", path=(), message=message, extra={"required_scope": scope})
    challenge = f'{REALM}, error="insufficient_scope", scope="{scope}"'
    raise ApiError("scope_insufficient", message, details=[detail], headers={"WWW-Authenticate": challenge})


def bearer_token(request: HTTPConnection) -> str:
    """The text of the one bearer credential; raises 400 for two and 401 for none."""
    credentials = request.headers.getlist("authorization")
    if len(credentials) > 1:
        message = "The call carries two credentials; send one Authorization header."
        raise ApiError("invalid_request", message, headers={"WWW-Authenticate": f'{REALM}, error="invalid_request"'})
    scheme, _, token = (credentials[0] if credentials else "").partition(" ")
    if scheme.lower() != "bearer":
        raise unauthorized("token_missing", "Send a token: Authorization: Bearer sk_live_…")
    return token.strip(" ")
