"""Creating monitors."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from statuspulse.domain.configuration import rules_of
from statuspulse.domain.health import Rules
from statuspulse.domain.specs.http import HttpSpec
from statuspulse.domain.specs.registry import spec_of
from statuspulse.storage import audit, monitors, states, watch
from tests.api.server import NOW, STRANGER, Api

SEED_BODY = {
    "name": "Checkout Service Gateway",
    "type": "http",
    "url": "https://api.acmecorp.com/v2/health",
    "interval_seconds": 30,
    "expected_status": 200,
    "escalation_policy": "oncall_senior",
    "notifications": ["slack://hooks/T0A1B2C3D/B0X9Y8Z7W/abc123"],
}


def first_detail(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 422, answer.text
    detail: dict[str, Any] = answer.json()["error"]["details"][0]
    return detail


def test_the_first_example_of_the_reference_answers_as_documented(api: Api) -> None:
    answer = api.call("POST", "/v1/monitors", SEED_BODY)
    document = answer.json()
    assert answer.status_code == 201
    assert answer.headers["ETag"] == '"1"'
    assert answer.headers["Location"] == f"/v1/monitors/{document['id']}"
    assert re.fullmatch(r"mon_[0-9a-hjkmnp-tv-z]{8}", document["id"])
    assert document["monitor_id"] == document["id"]
    assert re.fullmatch(r"slack://hooks/T0A1B2C3D/B0X9Y8Z7W/\*\*\*#nch_[0-9a-z]{8}", document["notifications"][0])
    assert "abc123" not in answer.text
    assert document["message"] == (
        'Monitor "Checkout Service Gateway" created; its first check starts within 5 seconds.'
    )
    assert document["warnings"] == [
        {
            "code": "escalation_policy_created",
            "message": 'Escalation policy "oncall_senior" did not exist; one with a single step was created.',
            "param": "escalation_policy",
        }
    ]
    assert {name: document[name] for name in ("state", "health", "config_version", "last_probe_at")} == {
        "state": "pending",
        "health": "pending",
        "config_version": 1,
        "last_probe_at": None,
    }
    assert document["state_since"] == document["created_at"] == "2026-11-23T06:20:00.412Z"
    assert "2026-11-23T06:20:00.412Z" <= document["next_probe_at"] < "2026-11-23T06:20:05.412Z"
    assert document["expected_status"] == 200
    assert document["timeout_ms"] == 10_000
    assert document["links"]["status"] == f"/v1/status/{document['id']}"


def test_the_second_monitor_with_the_policy_and_the_channel_shares_both(api: Api) -> None:
    first, second = (api.call("POST", "/v1/monitors", SEED_BODY, token=STRANGER).json() for _ in range(2))
    assert [warning["code"] for warning in first["warnings"]] == ["escalation_policy_created"]
    assert second["warnings"] == []
    assert first["notifications"] == second["notifications"]
    assert first["id"] != second["id"]


def test_what_is_stored_is_what_engine_and_probes_read(api: Api) -> None:
    document = api.call("POST", "/v1/monitors", {**SEED_BODY, "escalation_policy": None}).json()

    def read(connection: Any) -> None:
        watched = next(one for one in watch.changed_since(connection, 0) if one.id == document["id"])
        assert watched.revision == watch.revision(connection)
        assert (watched.config_version, watched.judged_from_version) == (1, 1)
        spec = spec_of(watched.config)
        assert isinstance(spec, HttpSpec)
        assert spec.expected_status == ((200, 200),)
        assert rules_of(watched.config) == Rules(
            interval=30_000, timeout=10_000, failure_threshold=2, recovery_threshold=2, quorum="majority"
        )
        state = states.state_of(connection, watched.key)
        assert (state.state, state.health, state.since, state.seq, state.votes_from) == (
            "pending",
            "pending",
            NOW,
            0,
            NOW,
        )
        intervals = states.intervals_between(connection, watched.key, NOW - 10_000, NOW + 10_000)
        assert [(one.start, one.state) for one in intervals] == [(NOW, "pending")]
        written = [
            (entry.action, entry.actor.label)
            for entry in audit.entries(connection, watched.team_id, 100)
            if entry.resource == document["id"]
        ]
        assert written == [("monitor.created", "writer")]
        assert monitors.exists(connection, document["id"])

    api.database.read_now(read)


def test_creating_wakes_the_probes(api: Api, body: dict[str, Any]) -> None:
    before = len(api.wakes)
    api.call("POST", "/v1/monitors", body)
    assert len(api.wakes) == before + 1
    api.call("POST", "/v1/monitors", {**body, "name": ""})
    assert len(api.wakes) == before + 1


def test_a_monitor_may_begin_paused(api: Api, body: dict[str, Any]) -> None:
    document = api.call("POST", "/v1/monitors", {**body, "paused": True}).json()
    assert (document["state"], document["health"], document["next_probe_at"]) == ("paused", "pending", None)
    assert document["message"] == 'Monitor "Shop" created; it is paused.'


def test_a_tcp_monitor_takes_its_endpoint_as_pair_or_as_url(api: Api) -> None:
    by_pair = {"name": "Database", "type": "tcp", "host": "db.example", "port": 5432}
    by_url = {"name": "Database", "type": "tcp", "url": "tcp://db.example:5432"}
    for body in (by_pair, by_url):
        document = api.call("POST", "/v1/monitors", body).json()
        assert (document["host"], document["port"], document["target"]) == ("db.example", 5432, "db.example:5432")
        assert "url" not in document
    ipv6 = api.call("POST", "/v1/monitors", {"name": "Six", "type": "tcp", "url": "tcp://[2001:db8::1]:22"}).json()
    assert ipv6["target"] == "[2001:db8::1]:22"


@pytest.mark.parametrize(
    ("members", "code", "param"),
    [
        ({"host": "db.example"}, "parameter_missing", "port"),
        ({"url": "tcp://db.example"}, "parameter_invalid_format", "url"),
        ({"url": "http://db.example:80"}, "parameter_invalid_format", "url"),
        ({"url": "tcp://db.example:0"}, "parameter_invalid_format", "url"),
        ({"url": 5}, "parameter_invalid_type", "url"),
        ({"url": "tcp://db.example:1", "port": 2}, "parameter_conflict", "url"),
        ({"host": "db example", "port": 1}, "parameter_invalid_format", "host"),
        ({"host": "db.example", "port": 65536}, "parameter_out_of_range", "port"),
        ({"host": "db.example", "port": 1, "method": "GET"}, "unknown_parameter", "method"),
        ({"host": "169.254.169.254", "port": 80}, "url_blocked", "host"),
    ],
)
def test_a_tcp_monitor_that_does_not_hold_is_refused(api: Api, members: dict[str, Any], code: str, param: str) -> None:
    detail = first_detail(api.call("POST", "/v1/monitors", {"name": "Database", "type": "tcp", **members}))
    assert (detail["code"], detail["param"]) == (code, param)


def test_a_dns_monitor_knows_its_host_under_two_names(api: Api) -> None:
    for name in ("host", "hostname"):
        document = api.call("POST", "/v1/monitors", {"name": "Mail", "type": "dns", name: "acme.example"}).json()
        assert (document["host"], document["target"], document["record_type"]) == ("acme.example", "acme.example", "A")
        assert (document["match"], document["expected_rcode"], document["resolver"]) == ("any", "NOERROR", None)
        assert "hostname" not in document


@pytest.mark.parametrize("resolver", ["9.9.9.9", "9.9.9.9:5353", "2620:fe::fe", "[2620:fe::fe]:53", "[2620:fe::fe]"])
def test_a_dns_monitor_takes_a_resolver_by_address(api: Api, resolver: str) -> None:
    answer = api.call(
        "POST", "/v1/monitors", {"name": "Mail", "type": "dns", "host": "a.example", "resolver": resolver}
    )
    assert (answer.status_code, answer.json()["resolver"]) == (201, resolver)


@pytest.mark.parametrize(
    ("members", "code", "param"),
    [
        ({}, "parameter_missing", "host"),
        ({"host": "a.example", "hostname": "b.example"}, "parameter_conflict", "hostname"),
        ({"host": "a..example"}, "parameter_invalid_format", "host"),
        ({"host": "a.example", "record_type": "ANY"}, "parameter_invalid_enum", "record_type"),
        ({"host": "a.example", "resolver": "dns.example"}, "parameter_invalid_format", "resolver"),
        ({"host": "a.example", "resolver": "9.9.9.9:0"}, "parameter_invalid_format", "resolver"),
        ({"host": "a.example", "resolver": "169.254.169.254"}, "url_blocked", "resolver"),
        ({"host": "a.example", "expected_rcode": "NICE"}, "parameter_invalid_enum", "expected_rcode"),
        ({"host": "a.example", "expected_values": ["web"]}, "parameter_invalid_format", "expected_values[0]"),
        (
            {"host": "a.example", "record_type": "AAAA", "expected_values": ["::1", "1.2.3.4"]},
            "parameter_invalid_format",
            "expected_values[1]",
        ),
        ({"host": "a.example", "match": "some"}, "parameter_invalid_enum", "match"),
    ],
)
def test_a_dns_monitor_that_does_not_hold_is_refused(api: Api, members: dict[str, Any], code: str, param: str) -> None:
    detail = first_detail(api.call("POST", "/v1/monitors", {"name": "Mail", "type": "dns", **members}))
    assert (detail["code"], detail["param"]) == (code, param)


@pytest.mark.parametrize(
    ("members", "code", "param"),
    [
        ({"type": "gopher"}, "parameter_invalid_enum", "type"),
        ({"type": 5}, "parameter_invalid_type", "type"),
        ({"name": "x" * 201}, "parameter_too_long", "name"),
        ({"url": "ftp://shop.example"}, "scheme_unsupported", "url"),
        ({"url": "https://user:secret@shop.example"}, "parameter_invalid_format", "url"),
        ({"url": "https://shop.example/" + "x" * 2048}, "parameter_too_long", "url"),
        ({"url": "http://169.254.169.254/latest"}, "url_blocked", "url"),
        ({"url": "http://0.0.0.0/"}, "url_blocked", "url"),
        ({"url": "http://0xa9fea9fe/"}, "url_blocked", "url"),
        ({"interval_seconds": 9}, "parameter_out_of_range", "interval_seconds"),
        ({"interval_seconds": 86_401}, "parameter_out_of_range", "interval_seconds"),
        ({"timeout_ms": 99}, "parameter_out_of_range", "timeout_ms"),
        ({"interval_seconds": 10, "timeout_ms": 10_001}, "parameter_conflict", "timeout_ms"),
        ({"regions": []}, "parameter_out_of_range", "regions"),
        ({"regions": ["local", "local"]}, "parameter_duplicate", "regions"),
        ({"regions": ["Local"]}, "parameter_invalid_format", "regions[0]"),
        ({"regions": ["local", "nowhere"]}, "reference_not_found", "regions[1]"),
        ({"region_strategy": "random"}, "parameter_invalid_enum", "region_strategy"),
        ({"quorum": 2}, "parameter_conflict", "quorum"),
        ({"quorum": 0}, "parameter_out_of_range", "quorum"),
        ({"quorum": "most"}, "parameter_invalid_enum", "quorum"),
        ({"quorum": True}, "parameter_invalid_type", "quorum"),
        ({"failure_threshold": 0}, "parameter_out_of_range", "failure_threshold"),
        ({"recovery_threshold": 11}, "parameter_out_of_range", "recovery_threshold"),
        ({"retry": {"count": 4}}, "parameter_out_of_range", "retry.count"),
        ({"retry": {"pause": 4}}, "unknown_parameter", "retry.pause"),
        ({"retry": 1}, "parameter_invalid_type", "retry"),
        ({"degraded_latency_ms": 0}, "parameter_out_of_range", "degraded_latency_ms"),
        ({"degraded_latency_ms": 60_001}, "parameter_out_of_range", "degraded_latency_ms"),
        ({"degraded_latency_ms": "fast"}, "parameter_invalid_type", "degraded_latency_ms"),
        ({"severity": "fatal"}, "parameter_invalid_enum", "severity"),
        ({"escalation_policy": "On Call"}, "parameter_invalid_format", "escalation_policy"),
        ({"notifications": ["x"] * 21}, "parameter_too_many", "notifications"),
        ({"notifications": ["nch_00000000"]}, "reference_not_found", "notifications[0]"),
        ({"notifications": ["slack://hooks/T/B/***#nch_00000000"]}, "reference_not_found", "notifications[0]"),
        ({"notification_rules": [{"name": "x"}]}, "parameter_conflict", "notification_rules[0]"),
        ({"maintenance_windows": ["mwn_00000000"]}, "reference_not_found", "maintenance_windows[0]"),
        ({"maintenance_windows": [{"name": "x"}]}, "parameter_missing", "maintenance_windows[0].starts_at"),
        ({"sla": {"objective_pct": 100}}, "parameter_out_of_range", "sla.objective_pct"),
        ({"sla": {"objective_pct": 99.9, "window": "1h"}}, "parameter_invalid_enum", "sla.window"),
        ({"depends_on": ["mon_00000000"]}, "reference_not_found", "depends_on[0]"),
        ({"depends_on": ["mon_00000000"] * 2}, "parameter_duplicate", "depends_on"),
        ({"depends_on": [f"mon_0000000{number}" for number in range(21)]}, "parameter_too_many", "depends_on"),
        ({"tags": ["Prod"]}, "parameter_invalid_format", "tags[0]"),
        ({"tags": ["a"] * 2}, "parameter_duplicate", "tags"),
        ({"description": "x" * 2001}, "parameter_too_long", "description"),
        ({"runbook_url": "javascript:alert(1)"}, "scheme_unsupported", "runbook_url"),
        ({"metadata": {"x" * 41: "y"}}, "parameter_too_long", f"metadata.{'x' * 41}"),
        ({"metadata": {"x": "y" * 501}}, "parameter_too_long", "metadata.x"),
        ({"metadata": {"x": 1}}, "parameter_invalid_type", "metadata.x"),
        ({"metadata": {str(number): "" for number in range(51)}}, "parameter_too_many", "metadata"),
        ({"paused": "yes"}, "parameter_invalid_type", "paused"),
        ({"tls": {"expiry_warn_days": 366}}, "parameter_out_of_range", "tls.expiry_warn_days"),
        ({"max_redirects": 21}, "parameter_out_of_range", "max_redirects"),
        ({"max_body_bytes": 5 * 1024 * 1024 + 1}, "parameter_out_of_range", "max_body_bytes"),
        ({"expected_status": 99}, "parameter_out_of_range", "expected_status"),
        ({"expected_status": "2xx"}, "parameter_invalid_type", "expected_status"),
        ({"expected_status": []}, "parameter_out_of_range", "expected_status"),
        ({"expected_status": ["2xy"]}, "parameter_invalid_format", "expected_status"),
        ({"expected_status": ["299-200"]}, "parameter_invalid_format", "expected_status"),
        ({"expected_status": [True]}, "parameter_invalid_type", "expected_status"),
        ({"id": "mon_9x2k4p7q"}, "unknown_parameter", "id"),
        ({"config_version": 1}, "unknown_parameter", "config_version"),
    ],
)
def test_a_monitor_that_does_not_hold_is_refused(
    api: Api, body: dict[str, Any], members: dict[str, Any], code: str, param: str
) -> None:
    detail = first_detail(api.call("POST", "/v1/monitors", {**body, **members}))
    assert (detail["code"], detail["param"]) == (code, param)


@pytest.mark.parametrize(
    "members",
    [
        {"expected_status": ["2xx", 301, "400-404"]},
        {"quorum": 1},
        {"quorum": "all"},
        {"region_strategy": "rotate"},
        {"degraded_latency_ms": 800},
        {"retry": {"count": 0}},
        {"follow_redirects": False, "max_redirects": 0, "max_body_bytes": 0},
        {"tags": ["prod", "team:shop"], "metadata": {"owner": "maya"}, "description": None, "runbook_url": None},
        {"runbook_url": "https://wiki.example/Runbook?x=1#top"},
        {"url": "HTTPS://Shop.Example:443/a%20b?q=1#x"},
        {"url": "http://127.0.0.1:8080/health"},
        {"url": "http://10.0.0.1/"},
        {"escalation_policy": None},
        {"headers": [], "tls": {"verify": True}, "method": "GET", "sla": None, "degraded_latency_ms": None},
        {"notifications": []},
    ],
)
def test_what_is_taken_is_echoed_as_it_was_given(api: Api, body: dict[str, Any], members: dict[str, Any]) -> None:
    document = api.call("POST", "/v1/monitors", {**body, **members}).json()
    for name, value in members.items():
        if isinstance(value, dict):
            assert value.items() <= document[name].items()
        else:
            assert document[name] == value


def test_every_mistake_is_told_at_once(api: Api, body: dict[str, Any]) -> None:
    sent = {**body, "name": "", "interval_seconds": 1, "severity": "fatal", "method": "TRACE", "colour": "red"}
    answer = api.call("POST", "/v1/monitors", sent)
    named = {detail["param"] for detail in answer.json()["error"]["details"]}
    assert named == {"name", "interval_seconds", "severity", "method", "colour"}


def test_the_floor_of_the_interval_is_named(api: Api, body: dict[str, Any]) -> None:
    answer = api.call("POST", "/v1/monitors", {**body, "interval_seconds": 5})
    assert answer.json()["message"] == "interval_seconds must be between 10 and 86400."
    assert first_detail(answer)["limit"] == 10


def test_the_default_timeout_follows_a_short_interval(api: Api, body: dict[str, Any]) -> None:
    assert api.call("POST", "/v1/monitors", {**body, "interval_seconds": 10}).json()["timeout_ms"] == 10_000


def test_a_delay_counts_only_where_something_is_tried_again(api: Api, body: dict[str, Any]) -> None:
    taken = api.call("POST", "/v1/monitors", {**body, "retry": {"count": 0, "delay_ms": 0}}).json()
    assert taken["retry"] == {"count": 0, "delay_ms": 0}
    for retry in ({"count": 1, "delay_ms": 0}, {"delay_ms": 99}):
        detail = first_detail(api.call("POST", "/v1/monitors", {**body, "retry": retry}))
        assert (detail["param"], detail["message"], detail["limit"]) == (
            "retry.delay_ms",
            "must be at least 100, unless count is 0",
            100,
        )
    path = f"/v1/monitors/{taken['id']}"
    assert first_detail(api.call("PATCH", path, {"retry": {"count": 1}}))["param"] == "retry.delay_ms"
    assert api.call("PATCH", path, {"retry": {"count": 1, "delay_ms": 100}}).status_code == 200


def test_unknown_regions_are_answered_with_the_known_ones(api: Api, body: dict[str, Any]) -> None:
    detail = first_detail(api.call("POST", "/v1/monitors", {**body, "regions": ["mars"]}))
    assert detail["known"] == ["local"]


def test_strict_handling_refuses_an_unknown_policy(api: Api, body: dict[str, Any]) -> None:
    sent = {**body, "escalation_policy": "never-seen"}
    refused = api.call("POST", "/v1/monitors", sent, headers={"Prefer": "respond-async, handling=strict"})
    assert (first_detail(refused)["code"], first_detail(refused)["param"]) == (
        "reference_not_found",
        "escalation_policy",
    )
    assert api.call("GET", "/v1/escalation-policies/never-seen").status_code == 404
    assert api.call("POST", "/v1/monitors", sent).status_code == 201


def test_a_refused_reference_leaves_nothing_behind(api: Api, body: dict[str, Any]) -> None:
    sent = {**body, "escalation_policy": "half-made", "regions": ["mars"]}
    assert api.call("POST", "/v1/monitors", sent).status_code == 422
    assert api.call("GET", "/v1/escalation-policies/half-made").status_code == 404


def test_two_spellings_of_one_channel_are_one(api: Api, body: dict[str, Any]) -> None:
    url = "slack://hooks/T0A1B2C3D/B0X9Y8Z7W/twice42"
    first = api.call("POST", "/v1/monitors", {**body, "notifications": [url]}).json()["notifications"][0]
    channel_id = first.rpartition("#")[2]
    document = api.call("POST", "/v1/monitors", {**body, "notifications": [url, channel_id, first]}).json()
    assert document["notifications"] == [first]


def test_a_channel_of_another_team_reads_like_none(api: Api, body: dict[str, Any]) -> None:
    url = "slack://hooks/T0A1B2C3D/B0X9Y8Z7W/theirs99"
    masked = api.call("POST", "/v1/monitors", {**body, "notifications": [url]}, token=STRANGER).json()
    foreign = masked["notifications"][0].rpartition("#")[2]
    texts = set()
    for channel_id in (foreign, "nch_0a1b2c3d"):
        detail = first_detail(api.call("POST", "/v1/monitors", {**body, "notifications": [channel_id]}))
        texts.add(json.dumps(detail))
    assert len(texts) == 1


def test_the_body_of_the_reference_is_the_one_tested_here() -> None:
    reference = Path(__file__).parents[2] / "docs" / "seed" / "api-reference.txt"
    if reference.exists():
        body = re.search(r"-d '(\{.*?\})'", reference.read_text(), re.DOTALL)
        assert body is not None
        assert json.loads(body.group(1)) == SEED_BODY
