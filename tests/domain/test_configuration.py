"""A monitor's stored configuration becomes what the probe does and what the engine decides by."""

from __future__ import annotations

from typing import Any

import pytest

from statuspulse.domain.configuration import retry_of, rules_of
from statuspulse.domain.health import Rules
from statuspulse.domain.monitor import Retry
from statuspulse.domain.specs.dns import DnsSpec, Match, RecordType
from statuspulse.domain.specs.http import HttpSpec, status_ranges
from statuspulse.domain.specs.registry import spec_of
from statuspulse.domain.specs.tcp import TcpSpec


@pytest.mark.parametrize(
    ("expected", "ranges"),
    [
        (200, ((200, 200),)),
        ("2xx", ((200, 299),)),
        ("200-299", ((200, 299),)),
        ("404", ((404, 404),)),
        (["2xx", 301, "400-404"], ((200, 299), (301, 301), (400, 404))),
    ],
)
def test_an_expected_status_is_a_list_of_ranges(expected: Any, ranges: tuple[tuple[int, int], ...]) -> None:
    assert status_ranges(expected) == ranges


def test_an_http_monitor_is_one_request() -> None:
    config = {
        "type": "http",
        "url": "https://shop.example/health",
        "expected_status": ["2xx", 301],
        "follow_redirects": False,
        "max_redirects": 3,
        "max_body_bytes": 4096,
    }
    assert spec_of(config) == HttpSpec(
        url="https://shop.example/health",
        expected_status=((200, 299), (301, 301)),
        follow_redirects=False,
        max_redirects=3,
        max_body_bytes=4096,
    )


def test_a_tcp_monitor_is_a_connection() -> None:
    assert spec_of({"type": "tcp", "host": "db.example", "port": 5432}) == TcpSpec(host="db.example", port=5432)


def test_a_dns_monitor_is_one_question() -> None:
    config = {
        "type": "dns",
        "host": "shop.example",
        "record_type": "MX",
        "resolver": "[2001:db8::53]:53",
        "expected_rcode": "NOERROR",
        "expected_values": ["10 mail.shop.example"],
        "match": "exact",
    }
    assert spec_of(config) == DnsSpec(
        host="shop.example",
        record_type=RecordType.MX,
        resolver="[2001:db8::53]:53",
        expected_rcode="NOERROR",
        expected_values=("10 mail.shop.example",),
        match=Match.EXACT,
    )


def test_an_unknown_type_is_a_defect() -> None:
    with pytest.raises(ValueError, match="gopher"):
        spec_of({"type": "gopher"})


def test_the_rules_are_in_milliseconds() -> None:
    config = {
        "interval_seconds": 30,
        "timeout_ms": 10_000,
        "failure_threshold": 2,
        "recovery_threshold": 3,
        "quorum": 2,
        "retry": {"count": 2, "delay_ms": 500},
    }
    assert rules_of(config) == Rules(
        interval=30_000, timeout=10_000, failure_threshold=2, recovery_threshold=3, quorum=2
    )
    assert retry_of(config) == Retry(count=2, delay_ms=500)
