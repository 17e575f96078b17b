"""The headers of calls and answers in the OpenAPI document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

COMPONENTS: Mapping[str, Any] = {
    name: {"description": description, "schema": {"type": kind}, "example": example}
    for name, kind, example, description in (
        ("Request-Id", "string", "req_01m83gs7d2c4f6h8k0n2q4s6v8", "The id of this call."),
        (
            "RateLimit-Policy",
            "string",
            '"api";q=600;w=60, "writes";q=120;w=60',
            "The limits that the call was held to, each q calls in w seconds (IETF draft of 23 September 2025).",
        ),
        (
            "RateLimit",
            "string",
            '"api";r=597;t=1, "writes";r=119;t=1',
            "What is left of each: r calls; t seconds until it is full again or, with r=0, until the next call.",
        ),
        ("X-RateLimit-Limit", "integer", 120, "Of the limit that is nearest: how many calls it has."),
        ("X-RateLimit-Remaining", "integer", 119, "Of the limit that is nearest: how many calls are left."),
        ("X-RateLimit-Reset", "integer", 1795415602, "Of the limit that is nearest: t as seconds since the epoch."),
        ("Retry-After", "integer", 3, "Whole seconds to wait; after a 429 waiting exactly so long is enough."),
        ("Idempotent-Replayed", "string", "true", "There when the answer was given before under the same key."),
        ("ETag", "string", '"3"', "The version of what is answered, for If-Match and If-None-Match."),
    )
}
IDEMPOTENCY_KEY: Mapping[str, Any] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Sent again with the same key and body within 24 hours, the call does nothing and is answered "
    "alike. One pair of double quotes around it counts for nothing.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 257},
    "example": "4f0c1c1e-6a6e-4f2e-9d5c-3a9d5f6b7c8d",
}

IF_MATCH: Mapping[str, Any] = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "description": "The version that is meant to be changed, as ETag shows it; another one is refused with 412. Teams "
    "can require it.",
    "schema": {"type": "string"},
    "example": '"3"',
}
IF_NONE_MATCH: Mapping[str, Any] = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "The version that is known already; while nothing has changed the answer is 304 without a body.",
    "schema": {"type": "string"},
    "example": '"3"',
}
ETAG: Mapping[str, Any] = {"ETag": {"$ref": "#/components/headers/ETag"}}

_RATE_LIMIT = ("RateLimit-Policy", "RateLimit", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")
# They come before the question who calls, or say that nobody knows.
_WITHOUT_LIMITS = frozenset({401, 405, 413})
_TOO_MANY = 429
_WAIT = frozenset({409, 429, 503})
_REPLAYED = frozenset({200, 201, 202, 404, 409, 422})


def of_answer(status: int, *, has_token: bool, is_keyed: bool) -> dict[str, Any]:
    """The headers of one answer of an operation; `is_keyed` where it takes an idempotency key."""
    names = ["Request-Id"]
    if status == _TOO_MANY or (has_token and status not in _WITHOUT_LIMITS):
        names += _RATE_LIMIT
    if status in _WAIT:
        names.append("Retry-After")
    if is_keyed and status in _REPLAYED:
        names.append("Idempotent-Replayed")
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}
