"""Slack by a bot: one message per incident, which is kept up to date, and a thread below it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from statuspulse.delivery.channel import ANSWER_BYTES, ATTEMPT_SECONDS, Delivered, Outcome, Refused, Retry
from statuspulse.delivery.channels.slack import render
from statuspulse.delivery.posting import said
from statuspulse.domain.backoff import RetryAfter
from statuspulse.domain.channel_addresses import ChannelUrlError, SlackBot
from statuspulse.domain.message import Action, Message
from statuspulse.domain.secret import Secret
from statuspulse.domain.times import MINUTE, SECOND
from statuspulse.egress.http_client import Answer, HttpClient, Unreachable
from statuspulse.egress.policy import Purpose

# docs.slack.dev, chat.postMessage: words by which it refuses for good.
_REFUSALS = frozenset(
    {
        "access_denied",
        "account_inactive",
        "cannot_reply_to_message",
        "channel_not_found",
        "ekm_access_denied",
        "enterprise_is_restricted",
        "invalid_arguments",
        "invalid_attachments",
        "invalid_auth",
        "invalid_blocks",
        "is_archived",
        "messages_tab_disabled",
        "metadata_too_large",
        "missing_scope",
        "msg_blocks_too_long",
        "msg_too_long",
        "no_permission",
        "no_text",
        "not_authed",
        "not_in_channel",
        "org_login_required",
        "restricted_action",
        "restricted_action_read_only_channel",
        "team_access_not_granted",
        "team_not_found",
        "token_expired",
        "token_revoked",
        "too_many_attachments",
    }
)
_DELAYS = frozenset({"fatal_error", "internal_error", "ratelimited", "request_timeout", "service_unavailable"})
_THREAD_IS_GONE = frozenset({"message_not_found", "thread_not_found"})
# The first message stays as it is, and the thread goes on.
_STAYS_AS_IT_IS = frozenset({"cant_update_message", "edit_window_closed", "update_failed"})
_KNOWN = _REFUSALS | _DELAYS | _THREAD_IS_GONE | _STAYS_AS_IT_IS
_EVENT_TYPE = "statuspulse_notification"
# Pages that stay below ANSWER_BYTES; of messages Slack itself gives most apps no more than 15.
_MOST_PAGES = 5
_CHANNELS_LIMIT = 40
_MESSAGES_LIMIT = 15


_Page = dict[str, Any] | Retry | Refused


@dataclass(frozen=True, slots=True)
class Thread:
    """The first message of an incident: Slack's ids of the conversation and of the message in it."""

    channel: str
    ts: str

    @classmethod
    def read(cls, text: str) -> Thread:
        return cls(*text.split("/", 1))

    @property
    def text(self) -> str:
        return f"{self.channel}/{self.ts}"


class SlackBotChannel:
    """Calls the methods of Slack's Web API below `base_url`; messages link to pages below `public_url`.

    Slack has no key by which it knows a copy. Where an attempt before may have got through, the bot looks for it by
    what it wrote into the metadata of the message; without the right to read (`channels:history`) a copy is possible.
    """

    # "No more than one message per second per channel."
    spacing_ms = SECOND
    groups = True

    def __init__(self, client: HttpClient, *, base_url: str, public_url: str) -> None:
        self._client = client
        self._base_url = base_url.rstrip("/")
        self._public_url = public_url.rstrip("/")

    async def hand_over(self, address: Secret, message: Message, *, key: str) -> Outcome:
        try:
            bot = SlackBot.of(address.reveal())
        except ChannelUrlError:
            return Refused(error="address_invalid")
        call = _Call(self._client, self._base_url, bot, asyncio.get_running_loop().time() + ATTEMPT_SECONDS)
        body = {**render(message, self._public_url), "metadata": _metadata(message, key)}
        if message.thread is not None:
            outcome = await _reply(call, Thread.read(message.thread), message, body, key)
            if not (isinstance(outcome, Refused) and outcome.error in _THREAD_IS_GONE):
                return outcome
        return await _begin(call, message, body, key)


async def _begin(call: _Call, message: Message, body: Mapping[str, Any], key: str) -> Outcome:
    """A message of its own; what belongs to the incident hangs below it from now on."""
    if message.is_copy:
        found = await _find(call, None, message, key)
        if not isinstance(found, Refused):
            return _receipt(found, message)
    posted = await call.write("chat.postMessage", {"channel": call.bot.channel, **body})
    if not isinstance(posted, dict):
        return posted
    channel, ts = posted.get("channel"), posted.get("ts")
    if not isinstance(channel, str) or not isinstance(ts, str):
        return Delivered(200)
    return _receipt(Thread(channel, ts), message)


async def _reply(call: _Call, thread: Thread, message: Message, body: Mapping[str, Any], key: str) -> Outcome:
    """First what may be done twice: the first message shows how things are now. Then the word in the thread."""
    shown = {name: body[name] for name in ("text", "attachments", "metadata")}
    updated = await call.write("chat.update", {"channel": thread.channel, "ts": thread.ts, **shown})
    if not isinstance(updated, dict) and updated.error not in _STAYS_AS_IT_IS:
        return updated
    if message.is_copy:
        found = await _find(call, thread, message, key)
        if not isinstance(found, Refused):
            return found if isinstance(found, Retry) else Delivered(200)
    # Whoever is paged again has to see it without opening the thread.
    place = {"channel": thread.channel, "thread_ts": thread.ts, "reply_broadcast": message.action is Action.TRIGGER}
    posted = await call.write("chat.postMessage", {**place, **body})
    return Delivered(200) if isinstance(posted, dict) else posted


def _receipt(found: Thread | Retry, message: Message) -> Outcome:
    if isinstance(found, Retry):
        return found
    return Delivered(200, thread=found.text if message.action.is_of_incident else None)


async def _find(call: _Call, thread: Thread | None, message: Message, key: str) -> Thread | Retry | Refused:
    """The message with the key that an attempt before has left; Refused where there is none, or none to be seen."""
    channel = thread.channel if thread is not None else await call.channel_id()
    if not isinstance(channel, str):
        return channel
    where = {"channel": channel, "oldest": f"{(message.at - MINUTE) / SECOND:.6f}", "include_all_metadata": "true"}
    method = "conversations.history" if thread is None else "conversations.replies"
    if thread is not None:
        where["ts"] = thread.ts
    async for page in call.pages(method, _MESSAGES_LIMIT, where):
        if not isinstance(page, dict):
            return page
        for one in page.get("messages", ()):
            payload = (one.get("metadata") or {}).get("event_payload") or {}
            if payload.get("key") == key:
                return Thread(channel, str(one["ts"]))
    return Refused(error="not_found")


def _metadata(message: Message, key: str) -> dict[str, Any]:
    payload = {"key": key, "incident_id": message.incident_id}
    return {"event_type": _EVENT_TYPE, "event_payload": payload}


@dataclass(frozen=True, slots=True)
class _Call:
    """The requests of one delivery, which share its time. Each is Slack's answer, or what comes of its absence."""

    client: HttpClient
    base_url: str
    bot: SlackBot
    until: float

    async def write(self, method: str, body: Mapping[str, Any]) -> _Page:
        text = json.dumps(body, ensure_ascii=False).encode()
        return await self._send(method, text, "application/json; charset=utf-8")

    async def channel_id(self) -> str | Retry | Refused:
        """What reads has to name a conversation by its id."""
        name = self.bot.channel.removeprefix("#")
        if not self.bot.channel.startswith("#"):
            return name
        where = {"types": "public_channel,private_channel", "exclude_archived": "true"}
        async for page in self.pages("conversations.list", _CHANNELS_LIMIT, where):
            if not isinstance(page, dict):
                return page
            for one in page.get("channels", ()):
                if one.get("name") == name:
                    return str(one["id"])
        return Refused(error="not_found")

    async def pages(self, method: str, limit: int, where: Mapping[str, str]) -> AsyncIterator[_Page]:
        """Some pages of a list, the last of which may be no answer."""
        cursor = ""
        for _ in range(_MOST_PAGES):
            asked = {**where, "limit": str(limit), **({"cursor": cursor} if cursor else {})}
            page = await self._send(method, urlencode(asked).encode(), "application/x-www-form-urlencoded")
            yield page
            cursor = "" if not isinstance(page, dict) else (page.get("response_metadata") or {}).get("next_cursor", "")
            if not cursor:
                return

    async def _send(self, method: str, body: bytes, kind: str) -> _Page:
        rest = self.until - asyncio.get_running_loop().time()
        if rest <= 0:
            return Retry(error="timeout")
        answer = await self.client.request(
            method="POST",
            url=f"{self.base_url}/api/{method}",
            headers={"Content-Type": kind, "Authorization": f"Bearer {self.bot.token}"},
            body=body,
            purpose=Purpose.DELIVERY_SLACK,
            timeout_s=rest,
            max_bytes=ANSWER_BYTES,
        )
        return Retry(error=answer.kind.value) if isinstance(answer, Unreachable) else judge(answer)


def judge(answer: Answer) -> _Page:
    """The document of an answer that says `ok`; else what its word means. Only words that we know are taken over."""
    document = said(answer)
    if answer.status == 200 and document.get("ok") is True:
        return document
    word = document.get("error")
    known = word if isinstance(word, str) and word in _KNOWN else None
    if known is not None and known not in _DELAYS:
        return Refused(error=known, status=answer.status)
    told = answer.headers.get("retry-after")
    retry_after = None if told is None else RetryAfter(text=told, answered=answer.headers.get("date"))
    error = known or ("unexpected_answer" if answer.status == 200 else f"http_{answer.status}")
    return Retry(error=error, status=answer.status, retry_after=retry_after)
