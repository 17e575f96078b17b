"""Where other systems report: webhooks by signature or secret, and alerts as Prometheus sends them."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from statuspulse.api.answers.integration import AckAnswer
from statuspulse.api.body import read_body
from statuspulse.api.dependencies import Services, services_of
from statuspulse.api.envelope import answer
from statuspulse.api.errors import ApiError, invalid
from statuspulse.api.examples import integration as examples
from statuspulse.api.operation import Body, Operation
from statuspulse.api.route import DescribedRoute
from statuspulse.api.token_cache import unauthorized
from statuspulse.bus.bus import Topic
from statuspulse.catalog import reception
from statuspulse.catalog.refusals import Detail
from statuspulse.domain.ids import is_id
from statuspulse.domain.integration import UnreadableError
from statuspulse.engine.inbound.worker import ALERTS
from statuspulse.storage import integrations
from statuspulse.storage.database import DatabaseUnavailableError
from statuspulse.storage.integrations import Integration

BODY_LIMIT = 1 << 20

_RETRY_SECONDS = 2


class ReceptionRoute(DescribedRoute):
    """A route that takes any bytes: what they are is asked after who sent them, and of whom."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        endpoint: Any = self.endpoint

        async def handle(request: Request) -> Response:
            answered: Response = await endpoint(request, **request.path_params)
            return answered

        return handle


router = APIRouter(route_class=ReceptionRoute, tags=["Integrations"])

RECEIVE = Operation(
    id="receiveWebhook",
    summary="Take in a webhook of another system, which proves itself by signature or secret",
    scope=None,
    status=202,
    answer=AckAnswer,
    examples={"ack": examples.ACK},
    body=Body(schema="InboundMessage", examples={"pagerduty": examples.PAGERDUTY_EVENT}),
    statuses=(401,),
)


@router.post("/integrations/{integration_id}/webhook", **RECEIVE.keywords)
async def receive_webhook(request: Request, integration_id: str) -> Response:
    """Everything authentic is stored and worked off later: a refusal would be a loss, and take our place for a day."""
    services = await services_of(request)
    parts = services.parts
    body = await read_body(request, BODY_LIMIT)
    integration = await _named(services, integration_id)
    headers, now = _headers(request), parts.now()
    if not reception.is_authentic(integration, parts.keyring, headers, body, now) or integration is None:
        raise unauthorized("token_invalid", "The signature or the secret is missing or wrong.")
    request.state.integration = integration.id
    try:
        reception.check_readable(integration, body, now)
    except UnreadableError as error:
        await _refuse(services, integration, error)
        raise invalid([Detail(code="parameter_invalid_format", path=(), message=f"cannot be read: {error}")]) from None
    await parts.database.write(lambda one: reception.receive(one, integration, headers, body, now))
    parts.bus.wake(Topic.INBOUND)
    return answer(request, "ack", "Taken in.", {}, status=202)


def routes() -> list[Route]:
    return [Route("/api/v2/alerts", receive_alerts, methods=["POST"])]


async def receive_alerts(request: Request) -> Response:
    """Prometheus takes us for an Alertmanager. It sends everything again each minute or so, also after a refusal."""
    services = await services_of(request)
    parts = services.parts
    try:
        body = await read_body(request, BODY_LIMIT)
        headers, now = _headers(request), parts.now()
        integration = await parts.database.read(lambda one: reception.of_sender(one, parts.keyring, headers, now))
        if integration is None:
            return PlainTextResponse("the secret is missing or wrong\n", 401, {"WWW-Authenticate": "Bearer"})
        try:
            reception.check_readable(integration, body, now, form=ALERTS)
        except UnreadableError as error:
            await _refuse(services, integration, error)
            return PlainTextResponse(f"{error}\n", 400)
        await parts.database.write(lambda one: reception.receive_alerts(one, integration, body, now))
    except ApiError as error:
        return PlainTextResponse(f"{error.message}\n", error.kind.status)
    except DatabaseUnavailableError:
        text = "the alerts could not be stored; try again\n"
        return PlainTextResponse(text, 503, {"Retry-After": str(_RETRY_SECONDS)})
    parts.bus.wake(Topic.INBOUND)
    return PlainTextResponse("")


async def _named(services: Services, integration_id: str) -> Integration | None:
    if not is_id(integration_id, "int"):
        return None
    return await services.parts.database.glance(lambda one: integrations.any_team_s(one, integration_id))


async def _refuse(services: Services, integration: Integration, error: UnreadableError) -> None:
    now = services.parts.now()
    await services.parts.database.write(lambda one: reception.refuse(one, integration, error, now))


def _headers(request: Request) -> dict[str, str]:
    """By their names in lower case; of equal ones the first, so that none can be slipped in behind it."""
    found: dict[str, str] = {}
    for name, value in request.headers.items():
        found.setdefault(name.lower(), value)
    return found
