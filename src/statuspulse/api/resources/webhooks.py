"""Webhook endpoints: create, list, read, change, delete, rotate, enable, test."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query
from sqlalchemy import Connection
from starlette.responses import Response

from statuspulse.api.answers.common import Deleted
from statuspulse.api.answers.webhook import (
    IssuedWebhookAnswer,
    WebhookAnswer,
    WebhookDeliveryAnswer,
    WebhookList,
)
from statuspulse.api.dependencies import Call, CallOf
from statuspulse.api.documents.webhook import delivery_document, webhook_document
from statuspulse.api.envelope import answer
from statuspulse.api.examples import webhook as examples
from statuspulse.api.headers import etag, if_match
from statuspulse.api.operation import Body, Operation
from statuspulse.api.paging import ListQuery, Page, page_answer, place_of
from statuspulse.api.resources.monitors import change_of
from statuspulse.api.route import CheckedRoute
from statuspulse.bus.bus import Topic
from statuspulse.catalog import webhooks
from statuspulse.catalog.members.webhook import SecretRotation, WebhookEdit, WebhookEnabling, WebhookRequest
from statuspulse.catalog.refusals import MissingError
from statuspulse.catalog.webhooks import Issued
from statuspulse.domain.ids import is_id
from statuspulse.domain.times import DAY, SECOND, to_text
from statuspulse.storage import webhook_deliveries
from statuspulse.storage import webhooks as stored_webhooks
from statuspulse.storage.webhooks import Endpoint

router = APIRouter(route_class=CheckedRoute, tags=["Webhooks"])

# An attempt takes 15 s at most; then the outcome is told as far as it is known.
_TEST_SECONDS = 17.0

CREATE = Operation(
    id="createWebhook",
    summary="Create a webhook endpoint; its secret is shown once",
    scope="webhooks:write",
    status=201,
    answer=IssuedWebhookAnswer,
    examples={"incidents": examples.ISSUED},
    body=Body(schema="WebhookRequest", examples={"incidents": examples.NEW}),
)
LIST = Operation(
    id="listWebhooks",
    summary="List webhook endpoints",
    scope="webhooks:read",
    answer=WebhookList,
    examples={"one": examples.LIST},
)
GET = Operation(
    id="getWebhook",
    summary="Get a webhook endpoint",
    scope="webhooks:read",
    answer=WebhookAnswer,
    examples={"incidents": examples.ENDPOINT},
)
PATCH = Operation(
    id="patchWebhook",
    summary="Change a webhook endpoint",
    scope="webhooks:write",
    answer=WebhookAnswer,
    examples={"incidents": examples.ENDPOINT},
    body=Body(
        schema="WebhookEdit",
        examples={"narrower": examples.CHANGED},
        media_types=("application/json", "application/merge-patch+json"),
    ),
    statuses=(412, 428),
)
DELETE = Operation(
    id="deleteWebhook",
    summary="Delete a webhook endpoint with its deliveries",
    scope="webhooks:write",
    answer=Deleted,
    examples={"deleted": examples.DELETED},
    statuses=(412, 428),
)
ROTATE = Operation(
    id="rotateWebhookSecret",
    summary="Give a webhook endpoint another secret; both sign for a while",
    scope="webhooks:write",
    answer=IssuedWebhookAnswer,
    examples={"incidents": examples.ISSUED},
)
ENABLE = Operation(
    id="enableWebhook",
    summary="Send events to a disabled endpoint again",
    scope="webhooks:write",
    answer=WebhookAnswer,
    examples={"incidents": examples.ENDPOINT},
)
TEST = Operation(
    id="testWebhook",
    summary="Send an endpoint.ping now",
    scope="webhooks:write",
    answer=WebhookDeliveryAnswer,
    examples={"failed": examples.DELIVERY},
    statuses=(409,),
    waits=True,
)


@router.post("/webhooks", **CREATE.keywords)
async def create_webhook(call: CallOf, body: WebhookRequest) -> Response:
    change, parts = change_of(call), call.services.parts
    issued = await call.database.write(
        lambda connection: webhooks.create(connection, parts.keyring, parts.policy, change, body)
    )
    message = f"Webhook endpoint {issued.endpoint.id} created; its secret is shown this once."
    headers = {"Location": f"/v1/webhooks/{issued.endpoint.id}"}
    return await _issued_answer(call, issued, message, status=201, headers=headers)


@router.get("/webhooks", **LIST.keywords)
async def list_webhooks(call: CallOf, query: Annotated[ListQuery, Query()]) -> Response:
    after = place_of(call, query)

    def read(connection: Connection) -> Page:
        found = stored_webhooks.page(
            connection, call.team_id, after=after, descending=query.order != "asc", limit=query.limit + 1
        )
        shown = found[: query.limit]
        return Page(
            data=_documents(connection, call, shown),
            next_place=(shown[-1].created_at, shown[-1].id) if len(found) > query.limit else None,
            total=stored_webhooks.count(connection, call.team_id) if query.include else None,
        )

    return page_answer(call, query, await call.database.read(read), "webhook endpoint", "webhook endpoints")


@router.get("/webhooks/{webhook_id}", **GET.keywords)
async def get_webhook(call: CallOf, webhook_id: str) -> Response:
    known = known_id(webhook_id)
    return await _answer(call, await call.database.read(lambda one: webhooks.get(one, call.team_id, known)))


@router.patch("/webhooks/{webhook_id}", **PATCH.keywords)
async def patch_webhook(call: CallOf, webhook_id: str, body: WebhookEdit) -> Response:
    change, parts, known = change_of(call), call.services.parts, known_id(webhook_id)
    expected = if_match(call.request)
    endpoint = await call.database.write(
        lambda connection: webhooks.edit(connection, parts.keyring, parts.policy, change, known, body, expected)
    )
    parts.wake()
    return await _answer(call, endpoint)


@router.delete("/webhooks/{webhook_id}", **DELETE.keywords)
async def delete_webhook(call: CallOf, webhook_id: str) -> Response:
    change, known, expected = change_of(call), known_id(webhook_id), if_match(call.request)
    await call.database.write(lambda connection: webhooks.remove(connection, change, known, expected))
    message = f"Webhook endpoint {known} deleted."
    return answer(call.request, "webhook_endpoint", message, {"id": known, "deleted": True})


@router.post("/webhooks/{webhook_id}/rotate-secret", **ROTATE.keywords)
async def rotate_webhook_secret(call: CallOf, webhook_id: str, body: SecretRotation | None = None) -> Response:
    change, keyring, known = change_of(call), call.services.parts.keyring, known_id(webhook_id)
    seconds = (body or SecretRotation()).overlap_seconds
    issued = await call.database.write(lambda connection: webhooks.rotate(connection, keyring, change, known, seconds))
    until = f"the one of before signs, too, until {to_text(change.now + seconds * SECOND)}"
    message = f"The new secret is shown this once; {until if seconds else 'the one of before has ended'}."
    return await _issued_answer(call, issued, message, status=200, headers={})


@router.post("/webhooks/{webhook_id}/enable", **ENABLE.keywords)
async def enable_webhook(call: CallOf, webhook_id: str, body: WebhookEnabling | None = None) -> Response:
    change, known = change_of(call), known_id(webhook_id)
    replay = (body or WebhookEnabling()).replay_missed
    endpoint = await call.database.write(
        lambda connection: webhooks.enable(connection, change, known, replay_missed=replay)
    )
    call.services.parts.wake()
    return await _answer(call, endpoint)


@router.post("/webhooks/{webhook_id}/test", **TEST.keywords)
async def run_webhook_test(call: CallOf, webhook_id: str) -> Response:
    change, known, parts = change_of(call), known_id(webhook_id), call.services.parts
    delivery_id = await parts.database.write(lambda connection: webhooks.ping(connection, change, known))
    parts.wake()
    await _attempted(call, known, delivery_id)

    def read(connection: Connection) -> dict[str, Any]:
        endpoint = webhooks.get(connection, call.team_id, known)
        delivery = webhooks.delivery_of(connection, call.team_id, known, delivery_id)
        return delivery_document(delivery, endpoint, parts.keyring)

    document = await parts.database.read(read)
    return answer(call.request, "webhook_delivery", f"endpoint.ping: {document['status']}.", document)


def known_id(webhook_id: str) -> str:
    """An id of the form of an endpoint's; raises MissingError for anything else, as for one that does not exist."""
    if not is_id(webhook_id, "whk"):
        raise MissingError
    return webhook_id


async def _attempted(call: Call, endpoint_id: str, delivery_id: str) -> None:
    """Returns once the delivery was tried, or after the longest that this takes."""
    parts = call.services.parts
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_TEST_SECONDS):
            while True:
                seen = parts.bus.count(Topic.OUTBOX)
                found = await parts.database.read(
                    lambda connection: webhook_deliveries.get(connection, endpoint_id, delivery_id)
                )
                if found is None or found.attempts or parts.is_stopping():
                    return
                await parts.bus.wait(Topic.OUTBOX, seen, _TEST_SECONDS)


async def _answer(call: Call, endpoint: Endpoint) -> Response:
    [document] = await call.database.read(lambda connection: _documents(connection, call, [endpoint]))
    message = f"Webhook endpoint {endpoint.id} is {document['status']}."
    return answer(call.request, "webhook_endpoint", message, document, headers={"ETag": etag(endpoint.version)})


async def _issued_answer(call: Call, issued: Issued, message: str, *, status: int, headers: dict[str, str]) -> Response:
    [document] = await call.database.read(lambda connection: _documents(connection, call, [issued.endpoint]))
    members = {**document, "secret": issued.secret.reveal()}
    told = {"ETag": etag(issued.endpoint.version), **headers}
    return answer(call.request, "webhook_endpoint", message, members, status=status, headers=told)


def _documents(connection: Connection, call: Call, shown: Sequence[Endpoint]) -> list[dict[str, Any]]:
    now, keyring = call.services.parts.now(), call.services.parts.keyring
    counts = webhook_deliveries.counts_since(connection, [endpoint.id for endpoint in shown], now - DAY)
    return [webhook_document(endpoint, keyring, counts[endpoint.id], now) for endpoint in shown]
