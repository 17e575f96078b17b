"""Monitors of type tls, icmp and grpc by request."""

from __future__ import annotations

from typing import Any

import pytest

from statuspulse.domain.specs.grpc import GrpcSpec
from statuspulse.domain.specs.icmp import IcmpSpec
from statuspulse.domain.specs.registry import Spec, spec_of
from statuspulse.domain.specs.tls import TlsSpec
from statuspulse.storage import watch
from tests.api.server import Api

LEAST: dict[str, dict[str, Any]] = {
    "tls": {"host": "shop.example"},
    "icmp": {"host": "gateway.example"},
    "grpc": {"host": "api.example", "port": 50051},
}


def created(api: Api, kind: str, **members: Any) -> dict[str, Any]:
    answer = api.call("POST", "/v1/monitors", {"name": "Shop", "type": kind, **LEAST[kind], **members})
    assert answer.status_code == 201, answer.text
    document: dict[str, Any] = answer.json()
    return document


@pytest.mark.parametrize(
    ("kind", "target", "defaults", "spec"),
    [
        (
            "tls",
            "shop.example:443",
            {"port": 443, "server_name": None, "verify": True, "min_days_left": 0, "min_version": "1.2"},
            TlsSpec(host="shop.example"),
        ),
        (
            "icmp",
            "gateway.example",
            {"packets": 3, "max_loss_pct": 0, "ip_version": "auto"},
            IcmpSpec(host="gateway.example"),
        ),
        (
            "grpc",
            "api.example:50051",
            {"service": "", "tls": False, "server_name": None, "verify": True},
            GrpcSpec(host="api.example", port=50051),
        ),
    ],
)
def test_the_least_that_a_monitor_needs_is_filled_up(
    api: Api, kind: str, target: str, defaults: dict[str, Any], spec: Spec
) -> None:
    document = created(api, kind)
    assert (document["type"], document["target"]) == (kind, target)
    assert {name: document[name] for name in defaults} == defaults
    found = api.database.read_now(
        lambda connection: next(one for one in watch.changed_since(connection, 0) if one.id == document["id"])
    )
    assert spec_of(found.config) == spec


def test_targets_name_what_is_asked(api: Api) -> None:
    assert created(api, "tls", host="[2001:db8::1]", port=8443)["target"] == "[2001:db8::1]:8443"
    assert created(api, "grpc", service="shop.Cart")["target"] == "api.example:50051/shop.Cart"
    assert created(api, "icmp", host="2001:db8::1", ip_version="6")["target"] == "2001:db8::1"


@pytest.mark.parametrize("kind", list(LEAST))
def test_status_lists_and_configuration_know_the_kind(api: Api, kind: str) -> None:
    document = created(api, kind)
    status = api.call("GET", f"/v1/status/{document['id']}").json()
    assert (status["type"], status["target"]) == (kind, document["target"])
    listed = api.call("GET", f"/v1/monitors?type={kind}").json()
    assert document["id"] in [one["id"] for one in listed["data"]]
    assert {one["type"] for one in listed["data"]} == {kind}
    config = api.call("GET", f"/v1/monitors/{document['id']}/config").json()
    assert config["host"] == document["host"]
    changed = api.call("PATCH", f"/v1/monitors/{document['id']}/config", {"host": "other.example"})
    assert (changed.status_code, changed.json()["config_version"]) == (200, 2)


@pytest.mark.parametrize(
    ("kind", "members", "code", "param"),
    [
        ("tls", {"host": None}, "parameter_invalid_type", "host"),
        ("tls", {"host": "a b"}, "parameter_invalid_format", "host"),
        ("tls", {"host": "169.254.169.254"}, "url_blocked", "host"),
        ("tls", {"port": 0}, "parameter_out_of_range", "port"),
        ("tls", {"port": "443"}, "parameter_invalid_type", "port"),
        ("tls", {"server_name": ""}, "parameter_out_of_range", "server_name"),
        ("tls", {"server_name": "a b"}, "parameter_invalid_format", "server_name"),
        ("tls", {"server_name": "127.0.0.1"}, "parameter_invalid_format", "server_name"),
        ("tls", {"verify": 1}, "parameter_invalid_type", "verify"),
        ("tls", {"min_days_left": 366}, "parameter_out_of_range", "min_days_left"),
        ("tls", {"min_days_left": -1}, "parameter_out_of_range", "min_days_left"),
        ("tls", {"min_version": "1.1"}, "parameter_invalid_enum", "min_version"),
        ("tls", {"starttls": "smtp"}, "unknown_parameter", "starttls"),
        ("icmp", {"host": "http://x"}, "parameter_invalid_format", "host"),
        ("icmp", {"host": "169.254.169.254"}, "url_blocked", "host"),
        ("icmp", {"host": "::ffff:169.254.169.254"}, "url_blocked", "host"),
        ("icmp", {"host": "0xa9fea9fe"}, "url_blocked", "host"),
        ("icmp", {"host": "255.255.255.255"}, "url_blocked", "host"),
        ("icmp", {"packets": 0}, "parameter_out_of_range", "packets"),
        ("icmp", {"packets": 11}, "parameter_out_of_range", "packets"),
        ("icmp", {"max_loss_pct": 101}, "parameter_out_of_range", "max_loss_pct"),
        ("icmp", {"max_loss_pct": 0.5}, "parameter_invalid_type", "max_loss_pct"),
        ("icmp", {"ip_version": 4}, "parameter_invalid_enum", "ip_version"),
        ("icmp", {"host": "8.8.8.8", "ip_version": "6"}, "parameter_conflict", "ip_version"),
        ("icmp", {"host": "2001:4860::1", "ip_version": "4"}, "parameter_conflict", "ip_version"),
        ("icmp", {"port": 7}, "unknown_parameter", "port"),
        ("grpc", {"host": "fd00:ec2::254"}, "url_blocked", "host"),
        ("grpc", {"port": 65536}, "parameter_out_of_range", "port"),
        ("grpc", {"service": "x" * 201}, "parameter_too_long", "service"),
        ("grpc", {"service": "a\nb"}, "parameter_invalid_format", "service"),
        ("grpc", {"service": None}, "parameter_invalid_type", "service"),
        ("grpc", {"tls": "yes"}, "parameter_invalid_type", "tls"),
        ("grpc", {"server_name": "api.example"}, "parameter_conflict", "server_name"),
        ("grpc", {"server_name": "::1", "tls": True}, "parameter_invalid_format", "server_name"),
    ],
)
def test_what_does_not_hold_is_refused_and_named(
    api: Api, kind: str, members: dict[str, Any], code: str, param: str
) -> None:
    answer = api.call("POST", "/v1/monitors", {"name": "Shop", "type": kind, **LEAST[kind], **members})
    assert answer.status_code == 422, answer.text
    detail = answer.json()["error"]["details"][0]
    assert (detail["code"], detail["param"]) == (code, param)


@pytest.mark.parametrize("missing", [("tls", "host"), ("icmp", "host"), ("grpc", "host"), ("grpc", "port")])
def test_what_is_required_is_missed(api: Api, missing: tuple[str, str]) -> None:
    kind, member = missing
    members = {name: value for name, value in LEAST[kind].items() if name != member}
    answer = api.call("POST", "/v1/monitors", {"name": "Shop", "type": kind, **members})
    detail = answer.json()["error"]["details"][0]
    assert (answer.status_code, detail["code"], detail["param"]) == (422, "parameter_missing", member)


def test_an_unknown_type_is_told_the_known_ones(api: Api) -> None:
    answer = api.call("POST", "/v1/monitors", {"name": "Shop", "type": "gopher", "host": "a.example"})
    detail = answer.json()["error"]["details"][0]
    assert (answer.status_code, detail["code"], detail["param"]) == (422, "parameter_invalid_enum", "type")
    for kind in ("http", "tcp", "dns", *LEAST):
        assert f'"{kind}"' in detail["message"]
