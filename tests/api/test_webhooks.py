"""Webhook endpoints over the API: what is shown of them and what is not, and what people do about deliveries."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, select, update

from statuspulse.egress.policy import Policy
from statuspulse.storage.schema import webhook_deliveries, webhook_endpoints
from tests.api.server import ADMIN, READER, Api, running

POLICY = Policy.parse(probe_deny="", delivery_allow="10.1.0.0/16", operator_urls=("http://hooks.internal:8080/",))


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with running(tmp_path_factory.mktemp("webhooks"), policy=POLICY) as started:
        yield started


def an_endpoint(api: Api, **members: Any) -> dict[str, Any]:
    body = {"url": "https://ops.example/hook", "events": ["*"], **members}
    made: dict[str, Any] = api.call("POST", "/v1/webhooks", body).json()
    return made


def deliveries(api: Api, endpoint: dict[str, Any], query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.call("GET", f"/v1/webhooks/{endpoint['id']}/deliveries{query}").json()["data"]
    return found


def test_the_secret_is_shown_once_and_kept_sealed(api: Api) -> None:
    made = api.call("POST", "/v1/webhooks", {"url": "https://ops.example/hook", "events": ["incident.*"]})
    assert made.status_code == 201
    endpoint = made.json()
    secret = endpoint.pop("secret")
    assert secret.startswith("whsec_")
    assert len(secret) == len("whsec_") + 44
    assert made.headers["Location"] == f"/v1/webhooks/{endpoint['id']}"
    read = api.call("GET", f"/v1/webhooks/{endpoint['id']}", token=READER)
    listed = api.call("GET", "/v1/webhooks?limit=100&include=total", token=READER)
    assert secret not in read.text + listed.text
    assert {name: read.json()[name] for name in ("url", "events", "status")} == {
        "url": "https://ops.example/hook",
        "events": ["incident.*"],
        "status": "enabled",
    }
    assert endpoint["id"] in [one["id"] for one in listed.json()["data"]]

    def raw(connection: Connection) -> list[Any]:
        return list(connection.execute(select(webhook_endpoints).where(webhook_endpoints.c.id == endpoint["id"])))

    assert secret.removeprefix("whsec_").encode() not in repr(api.write(raw)).encode()


def test_a_call_under_a_key_answers_the_same_secret_again(api: Api) -> None:
    keyed = {"Idempotency-Key": "webhook"}
    body = {"url": "https://ops.example/hook", "events": ["*"]}
    first, second = (api.call("POST", "/v1/webhooks", body, headers=keyed).json() for _ in range(2))
    assert (first["id"], first["secret"]) == (second["id"], second["secret"])


def test_values_of_headers_are_never_shown(api: Api) -> None:
    made = an_endpoint(api, headers=[{"name": "X-Token", "value": "hunter2"}])
    path = f"/v1/webhooks/{made['id']}"
    assert made["header_names"] == ["X-Token"]
    api.call("POST", "/v1/incidents", {"title": "A"})
    delivery = deliveries(api, made)[0]
    assert delivery["request"]["headers"]["X-Token"] == "***"
    alone = api.call("GET", f"{path}/deliveries/{delivery['id']}")
    assert "hunter2" not in api.call("GET", path).text + alone.text + api.call("GET", "/v1/audit-log", token=ADMIN).text
    assert '"title":"A"' in alone.json()["request"]["body"]
    assert api.call("PATCH", path, {"headers": []}).json()["header_names"] == []


@pytest.mark.parametrize(
    ("members", "code", "param"),
    [
        ({"url": "http://ops.example/hook"}, "scheme_unsupported", "url"),
        ({"url": "http://93.184.216.34/hook"}, "scheme_unsupported", "url"),
        ({"url": "https://127.0.0.1/hook"}, "url_blocked", "url"),
        ({"url": "https://[::ffff:169.254.169.254]/hook"}, "url_blocked", "url"),
        ({"url": "https://u:p@ops.example/hook"}, "parameter_invalid_format", "url"),
        ({"events": ["incident"]}, "parameter_invalid_enum", "events[0]"),
        ({"events": ["incidents.*"]}, "parameter_invalid_enum", "events[0]"),
        ({"events": []}, "parameter_out_of_range", "events"),
        ({"headers": [{"name": "webhook-id", "value": "x"}]}, "parameter_invalid_format", "headers[0].name"),
        ({"headers": [{"name": "X: y", "value": "x"}]}, "parameter_invalid_format", "headers[0].name"),
        ({"headers": [{"name": "X", "value": "x\r\nHost: y"}]}, "parameter_invalid_format", "headers[0].value"),
        ({"filters": {"severity": ["critical"]}}, "unknown_parameter", "filters.severity"),
        ({"filters": {"monitor_ids": ["mon_zzzzzzzz"]}}, "reference_not_found", "filters.monitor_ids[0]"),
        ({"format": "xml"}, "parameter_invalid_enum", "format"),
    ],
)
def test_what_is_wrong_is_named(api: Api, members: dict[str, Any], code: str, param: str) -> None:
    body = {"url": "https://ops.example/hook", "events": ["*"], **members}
    refused = api.call("POST", "/v1/webhooks", body)
    assert refused.status_code == 422
    [detail] = refused.json()["error"]["details"]
    assert (detail["code"], detail["param"]) == (code, param)


@pytest.mark.parametrize("url", ["http://10.1.2.3/hook", "http://hooks.internal:8080/hook"])
def test_plain_http_goes_where_the_operator_says(api: Api, url: str) -> None:
    assert an_endpoint(api, url=url)["url"] == url


def test_what_is_not_sent_stays(api: Api) -> None:
    made = an_endpoint(api, description="ops", filters={"severities": ["critical"]})
    path = f"/v1/webhooks/{made['id']}"
    changed = api.call("PATCH", path, {"events": ["monitor.*"]}).json()
    assert (changed["events"], changed["description"]) == (["monitor.*"], "ops")
    assert changed["filters"]["severities"] == ["critical"]
    assert api.call("PATCH", path, {"filters": {}, "description": None}).json()["filters"]["severities"] == []


def test_an_endpoint_that_is_switched_off_gets_nothing_until_it_is_enabled(api: Api) -> None:
    api.clock.at += 1000  # what other tests have done was before
    made = an_endpoint(api, events=["incident.triggered"])
    path = f"/v1/webhooks/{made['id']}"
    api.call("POST", "/v1/incidents", {"title": "one"})
    off = api.call("PATCH", path, {"enabled": False}).json()
    assert (off["status"], off["disabled_reason"]) == ("disabled", "manual")
    [event] = api.call("GET", "/v1/events?type=endpoint.disabled&limit=1").json()["data"]
    assert event["data"]["pending_deliveries"] == 1
    api.call("POST", "/v1/incidents", {"title": "two"})
    assert [one["status"] for one in deliveries(api, made)] == ["cancelled"]
    assert api.call("POST", f"{path}/test").status_code == 409
    on = api.call("POST", f"{path}/enable", {"replay_missed": True}).json()
    assert (on["status"], on["disabled_reason"]) == ("enabled", None)
    assert [one["redelivery"] for one in deliveries(api, made, "?status=pending")] == [True, True]
    api.call("POST", "/v1/incidents", {"title": "three"})
    assert len(deliveries(api, made, "?status=pending")) == 3


def test_a_rotation_shows_the_new_secret_once_and_says_until_when_the_old_one_signs(api: Api) -> None:
    made = an_endpoint(api)
    rotated = api.call("POST", f"/v1/webhooks/{made['id']}/rotate-secret", {"overlap_seconds": 60}).json()
    assert rotated["secret"] != made["secret"]
    assert rotated["previous_secret_until"] is not None
    ended = api.call("POST", f"/v1/webhooks/{made['id']}/rotate-secret", {"overlap_seconds": 0}).json()
    assert ended["previous_secret_until"] is None


def test_a_filter_may_be_sent_back_with_a_monitor_that_was_deleted_since(api: Api) -> None:
    monitor = api.call("POST", "/v1/monitors", {"name": "Shop", "type": "http", "url": "https://shop.example/"}).json()
    filters = {"monitor_ids": [monitor["id"]]}
    made = an_endpoint(api, filters=filters)
    assert api.call("DELETE", f"/v1/monitors/{monitor['id']}").status_code == 200
    path = f"/v1/webhooks/{made['id']}"
    assert api.call("PATCH", path, {"filters": filters}).json()["filters"]["monitor_ids"] == [monitor["id"]]
    refused = api.call("PATCH", path, {"filters": {"monitor_ids": [monitor["id"], "mon_zzzzzzzz"]}}).json()
    assert [detail["param"] for detail in refused["error"]["details"]] == ["filters.monitor_ids[1]"]


def test_a_type_that_is_none_is_no_empty_list_of_deliveries(api: Api) -> None:
    made = an_endpoint(api)
    refused = api.call("GET", f"/v1/webhooks/{made['id']}/deliveries?event_type=incident.ended")
    assert (refused.status_code, refused.json()["error"]["param"]) == (422, "event_type")
    assert '"incident.triggered"' in refused.json()["message"]


def test_deliveries_are_narrowed_and_sent_again_under_their_event(api: Api) -> None:
    made = an_endpoint(api, events=["incident.triggered"])
    api.call("POST", "/v1/incidents", {"title": "one"})
    [first] = deliveries(api, made)
    assert (first["status"], first["attempt"], first["response"]) == ("pending", 0, None)
    assert deliveries(api, made, "?status=failed") == []
    assert deliveries(api, made, f"?event_id={first['event_id']}&event_type=incident.triggered") == [first]
    again = api.call("POST", f"/v1/webhooks/{made['id']}/deliveries/{first['id']}/redeliver")
    assert again.status_code == 202
    assert (again.json()["event_id"], again.json()["redelivery"]) == (first["event_id"], True)
    named = {"endpoint_ids": [made["id"]]}
    once_more = api.call("POST", f"/v1/events/{first['event_id']}/redeliver", named).json()
    assert [one["endpoint_id"] for one in once_more["deliveries"]] == [made["id"]]
    stats = api.call("GET", f"/v1/webhooks/{made['id']}").json()["stats_24h"]
    assert stats == {"pending": 3, "succeeded": 0, "exhausted": 0, "cancelled": 0}


def test_a_delivery_that_is_being_made_is_not_sent_again(api: Api) -> None:
    made = an_endpoint(api, events=["incident.triggered"])
    api.call("POST", "/v1/incidents", {"title": "one"})
    [first] = deliveries(api, made)
    taken = update(webhook_deliveries).where(webhook_deliveries.c.id == first["id"]).values(lease_owner="one")
    api.write(lambda connection: connection.execute(taken).close())
    refused = api.call("POST", f"/v1/webhooks/{made['id']}/deliveries/{first['id']}/redeliver")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "delivery_in_progress")


def test_a_replay_reaches_over_a_week_at_most(api: Api) -> None:
    made = an_endpoint(api)
    span = {"from": "2026-11-01T00:00:00Z", "to": "2026-11-09T00:00:00Z"}
    refused = api.call("POST", f"/v1/webhooks/{made['id']}/replay", span)
    assert (refused.status_code, refused.json()["error"]["param"]) == (422, "to")


def test_a_deleted_endpoint_is_gone_with_its_deliveries(api: Api) -> None:
    made = an_endpoint(api)
    api.call("POST", "/v1/incidents", {"title": "one"})
    assert api.call("DELETE", f"/v1/webhooks/{made['id']}").json()["deleted"] is True
    assert api.call("GET", f"/v1/webhooks/{made['id']}").status_code == 404
    rows = select(webhook_deliveries.c.id).where(webhook_deliveries.c.endpoint_id == made["id"])
    assert api.write(lambda connection: list(connection.scalars(rows))) == []


def test_changes_stand_in_the_audit_log(api: Api) -> None:
    made = an_endpoint(api)
    api.call("PATCH", f"/v1/webhooks/{made['id']}", {"url": "https://other.example/hook"})
    found = api.call("GET", f"/v1/audit-log?resource={made['id']}", token=ADMIN).json()["data"]
    changes = {entry["action"]: entry["diff"][0]["after"] for entry in found}
    assert changes == {
        "webhook.created": "https://ops.example/hook",
        "webhook.updated": "https://other.example/hook",
    }
