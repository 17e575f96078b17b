"""Alerts of Prometheus and its kin: what one says, and how it is known again."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass

_OFFSET = 14695981039346656037
_PRIME = 1099511628211
_MASK = (1 << 64) - 1
_SEPARATOR = 255
_SECRET_BYTES = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertReport:
    """One alert of a message. `starts_at` is None where the sender leaves it open, `due_at` is when it ends unless it
    is repeated, None for never (ms).
    """

    fingerprint: str
    is_firing: bool
    title: str
    severity: str | None
    text: str | None
    link: str | None
    runbook_url: str | None
    starts_at: int | None
    due_at: int | None


def fingerprint(labels: Mapping[str, str]) -> str:
    """The 64-bit FNV-1a hash of the sorted labels, as Prometheus makes it (prometheus/common, `model.LabelSet`)."""
    digest = _OFFSET
    for name in sorted(labels):
        for part in (name, labels[name]):
            for byte in (*part.encode(), _SEPARATOR):
                digest = ((digest ^ byte) * _PRIME) & _MASK
    return f"{digest:016x}"


def dedup_key(fingerprint: str) -> str:
    """Under which an incident stands for the alert."""
    return f"am:{fingerprint}"


def new_secret() -> str:
    """What a sender of alerts proves himself by."""
    return f"amsec_{secrets.token_hex(_SECRET_BYTES)}"
