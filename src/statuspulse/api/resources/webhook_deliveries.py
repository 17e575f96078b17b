"""Deliveries to webhook endpoints: list, read, send again."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import Field
from sqlalchemy import Connection
from starlette.responses import Response

from statuspulse.api.answers.webhook import (
    RedeliveryAnswer,
    ReplayAnswer,
    WebhookDeliveryAnswer,
    WebhookDeliveryList,
)
from statuspulse.api.dependencies import CallOf
from statuspulse.api.documents.webhook import delivery_document, whole_delivery_document
from statuspulse.api.envelope import answer
from statuspulse.api.examples import webhook as examples
from statuspulse.api.operation import Body, Operation
from statuspulse.api.paging import COUNT_LIMIT, ListQuery, Page, page_answer, place_of
from statuspulse.api.resources.monitors import change_of
from statuspulse.api.resources.webhooks import known_id
from statuspulse.api.route import CheckedRoute
from statuspulse.api.span import bounds
from statuspulse.catalog import webhooks
from statuspulse.catalog.members.webhook import RedeliverRequest, ReplayRequest
from statuspulse.domain.event import EventType
from statuspulse.storage import events, webhook_deliveries
from statuspulse.storage.webhook_deliveries import DeliveryFilter

router = APIRouter(route_class=CheckedRoute, tags=["Webhooks"])

LIST = Operation(
    id="listWebhookDeliveries",
    summary="List what an endpoint was and is owed; the newest first",
    scope="webhooks:read",
    answer=WebhookDeliveryList,
    examples={"one": examples.DELIVERIES},
)
GET = Operation(
    id="getWebhookDelivery",
    summary="Get a delivery with the body that is sent",
    scope="webhooks:read",
    answer=WebhookDeliveryAnswer,
    examples={"failed": examples.DELIVERY},
)
REDELIVER = Operation(
    id="redeliverWebhookDelivery",
    summary="Send the event of a delivery again under the same webhook-id",
    scope="webhooks:write",
    status=202,
    answer=WebhookDeliveryAnswer,
    examples={"pending": examples.DELIVERY},
    statuses=(409,),
)
REPLAY = Operation(
    id="replayWebhook",
    summary="Send the events of a span again, five a second",
    scope="webhooks:write",
    status=202,
    answer=ReplayAnswer,
    examples={"day": examples.REPLAYED},
    body=Body(schema="ReplayRequest", examples={"day": examples.REPLAY_OF_A_DAY}),
    statuses=(409,),
)
REDELIVER_EVENT = Operation(
    id="redeliverEvent",
    summary="Send an event again to webhook endpoints",
    scope="webhooks:write",
    status=202,
    answer=RedeliveryAnswer,
    examples={"one": examples.REDELIVERED},
    body=Body(schema="RedeliverRequest", examples={"one": {"endpoint_ids": ["whk_8p2r4t6w"]}}, required=False),
)


class DeliveryQuery(ListQuery):
    """What deliveries can be narrowed to."""

    status: Literal["pending", "succeeded", "failed", "exhausted", "cancelled"] | None = None
    event_type: EventType | None = None
    event_id: str | None = None
    begin: Annotated[str | None, Field(alias="from", description="Owed at this time or later.")] = None
    end: Annotated[str | None, Field(alias="to", description="Owed before this time.")] = None


@router.get("/webhooks/{webhook_id}/deliveries", **LIST.keywords)
async def list_deliveries(call: CallOf, webhook_id: str, query: Annotated[DeliveryQuery, Query()]) -> Response:
    known, after, keyring = known_id(webhook_id), place_of(call, query), call.services.parts.keyring
    since, until = bounds(query.begin, query.end)
    wanted = DeliveryFilter(
        status=query.status, event_type=query.event_type, event_id=query.event_id, since=since, until=until
    )

    def read(connection: Connection) -> Page:
        endpoint = webhooks.get(connection, call.team_id, known)
        found = webhook_deliveries.page(
            connection, known, wanted, after=after, descending=query.order != "asc", limit=query.limit + 1
        )
        shown = found[: query.limit]
        return Page(
            data=[delivery_document(delivery, endpoint, keyring) for delivery in shown],
            next_place=(shown[-1].created_at, shown[-1].id) if len(found) > query.limit else None,
            total=webhook_deliveries.count(connection, known, wanted, COUNT_LIMIT) if query.include else None,
        )

    return page_answer(call, query, await call.database.read(read), "delivery", "deliveries")


@router.get("/webhooks/{webhook_id}/deliveries/{delivery_id}", **GET.keywords)
async def get_delivery(call: CallOf, webhook_id: str, delivery_id: str) -> Response:
    known, parts = known_id(webhook_id), call.services.parts

    def read(connection: Connection) -> dict[str, Any]:
        endpoint = webhooks.get(connection, call.team_id, known)
        delivery = webhooks.delivery_of(connection, call.team_id, known, delivery_id)
        event = events.get(connection, call.team_id, delivery.event_id)
        return whole_delivery_document(delivery, endpoint, parts.keyring, event, parts.public_url)

    document = await call.database.read(read)
    message = f"Delivery of {document['event_type']}: {document['status']}."
    return answer(call.request, "webhook_delivery", message, document)


@router.post("/webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver", **REDELIVER.keywords)
async def redeliver(call: CallOf, webhook_id: str, delivery_id: str) -> Response:
    change, known, keyring = change_of(call), known_id(webhook_id), call.services.parts.keyring

    def write(connection: Connection) -> dict[str, Any]:
        made = webhooks.redeliver(connection, change, known, delivery_id)
        return delivery_document(made, webhooks.get(connection, call.team_id, known), keyring)

    document = await call.database.write(write)
    call.services.parts.wake()
    return answer(call.request, "webhook_delivery", "The event is sent again.", document, status=202)


@router.post("/webhooks/{webhook_id}/replay", **REPLAY.keywords)
async def replay(call: CallOf, webhook_id: str, body: ReplayRequest) -> Response:
    change, known = change_of(call), known_id(webhook_id)
    made = await call.database.write(lambda connection: webhooks.replay(connection, change, known, body))
    call.services.parts.wake()
    told = "1 event is" if made.count == 1 else f"{made.count} events are"
    members = {"replay_id": made.id, "count": made.count}
    return answer(call.request, "webhook_replay", f"{told} sent again, five a second.", members, status=202)


@router.post("/events/{event_id}/redeliver", **REDELIVER_EVENT.keywords)
async def redeliver_event(call: CallOf, event_id: str, body: RedeliverRequest | None = None) -> Response:
    change, keyring = change_of(call), call.services.parts.keyring
    named = None if body is None else body.endpoint_ids

    def write(connection: Connection) -> list[dict[str, Any]]:
        made = webhooks.redeliver_event(connection, change, event_id, named)
        return [
            delivery_document(one, webhooks.get(connection, call.team_id, one.endpoint_id), keyring) for one in made
        ]

    deliveries = await call.database.write(write)
    call.services.parts.wake()
    told = "1 endpoint" if len(deliveries) == 1 else f"{len(deliveries)} endpoints"
    members = {"event_id": event_id, "deliveries": deliveries}
    return answer(call.request, "event_redelivery", f"The event is sent again to {told}.", members, status=202)
