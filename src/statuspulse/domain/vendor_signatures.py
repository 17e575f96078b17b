"""Signatures of messages from other systems, over the raw body and compared in constant time."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable

# What may stand before the `=` of X-Hub-Signature; broken and unknown methods sign nothing.
_HUB_METHODS = frozenset({"sha256", "sha384", "sha512"})


def is_pagerduty_s(secret: str, header: str, body: bytes) -> bool:
    """`X-PagerDuty-Signature: v1=<hex HMAC-SHA256>[,v1=…]`: while a secret is exchanged each of the two signs."""
    given = (one.strip() for one in header.split(","))
    expected = "v1=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return _is_one_of(expected, given)


def is_hub_s(secret: str, header: str, body: bytes) -> bool:
    """`X-Hub-Signature: <method>=<hex>`; the method is the sender's choice among those that are sound."""
    method, _, _ = header.strip().partition("=")
    if method not in _HUB_METHODS:
        return False
    return _is_one_of(f"{method}={hmac.new(secret.encode(), body, method).hexdigest()}", [header.strip()])


def is_bearer_s(secret: str, header: str) -> bool:
    """`Authorization: Bearer <secret>`."""
    scheme, _, given = header.partition(" ")
    return scheme.lower() == "bearer" and _is_one_of(secret, [given.strip()])


def _is_one_of(expected: str, given: Iterable[str]) -> bool:
    """Every one is looked at, so that the time tells nothing."""
    held = [hmac.compare_digest(expected.encode(), one.encode("utf-8", "surrogateescape")) for one in given]
    return any(held)
