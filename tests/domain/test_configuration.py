"""A monitor's stored configuration becomes what the probe does and what the engine decides by."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from statuspulse.domain.assertion import Assertion, Operator, Source
from statuspulse.domain.configuration import retry_of, rules_of
from statuspulse.domain.health import Rules
from statuspulse.domain.monitor import Retry
from statuspulse.domain.specs.dns import DnsProtocol, DnsSpec, Match, RecordType, SoaSerial
from statuspulse.domain.specs.http import HttpSpec, TlsOptions, status_ranges
from statuspulse.domain.specs.registry import spec_of
from statuspulse.domain.specs.tcp import Starttls, Step, TcpSpec
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


PLAIN_TCP: dict[str, Any] = {
    "type": "tcp",
    "host": "mail.example",
    "port": 587,
    "send": None,
    "expect": None,
    "tls": False,
    "starttls": None,
    "steps": [],
}
OPTIONS = {"verify": False, "expiry_warn_days": 14, "server_name": "mx.example"}


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({}, {}),
        ({"send": "a", "expect": "b"}, {"steps": (Step(send="a"), Step(expect="b"))}),
        ({"tls": True}, {"tls": True}),
        ({"tls": OPTIONS}, {"tls": True, "verify": False, "server_name": "mx.example"}),
        (
            {"tls": OPTIONS, "starttls": "smtp", "expect": "b"},
            {
                "verify": False,
                "server_name": "mx.example",
                "steps": (Step(starttls=Starttls.SMTP), Step(expect="b")),
            },
        ),
        (
            {"steps": [{"expect": "a", "regex": True}, {"starttls": "ldap"}, {"send": "b"}], "tls": OPTIONS},
            {
                "verify": False,
                "server_name": "mx.example",
                "steps": (Step(expect="a", regex=True), Step(starttls=Starttls.LDAP), Step(send="b")),
            },
        ),
    ],
)
def test_a_tcp_monitor_is_a_connection_and_a_script(members: dict[str, Any], expected: dict[str, Any]) -> None:
    assert spec_of({**PLAIN_TCP, **members}) == TcpSpec(host="mail.example", port=587, **expected)


def test_a_dns_monitor_is_one_question() -> None:
    config = {
        "type": "dns",
        "host": "shop.example",
        "record_type": "SOA",
        "resolver": "[2001:db8::53]:53",
        "expected_rcode": "NOERROR",
        "expected_values": ["ns.shop.example"],
        "match": "exact",
        "protocol": "tcp",
        "ttl_min_seconds": 60,
        "ttl_max_seconds": None,
        "require_aa": True,
        "require_ad": False,
        "soa_serial": {"equal_on": ["ns1.example", "ns2.example"], "at_least": None},
    }
    expected = DnsSpec(
        host="shop.example",
        record_type=RecordType.SOA,
        resolver="[2001:db8::53]:53",
        expected_rcode="NOERROR",
        expected_values=("ns.shop.example",),
        match=Match.EXACT,
        protocol=DnsProtocol.TCP,
        ttl_min_seconds=60,
        require_aa=True,
        soa_serial=SoaSerial(equal_on=("ns1.example", "ns2.example")),
    )
    assert spec_of(config) == expected
    assert spec_of({**config, "soa_serial": None}) == replace(expected, soa_serial=None)


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
        "regions": ["us-east", "eu-west", "ap-south"],
        "region_strategy": "parallel",
        "degraded_latency_ms": None,
        "retry": {"count": 2, "delay_ms": 500},
    }
    assert rules_of(config) == Rules(
        interval=30_000, timeout=10_000, failure_threshold=2, recovery_threshold=3, quorum=2
    )
    assert retry_of(config) == Retry(count=2, delay_ms=500)
    turns = rules_of({**config, "region_strategy": "rotate", "degraded_latency_ms": 250})
    assert (turns.every, turns.spacing, turns.vote_lifetime) == (3, 90_000, 190_000)
    assert (turns.longest_silence, turns.longest_absence, turns.degraded_latency_us) == (90_000, 270_000, 250_000)
