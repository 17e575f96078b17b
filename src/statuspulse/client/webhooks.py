"""Checks that a webhook was sent by StatusPulse (Standard Webhooks 1.0.0)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from statuspulse.client.errors import UsageError

_PREFIX = "whsec_"
_VERSION = "v1"
_TOLERANCE_SECONDS = 300
_SECONDS = re.compile(r"[0-9]{1,12}", re.ASCII)


class WebhookError(ValueError):
    """The request is not to be trusted; the text says why, for logs and not for the sender."""


def verify(secret: str, headers: Mapping[str, str], body: bytes, now: float) -> dict[str, Any]:
    """The event. Raises WebhookError unless it is signed with the secret and was sent within five minutes of `now`.

    `secret` is the `whsec_…` of the endpoint, `headers` are those of the request in any case, `body` its exact bytes:
    what was parsed and written again has another signature. `now` is in seconds since the epoch. While a secret is
    being exchanged there are several signatures, and one that fits is enough. The same `webhook-id` may come again.
    """
    found = {name.lower(): value for name, value in headers.items()}
    event_id, sent_at, signatures = (_header(found, f"webhook-{name}") for name in ("id", "timestamp", "signature"))
    if _SECONDS.fullmatch(sent_at) is None:
        raise WebhookError("webhook-timestamp is no time")
    if abs(now - int(sent_at)) > _TOLERANCE_SECONDS:
        raise WebhookError("webhook-timestamp is more than five minutes away: a replay, or a clock that is wrong")
    signed = b".".join((event_id.encode(errors="replace"), sent_at.encode(), body))
    expected = hmac.digest(_key(secret), signed, hashlib.sha256)
    # All are compared: the time tells nothing of which one fits.
    fitting = [hmac.compare_digest(expected, signature) for signature in _signatures(signatures)]
    if not any(fitting):
        raise WebhookError("no webhook-signature fits the secret and the body")
    return _event(body)


def _header(headers: Mapping[str, str], name: str) -> str:
    value = headers.get(name)
    if not value:
        raise WebhookError(f"the header {name} is missing")
    return value


def _key(secret: str) -> bytes:
    """The secret is the base64 text behind its prefix; the key is what that stands for."""
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise UsageError(f"the secret of an endpoint looks like {_PREFIX}…, followed by base64") from None
    if not key:
        # With an empty key anybody could sign.
        raise UsageError("the secret of an endpoint is empty")
    return key


def _signatures(text: str) -> list[bytes]:
    """Those of this version that can be read; others are of senders or times to come."""
    found = []
    for item in text.split():
        version, _, signature = item.partition(",")
        if version == _VERSION:
            try:
                found.append(base64.b64decode(signature, validate=True))
            except (binascii.Error, ValueError):
                continue
    return found


def _event(body: bytes) -> dict[str, Any]:
    try:
        event = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise WebhookError("the body is signed and no JSON") from None
    if not isinstance(event, dict):
        raise WebhookError("the body is signed and no JSON object")
    return event
