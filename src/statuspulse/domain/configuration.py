"""Reads a monitor's stored configuration: the document of `API.md` C.1 becomes a specification and rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from statuspulse.domain.health import Rules
from statuspulse.domain.monitor import (
    DnsSpec,
    HttpSpec,
    Match,
    MonitorType,
    RecordType,
    Retry,
    Spec,
    TcpSpec,
)
from statuspulse.domain.times import SECOND


def spec_of(config: Mapping[str, Any]) -> Spec:
    """What the probe does, from a normalised configuration."""
    match MonitorType(config["type"]):
        case MonitorType.HTTP:
            return HttpSpec(
                url=config["url"],
                expected_status=status_ranges(config["expected_status"]),
                follow_redirects=config["follow_redirects"],
                max_redirects=config["max_redirects"],
                max_body_bytes=config["max_body_bytes"],
            )
        case MonitorType.TCP:
            return TcpSpec(host=config["host"], port=config["port"])
        case MonitorType.DNS:  # pragma: no branch - there is no other
            return DnsSpec(
                host=config["host"],
                record_type=RecordType(config["record_type"]),
                resolver=config["resolver"],
                expected_rcode=config["expected_rcode"],
                expected_values=tuple(config["expected_values"]),
                match=Match(config["match"]),
            )


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


def status_ranges(expected: int | list[int | str]) -> tuple[tuple[int, int], ...]:
    """Inclusive ranges of an expected status: 200, "2xx" or "200-299", alone or in a list."""
    return tuple(_status_range(item) for item in (expected if isinstance(expected, list) else [expected]))


def _status_range(item: int | str) -> tuple[int, int]:
    if isinstance(item, int):
        return item, item
    if item.endswith("xx"):
        hundred = int(item[0]) * 100
        return hundred, hundred + 99
    low, _, high = item.partition("-")
    return int(low), int(high or low)
