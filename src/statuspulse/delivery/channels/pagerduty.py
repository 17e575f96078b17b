"""PagerDuty by Events API v2: one alert per incident (`WIRE.md` 6, developer.pagerduty.com "Send an Alert Event")."""

from __future__ import annotations

from typing import Any

from statuspulse.delivery import posting
from statuspulse.delivery.channel import Delivered, Outcome, Refused
from statuspulse.delivery.posting import Post
from statuspulse.delivery.wording import details, line, links, remarks, summary
from statuspulse.domain.channel_addresses import ChannelUrlError, PagerDutyKey
from statuspulse.domain.message import Action, Message
from statuspulse.domain.secret import Secret
from statuspulse.domain.times import MINUTE, to_text
from statuspulse.egress.http_client import HttpClient
from statuspulse.egress.policy import Purpose

US_URL = "https://events.pagerduty.com/v2/enqueue"
EU_URL = "https://events.eu.pagerduty.com/v2/enqueue"

_SUMMARY_LIMIT = 1024
_DETAIL_LIMIT = 1000
_SOURCE_LIMIT = 255


class PagerDutyChannel:
    """Sends to `events_url`, or where that is PagerDuty's own to the one of the key's region."""

    # 120 a minute for each key; above it events are refused for the rest of the minute.
    spacing_ms = MINUTE // 120
    groups = False

    def __init__(self, client: HttpClient, *, events_url: str, public_url: str) -> None:
        self._client = client
        self._events_url = events_url
        self._public_url = public_url.rstrip("/")

    async def hand_over(self, address: Secret, message: Message, *, key: str) -> Outcome:
        """A trial opens an alert of the lowest severity and closes it again, so that nobody is left with it."""
        try:
            target = PagerDutyKey.of(address.reveal())
        except ChannelUrlError:
            return Refused(error="address_invalid")
        outcome = await self._send(target, render(message, target.key, key, self._public_url))
        if message.action is Action.TEST and isinstance(outcome, Delivered):
            return await self._send(target, end(target.key, key, "resolve"))
        return outcome

    async def _send(self, target: PagerDutyKey, event: dict[str, Any]) -> Outcome:
        url = EU_URL if target.region == "eu" and self._events_url == US_URL else self._events_url
        return await posting.deliver(self._client, Post.of(url, event, Purpose.DELIVERY_PAGERDUTY))


def render(message: Message, routing_key: str, key: str, public_url: str) -> dict[str, Any]:
    """The event. All of an incident carry its id as their key; what is about none has the key of its message."""
    dedup_key = message.incident_id or key
    match message.action:
        case Action.ACKNOWLEDGE:
            return end(routing_key, dedup_key, "acknowledge")
        case Action.RESOLVE:
            return end(routing_key, dedup_key, "resolve")
        case _:
            return _trigger(message, routing_key, dedup_key, public_url)


def end(routing_key: str, dedup_key: str, action: str) -> dict[str, Any]:
    """The event that acknowledges or resolves the alert with the key."""
    return {"routing_key": routing_key, "event_action": action, "dedup_key": dedup_key}


def _trigger(message: Message, routing_key: str, dedup_key: str, public_url: str) -> dict[str, Any]:
    subject = message.facts.subject
    payload: dict[str, Any] = {
        "summary": line(summary(message), _SUMMARY_LIMIT),
        "source": line("StatusPulse" if subject is None else subject.target, _SOURCE_LIMIT),
        "severity": message.severity,
        "timestamp": to_text(message.facts.since or message.at),
        "custom_details": {name.lower(): line(text, _DETAIL_LIMIT) for name, text in details(message)},
    }
    if notes := remarks(message):
        payload["custom_details"]["note"] = line(" ".join(notes), _DETAIL_LIMIT)
    if subject is not None:
        payload |= {"component": line(subject.name, _SOURCE_LIMIT), "class": subject.type}
    ways = links(message, public_url)
    return {
        "routing_key": routing_key,
        "event_action": "trigger",
        "dedup_key": dedup_key,
        "client": "StatusPulse",
        "payload": payload,
        "links": [{"href": url, "text": label} for label, url in ways],
    }
