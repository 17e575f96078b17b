"""Who calls, and whether he may: bearer tokens after RFC 6750, networks, scopes, team."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import HTTPConnection

from statuspulse.api.address import address_of
from statuspulse.api.dependencies import Services
from statuspulse.api.envelope import request_id_of
from statuspulse.api.errors import ApiError
from statuspulse.api.idempotency import given_key
from statuspulse.api.token_cache import REALM, forbidden, unauthorized, wrong_credential
from statuspulse.catalog.refusals import Detail
from statuspulse.catalog.tokens import grant_of
from statuspulse.domain import networks
from statuspulse.domain.access import TICKET_PURPOSE, TOKEN_PURPOSE, Principal, Team
from statuspulse.domain.actor import Origin
from statuspulse.domain.scope import expand
from statuspulse.storage import stream_tickets
from statuspulse.storage.probes import Probe
from statuspulse.storage.tokens import FoundToken

# The member of a query that holds a ticket.
TICKET = "ticket"
_TEAM = "StatusPulse-Team"


async def authenticate(request: HTTPConnection, services: Services) -> Principal:
    """The principal of the call; raises 400, 401, or 403 for an address that the token may not be used from.

    A credential that is present and wrong is never taken as absent.
    """
    found = await services.tokens.living(bearer_token(request))
    return _principal(request, services, found, _team(request, found.teams))


async def authenticate_ticket(request: HTTPConnection, services: Services) -> Principal:
    """The principal by whose token the ticket in the query was made; uses it up. Raises 400, 401 and 403."""
    if "authorization" in request.headers:
        message = "The call carries two credentials; send either a token or a ticket."
        raise ApiError("invalid_request", message, headers={"WWW-Authenticate": f'{REALM}, error="invalid_request"'})
    parts = services.parts
    digest = parts.keyring.digest(TICKET_PURPOSE, request.query_params[TICKET])
    ticket = await parts.database.glance(lambda connection: stream_tickets.find(connection, digest))
    # Looked for first, so that nobody occupies the writer with what is no ticket.
    if ticket is not None:
        ticket = await parts.database.write(lambda connection: stream_tickets.take(connection, digest))
    if ticket is None or ticket.ends_at <= parts.now():
        message = "The ticket is not valid, is used, or is too old; POST /v1/stream-tickets makes another."
        raise unauthorized("token_invalid", message)
    found = await services.tokens.living_secret(ticket.secret_digest)
    team = next((one for one in found.teams if one.id == ticket.team_id), None)
    if team is None:
        raise unauthorized("token_invalid", "The token of the ticket is not valid any more.")
    request.state.secret_digest = ticket.secret_digest
    return _principal(request, services, found, team)


def secret_digest_of(request: HTTPConnection, services: Services) -> bytes:
    """The digest of the secret by which the call was let in, whether it came itself or as a ticket."""
    by_ticket: bytes | None = request.scope["state"].get("secret_digest")
    return by_ticket or services.parts.keyring.digest(TOKEN_PURPOSE, bearer_token(request))


def _principal(request: HTTPConnection, services: Services, found: FoundToken, team: Team) -> Principal:
    token, grant = found.token, grant_of(found.token)
    address = address_of(request, services.parts.trusted_proxies)
    if grant.networks and not networks.holds(grant.networks, address):
        raise forbidden("ip_not_allowed", "The token may not be used from this address.")
    origin = Origin(request_id_of(request), None if address is None else str(address), _idempotency_key(request))
    services.tokens.note_use(token, origin.ip)
    return Principal(
        token_id=token.id,
        label=token.name,
        team=team,
        teams=found.teams,
        scope_names=token.scopes,
        scopes=grant.scopes if team.is_first else expand(token.scopes, of_first_team=False),
        grant=grant,
        origin=origin,
    )


async def authenticate_probe(request: HTTPConnection, services: Services) -> Probe:
    """The probe that calls; raises 400, 401, or 403 for a token of people."""
    key = bearer_token(request)
    probe = await services.tokens.probe(key)
    if probe is not None:
        return probe
    await services.tokens.living(key)
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


def _idempotency_key(request: HTTPConnection) -> str | None:
    """What the caller calls this call, where the key counts and is one."""
    try:
        return given_key(request) if request.scope["method"] == "POST" else None
    except ApiError:
        return None


def _team(request: HTTPConnection, teams: Sequence[Team]) -> Team:
    """The team that the call is about; a token of several has to say which."""
    named = request.headers.getlist(_TEAM)
    if not named and len(teams) == 1:
        return teams[0]
    if not named:
        raise ApiError("invalid_header", f"The token belongs to several teams; name one in {_TEAM}.", param=_TEAM)
    for team in teams:
        if named in ([team.id], [team.slug]):
            return team
    message = f"{_TEAM} names a team that this token does not belong to."
    raise ApiError("invalid_header", message, param=_TEAM)
