"""Slack's Web API as its documents have it: one workspace, one bot, and answers that may get lost on the way."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl

from tests.targets import Arrival, HttpTarget, _read_request, http_answer, reset

TOKEN = "xoxb-123456-abcdefghij"
CHANNEL, NAME = "C0123ABCD", "alerts"
_POSTED = {
    "channel", "text", "attachments", "blocks", "unfurl_links", "unfurl_media", "metadata", "thread_ts",
    "reply_broadcast",
}  # fmt: skip
_UPDATED = {"channel", "ts", "text", "attachments", "blocks", "metadata"}
_READ = {"channel", "oldest", "include_all_metadata", "limit", "cursor", "ts"}
_LISTED = {"types", "exclude_archived", "limit", "cursor"}


class RefusedError(Exception):
    """What Slack says instead of ok."""


class SlackApi(HttpTarget):
    """Keeps every message. `script` has words that are answered instead, `loses` how many answers get lost."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[dict[str, Any]] = []
        self.script: list[str] = []
        self.loses: Iterator[bool] | None = None
        self.may_read = True
        self.calls: list[str] = []

    @property
    def roots(self) -> list[dict[str, Any]]:
        return [one for one in self.messages if one["thread_ts"] is None]

    def replies(self, root: Mapping[str, Any]) -> list[dict[str, Any]]:
        return [one for one in self.messages if one["thread_ts"] == root["ts"]]

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while arrival := await _read_request(reader):
            self.arrivals.append(arrival)
            answer = self._slack(arrival)
            if "chat." in arrival.path and self.loses is not None and next(self.loses):
                reset(writer)
                return
            writer.write(answer)
            await writer.drain()

    def _slack(self, arrival: Arrival) -> bytes:
        method = arrival.path.removeprefix("/api/")
        self.calls.append(method)
        try:
            return _json(200, {"ok": True, **self._called(method, arrival)})
        except RefusedError as error:
            word = str(error)
            if word == "ratelimited":
                return _json(429, {"ok": False, "error": word}, "Retry-After: 7")
            return _json(200, {"ok": False, "error": word})

    def _called(self, method: str, arrival: Arrival) -> dict[str, Any]:
        if self.script:
            raise RefusedError(self.script.pop(0))
        need(arrival.headers.get("authorization") == f"Bearer {TOKEN}", "invalid_auth")
        kind = arrival.headers["content-type"]
        if method.startswith("chat."):
            need(kind == "application/json; charset=utf-8", "invalid_json")
            body = json.loads(arrival.body)
        else:
            need(kind == "application/x-www-form-urlencoded", "invalid_form_data")
            need(self.may_read, "missing_scope")
            body = dict(parse_qsl(arrival.body.decode(), keep_blank_values=True, strict_parsing=True))
        match method:
            case "chat.postMessage":
                return self._post(body)
            case "chat.update":
                return self._update(body)
            case "conversations.history" | "conversations.replies":
                return self._history(method, body)
            case "conversations.list":
                need(set(body) <= _LISTED, "invalid_arguments")
                others = [{"id": f"C00000{n:03}", "name": f"other-{n}"} for n in range(50)]
                return _page([*others, {"id": CHANNEL, "name": NAME}], body, "channels")
            case _:
                raise RefusedError("unknown_method")

    def _post(self, body: dict[str, Any]) -> dict[str, Any]:
        need(set(body) <= _POSTED, "invalid_arguments")
        need(body["channel"] in {CHANNEL, f"#{NAME}"}, "channel_not_found")
        _check_shape(body)
        thread = body.get("thread_ts")
        need(thread is None or any(one["ts"] == thread for one in self.roots), "thread_not_found")
        message = {"ts": f"1795414{len(self.messages):03}.000100", "thread_ts": thread, **body}
        message["thread_ts"] = thread
        self.messages.append(message)
        return {"channel": CHANNEL, "ts": message["ts"], "message": {}}

    def _update(self, body: dict[str, Any]) -> dict[str, Any]:
        need(set(body) <= _UPDATED, "invalid_arguments")
        need(body["channel"] == CHANNEL, "channel_not_found")
        _check_shape(body)
        found = next((one for one in self.messages if one["ts"] == body["ts"]), None)
        need(found is not None, "message_not_found")
        assert found is not None
        found |= {"text": body["text"], "attachments": body["attachments"]}
        return {"channel": CHANNEL, "ts": body["ts"], "text": body["text"]}

    def _history(self, method: str, body: Mapping[str, str]) -> dict[str, Any]:
        need(set(body) <= _READ, "invalid_arguments")
        need(body["channel"] == CHANNEL, "channel_not_found")
        need(int(body["limit"]) <= 15, "invalid_limit")
        if method == "conversations.history":
            shown = list(reversed([one for one in self.messages if not one["thread_ts"] or one.get("reply_broadcast")]))
        else:
            shown = [one for one in self.messages if body["ts"] in {one["ts"], one["thread_ts"]}]
            need(shown, "thread_not_found")
        return _page(shown, body, "messages")


def need(holds: object, word: str) -> None:
    if not holds:
        raise RefusedError(word)


def _check_shape(body: Mapping[str, Any]) -> None:
    need(body.get("text"), "no_text")
    need(len(json.dumps(body["attachments"])) <= 13_000, "msg_blocks_too_long")
    for block in (block for one in body["attachments"] for block in one["blocks"]):
        need(block["type"] in {"header", "section", "actions"}, "invalid_blocks")
        need(len(block.get("fields", ())) <= 10, "invalid_blocks")
    metadata = body["metadata"]
    need(set(metadata) == {"event_type", "event_payload"}, "invalid_metadata_format")
    need(all(isinstance(value, str | int | bool) for value in metadata["event_payload"].values()), "invalid_metadata")


def _page(items: list[dict[str, Any]], body: Mapping[str, str], name: str) -> dict[str, Any]:
    begin, limit = int(body.get("cursor") or 0), int(body["limit"])
    rest = str(begin + limit) if begin + limit < len(items) else ""
    return {name: items[begin : begin + limit], "response_metadata": {"next_cursor": rest}}


def _json(status: int, document: Mapping[str, Any], *headers: str) -> bytes:
    return http_answer(status, json.dumps(document).encode(), "Content-Type: application/json", *headers)
