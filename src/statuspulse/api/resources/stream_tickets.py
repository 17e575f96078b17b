"""Tickets for streams of browsers, which cannot send a token."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from statuspulse.api.answers.stream import TICKET_EXAMPLE, StreamTicketAnswer
from statuspulse.api.dependencies import CallOf
from statuspulse.api.envelope import answer
from statuspulse.api.operation import Operation
from statuspulse.api.route import CheckedRoute
from statuspulse.api.security import secret_digest_of
from statuspulse.domain.access import TICKET_PREFIX, TICKET_PURPOSE, make_token
from statuspulse.domain.times import SECOND
from statuspulse.storage import stream_tickets
from statuspulse.storage.stream_tickets import Ticket

_LIFETIME_SECONDS = 60

router = APIRouter(route_class=CheckedRoute, tags=["Events"])

CREATE = Operation(
    id="createStreamTicket",
    summary="Make a ticket that opens one stream of events",
    scope="events:read",
    answer=StreamTicketAnswer,
    examples={"ticket": TICKET_EXAMPLE},
    status=201,
)


@router.post("/stream-tickets", **CREATE.keywords)
async def create_ticket(call: CallOf) -> Response:
    parts, text = call.services.parts, make_token(TICKET_PREFIX)
    now = parts.now()
    ticket = Ticket(
        secret_digest=secret_digest_of(call.request, call.services),
        team_id=call.team_id,
        ends_at=now + _LIFETIME_SECONDS * SECOND,
    )
    digest = parts.keyring.digest(TICKET_PURPOSE, text)
    await call.database.write(lambda connection: stream_tickets.insert(connection, digest, ticket, now=now))
    message = f"The ticket opens one stream within {_LIFETIME_SECONDS} seconds."
    members = {"ticket": text, "expires_in_seconds": _LIFETIME_SECONDS}
    return answer(call.request, "stream_ticket", message, members, status=201)
