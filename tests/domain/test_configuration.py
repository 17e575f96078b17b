"""A monitor's stored configuration becomes what the probe does and what the engine decides by."""

from __future__ import annotations

from typing import Any

import pytest

from statuspulse.domain.assertion import Assertion, Operator, Source
from statuspulse.domain.configuration import retry_of, rules_of
from statuspulse.domain.health import Rules
from statuspulse.domain.monitor import Retry
from statuspulse.domain.specs.dns import DnsSpec, Match, RecordType
from statuspulse.domain.specs.http import HttpSpec, TlsOptions, status_ranges
from statuspulse.domain.specs.registry import spec_of
from statuspulse.domain.specs.tcp import TcpSpec
from statuspulse.protocol.conversion import spec_document
from statuspulse.protocol.conversion import spec_of as spec_received


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


HTTP_CONFIG: dict[str, Any] = {
    "type": "http",
    "url": "https://shop.example/health",
    "method": "POST",
    "headers": [
        {"name": "Host", "value": "shop.internal", "secret": False},
        {"name": "X-Api-Key", "value": "k-1234", "secret": True},
    ],
    "body": "ping",
    "auth": {"type": "basic", "username": "mönika", "password": "p:w"},
    "expected_status": ["2xx", 301],
    "follow_redirects": False,
    "max_redirects": 3,
    "http_version": "1.1",
    "ip_version": "4",
    "tls": {"verify": False, "expiry_warn_days": 30, "server_name": "shop.internal"},
    "max_body_bytes": 4096,
    "assertions": [{"source": "json", "property": "$.status", "operator": "eq", "value": "ok"}],
}


def test_an_http_monitor_is_one_request() -> None:
    assert spec_of(HTTP_CONFIG) == HttpSpec(
        url="https://shop.example/health",
        method="POST",
        headers=(("Host", "shop.internal"), ("X-Api-Key", "k-1234")),
        secret_headers=("x-api-key",),
        body="ping",
        authorization="Basic bcO2bmlrYTpwOnc=",
        expected_status=((200, 299), (301, 301)),
        follow_redirects=False,
        max_redirects=3,
        http_version="1.1",
        ip_version="4",
        tls=TlsOptions(verify=False, expiry_warn_days=30, server_name="shop.internal"),
        max_body_bytes=4096,
        assertions=(Assertion(Source.JSON, "$.status", Operator.EQ, "ok"),),
    )


def test_a_token_becomes_a_bearer_header() -> None:
    spec = spec_of(HTTP_CONFIG | {"auth": {"type": "bearer", "token": "t-5678"}})
    assert isinstance(spec, HttpSpec)
    assert spec.authorization == "Bearer t-5678"


def test_a_request_does_not_show_its_secrets() -> None:
    shown = repr(spec_of(HTTP_CONFIG))
    assert "k-1234" not in shown
    assert "bcO2bmlrYTpwOnc" not in shown


def test_a_request_travels_whole() -> None:
    spec = spec_of(HTTP_CONFIG)
    assert spec_received("http", spec_document(spec)) == spec


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
    with pytest.raises(ValueError, match="icmp"):
        spec_of({"type": "icmp"})


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
