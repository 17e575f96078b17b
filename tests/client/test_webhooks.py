"""Webhooks are verified by Standard Webhooks 1.0.0; the vector is the one of its specification."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest

from statuspulse.client.errors import UsageError
from statuspulse.client.webhooks import WebhookError, verify

# https://github.com/standard-webhooks/standard-webhooks, the example of its libraries.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = b'{"test": 2432232314}'
SENT_AT = 1614265330
HEADERS = {
    "Webhook-Id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "Webhook-Timestamp": str(SENT_AT),
    "Webhook-Signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}


def signature(secret: str, body: bytes) -> str:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{HEADERS['Webhook-Id']}.{SENT_AT}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def test_the_example_of_the_specification_is_verified() -> None:
    assert verify(SECRET, HEADERS, BODY, SENT_AT) == {"test": 2432232314}


def test_one_of_several_signatures_is_enough_while_a_secret_is_exchanged() -> None:
    other = signature("whsec_" + base64.b64encode(b"x" * 32).decode(), BODY)
    several = {**HEADERS, "Webhook-Signature": f"{other} v1a,AAAA v1,%% {HEADERS['Webhook-Signature']}"}
    assert verify(SECRET, several, BODY, SENT_AT) == {"test": 2432232314}
    with pytest.raises(WebhookError, match="fits"):
        verify(SECRET, {**HEADERS, "Webhook-Signature": other}, BODY, SENT_AT)


@pytest.mark.parametrize("seconds", [-300, -299.5, 0, 300])
def test_five_minutes_either_way_are_in_time(seconds: float) -> None:
    verify(SECRET, HEADERS, BODY, SENT_AT + seconds)


@pytest.mark.parametrize("seconds", [-301, 300.5, 86400])
def test_what_is_older_or_of_the_future_is_refused(seconds: float) -> None:
    with pytest.raises(WebhookError, match="five minutes"):
        verify(SECRET, HEADERS, BODY, SENT_AT + seconds)


@pytest.mark.parametrize(
    ("change", "body"),
    [
        ({}, BODY + b" "),
        ({"Webhook-Id": "msg_other"}, BODY),
        ({"Webhook-Timestamp": str(SENT_AT + 1)}, BODY),
        ({"Webhook-Signature": HEADERS["Webhook-Signature"].replace("v1,", "v2,")}, BODY),
        ({"Webhook-Signature": "v1,"}, BODY),
        ({"Webhook-Signature": "v1,é"}, BODY),
        ({"Webhook-Timestamp": "١"}, BODY),
        ({"Webhook-Timestamp": "1e9"}, BODY),
        ({"Webhook-Signature": ""}, BODY),
        ({"Webhook-Id": ""}, BODY),
    ],
)
def test_anything_else_than_what_was_signed_is_refused(change: dict[str, str], body: bytes) -> None:
    with pytest.raises(WebhookError):
        verify(SECRET, {**HEADERS, **change}, body, SENT_AT)


@pytest.mark.parametrize("body", [b"nonsense", b"[1]", b"\xff"])
def test_a_signed_body_that_is_no_event_is_refused(body: bytes) -> None:
    with pytest.raises(WebhookError, match="signed and no JSON"):
        verify(SECRET, {**HEADERS, "Webhook-Signature": signature(SECRET, body)}, body, SENT_AT)


def test_a_secret_that_is_none_is_told_without_being_shown() -> None:
    with pytest.raises(UsageError, match="looks like whsec_") as raised:
        verify("whsec_ü?!", HEADERS, BODY, SENT_AT)
    assert "ü?!" not in str(raised.value)
    with pytest.raises(UsageError, match="looks like whsec_"):
        verify("whsec_!!", HEADERS, BODY, SENT_AT)


@pytest.mark.parametrize("secret", ["", "whsec_"])
def test_an_empty_secret_proves_nothing(secret: str) -> None:
    headers = {**HEADERS, "Webhook-Signature": signature("whsec_", BODY)}
    with pytest.raises(UsageError, match="is empty"):
        verify(secret, headers, BODY, SENT_AT)
