"""Integrations: create, list, read, change, delete, try out, and what was said."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Annotated, Any

from fastapi import APIRouter, Query
from sqlalchemy import Connection
from starlette.responses import Response

from statuspulse.api.answers.common import Deleted
from statuspulse.api.answers.incident import SyncAgainAnswer
from statuspulse.api.answers.integration import (
    IntegrationAnswer,
    IntegrationList,
    IntegrationTestAnswer,
    MadeIntegrationAnswer,
    SyncLogList,
)
from statuspulse.api.dependencies import Call, CallOf
from statuspulse.api.documents.integration import integration_document, said_document
from statuspulse.api.envelope import answer
from statuspulse.api.errors import ApiError
from statuspulse.api.examples import integration as examples
from statuspulse.api.headers import etag, if_match
from statuspulse.api.operation import Body, Operation
from statuspulse.api.paging import COUNT_LIMIT, ListQuery, Page, page_answer, place_of
from statuspulse.api.resources.incidents import known_id as known_incident
from statuspulse.api.resources.monitors import change_of
from statuspulse.api.route import CheckedRoute
from statuspulse.bus.bus import Topic
from statuspulse.catalog import integrations
from statuspulse.catalog.channel_changes import TooSoonError
from statuspulse.catalog.integrations import Made
from statuspulse.catalog.members.integration import IntegrationSecretRotation
from statuspulse.catalog.refusals import MissingError
from statuspulse.domain.ids import is_id
from statuspulse.storage import integrations as stored_integrations
from statuspulse.storage import outbox, sync_log
from statuspulse.storage.integrations import Integration
from statuspulse.storage.outbox import Notification, State

router = APIRouter(route_class=CheckedRoute, tags=["Integrations"])

# An attempt takes 15 s at most; then the outcome is told as far as it is known.
_TEST_SECONDS = 17.0

CREATE = Operation(
    id="createIntegration",
    summary="Connect another system that incidents are kept in step with, or that tells us of alerts",
    scope="integrations:write",
    status=201,
    answer=MadeIntegrationAnswer,
    examples={"pagerduty": examples.MADE},
    body=Body(
        schema="IntegrationRequest",
        examples={
            "pagerduty": examples.NEW_PAGERDUTY,
            "jira": examples.NEW_JIRA,
            "alertmanager": examples.NEW_ALERTMANAGER,
        },
    ),
    statuses=(409,),
)
LIST = Operation(
    id="listIntegrations",
    summary="List integrations",
    scope="integrations:read",
    answer=IntegrationList,
    examples={"one": examples.LIST},
)
GET = Operation(
    id="getIntegration",
    summary="Get an integration",
    scope="integrations:read",
    answer=IntegrationAnswer,
    examples={"pagerduty": examples.INTEGRATION},
)
PATCH = Operation(
    id="patchIntegration",
    summary="Change an integration",
    scope="integrations:write",
    answer=IntegrationAnswer,
    examples={"pagerduty": examples.INTEGRATION},
    body=Body(
        schema="IntegrationEdit",
        examples={"name": examples.CHANGED},
        media_types=("application/json", "application/merge-patch+json"),
    ),
    statuses=(412, 428),
)
DELETE = Operation(
    id="deleteIntegration",
    summary="Delete an integration; what it made on the other side stays there",
    scope="integrations:write",
    answer=Deleted,
    examples={"deleted": examples.DELETED},
    statuses=(412, 428),
)
ROTATE = Operation(
    id="rotateIntegrationSecret",
    summary="Give a sender of alerts another secret; both are good for a while",
    scope="integrations:write",
    answer=MadeIntegrationAnswer,
    examples={"alertmanager": examples.ROTATED},
    statuses=(409,),
)
TEST = Operation(
    id="testIntegration",
    summary="Try an integration out; 200 even if the other side refused",
    scope="integrations:write",
    answer=IntegrationTestAnswer,
    examples={"taken": examples.TESTED},
    statuses=(409,),
    waits=True,
)
LOG = Operation(
    id="listIntegrationSyncLog",
    summary="List what was said in either direction",
    scope="integrations:read",
    answer=SyncLogList,
    examples={"one": examples.LOG},
)
SYNC = Operation(
    id="syncIncident",
    summary="Try again whatever failed of an incident's sync",
    scope="incidents:write",
    status=202,
    answer=SyncAgainAnswer,
    examples={"one": examples.SYNC_AGAIN},
)


@router.post("/integrations", **CREATE.keywords)
async def create_integration(call: CallOf, body: dict[str, Any]) -> Response:
    change, parts = change_of(call), call.services.parts
    made = await call.database.write(
        lambda connection: integrations.create(connection, parts.keyring, parts.policy, change, body)
    )
    shown = "" if made.secret is None else "; its secret is shown this once"
    headers = {"Location": f"/v1/integrations/{made.integration.id}"}
    message = f"Integration {made.integration.id} created{shown}."
    return _made_answer(call, made, message, status=201, headers=headers)


@router.get("/integrations", **LIST.keywords)
async def list_integrations(call: CallOf, query: Annotated[ListQuery, Query()]) -> Response:
    after = place_of(call, query)

    def read(connection: Connection) -> Page:
        found = stored_integrations.page(
            connection, call.team_id, after=after, descending=query.order != "asc", limit=query.limit + 1
        )
        shown = found[: query.limit]
        return Page(
            data=[_document(call, integration) for integration in shown],
            next_place=(shown[-1].created_at, shown[-1].id) if len(found) > query.limit else None,
            total=stored_integrations.count(connection, call.team_id) if query.include else None,
        )

    return page_answer(call, query, await call.database.read(read), "integration", "integrations")


@router.get("/integrations/{integration_id}", **GET.keywords)
async def get_integration(call: CallOf, integration_id: str) -> Response:
    known = known_id(integration_id)
    return _answer(call, await call.database.read(lambda one: integrations.get(one, call.team_id, known)))


@router.patch("/integrations/{integration_id}", **PATCH.keywords)
async def patch_integration(call: CallOf, integration_id: str, body: dict[str, Any]) -> Response:
    change, parts, known = change_of(call), call.services.parts, known_id(integration_id)
    expected = if_match(call.request)
    integration = await call.database.write(
        lambda connection: integrations.edit(connection, parts.keyring, parts.policy, change, known, body, expected)
    )
    parts.wake()
    return _answer(call, integration)


@router.delete("/integrations/{integration_id}", **DELETE.keywords)
async def delete_integration(call: CallOf, integration_id: str) -> Response:
    change, known, expected = change_of(call), known_id(integration_id), if_match(call.request)
    await call.database.write(lambda connection: integrations.remove(connection, change, known, expected))
    call.services.parts.wake()
    return answer(call.request, "integration", f"Integration {known} deleted.", {"id": known, "deleted": True})


@router.post("/integrations/{integration_id}/rotate-secret", **ROTATE.keywords)
async def rotate_integration_secret(
    call: CallOf, integration_id: str, body: IntegrationSecretRotation | None = None
) -> Response:
    change, keyring, known = change_of(call), call.services.parts.keyring, known_id(integration_id)
    seconds = (body or IntegrationSecretRotation()).overlap_seconds
    made = await call.database.write(
        lambda connection: integrations.rotate(connection, keyring, change, known, seconds)
    )
    message = f"Integration {known} has a new secret, which is shown this once."
    return _made_answer(call, made, message)


@router.post("/integrations/{integration_id}/test", **TEST.keywords)
async def run_integration_test(call: CallOf, integration_id: str) -> Response:
    change, known, parts = change_of(call), known_id(integration_id), call.services.parts
    try:
        row_id = await parts.database.write(lambda connection: integrations.test(connection, change, known))
    except TooSoonError as error:
        message = "The integration was tried a moment ago; once in 20 s is enough."
        raise ApiError("rate_limited", message, retry_after_seconds=error.wait_seconds) from None
    if row_id is None:
        return await _heard(call, known)
    parts.wake()
    row = await _ended(call, row_id)
    made = await parts.database.read(lambda one: outbox.deliveries_of(one, call.team_id, row_id))
    taken = row.state is State.DELIVERED
    error_class = "not_attempted" if row.state is State.PENDING else row.last_error
    members = {
        "integration_id": known,
        "ok": taken,
        "provider_status": row.provider_status,
        "error_class": error_class,
        "latency_ms": made[-1].latency_ms if made else None,
    }
    message = "The other side took it." if taken else f"The other side did not take it: {error_class}."
    return answer(call.request, "integration_test", message, members)


@router.get("/integrations/{integration_id}/sync-log", **LOG.keywords)
async def list_sync_log(call: CallOf, integration_id: str, query: Annotated[ListQuery, Query()]) -> Response:
    known, after = known_id(integration_id), place_of(call, query)

    def read(connection: Connection) -> Page:
        integrations.get(connection, call.team_id, known)
        found = sync_log.page(connection, known, after=after, descending=query.order != "asc", limit=query.limit + 1)
        shown = found[: query.limit]
        return Page(
            data=[said_document(said) for said in shown],
            next_place=(shown[-1].at, shown[-1].id) if len(found) > query.limit else None,
            total=sync_log.count(connection, known, COUNT_LIMIT) if query.include else None,
        )

    return page_answer(call, query, await call.database.read(read), "entry", "entries")


@router.post("/incidents/{incident_id}/sync", **SYNC.keywords)
async def sync_incident(call: CallOf, incident_id: str) -> Response:
    change, known = change_of(call), known_incident(incident_id)
    incident, count = await call.database.write(lambda connection: integrations.sync_again(connection, change, known))
    call.services.parts.wake()
    what = "1 change of" if count == 1 else f"{count or 'No'} changes of"
    message = f"{what} incident {incident.id} {'is' if count == 1 else 'are'} tried again."
    members = {"incident_id": incident.id, "count": count}
    return answer(call.request, "incident_sync", message, members, status=202)


def known_id(integration_id: str) -> str:
    """An id of the form of an integration's; raises MissingError for anything else, as for one that does not exist."""
    if not is_id(integration_id, "int"):
        raise MissingError
    return integration_id


async def _heard(call: Call, integration_id: str) -> Response:
    """Of a sender of alerts only he himself can tell whether it works: by having sent something."""
    found = await call.database.read(lambda one: integrations.get(one, call.team_id, integration_id))
    has_sent = found.last_received_at is not None
    members = {
        "integration_id": integration_id,
        "ok": has_sent,
        "provider_status": None,
        "error_class": None if has_sent else "nothing_received",
        "latency_ms": None,
    }
    message = "The other side has sent something." if has_sent else "The other side has sent nothing yet."
    return answer(call.request, "integration_test", message, members)


async def _ended(call: Call, row_id: str) -> Notification:
    """The row once it was handed over or refused, or after the longest that this takes."""
    parts = call.services.parts

    def read(connection: Connection) -> Notification:
        found = outbox.get(connection, call.team_id, row_id)
        if found is None:
            raise MissingError
        return found

    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_TEST_SECONDS):
            while True:
                seen = parts.bus.count(Topic.OUTBOX)
                found = await parts.database.read(read)
                if found.state is not State.PENDING or parts.is_stopping():
                    return found
                await parts.bus.wait(Topic.OUTBOX, seen, _TEST_SECONDS)
    return await parts.database.read(read)


def _answer(call: Call, integration: Integration) -> Response:
    document = _document(call, integration)
    message, headers = f"Integration {integration.name}: {document['health']}.", {"ETag": etag(integration.version)}
    return answer(call.request, "integration", message, document, headers=headers)


def _document(call: Call, integration: Integration) -> dict[str, Any]:
    parts = call.services.parts
    return integration_document(integration, parts.keyring, parts.public_url, parts.now())


def _made_answer(
    call: Call, made: Made, message: str, *, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    secret = None if made.secret is None else made.secret.reveal()
    members = {**_document(call, made.integration), "secret": secret}
    told = {"ETag": etag(made.integration.version), **(headers or {})}
    return answer(call.request, "integration", message, members, status=status, headers=told)
