"""Notification channels: create, list, read, change, delete, rotate, try out."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query
from sqlalchemy import Connection
from starlette.responses import Response

from statuspulse.api.answers.channel import ChannelAnswer, ChannelList, ChannelTestAnswer, MadeChannelAnswer
from statuspulse.api.answers.common import Deleted
from statuspulse.api.dependencies import Call, CallOf
from statuspulse.api.documents.channel import channel_document
from statuspulse.api.envelope import answer
from statuspulse.api.errors import ApiError
from statuspulse.api.examples import channel as examples
from statuspulse.api.headers import etag, if_match
from statuspulse.api.operation import Body, Operation
from statuspulse.api.paging import ListQuery, Page, page_answer, place_of
from statuspulse.api.resources.monitors import change_of
from statuspulse.api.route import CheckedRoute
from statuspulse.bus.bus import Topic
from statuspulse.catalog import channel_changes as catalog
from statuspulse.catalog.channel_changes import TooSoonError
from statuspulse.catalog.channels import Made
from statuspulse.catalog.members.channel import ChannelEdit, ChannelRequest, ChannelSecretRotation
from statuspulse.catalog.refusals import MissingError
from statuspulse.delivery.causes import cause_of
from statuspulse.domain.ids import is_id
from statuspulse.storage import channels as stored_channels
from statuspulse.storage import outbox
from statuspulse.storage.channels import Channel
from statuspulse.storage.outbox import Notification, State

router = APIRouter(route_class=CheckedRoute, tags=["Channels"])

# An attempt takes 15 s at most; then the outcome is told as far as it is known.
_TEST_SECONDS = 17.0

CREATE = Operation(
    id="createChannel",
    summary="Create a notification channel, or find the one with the URL",
    scope="channels:write",
    answer=MadeChannelAnswer,
    examples={"known": examples.KNOWN},
    created={"signed": examples.MADE},
    body=Body(schema="ChannelRequest", examples={"signed": examples.NEW}),
)
LIST = Operation(
    id="listChannels",
    summary="List notification channels",
    scope="channels:read",
    answer=ChannelList,
    examples={"one": examples.LIST},
)
GET = Operation(
    id="getChannel",
    summary="Get a notification channel",
    scope="channels:read",
    answer=ChannelAnswer,
    examples={"signed": examples.CHANNEL},
)
PATCH = Operation(
    id="patchChannel",
    summary="Rename, disable or enable a notification channel",
    scope="channels:write",
    answer=ChannelAnswer,
    examples={"signed": examples.CHANNEL},
    body=Body(
        schema="ChannelEdit",
        examples={"name": examples.CHANGED},
        media_types=("application/json", "application/merge-patch+json"),
    ),
    statuses=(412, 428),
)
DELETE = Operation(
    id="deleteChannel",
    summary="Delete a notification channel that no monitor uses",
    scope="channels:write",
    answer=Deleted,
    examples={"deleted": examples.DELETED},
    statuses=(409, 412, 428),
)
ROTATE = Operation(
    id="rotateChannelSecret",
    summary="Give a signed channel another secret; both sign for a while",
    scope="channels:write",
    answer=MadeChannelAnswer,
    examples={"signed": examples.MADE},
    statuses=(409,),
)
TEST = Operation(
    id="testChannel",
    summary="Send a test message now and tell what came of it",
    scope="channels:write",
    answer=ChannelTestAnswer,
    examples={"taken": examples.TESTED},
    waits=True,
)


@router.post("/channels", **CREATE.keywords)
async def create_channel(call: CallOf, body: ChannelRequest) -> Response:
    change, instance = change_of(call), call.services.instance
    made = await call.database.write(lambda connection: catalog.create(connection, instance, change, body))
    if not made.is_new:
        return await _made_answer(call, made, "The team has a channel with this URL.")
    told = "" if made.secret is None else "; its secret is shown this once"
    headers = {"Location": f"/v1/channels/{made.channel.id}"}
    return await _made_answer(call, made, f"Channel {made.channel.name} created{told}.", status=201, headers=headers)


@router.get("/channels", **LIST.keywords)
async def list_channels(call: CallOf, query: Annotated[ListQuery, Query()]) -> Response:
    after = place_of(call, query)

    def read(connection: Connection) -> Page:
        found = stored_channels.page(
            connection, call.team_id, after=after, descending=query.order != "asc", limit=query.limit + 1
        )
        shown = found[: query.limit]
        return Page(
            data=_documents(connection, call, shown),
            next_place=(shown[-1].created_at, shown[-1].id) if len(found) > query.limit else None,
            total=stored_channels.count(connection, call.team_id) if query.include else None,
        )

    return page_answer(call, query, await call.database.read(read), "channel", "channels")


@router.get("/channels/{channel_id}", **GET.keywords)
async def get_channel(call: CallOf, channel_id: str) -> Response:
    known = known_id(channel_id)
    return await _answer(call, await call.database.read(lambda one: catalog.get(one, call.team_id, known)))


@router.patch("/channels/{channel_id}", **PATCH.keywords)
async def patch_channel(call: CallOf, channel_id: str, body: ChannelEdit) -> Response:
    change, known, expected = change_of(call), known_id(channel_id), if_match(call.request)
    channel = await call.database.write(lambda connection: catalog.edit(connection, change, known, body, expected))
    call.services.parts.wake()
    return await _answer(call, channel)


@router.delete("/channels/{channel_id}", **DELETE.keywords)
async def delete_channel(call: CallOf, channel_id: str) -> Response:
    change, known, expected = change_of(call), known_id(channel_id), if_match(call.request)
    await call.database.write(lambda connection: catalog.remove(connection, change, known, expected))
    call.services.parts.wake()
    return answer(call.request, "channel", f"Channel {known} deleted.", {"id": known, "deleted": True})


@router.post("/channels/{channel_id}/rotate-secret", **ROTATE.keywords)
async def rotate_channel_secret(call: CallOf, channel_id: str, body: ChannelSecretRotation | None = None) -> Response:
    change, keyring, known = change_of(call), call.services.parts.keyring, known_id(channel_id)
    seconds = (body or ChannelSecretRotation()).overlap_seconds
    made = await call.database.write(lambda connection: catalog.rotate(connection, keyring, change, known, seconds))
    return await _made_answer(call, made, "The new secret is shown this once.")


@router.post("/channels/{channel_id}/test", **TEST.keywords)
async def run_channel_test(call: CallOf, channel_id: str) -> Response:
    change, known, parts = change_of(call), known_id(channel_id), call.services.parts
    try:
        notification_id = await parts.database.write(lambda connection: catalog.test(connection, change, known))
    except TooSoonError as error:
        message = "The channel was tried a moment ago; once in 20 s is enough."
        raise ApiError("rate_limited", message, retry_after_seconds=error.wait_seconds) from None
    parts.wake()
    row = await _ended(call, notification_id)
    made = await parts.database.read(lambda one: outbox.deliveries_of(one, call.team_id, notification_id))
    taken = row.state is State.DELIVERED
    word = None if taken else "not_attempted" if row.state is State.PENDING else row.last_error
    cause = None if word is None else cause_of(word, row.provider_status)
    members = {
        "channel_id": known,
        "notification_id": notification_id,
        "ok": taken,
        "provider_status": row.provider_status,
        "error_class": word,
        "cause": None if cause is None else cause.text,
        "cure": None if cause is None else cause.cure,
        "latency_ms": made[-1].latency_ms if made else None,
    }
    message = "The receiver took it." if taken else f"The receiver did not take it: {cause}"
    return answer(call.request, "channel_test", message, members)


def known_id(channel_id: str) -> str:
    """An id of the form of a channel's; raises MissingError for anything else, as for one that does not exist."""
    if not is_id(channel_id, "nch"):
        raise MissingError
    return channel_id


async def _ended(call: Call, notification_id: str) -> Notification:
    """The notification once it was handed over or refused, or after the longest that this takes."""
    parts = call.services.parts

    def read(connection: Connection) -> Notification:
        return catalog.notification(connection, call.team_id, notification_id)

    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_TEST_SECONDS):
            while True:
                seen = parts.bus.count(Topic.OUTBOX)
                found = await parts.database.read(read)
                if found.state is not State.PENDING or parts.is_stopping():
                    return found
                await parts.bus.wait(Topic.OUTBOX, seen, _TEST_SECONDS)
    return await parts.database.read(read)


async def _answer(call: Call, channel: Channel) -> Response:
    [document] = await call.database.read(lambda connection: _documents(connection, call, [channel]))
    message, headers = f"Channel {channel.name}: {document['health']}.", {"ETag": etag(channel.version)}
    return answer(call.request, "channel", message, document, headers=headers)


async def _made_answer(
    call: Call, made: Made, message: str, *, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    [document] = await call.database.read(lambda connection: _documents(connection, call, [made.channel]))
    members = {**document, "secret": None if made.secret is None else made.secret.reveal()}
    told = {"ETag": etag(made.channel.version), **(headers or {})}
    return answer(call.request, "channel", message, members, status=status, headers=told)


def _documents(connection: Connection, call: Call, shown: Sequence[Channel]) -> list[dict[str, Any]]:
    now = call.services.parts.now()
    using = stored_channels.monitors_of(connection, [channel.id for channel in shown])
    return [channel_document(channel, using[channel.id], now) for channel in shown]
