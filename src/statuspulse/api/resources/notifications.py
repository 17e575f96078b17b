"""What channels are and were owed: list, and ask again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from sqlalchemy import Connection
from starlette.responses import Response

from statuspulse.api.answers.channel import NotificationAnswer, NotificationList
from statuspulse.api.dependencies import Call, CallOf
from statuspulse.api.documents.channel import notification_document
from statuspulse.api.envelope import answer
from statuspulse.api.examples import channel as examples
from statuspulse.api.operation import Operation
from statuspulse.api.paging import COUNT_LIMIT, ListQuery, Page, page_answer, place_of
from statuspulse.api.resources.channels import known_id
from statuspulse.api.resources.monitors import change_of
from statuspulse.api.route import CheckedRoute
from statuspulse.catalog import channel_changes as catalog
from statuspulse.catalog.refusals import MissingError
from statuspulse.domain.ids import is_id
from statuspulse.storage import channels as stored_channels
from statuspulse.storage import outbox
from statuspulse.storage.outbox import Notification, State, Wanted

router = APIRouter(route_class=CheckedRoute, tags=["Channels"])

DELIVERIES = Operation(
    id="listChannelDeliveries",
    summary="List what a channel was and is owed, with every attempt; the newest first",
    scope="channels:read",
    answer=NotificationList,
    examples={"one": examples.DELIVERIES},
)
LIST = Operation(
    id="listNotifications",
    summary="List notifications, with every attempt; the newest first",
    scope="channels:read",
    answer=NotificationList,
    examples={"one": examples.NOTIFICATIONS},
)
RETRY = Operation(
    id="retryNotification",
    summary="Hand a dead or waiting notification over again, under the same id",
    scope="channels:write",
    status=202,
    answer=NotificationAnswer,
    examples={"pending": examples.NOTIFICATION},
    statuses=(409,),
)


class DeliveriesQuery(ListQuery):
    """What the notifications of a channel can be narrowed to."""

    status: Literal["pending", "delivered", "superseded", "dead"] | None = None


class NotificationQuery(DeliveriesQuery):
    """What notifications can be narrowed to."""

    incident_id: str | None = None


@router.get("/channels/{channel_id}/deliveries", **DELIVERIES.keywords)
async def list_deliveries(call: CallOf, channel_id: str, query: Annotated[DeliveriesQuery, Query()]) -> Response:
    known = known_id(channel_id)
    await call.database.read(lambda connection: catalog.get(connection, call.team_id, known))
    return await _page(call, query, Wanted(destination=known, state=_state(query)))


@router.get("/notifications", **LIST.keywords)
async def list_notifications(call: CallOf, query: Annotated[NotificationQuery, Query()]) -> Response:
    return await _page(call, query, Wanted(incident_id=query.incident_id, state=_state(query)))


@router.post("/notifications/{notification_id}/retry", **RETRY.keywords)
async def retry_notification(call: CallOf, notification_id: str) -> Response:
    if not is_id(notification_id, "ntf"):
        raise MissingError
    change = change_of(call)

    def write(connection: Connection) -> dict[str, Any]:
        row = catalog.retry(connection, change, notification_id)
        return _documents(connection, call, [row])[0]

    document = await call.database.write(write)
    call.services.parts.wake()
    return answer(call.request, "notification", "The notification is handed over again.", document, status=202)


def _state(query: DeliveriesQuery) -> State | None:
    return None if query.status is None else State(query.status)


async def _page(call: Call, query: ListQuery, wanted: Wanted) -> Response:
    after = place_of(call, query)

    def read(connection: Connection) -> Page:
        found = outbox.page(
            connection, call.team_id, wanted, after=after, descending=query.order != "asc", limit=query.limit + 1
        )
        shown = found[: query.limit]
        return Page(
            data=_documents(connection, call, shown),
            next_place=(shown[-1].created_at, shown[-1].id) if len(found) > query.limit else None,
            total=outbox.count(connection, call.team_id, wanted, COUNT_LIMIT) if query.include else None,
        )

    return page_answer(call, query, await call.database.read(read), "notification", "notifications")


def _documents(connection: Connection, call: Call, shown: Sequence[Notification]) -> list[dict[str, Any]]:
    known = {
        channel_id: stored_channels.get(connection, call.team_id, channel_id)
        for channel_id in {row.destination for row in shown}
    }
    return [
        notification_document(row, known[row.destination], outbox.deliveries_of(connection, call.team_id, row.id))
        for row in shown
    ]
