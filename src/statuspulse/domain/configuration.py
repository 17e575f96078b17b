"""Reads a monitor's stored configuration: the document of `API.md` C.1 becomes rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from statuspulse.domain.health import Rules
from statuspulse.domain.monitor import Retry
from statuspulse.domain.times import SECOND


def rules_of(config: Mapping[str, Any]) -> Rules:
    """What decides about the monitor, from a normalised configuration."""
    return Rules(
        interval=config["interval_seconds"] * SECOND,
        timeout=config["timeout_ms"],
        failure_threshold=config["failure_threshold"],
        recovery_threshold=config["recovery_threshold"],
        quorum=config["quorum"],
    )


def retry_of(config: Mapping[str, Any]) -> Retry:
    return Retry(count=config["retry"]["count"], delay_ms=config["retry"]["delay_ms"])
