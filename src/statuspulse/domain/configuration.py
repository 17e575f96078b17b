"""Reads a monitor's stored configuration: the normalised document becomes rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from statuspulse.domain.health import Rules
from statuspulse.domain.monitor import Retry
from statuspulse.domain.schedule import Strategy
from statuspulse.domain.times import SECOND


def rules_of(config: Mapping[str, Any]) -> Rules:
    """What decides about the monitor, from a normalised configuration."""
    limit_ms = config["degraded_latency_ms"]
    rotates = config["region_strategy"] == Strategy.ROTATE
    return Rules(
        interval=config["interval_seconds"] * SECOND,
        timeout=config["timeout_ms"],
        failure_threshold=config["failure_threshold"],
        recovery_threshold=config["recovery_threshold"],
        quorum=config["quorum"],
        every=len(config["regions"]) if rotates else 1,
        degraded_latency_us=None if limit_ms is None else limit_ms * 1000,
    )


def retry_of(config: Mapping[str, Any]) -> Retry:
    return Retry(count=config["retry"]["count"], delay_ms=config["retry"]["delay_ms"])
