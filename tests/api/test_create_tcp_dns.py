"""What tcp and dns monitors take beyond their target, and what they refuse."""

from __future__ import annotations

from typing import Any

import pytest

from statuspulse.domain.specs.dns import DnsSpec, SoaSerial
from statuspulse.domain.specs.registry import spec_of
from statuspulse.domain.specs.tcp import Starttls, Step, TcpSpec
from statuspulse.storage import watch
from tests.api.server import Api

TCP = {"name": "Mail", "type": "tcp", "host": "mail.example", "port": 587}
DNS = {"name": "Zone", "type": "dns", "host": "acme.example"}
SERVERS = ["ns1.acme.example", "192.0.2.53:5353"]


def details(answer: Any) -> list[tuple[str, str]]:
    assert answer.status_code == 422, answer.text
    return [(detail["code"], detail["param"]) for detail in answer.json()["error"]["details"]]


def spec_in_force(api: Api, monitor_id: str) -> Any:
    """What the probes are given."""
    return api.database.read_now(
        lambda connection: next(
            spec_of(watched.config) for watched in watch.changed_since(connection, 0) if watched.id == monitor_id
        )
    )


def test_a_plain_tcp_monitor_answers_every_member(api: Api) -> None:
    document = api.call("POST", "/v1/monitors", TCP).json()
    script = {name: document[name] for name in ("send", "expect", "tls", "starttls", "steps")}
    assert script == {"send": None, "expect": None, "tls": False, "starttls": None, "steps": []}
    assert spec_in_force(api, document["id"]) == TcpSpec(host="mail.example", port=587)


@pytest.mark.parametrize(
    ("members", "spec"),
    [
        ({"send": "PING\r\n", "expect": "+PONG"}, {"steps": (Step(send="PING\r\n"), Step(expect="+PONG"))}),
        ({"expect": "220 "}, {"steps": (Step(expect="220 "),)}),
        ({"send": "a\x01\tü"}, {"steps": (Step(send="a\x01\tü"),)}),
        ({"tls": True}, {"tls": True}),
        ({"tls": False}, {}),
        (
            {"tls": {"verify": False, "server_name": "mx.acme.example"}},
            {"tls": True, "verify": False, "server_name": "mx.acme.example"},
        ),
        ({"starttls": "smtp"}, {"steps": (Step(starttls=Starttls.SMTP),)}),
        (
            {"starttls": "imap", "tls": {"verify": False}, "expect": "OK"},
            {"verify": False, "steps": (Step(starttls=Starttls.IMAP), Step(expect="OK"))},
        ),
        (
            {
                "tls": {"server_name": "a.example"},
                "steps": [{"expect": "^220 .*", "regex": True}, {"starttls": "pop3"}, {"send": "QUIT\r\n"}],
            },
            {
                "server_name": "a.example",
                "steps": (Step(expect="^220 .*", regex=True), Step(starttls=Starttls.POP3), Step(send="QUIT\r\n")),
            },
        ),
        (
            {"tls": True, "steps": [{"expect": "ready", "regex": False}]},
            {"tls": True, "steps": (Step(expect="ready"),)},
        ),
    ],
)
def test_a_tcp_monitor_takes_tls_and_a_script(api: Api, members: dict[str, Any], spec: dict[str, Any]) -> None:
    answer = api.call("POST", "/v1/monitors", {**TCP, **members})
    assert answer.status_code == 201, answer.text
    document = answer.json()
    for name, value in members.items():
        if name == "steps":
            assert document[name] == [{"regex": False, **step} if "expect" in step else step for step in value]
        elif isinstance(value, dict):
            assert document[name] == {"verify": True, "expiry_warn_days": 14, "server_name": None, **value}
        else:
            assert document[name] == value
    assert spec_in_force(api, document["id"]) == TcpSpec(host="mail.example", port=587, **spec)


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"send": ""}, [("parameter_out_of_range", "send")]),
        ({"send": "x" * 1025}, [("parameter_too_long", "send")]),
        ({"send": "ü" * 513}, [("parameter_too_long", "send")]),
        ({"expect": "x" * 1025}, [("parameter_too_long", "expect")]),
        ({"expect": 220}, [("parameter_invalid_type", "expect")]),
        ({"tls": "yes"}, [("parameter_invalid_type", "tls")]),
        ({"tls": 1}, [("parameter_invalid_type", "tls")]),
        ({"tls": {"verify": "no"}}, [("parameter_invalid_type", "tls.verify")]),
        ({"tls": {"expiry_warn_days": 366}}, [("parameter_out_of_range", "tls.expiry_warn_days")]),
        ({"tls": {"server_name": "a b"}}, [("parameter_invalid_format", "tls.server_name")]),
        ({"tls": {"name": "a"}}, [("unknown_parameter", "tls.name")]),
        ({"starttls": "ftp"}, [("parameter_invalid_enum", "starttls")]),
        ({"starttls": "smtp", "tls": True}, [("parameter_conflict", "starttls")]),
        ({"tls": True, "steps": [{"starttls": "smtp"}]}, [("parameter_conflict", "steps[0].starttls")]),
        ({"starttls": "smtp", "steps": [{"starttls": "smtp"}]}, [("parameter_conflict", "steps[0].starttls")]),
        (
            {"steps": [{"starttls": "smtp"}, {"send": "x"}, {"starttls": "imap"}]},
            [("parameter_conflict", "steps[2].starttls")],
        ),
        (
            {"send": "x", "expect": "y", "steps": [{"send": "x"}]},
            [("parameter_conflict", "send"), ("parameter_conflict", "expect")],
        ),
        ({"steps": [{"send": "x"}] * 11}, [("parameter_too_many", "steps")]),
        ({"steps": {"send": "x"}}, [("parameter_invalid_type", "steps")]),
        ({"steps": ["x"]}, [("parameter_invalid_format", "steps[0]")]),
        ({"steps": [{}]}, [("parameter_invalid_format", "steps[0]")]),
        ({"steps": [{"wait": 1}]}, [("parameter_invalid_format", "steps[0]")]),
        ({"steps": [{"expect": "x", "send": "y"}]}, [("parameter_invalid_format", "steps[0]")]),
        ({"steps": [{"send": "x", "regex": True}]}, [("unknown_parameter", "steps[0].regex")]),
        ({"steps": [{"send": 1}]}, [("parameter_invalid_type", "steps[0].send")]),
        ({"steps": [{"send": "a"}, {"starttls": "x"}]}, [("parameter_invalid_enum", "steps[1].starttls")]),
        ({"steps": [{"expect": "(?=x)", "regex": True}]}, [("parameter_invalid_format", "steps[0].expect")]),
        ({"steps": [{"expect": "(x", "regex": True}]}, [("parameter_invalid_format", "steps[0].expect")]),
        ({"steps": [{"expect": "x" * 513, "regex": True}]}, [("parameter_too_long", "steps[0].expect")]),
    ],
)
def test_a_script_that_makes_no_sense_is_refused(
    api: Api, members: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    assert details(api.call("POST", "/v1/monitors", {**TCP, **members})) == expected


def test_the_longest_script_is_taken(api: Api) -> None:
    steps = [{"expect": "x" * 1024}, {"expect": "x" * 512, "regex": True}, *({"send": "y" * 1024} for _ in range(8))]
    assert api.call("POST", "/v1/monitors", {**TCP, "steps": steps}).status_code == 201


def test_the_options_of_tls_can_be_changed_one_by_one(api: Api) -> None:
    path = f"/v1/monitors/{api.call('POST', '/v1/monitors', {**TCP, 'tls': True}).json()['id']}/config"
    changed = api.call("PATCH", path, {"tls": {"verify": False}}).json()
    assert changed["tls"] == {"verify": False, "expiry_warn_days": 14, "server_name": None}
    changed = api.call("PATCH", path, {"tls": {"server_name": "mx.acme.example"}}).json()
    assert changed["tls"] == {"verify": False, "expiry_warn_days": 14, "server_name": "mx.acme.example"}
    assert api.call("PATCH", path, {"tls": None}).json()["tls"] is False
    assert api.call("PUT", path, {"send": "x"}).json()["changed"] == ["/send"]
    assert details(api.call("PATCH", path, {"steps": [{"send": "y"}]})) == [("parameter_conflict", "send")]
    assert api.call("PATCH", path, {"send": None, "steps": [{"send": "y"}]}).json()["steps"] == [{"send": "y"}]


def test_a_plain_dns_monitor_answers_every_member(api: Api) -> None:
    document = api.call("POST", "/v1/monitors", DNS).json()
    expected = {
        "protocol": "udp",
        "resolver": None,
        "ttl_min_seconds": None,
        "ttl_max_seconds": None,
        "require_aa": False,
        "require_ad": False,
        "soa_serial": None,
    }
    assert {name: document[name] for name in expected} == expected
    assert spec_in_force(api, document["id"]) == DnsSpec(host="acme.example")


@pytest.mark.parametrize(
    "members",
    [
        {"protocol": "udp", "resolver": "9.9.9.9:5353"},
        {"protocol": "tcp"},
        {"protocol": "tcp", "resolver": "[2620:fe::fe]:53"},
        {"protocol": "dot", "resolver": "9.9.9.9"},
        {"protocol": "dot", "resolver": "dns.example"},
        {"protocol": "dot", "resolver": "dns.example:8853"},
        {"protocol": "doh", "resolver": "https://dns.example/dns-query"},
        {"protocol": "doh", "resolver": "https://9.9.9.9:8443/dns-query?tenant=1"},
        {"ttl_min_seconds": 60, "ttl_max_seconds": 60},
        {"ttl_min_seconds": 0, "ttl_max_seconds": 2_147_483_647},
        {"require_aa": True, "require_ad": True},
    ],
)
def test_a_dns_monitor_takes_every_way_and_rule(api: Api, members: dict[str, Any]) -> None:
    answer = api.call("POST", "/v1/monitors", {**DNS, **members})
    assert answer.status_code == 201, answer.text
    document = answer.json()
    assert {name: document[name] for name in members} == members
    spec = spec_in_force(api, document["id"])
    assert {name: getattr(spec, name) for name in members} == members


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"at_least": 2026112301}, SoaSerial(at_least=2026112301)),
        ({"equal_on": SERVERS}, SoaSerial(equal_on=tuple(SERVERS))),
        ({"equal_on": SERVERS, "at_least": 0}, SoaSerial(equal_on=tuple(SERVERS), at_least=0)),
    ],
)
def test_a_dns_monitor_takes_a_rule_on_the_serial(api: Api, rule: dict[str, Any], expected: SoaSerial) -> None:
    document = api.call("POST", "/v1/monitors", {**DNS, "record_type": "SOA", "soa_serial": rule}).json()
    assert document["soa_serial"] == {"equal_on": [], "at_least": None, **rule}
    assert spec_in_force(api, document["id"]).soa_serial == expected


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"protocol": "quic"}, [("parameter_invalid_enum", "protocol")]),
        ({"protocol": "dot"}, [("parameter_missing", "resolver")]),
        ({"protocol": "doh"}, [("parameter_missing", "resolver")]),
        ({"protocol": "tcp", "resolver": "dns.example"}, [("parameter_invalid_format", "resolver")]),
        ({"protocol": "udp", "resolver": "https://dns.example/"}, [("parameter_invalid_format", "resolver")]),
        ({"protocol": "dot", "resolver": "https://dns.example/"}, [("parameter_invalid_format", "resolver")]),
        ({"protocol": "dot", "resolver": "dns example"}, [("parameter_invalid_format", "resolver")]),
        ({"protocol": "dot", "resolver": "dns.example:99999"}, [("parameter_invalid_format", "resolver")]),
        ({"protocol": "doh", "resolver": "9.9.9.9"}, [("scheme_unsupported", "resolver")]),
        ({"protocol": "doh", "resolver": "http://dns.example/"}, [("scheme_unsupported", "resolver")]),
        ({"protocol": "doh", "resolver": "https://u:p@dns.example/"}, [("parameter_invalid_format", "resolver")]),
        ({"protocol": "doh", "resolver": "https://dns.example/{?dns}"}, [("parameter_invalid_format", "resolver")]),
        ({"resolver": "169.254.169.254"}, [("url_blocked", "resolver")]),
        ({"protocol": "dot", "resolver": "[fe80::1]:853"}, [("url_blocked", "resolver")]),
        ({"protocol": "doh", "resolver": "https://169.254.169.254/x"}, [("url_blocked", "resolver")]),
        ({"ttl_min_seconds": -1}, [("parameter_out_of_range", "ttl_min_seconds")]),
        ({"ttl_max_seconds": 1 << 31}, [("parameter_out_of_range", "ttl_max_seconds")]),
        ({"ttl_min_seconds": "60"}, [("parameter_invalid_type", "ttl_min_seconds")]),
        ({"ttl_min_seconds": 61, "ttl_max_seconds": 60}, [("parameter_conflict", "ttl_min_seconds")]),
        ({"require_aa": "yes"}, [("parameter_invalid_type", "require_aa")]),
        ({"soa_serial": {"at_least": 1}}, [("parameter_conflict", "soa_serial")]),
        ({"record_type": "SOA", "soa_serial": {}}, [("parameter_missing", "soa_serial")]),
        ({"record_type": "SOA", "soa_serial": 7}, [("parameter_invalid_type", "soa_serial")]),
        (
            {"record_type": "SOA", "soa_serial": {"at_least": 1 << 32}},
            [("parameter_out_of_range", "soa_serial.at_least")],
        ),
        ({"record_type": "SOA", "soa_serial": {"serial": 1}}, [("unknown_parameter", "soa_serial.serial")]),
        (
            {"record_type": "SOA", "soa_serial": {"equal_on": ["ns1.example"]}},
            [("parameter_out_of_range", "soa_serial.equal_on")],
        ),
        (
            {"record_type": "SOA", "soa_serial": {"equal_on": ["ns.example"] * 11}},
            [("parameter_too_many", "soa_serial.equal_on")],
        ),
        (
            {"record_type": "SOA", "soa_serial": {"equal_on": ["ns 1", "ns.example:x", "169.254.169.254"]}},
            [
                ("parameter_invalid_format", "soa_serial.equal_on[0]"),
                ("parameter_invalid_format", "soa_serial.equal_on[1]"),
                ("url_blocked", "soa_serial.equal_on[2]"),
            ],
        ),
    ],
)
def test_a_way_or_a_rule_that_makes_no_sense_is_refused(
    api: Api, members: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    assert details(api.call("POST", "/v1/monitors", {**DNS, **members})) == expected


def test_the_published_schema_tells_the_steps_apart(api: Api) -> None:
    schemas = api.call("GET", "/v1/openapi.json", token=None).json()["components"]["schemas"]
    assert schemas["SendStep"]["required"] == ["send"]
    assert schemas["ExpectStep"]["additionalProperties"] is False
    assert {"TcpTls", "StarttlsStep", "SoaSerialMembers"} <= set(schemas)


@pytest.mark.parametrize("port", ["0", "65536", "99999999999"])
def test_a_port_that_cannot_be_is_what_the_refusal_names(api: Api, port: str) -> None:
    refused = api.call("POST", "/v1/monitors", {"name": "Far", "type": "tcp", "url": f"tcp://db.example:{port}"})
    assert refused.status_code == 422
    assert refused.json()["message"] == "url has a port that is not between 1 and 65535."
