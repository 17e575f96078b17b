"""Receivers that take only what the vendors' documents allow, as the vendors answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from tests.targets import Arrival, HttpTarget, http_answer

_JSON = "Content-Type: application/json"
# developer.pagerduty.com/docs/send-alert-event
_PAGERDUTY_MEMBERS = {
    "routing_key", "event_action", "dedup_key", "payload", "client", "client_url", "links", "images",
}  # fmt: skip
_PAYLOAD_MEMBERS = {
    "summary", "source", "severity", "timestamp", "component", "group", "class", "custom_details",
}  # fmt: skip


class RefusedError(Exception):
    """The vendor would not have taken it."""


class Vendor(HttpTarget):
    """Judges every call by the vendor's rules; `taken` is what it took."""

    def __init__(self, judge: Callable[[Arrival], bytes]) -> None:
        super().__init__()
        self._judge = judge
        self.script: list[bytes] = []
        self.refused: list[str] = []

    @property
    def taken(self) -> list[Any]:
        return [json.loads(arrival.body) for arrival in self.arrivals]

    def _answer(self, arrival: Arrival) -> bytes:
        if self.script:
            return self.script.pop(0)
        try:
            return self._judge(arrival)
        except RefusedError as error:
            self.refused.append(str(error))
            return http_answer(400, str(error).encode())


def need(holds: object, what: str) -> None:
    if not holds:
        raise RefusedError(what)


def pagerduty(arrival: Arrival) -> bytes:
    event = json.loads(arrival.body)
    need(arrival.what == "POST /v2/enqueue HTTP/1.1", "path")
    need(len(arrival.body) <= 512 * 1024, "size")
    need(set(event) <= _PAGERDUTY_MEMBERS, "unknown member")
    need(len(event["routing_key"]) == 32, "routing_key")
    need(event["event_action"] in {"trigger", "acknowledge", "resolve"}, "event_action")
    need(0 < len(event["dedup_key"]) <= 255, "dedup_key")
    if event["event_action"] == "trigger":
        payload = event["payload"]
        need(set(payload) <= _PAYLOAD_MEMBERS, "unknown member of payload")
        need(0 < len(payload["summary"]) <= 1024 and payload["source"], "summary, source")
        need(payload["severity"] in {"critical", "error", "warning", "info"}, "severity")
        need(all(set(link) == {"href", "text"} for link in event.get("links", [])), "links")
    return http_answer(202, b'{"status":"success","message":"Event processed","dedup_key":"x"}', _JSON)


def discord(arrival: Arrival) -> bytes:
    body = json.loads(arrival.body)
    need(arrival.path.startswith("/api/webhooks/123456/") and arrival.path.endswith("?wait=true"), "path")
    need(set(body) <= {"content", "embeds", "allowed_mentions", "username", "avatar_url"}, "unknown member")
    need(body["allowed_mentions"] == {"parse": []}, "allowed_mentions")
    need(0 < len(body["content"]) <= 2000 and len(body["embeds"]) <= 10, "content, embeds")
    need(sum(map(_embed_size, body["embeds"])) <= 6000, "50035: embeds over 6000")
    return http_answer(200, b'{"id":"1"}', _JSON)


def _embed_size(embed: Mapping[str, Any]) -> int:
    need(set(embed) <= {"title", "url", "color", "timestamp", "fields", "description", "footer"}, "embed")
    need(len(embed["title"]) <= 256 and len(embed.get("description", "")) <= 4096, "50035: title, description")
    need(len(embed["fields"]) <= 25, "50035: fields")
    for field in embed["fields"]:
        need(0 < len(field["name"]) <= 256 and 0 < len(field["value"]) <= 1024, "50035: field")
    fields = sum(len(field["name"]) + len(field["value"]) for field in embed["fields"])
    return len(embed["title"]) + len(embed.get("description", "")) + fields


def telegram(arrival: Arrival) -> bytes:
    body = json.loads(arrival.body)
    need(arrival.path.startswith("/bot123456:") and arrival.path.endswith("/sendMessage"), "path")
    need(set(body) <= {"chat_id", "text", "link_preview_options"}, "a parse mode, or an unknown member")
    need(body["chat_id"] and 0 < len(body["text"]) <= 4096, "text")
    return http_answer(200, b'{"ok":true,"result":{"message_id":1}}', _JSON)


def teams(arrival: Arrival) -> bytes:
    body = json.loads(arrival.body)
    need(len(arrival.body) <= 28 * 1024 and body["type"] == "message", "size, type")
    (attachment,) = body["attachments"]
    need(attachment["contentType"] == "application/vnd.microsoft.card.adaptive", "contentType")
    card = attachment["content"]
    need(card["type"] == "AdaptiveCard" and card["version"] in {"1.2", "1.3", "1.4", "1.5"}, "card")
    need(all(one["type"] in {"Container", "TextBlock", "FactSet"} for one in card["body"]), "element")
    need(all(one["type"] == "Action.OpenUrl" and one["url"] for one in card["actions"]), "action")
    return http_answer(202, b"")


def ntfy(arrival: Arrival) -> bytes:
    body = json.loads(arrival.body)
    need(arrival.what == "POST / HTTP/1.1" and body["topic"] == "alerts", "topic")
    need(arrival.headers.get("authorization") == "Bearer tk_abc", "authorization")
    known = {"topic", "title", "message", "priority", "tags", "click", "actions"}
    need(set(body) <= known and len(body["message"].encode()) <= 4096, "message")
    need(body["priority"] in range(1, 6) and len(body["actions"]) <= 3, "priority, actions")
    return http_answer(200, b'{"id":"x"}', _JSON)


def webhook(_arrival: Arrival) -> bytes:
    return http_answer(204, b"")
