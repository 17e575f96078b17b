"""Webhook endpoints: what they hear, when they are asked again, how they know us."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from statuspulse.domain.backoff import RetryAfter
from statuspulse.domain.event import EventType
from statuspulse.domain.times import DAY, HOUR, MINUTE, SECOND

SECRET_PREFIX = "whsec_"  # noqa: S105 - what every secret begins with
ALL = "*"

# Denser at the start than the sample of the specification, which suits alerts badly.
_WAITS = (
    5 * SECOND,
    30 * SECOND,
    2 * MINUTE,
    10 * MINUTE,
    30 * MINUTE,
    2 * HOUR,
    5 * HOUR,
    10 * HOUR,
    14 * HOUR,
    20 * HOUR,
    24 * HOUR,
)
MOST_ATTEMPTS = len(_WAITS) + 1
_SPREAD = 0.2
_LONGEST_TOLD = DAY
_FAILING_TOO_LONG = 5 * DAY
_FAILURES_TO_DISABLE = 20
_SECRET_BYTES = 32


class Format(StrEnum):
    """How an event is wrapped."""

    STANDARD = "standard"
    CLOUDEVENTS = "cloudevents"


class Payload(StrEnum):
    """How much of an event is sent: all of it, or what it is about."""

    FULL = "full"
    THIN = "thin"


class DisabledReason(StrEnum):
    """Why an endpoint gets nothing any more."""

    CONSECUTIVE_FAILURES = "consecutive_failures"
    GONE = "gone_410"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Types, beginnings such as `incident.*`, or `*`; where a filter names anything, an event has to be about it."""

    types: tuple[str, ...]
    monitor_ids: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    severities: tuple[str, ...] = ()

    def takes(self, kind: str, monitor_id: str | None, tags: Sequence[str], severity: str | None) -> bool:
        """Whether the endpoint shall hear of an event of the type about these."""
        return (
            any(is_of(kind, name) for name in self.types)
            and (not self.monitor_ids or monitor_id in self.monitor_ids)
            and (not self.tags or not set(self.tags).isdisjoint(tags))
            and (not self.severities or severity in self.severities)
        )


def is_of(kind: str, name: str) -> bool:
    """Whether a type is meant by a name: itself, a beginning with `.*`, or `*`."""
    return name in {ALL, kind} or (name.endswith(".*") and kind.startswith(name.removesuffix("*")))


def names_something(name: str) -> bool:
    """Whether any type of event is meant by the name."""
    return any(is_of(kind.value, name) for kind in EventType)


def new_secret() -> str:
    """`whsec_` and 32 random bytes in base64."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def signatures(keys: Sequence[str], message_id: str, timestamp: int, body: bytes) -> str:
    """The header of Standard Webhooks 1.0.0: one signature for each secret, over the exact bytes that are sent."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return " ".join(f"v1,{_signature(key, signed)}" for key in keys)


def next_attempt(*, attempts: int, now: int, jitter: float, retry_after: RetryAfter | None) -> int | None:
    """When to send again after so many failed attempts, ± 20 % by `jitter` in [0, 1); None for never.

    What the receiver asks for wins, up to a day.
    """
    if attempts >= MOST_ATTEMPTS:
        return None
    told = None if retry_after is None else retry_after.wait(now)
    if told:
        return now + min(told, _LONGEST_TOLD)
    return now + round(_WAITS[attempts - 1] * (1 - _SPREAD + 2 * _SPREAD * jitter))


def is_to_be_disabled(*, failing_since: int, failures: int, now: int) -> bool:
    """Whether an endpoint that never answers well has had its time: five days, and twenty attempts at least."""
    return now - failing_since >= _FAILING_TOO_LONG and failures >= _FAILURES_TO_DISABLE


def wrapped(document: Mapping[str, Any], wrapping: Format, payload: Payload, public_url: str) -> dict[str, Any]:
    """The body that is sent of an event."""
    body = dict(document)
    if payload is Payload.THIN:
        body["data"] = _thin(document)
    return body if wrapping is Format.STANDARD else _cloud_event(body, document, public_url)


def _signature(key: str, signed: bytes) -> str:
    raw = base64.b64decode(key.removeprefix(SECRET_PREFIX))
    return base64.b64encode(hmac.digest(raw, signed, hashlib.sha256)).decode()


def _subject(document: Mapping[str, Any]) -> tuple[str, str, Any]:
    """What an event is about: the kind of object, its id, and a number that orders its events."""
    data = document["data"]
    if "incident" in data:
        return "incident", data["incident"]["id"], data["incident"]["version"]
    if "monitor" in data and data["monitor"] is not None:
        return "monitor", data["monitor"]["id"], data.get("state_seq", data.get("config_version"))
    for kind in ("probe", "endpoint", "maintenance_window", "slo"):
        if data.get(kind) is not None:
            return data[kind]["object"], data[kind]["id"], None
    if "notification_id" in data:
        return "notification", data["notification_id"], None
    return "event", document["id"], None


def _thin(document: Mapping[str, Any]) -> dict[str, Any]:
    kind, object_id, version = _subject(document)
    paths = {"incident": "incidents", "monitor": "monitors", "probe": "probes", "webhook_endpoint": "webhooks"}
    path = f"/v1/{paths[kind]}/{object_id}" if kind in paths else f"/v1/events/{document['id']}"
    return {"object": kind, "id": object_id, "api_url": path, "version": version}


def _cloud_event(body: Mapping[str, Any], document: Mapping[str, Any], public_url: str) -> dict[str, Any]:
    kind, object_id, _ = _subject(document)
    return {
        "specversion": "1.0",
        "id": document["id"],
        "source": f"{public_url}/teams/{document['team_id']}",
        "type": f"io.statuspulse.{document['type']}",
        "subject": f"{kind}s/{object_id}",
        "time": document["timestamp"],
        "datacontenttype": "application/json",
        "dataschema": f"{public_url}/v1/schemas/events.json#/$defs/data.{document['type']}",
        "data": body["data"],
    }
