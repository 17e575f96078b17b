"""Integrations by the API: their members, their secrets, what they are told, and what other systems send (D.9)."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from statuspulse.storage import inbound, integrations
from tests.api.server import ADMIN, READER, STRANGER, Api, running

KEY = "0123456789abcdef0123456789abcdef"
SECRET = "pd-webhook-example"
PAGERDUTY: dict[str, Any] = {
    "kind": "pagerduty",
    "routing_key": KEY,
    "rest": {"api_token": "pd-token-example", "from_email": "bot@acme.example"},
    "webhook_secret": SECRET,
    "direction": "both",
}
JIRA: dict[str, Any] = {
    "kind": "jira",
    "base_url": "https://acme.atlassian.net",
    "email": "bot@acme.example",
    "api_token": "jira-token-example",
    "project_key": "OPS",
    "issue_type": "10001",
}
EVENT = {"event": {"id": "01BZ3KQ", "event_type": "pagey.ping", "data": {}}}


@pytest.fixture
def api(sqlite_file: str, tmp_path: Path) -> Iterator[Api]:
    with running(tmp_path, url=sqlite_file) as started:
        yield started


def made(api: Api, body: dict[str, Any], status: int = 201) -> dict[str, Any]:
    answer = api.call("POST", "/v1/integrations", body)
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()
    return found


def path(integration: dict[str, Any]) -> str:
    return f"/v1/integrations/{integration['id']}"


def wrong(answer: requests.Response) -> list[tuple[str, str | None]]:
    assert answer.status_code == 422, answer.text
    return [(detail["code"], detail["param"]) for detail in answer.json()["error"]["details"]]


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    return {"X-PagerDuty-Signature": "v1=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}


def sent(api: Api, integration: dict[str, Any], body: bytes, headers: dict[str, str]) -> requests.Response:
    return api.call("POST", f"{path(integration)}/webhook", raw=body, headers=headers, token=None)


def waiting(api: Api, integration: dict[str, Any]) -> int:
    def read(connection: Any) -> int:
        return len(inbound.due(connection, integration["id"], api.clock(), 100))

    return api.database.read_now(read)


def test_an_integration_shows_its_members_and_of_its_secrets_the_names(api: Api) -> None:
    integration = made(api, PAGERDUTY)
    assert integration["secret_names"] == ["api_token", "routing_key", "webhook_secret"]
    assert integration["rest"] == {"from_email": "bot@acme.example"}
    assert integration["webhook_url"] == f"https://status.acme.example/v1/integrations/{integration['id']}/webhook"
    assert (integration["name"], integration["region"], integration["health"]) == ("PagerDuty", "us", "ok")
    assert integration["secret"] is None
    texts = [api.call("GET", where).text for where in (path(integration), "/v1/integrations")]
    for secret in (KEY, SECRET, "pd-token-example"):
        assert not any(secret in text for text in texts)


def test_jira_has_the_members_of_the_contract_with_their_defaults(api: Api) -> None:
    integration = made(api, JIRA)
    assert integration["transitions"] == {"acknowledged": "indeterminate", "resolved": "done"}
    assert (integration["create_on"], integration["priority_map"]) == (["critical", "error"], {})
    assert (integration["direction"], integration["secret_names"]) == ("push", ["api_token"])


def test_the_secret_of_an_alertmanager_is_ours_and_shown_once(api: Api) -> None:
    integration = made(api, {"kind": "alertmanager", "name": "Cluster A"})
    assert integration["secret"].startswith("amsec_")
    assert integration["secret"] not in api.call("GET", path(integration)).text
    made(api, {"kind": "alertmanager", "name": "Cluster B"})


def test_a_team_has_one_integration_of_a_provider(api: Api) -> None:
    first = made(api, PAGERDUTY)
    assert made(api, PAGERDUTY, 409)["error"]["code"] == "name_taken"
    assert api.call("POST", "/v1/integrations", PAGERDUTY, token=STRANGER).status_code == 201
    api.call("DELETE", path(first))
    made(api, PAGERDUTY)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, [("parameter_missing", "kind")]),
        ({"kind": "opsgenie"}, [("parameter_invalid_enum", "kind")]),
        ({"kind": "pagerduty"}, [("parameter_missing", "routing_key")]),
        ({"kind": "pagerduty", "routing_key": "short"}, [("parameter_invalid_format", "routing_key")]),
        ({**PAGERDUTY, "rest": {"from_email": "a@b"}}, [("parameter_missing", "rest.api_token")]),
        (
            {**PAGERDUTY, "rest": {"api_token": "a\r\nX: y", "from_email": "nobody"}},
            [("parameter_invalid_format", "rest.api_token"), ("parameter_invalid_format", "rest.from_email")],
        ),
        ({**PAGERDUTY, "severity_map": {"critical": "fatal"}}, [("parameter_invalid_enum", "severity_map.critical")]),
        ({**PAGERDUTY, "direction": "pull"}, [("parameter_invalid_enum", "direction")]),
        ({**PAGERDUTY, "base_url": "https://x.example"}, [("unknown_parameter", "base_url")]),
        ({**JIRA, "base_url": "http://acme.atlassian.net"}, [("scheme_unsupported", "base_url")]),
        ({**JIRA, "base_url": "https://127.0.0.1"}, [("url_blocked", "base_url")]),
        ({**JIRA, "project_key": "ops"}, [("parameter_invalid_format", "project_key")]),
        ({"kind": "alertmanager", "secret": "mine"}, [("unknown_parameter", "secret")]),
    ],
)
def test_what_does_not_hold_is_named(api: Api, body: dict[str, Any], expected: list[tuple[str, str | None]]) -> None:
    assert wrong(api.call("POST", "/v1/integrations", body)) == expected


def test_a_change_keeps_what_is_not_sent(api: Api) -> None:
    integration = made(api, PAGERDUTY)
    changed = api.call("PATCH", path(integration), {"name": "Shop", "rest": {"from_email": "ops@acme.example"}}).json()
    assert (changed["name"], changed["rest"]) == ("Shop", {"from_email": "ops@acme.example"})
    assert changed["secret_names"] == ["api_token", "routing_key", "webhook_secret"]
    changed = api.call("PATCH", path(integration), {"rest": None, "webhook_secret": None, "enabled": False}).json()
    assert (changed["secret_names"], changed["health"]) == (["routing_key"], "disabled")
    answer = api.call("PATCH", path(integration), {"rest": {"from_email": "ops@acme.example"}})
    assert wrong(answer) == [("parameter_missing", "rest.api_token")]
    assert wrong(api.call("PATCH", path(integration), {"kind": "jira"})) == [("parameter_immutable", "kind")]
    assert wrong(api.call("PATCH", path(integration), {"routing_key": None})) == [
        ("parameter_invalid_type", "routing_key")
    ]


def test_changes_are_in_the_audit_log_without_secrets(api: Api) -> None:
    integration = made(api, PAGERDUTY)
    other = "f" * 32
    api.call("PATCH", path(integration), {"routing_key": other, "name": "Shop"})
    api.call("DELETE", path(integration))
    answer = api.call("GET", f"/v1/audit-log?resource={integration['id']}", token=ADMIN)
    assert {entry["action"] for entry in answer.json()["data"]} == {
        "integration.created",
        "integration.updated",
        "integration.deleted",
    }
    assert other not in answer.text
    assert KEY not in answer.text


def test_no_secret_is_readable_in_the_database(api: Api) -> None:
    made(api, PAGERDUTY)
    made(api, JIRA)
    secret = made(api, {"kind": "alertmanager"})["secret"]
    with api.database.engines.reader.connect() as connection:
        dump = "\n".join(
            str(row)
            for table in ("integrations", "audit_entries", "events", "idempotency_records", "sync_log")
            for row in connection.exec_driver_sql(f"SELECT * FROM {table}")
        )
    for text in (KEY, SECRET, "pd-token-example", "jira-token-example", secret):
        assert text not in dump


def test_reading_needs_the_scope_and_writing_the_other(api: Api) -> None:
    integration = made(api, PAGERDUTY)
    assert api.call("GET", path(integration), token=READER).status_code == 200
    assert api.call("GET", f"{path(integration)}/sync-log", token=READER).status_code == 200
    for method, where in (("PATCH", ""), ("DELETE", ""), ("POST", "/test")):
        body: dict[str, Any] | None = {} if method == "PATCH" else None
        assert api.call(method, path(integration) + where, body, token=READER).status_code == 403
    assert api.call("GET", path(integration), token=STRANGER).status_code == 404


def test_a_webhook_is_acknowledged_at_once_and_waits_to_be_worked_off(api: Api) -> None:
    integration = made(api, PAGERDUTY)
    body = json.dumps(EVENT).encode()
    begun = time.monotonic()
    answer = sent(api, integration, body, signed(body))
    assert (answer.status_code, answer.json()["object"]) == (202, "ack")
    assert time.monotonic() - begun < 3
    assert waiting(api, integration) == 1
    assert sent(api, integration, body, signed(body)).status_code == 202  # a copy
    assert waiting(api, integration) == 1
    shown = api.call("GET", path(integration)).json()
    assert shown["last_received_at"] is not None


def test_everything_authentic_is_acknowledged_even_what_cannot_be_read(api: Api) -> None:
    integration = made(api, PAGERDUTY)
    for body in (b"", b"{", b"[]", b'{"event": {"id": 7}}', b'{"a": 1, "a": 2}', b"\xff" * 10):
        assert sent(api, integration, body, signed(body)).status_code == 202
    api.call("PATCH", path(integration), {"enabled": False})
    assert sent(api, integration, b"{}", signed(b"{}")).status_code == 202


def test_a_bad_signature_is_refused_like_an_integration_that_is_not_there(api: Api) -> None:
    integration = made(api, PAGERDUTY)
    body = json.dumps(EVENT).encode()
    answers = [
        sent(api, integration, body, {}),
        sent(api, integration, body, signed(body, "another")),
        sent(api, integration, body + b" ", signed(body)),
        sent(api, {"id": "int_zzzzzzzz"}, body, signed(body)),
        sent(api, {"id": "nonsense"}, body, signed(body)),
    ]
    assert [answer.status_code for answer in answers] == [401] * 5
    assert {answer.json()["message"] for answer in answers} == {"The signature or the secret is missing or wrong."}
    assert waiting(api, integration) == 0
    without = api.call("PATCH", path(integration), {"webhook_secret": None}).json()
    assert sent(api, without, body, signed(body)).status_code == 401


def test_a_signature_of_either_secret_will_do_while_they_are_exchanged(api: Api) -> None:
    integration = made(api, PAGERDUTY)
    body = json.dumps(EVENT).encode()
    both = ",".join(signed(body, one)["X-PagerDuty-Signature"] for one in ("former", SECRET))
    assert sent(api, integration, body, {"X-PagerDuty-Signature": both}).status_code == 202


def test_a_message_may_have_a_mebibyte_and_no_more(api: Api) -> None:
    integration = made(api, PAGERDUTY)
    body = b" " * (1 << 20)
    assert sent(api, integration, body, signed(body)).status_code == 202
    assert sent(api, integration, body + b" ", signed(body + b" ")).status_code == 413


def test_senders_that_prove_themselves_are_not_held_back_as_strangers(api: Api) -> None:
    integration = made(api, PAGERDUTY)
    for number in range(80):
        body = json.dumps({"event": {"id": str(number)}}).encode()
        assert sent(api, integration, body, signed(body)).status_code == 202


def test_the_vector_of_atlassian_is_authentic_for_jira(api: Api) -> None:
    integration = made(api, {**JIRA, "webhook_secret": "It's a Secret to Everybody"})
    given = "sha256=a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9"
    assert sent(api, integration, b"Hello World!", {"X-Hub-Signature": given}).status_code == 202
    assert sent(api, integration, b"Hello World?", {"X-Hub-Signature": given}).status_code == 401
    assert sent(api, integration, b"Hello World!", {"X-Hub-Signature": f"md5={'0' * 32}"}).status_code == 401


def test_an_alertmanager_reports_by_its_secret_and_is_told_of_a_template(api: Api) -> None:
    integration = made(api, {"kind": "alertmanager"})
    headers = {"Authorization": f"Bearer {integration['secret']}", "Content-Type": "application/json"}
    body = json.dumps({"version": "4", "alerts": []}).encode()
    assert sent(api, integration, body, headers).status_code == 202
    assert sent(api, integration, body, {"Authorization": "Bearer amsec_other"}).status_code == 401
    answer = sent(api, integration, b'{"text": "templated"}', headers)
    assert wrong(answer) == [("parameter_invalid_format", None)]
    log = api.call("GET", f"{path(integration)}/sync-log").json()["data"]
    assert [(entry["direction"], entry["outcome"]) for entry in log] == [("in", "unreadable")]
    assert log[0]["error"].startswith('"alerts" is no array')


def test_prometheus_takes_us_for_an_alertmanager(api: Api) -> None:
    integration = made(api, {"kind": "alertmanager"})
    body = json.dumps([{"labels": {"alertname": "Down"}}]).encode()

    def posted(secret: str, raw: bytes = body) -> requests.Response:
        return requests.post(
            f"{api.url}/api/v2/alerts", data=raw, headers={"Authorization": f"Bearer {secret}"}, timeout=30
        )

    assert (posted(integration["secret"]).status_code, posted(integration["secret"]).text) == (200, "")
    assert waiting(api, integration) == 2
    assert posted("amsec_other").status_code == 401
    assert posted(integration["secret"], b"{}").status_code == 400
    assert posted(integration["secret"], b" " * (1 << 20) + b" ").status_code == 413
    assert requests.post(f"{api.url}/api/v2/alerts", data=body, timeout=30).status_code == 401


def test_the_secret_of_a_sender_of_alerts_is_rotated_with_an_overlap(api: Api) -> None:
    integration = made(api, {"kind": "alertmanager"})
    secrets = [integration["secret"]]

    def rotate(seconds: int) -> dict[str, Any]:
        rotated: dict[str, Any] = api.call(
            "POST", f"{path(integration)}/rotate-secret", {"overlap_seconds": seconds}
        ).json()
        secrets.append(rotated["secret"])
        return rotated

    def good() -> list[bool]:
        """Of each secret, by both of the ways in."""
        statuses = [
            [
                api.call("POST", url, [], token=None, headers={"Authorization": f"Bearer {secret}"}).status_code
                == status
                for url, status in ((f"{path(integration)}/webhook", 422), ("/api/v2/alerts", 200))
            ]
            for secret in secrets
        ]
        assert all(len(set(both)) == 1 for both in statuses)
        return [both[0] for both in statuses]

    rotated = rotate(60)
    assert rotated["previous_secret_until"] is not None
    assert rotated["secret_names"] == ["secret"]
    assert good() == [True, True]
    assert api.call("PATCH", path(integration), {"name": "Cluster B"}).json()["previous_secret_until"] is not None
    assert good() == [True, True]
    rotate(60)
    assert good() == [False, True, True]
    api.clock.at += 60_000
    assert good() == [False, False, True]
    assert api.call("GET", path(integration)).json()["previous_secret_until"] is None
    assert rotate(0)["previous_secret_until"] is None
    assert good() == [False, False, False, True]
    pagerduty = made(api, PAGERDUTY)
    assert api.call("POST", f"{path(pagerduty)}/rotate-secret").status_code == 409


def test_a_try_out_of_a_sender_of_alerts_tells_whether_it_has_sent_anything(api: Api) -> None:
    integration = made(api, {"kind": "alertmanager"})
    before = api.call("POST", f"{path(integration)}/test").json()
    assert (before["ok"], before["error_class"]) == (False, "nothing_received")
    api.write(lambda connection: integrations.note_received(connection, integration["id"], api.clock()))
    assert api.call("POST", f"{path(integration)}/test").json()["ok"] is True


def test_a_disabled_integration_is_not_tried_out(api: Api) -> None:
    integration = made(api, {**PAGERDUTY, "enabled": False})
    answer = api.call("POST", f"{path(integration)}/test")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "resource_in_use")


def test_an_incident_shows_how_it_stands_there(api: Api) -> None:
    made(api, PAGERDUTY)
    incident = api.call("POST", "/v1/incidents", {"title": "Down"}).json()
    assert [(one["provider"], one["status"], one["external_id"]) for one in incident["sync"]] == [
        ("pagerduty", "pending", None)
    ]
    linked = api.call("POST", "/v1/incidents", {"title": "x", "external_ids": {"pagerduty": "Q2F9K1", "jira": "A-1"}})
    assert [(one["provider"], one["status"], one["external_id"]) for one in linked.json()["sync"]] == [
        ("pagerduty", "synced", "Q2F9K1"),
        ("jira", "not_configured", "A-1"),
    ]
    assert [warning["param"] for warning in linked.json()["warnings"]] == ["external_ids.jira"]
    acknowledged = api.call(
        "POST", "/v1/incidents", {"incident_id": linked.json()["id"], "state": "acknowledged"}
    ).json()
    assert acknowledged["sync"][0]["status"] == "pending"
    listed = api.call("GET", "/v1/incidents").json()["data"]
    assert {one["sync"][0]["status"] for one in listed} == {"pending"}


def test_what_integrations_are_owed_is_no_notification(api: Api) -> None:
    made(api, PAGERDUTY)
    incident = api.call("POST", "/v1/incidents", {"title": "Down"}).json()
    api.call("POST", "/v1/incidents", {"incident_id": incident["id"], "state": "resolved"})
    assert api.call("GET", f"/v1/notifications?incident_id={incident['id']}").json()["data"] == []


def test_a_resync_answers_what_is_tried_again(api: Api) -> None:
    made(api, PAGERDUTY)
    incident = api.call("POST", "/v1/incidents", {"title": "Down"}).json()
    answer = api.call("POST", f"/v1/incidents/{incident['id']}/sync")
    assert (answer.status_code, answer.json()["object"], answer.json()["count"]) == (202, "incident_sync", 0)
    assert api.call("POST", "/v1/incidents/inc_zzzzzzzz/sync").status_code == 404


def test_an_integration_that_is_deleted_takes_its_log_along(api: Api) -> None:
    integration = made(api, PAGERDUTY)
    incident = api.call("POST", "/v1/incidents", {"title": "Down"}).json()
    body = json.dumps(EVENT).encode()
    sent(api, integration, body, signed(body))
    assert api.call("DELETE", path(integration)).json()["deleted"] is True
    assert api.call("GET", path(integration)).status_code == 404
    assert api.call("GET", f"/v1/incidents/{incident['id']}").json()["sync"] == []
