"""Monitors of type heartbeat by request, and the URL that jobs call."""

from __future__ import annotations

import socket
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from statuspulse.domain.times import SECOND, to_text
from tests.api.server import ADMIN, PUBLIC_URL, READER, STRANGER, Api


def created(api: Api, **members: Any) -> dict[str, Any]:
    body = {"name": "Backup", "type": "heartbeat", **members}
    if "cron" not in members:
        body.setdefault("period_seconds", 60)
    answer = api.call("POST", "/v1/monitors", body)
    assert answer.status_code == 201, answer.text
    document: dict[str, Any] = answer.json()
    return document


def path_of(document: dict[str, Any]) -> str:
    """Where the job calls, on the server of the test."""
    url: str = document["ping_url"]
    assert url.startswith(f"{PUBLIC_URL}/ping/")
    return url.removeprefix(PUBLIC_URL)


def ping(api: Api, path: str, method: str = "GET", **members: Any) -> requests.Response:
    return requests.request(method, api.url + path, timeout=10, **members)


def status(api: Api, document: dict[str, Any]) -> dict[str, Any]:
    answer = api.call("GET", f"/v1/status/{document['id']}")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def results(api: Api, document: dict[str, Any]) -> list[dict[str, Any]]:
    before, api.clock.at = api.clock.at, api.clock.at + SECOND
    listed = api.call("GET", f"/v1/monitors/{document['id']}/results").json()
    api.clock.at = before
    data: list[dict[str, Any]] = listed["data"]
    return data


def test_the_least_that_a_heartbeat_needs_is_filled_up(api: Api) -> None:
    document = created(api)
    assert document["message"] == 'Monitor "Backup" created; it waits for the first call of its ping_url.'
    shown = ("period_seconds", "cron", "timezone", "grace_seconds", "regions", "failure_threshold", "target")
    assert [document[name] for name in shown] == [60, None, None, 300, [], 1, "a ping every 60 s"]
    assert [document[name] for name in ("state", "last_probe_at", "next_probe_at")] == ["pending", None, None]
    assert "interval_seconds" not in document
    assert "timeout_ms" not in document


def test_a_cron_line_has_a_time_zone(api: Api) -> None:
    document = created(api, cron="0 2 * * *", grace_seconds=60)
    assert (document["timezone"], document["target"]) == ("UTC", "a ping at 0 2 * * * (UTC)")
    document = created(api, cron="0 2 * * *", timezone="Europe/Berlin")
    ping(api, path_of(document))
    assert status(api, document)["heartbeat"]["expected_at"] == "2026-11-24T01:00:00.000Z"


@pytest.mark.parametrize(
    ("members", "code", "param", "told"),
    [
        ({}, "parameter_missing", "period_seconds", "is required, or cron"),
        ({"period_seconds": 60, "cron": "0 2 * * *"}, "parameter_conflict", "period_seconds", "exclude each other"),
        ({"period_seconds": 9}, "parameter_out_of_range", "period_seconds", "must be between 10 and 31622400"),
        ({"period_seconds": 60, "grace_seconds": 0}, "parameter_out_of_range", "grace_seconds", "at least 1"),
        ({"period_seconds": 60, "timezone": "UTC"}, "parameter_conflict", "timezone", "belongs to cron"),
        ({"cron": "0 2 * * *", "timezone": "Mars/Olympus"}, "timezone_unknown", "timezone", "is no IANA time zone"),
        ({"cron": "0 2 * * *", "timezone": "../UTC"}, "timezone_unknown", "timezone", "is no IANA time zone"),
        ({"cron": "0 25 * * *"}, "parameter_invalid_format", "cron", "cannot be read: bad hour"),
        ({"cron": "0 0 30 2 *"}, "parameter_invalid_format", "cron", "cannot be read: bad day-of-month"),
        ({"period_seconds": 60, "url": "https://a.example"}, "unknown_parameter", "url", "is not known here"),
        (
            {"period_seconds": 60, "interval_seconds": 60},
            "unknown_parameter",
            "interval_seconds",
            '"period_seconds" is meant',
        ),
        ({"cron": "@daily"}, "parameter_invalid_format", "cron", "needs five fields"),
        ({"period_seconds": 60, "regions": ["local"]}, "parameter_out_of_range", "regions", "does not belong"),
        ({"period_seconds": 60, "failure_threshold": 2}, "parameter_out_of_range", "failure_threshold", "always 1"),
        ({"period_seconds": 60, "ping_url": "x"}, "unknown_parameter", "ping_url", "is not known here"),
    ],
)
def test_what_makes_no_heartbeat_is_refused_with_the_cure(
    api: Api, members: dict[str, Any], code: str, param: str, told: str
) -> None:
    answer = api.call("POST", "/v1/monitors", {"name": "Backup", "type": "heartbeat", **members})
    assert answer.status_code == 422
    detail = answer.json()["error"]["details"][0]
    assert (detail["code"], detail["param"]) == (code, param)
    assert told in detail["message"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT"])
def test_every_method_that_jobs_have_is_a_ping(api: Api, method: str) -> None:
    document = created(api)
    answer = ping(api, path_of(document), method)
    assert (answer.status_code, answer.text) == (200, "" if method == "HEAD" else "OK\n")
    assert answer.headers["Content-Type"].startswith("text/plain")
    shown = status(api, document)
    assert shown["state"] == "up"
    assert shown["last_probe_at"] == to_text(api.clock.at)
    assert shown["next_probe_at"] == shown["heartbeat"]["expected_at"] == to_text(api.clock.at + 60 * SECOND)
    assert shown["heartbeat"]["due_at"] == to_text(api.clock.at + 360 * SECOND)
    assert (shown["regions"], shown["interval_seconds"], shown["failing_regions"]) == ([], 60, [])


def explained(api: Api, document: dict[str, Any]) -> dict[str, Any]:
    answer = api.call("GET", f"/v1/monitors/{document['id']}/explain")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    assert found["message"] == found["sentences"][0]
    assert (found["rules"], found["quorum"], found["regions"]) == (None, None, [])
    assert found["heartbeat"] == status(api, document)["heartbeat"]
    return found


def test_a_heartbeat_is_explained_by_its_pings(api: Api) -> None:
    document = created(api)
    waiting = explained(api, document)
    assert waiting["sentences"][:2] == [
        "Backup waits for its first ping.",
        "It owes a ping every 60 s and may be 300 s late.",
    ]
    assert waiting["next_decision"] == {"unknown_at": None, "changes": []}
    ping(api, path_of(document))
    up = explained(api, document)
    due = to_text(api.clock.at + 360 * SECOND)
    [change] = up["next_decision"]["changes"]
    assert change == {
        "state": "down",
        "needed": [],
        "scheduled_at": due,
        "sentence": f"It goes down unless a ping comes by {due}.",
    }
    assert change["sentence"] in up["sentences"]
    assert any(f"Its last ping came at {to_text(api.clock.at)}" in sentence for sentence in up["sentences"])
    ping(api, f"{path_of(document)}/start")
    running = explained(api, document)
    assert any(f"a run is open since {to_text(api.clock.at)}" in sentence for sentence in running["sentences"])
    assert "unless the run ends by" in running["next_decision"]["changes"][0]["sentence"]


def test_a_failed_a_forgotten_and_a_paused_heartbeat_are_explained_too(api: Api) -> None:
    document = created(api)
    ping(api, f"{path_of(document)}/fail")
    failed = explained(api, document)
    assert (failed["state"], failed["next_decision"]["changes"]) == ("down", [])
    assert "It becomes up with its next ping that tells of a success." in failed["sentences"]
    assert any(sentence.startswith("Incident inc_") for sentence in failed["sentences"])
    ping(api, path_of(document))
    before, api.clock.at = api.clock.at, api.clock.at + 3600 * SECOND
    forgotten = explained(api, document)
    api.clock.at = before
    assert (forgotten["state"], forgotten["stale"], forgotten["next_decision"]["changes"]) == ("unknown", True, [])
    api.call("POST", f"/v1/monitors/{document['id']}/pause")
    paused = explained(api, document)
    assert (paused["state"], len(paused["sentences"])) == ("paused", 2)


def test_another_method_is_refused(api: Api) -> None:
    answer = ping(api, path_of(created(api)), "DELETE")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD, POST, PUT")


def test_a_run_tells_how_long_it_took(api: Api) -> None:
    document = created(api)
    path = path_of(document)
    assert ping(api, f"{path}/start", "POST").text == "OK\n"
    shown = status(api, document)
    assert (shown["state"], shown["heartbeat"]["running_since"]) == ("pending", to_text(api.clock.at))
    api.clock.at += 90 * SECOND
    ping(api, path)
    assert results(api, document)[0]["latency_ms"] == 90_000.0
    api.clock.at += 1
    assert status(api, document)["metrics"]["p95_latency_ms"] == 90_000.0
    etag = api.call("GET", f"/v1/status/{document['id']}").headers["ETag"]
    ping(api, f"{path}/start")
    again = api.call("GET", f"/v1/status/{document['id']}", headers={"If-None-Match": etag})
    assert again.json()["message"].startswith(f"Backup is up and running since {to_text(api.clock.at)}")


@pytest.mark.parametrize(
    ("signal", "detail", "evidence"),
    [
        ("/fail", "the job told that it failed", None),
        ("/1", "the job ended with exit code 1", {"exit_code": 1}),
        ("/255", "the job ended with exit code 255", {"exit_code": 255}),
    ],
)
def test_a_failure_that_the_job_tells_is_down_at_once(
    api: Api, signal: str, detail: str, evidence: dict[str, Any] | None
) -> None:
    document = created(api)
    assert ping(api, path_of(document) + signal).text == "OK\n"
    shown = status(api, document)
    assert shown["state"] == "down"
    assert shown["message"].startswith(f"Backup is down: {detail}")
    assert shown["heartbeat"]["failure"] == {"class": "heartbeat_failed", "detail": detail}
    assert shown["active_incident"]["title"] == "Backup is down"
    [found] = results(api, document)
    assert (found["ok"], found["region"], found["probe_id"], found["evidence"]) == (False, "inbound", None, evidence)


def test_exit_code_0_is_a_success(api: Api) -> None:
    document = created(api)
    ping(api, path_of(document) + "/0")
    assert status(api, document)["state"] == "up"


def test_what_a_job_says_of_its_failure_is_kept_without_its_key(api: Api) -> None:
    document = created(api)
    path = path_of(document)
    said = f"curl {document['ping_url']}\ndisk full\0"
    ping(api, f"{path}/2", "POST", data=said.encode())
    key = path.rpartition("/")[2]
    [found] = results(api, document)
    expected = f"curl {PUBLIC_URL}/ping/***\ndisk full\N{REPLACEMENT CHARACTER}"
    assert found["evidence"] == {"exit_code": 2, "body": expected}
    assert key not in str(found)
    assert api.call("GET", f"/v1/monitors/{document['id']}/results", token=STRANGER).status_code == 404


def test_a_long_report_is_cut_and_a_success_says_nothing(api: Api) -> None:
    document = created(api)
    ping(api, path_of(document), "POST", data=b"all is well")
    ping(api, path_of(document) + "/fail", "POST", data=b"x" * 3_000_000)
    newest, oldest = results(api, document)
    assert oldest["evidence"] is None
    assert newest["evidence"] == {"body": "x" * 10_000}


def test_a_report_that_stops_half_way_is_heard_all_the_same(api: Api) -> None:
    document = created(api)
    url = urlsplit(api.url)
    with socket.create_connection((url.hostname, url.port), timeout=20) as line:
        head = f"POST {path_of(document)}/fail HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf"
        line.sendall(head.encode())
        assert line.recv(1000).startswith(b"HTTP/1.1 200")
    assert results(api, document)[0]["evidence"] == {"body": "half"}


@pytest.mark.parametrize(
    "path",
    [
        "/ping/AAAAAAAAAAAAAAAAAAAAAA",
        "/ping/x",
        "/ping/%00%ff",
        "/ping/" + "k" * 5000,
        "/ping/AAAAAAAAAAAAAAAAAAAAAA/start",
        "/ping/AAAAAAAAAAAAAAAAAAAAAA/256",
        "/ping/AAAAAAAAAAAAAAAAAAAAAA/else",
    ],
)
def test_a_key_that_nobody_has_and_one_that_nobody_could_have_are_answered_alike(api: Api, path: str) -> None:
    answer = ping(api, path)
    assert (answer.status_code, answer.text) == (404, "not found\n")


@pytest.mark.parametrize("signal", ["/256", "/-1", "/01234", "/else", "/²"])
def test_a_signal_that_means_nothing_counts_for_nothing(api: Api, signal: str) -> None:
    document = created(api)
    answer = ping(api, path_of(document) + signal)
    assert (answer.status_code, answer.text) == (404, "not found\n")
    assert status(api, document)["state"] == "pending"


def test_a_flood_of_one_key_is_held_back_and_harms_no_other(api: Api) -> None:
    flooded, calm = created(api), created(api)
    path = path_of(flooded)
    answers = [ping(api, path) for _ in range(61)]
    assert {answer.status_code for answer in answers[:60]} == {200}
    assert (answers[60].status_code, answers[60].headers["Retry-After"]) == (429, "1")
    assert answers[60].text == "too many pings\n"
    assert ping(api, path_of(calm)).status_code == 200
    api.clock.at += SECOND
    assert ping(api, path).status_code == 200


def test_a_paused_heartbeat_takes_pings_and_says_that_they_count_for_nothing(api: Api) -> None:
    document = created(api)
    api.call("POST", f"/v1/monitors/{document['id']}/pause")
    answer = ping(api, path_of(document))
    assert (answer.status_code, answer.text) == (
        200,
        "OK, but the monitor is paused: this ping counts for nothing\n",
    )
    shown = status(api, document)
    assert (shown["state"], shown["last_probe_at"]) == ("paused", None)
    assert shown["message"].startswith("Backup is paused; its pings count for nothing")
    api.call("POST", f"/v1/monitors/{document['id']}/resume")
    assert status(api, document)["message"].startswith("Backup waits for its first ping")


def test_a_deadline_that_nobody_decided_on_is_shown_as_unknown(api: Api) -> None:
    document = created(api, grace_seconds=10)
    ping(api, path_of(document))
    due_at = api.clock.at + 70 * SECOND
    api.clock.at = due_at + 14 * SECOND
    shown = status(api, document)
    assert (shown["state"], shown["stale"], shown["state_since"]) == ("unknown", True, to_text(due_at))
    told = f"Backup is unknown since {to_text(due_at)}: its ping may have come while nobody listened"
    assert shown["message"].startswith(told)
    ping(api, path_of(document))
    assert status(api, document)["state"] == "up"


def test_another_key_ends_the_old_one_at_once(api: Api) -> None:
    document = created(api)
    old = path_of(document)
    assert ping(api, old).status_code == 200
    answer = api.call("POST", f"/v1/monitors/{document['id']}/rotate-ping-key")
    rotated = answer.json()
    assert answer.status_code == 200
    assert rotated["message"] == 'Monitor "Backup" has another ping_url; the old one has ended.'
    assert rotated["config_version"] == 1
    assert path_of(rotated) != old
    assert ping(api, old).status_code == 404
    assert ping(api, path_of(rotated)).status_code == 200
    for token, code in ((READER, 403), (STRANGER, 404)):
        refused = api.call("POST", f"/v1/monitors/{document['id']}/rotate-ping-key", token=token)
        assert refused.status_code == code


def test_the_key_is_shown_to_those_alone_who_may_change_the_monitor(api: Api) -> None:
    document = created(api)
    paths = (f"/v1/monitors/{document['id']}", f"/v1/monitors/{document['id']}/config")
    for path in paths:
        assert api.call("GET", path, token=ADMIN).json()["ping_url"] == document["ping_url"]
        assert api.call("GET", path, token=READER).json()["ping_url"] == f"{PUBLIC_URL}/ping/***"
    listed = api.call("GET", "/v1/monitors?type=heartbeat", token=READER).json()["data"]
    assert {one["ping_url"] for one in listed} == {f"{PUBLIC_URL}/ping/***"}
    key = path_of(document).rpartition("/")[2]
    ping(api, path_of(document))
    told = [api.call("GET", path, token=READER).text for path in ("/v1/status", "/v1/monitors", "/v1/incidents")]
    told.append(api.call("GET", f"/v1/status/{document['id']}").text)
    assert key not in "".join(told)


def test_a_configuration_that_is_read_can_be_put_back(api: Api) -> None:
    document = created(api, cron="0 2 * * *")
    path = f"/v1/monitors/{document['id']}/config"
    config = api.call("GET", path).json()
    assert api.call("PUT", path, config).json()["changed"] == []
    changed = api.call("PUT", path, {"period_seconds": 120}).json()
    assert changed["changed"] == ["/period_seconds", "/cron", "/timezone"]
    assert (changed["target"], changed["ping_url"]) == ("a ping every 120 s", document["ping_url"])
    patched = api.call("PATCH", path, {"grace_seconds": 10, "tags": ["nightly"]}).json()
    assert patched["changed"] == ["/grace_seconds", "/tags"]
    assert api.call("PATCH", path, {"type": "http"}).status_code == 422
    assert api.call("PUT", f"{path}?dry_run=true", {"cron": "* * * * *"}).json()["timezone"] == "UTC"
    zoned = {"cron": "* * * * *", "timezone": "Asia/Tokyo"}
    assert api.call("PUT", path, zoned).json()["changed"] == ["/period_seconds", "/cron", "/timezone"]
    assert api.call("PUT", path, {"timezone": None}).json()["timezone"] == "UTC"


def test_a_floor_that_was_raised_leaves_a_shorter_period_as_it_is(api: Api) -> None:
    document = created(api, period_seconds=10)
    answer = api.call("PATCH", f"/v1/monitors/{document['id']}", {"period_seconds": 9})
    assert answer.json()["error"]["details"][0]["limit"] == 10


def test_an_interval_belongs_to_what_is_checked(api: Api) -> None:
    document = created(api)
    answer = api.call("PATCH", f"/v1/monitors/{document['id']}/config", {"interval_seconds": 10})
    assert answer.status_code == 422
    assert answer.json()["error"]["details"][0]["param"] == "interval_seconds"


def test_a_heartbeat_cannot_be_asked(api: Api) -> None:
    document = created(api)
    for path, body in (
        (f"/v1/monitors/{document['id']}/check", None),
        ("/v1/monitors/test", {"name": "Backup", "type": "heartbeat", "period_seconds": 60}),
    ):
        answer = api.call("POST", path, body)
        assert answer.status_code == 422
        detail = answer.json()["error"]["details"][0]
        assert (detail["code"], detail["param"]) == ("parameter_conflict", "type")
        assert "cannot be asked" in detail["message"]


def test_what_is_checked_has_no_ping_key(api: Api, body: dict[str, Any]) -> None:
    document = api.call("POST", "/v1/monitors", body).json()
    assert "ping_url" not in document
    answer = api.call("POST", f"/v1/monitors/{document['id']}/rotate-ping-key")
    assert (answer.status_code, answer.json()["message"]) == (422, "type is http: only a heartbeat has a ping key.")


def test_the_place_of_pings_is_no_region_of_checks(api: Api, body: dict[str, Any]) -> None:
    created(api)
    answer = api.call("POST", "/v1/monitors", {**body, "regions": ["inbound"]})
    assert answer.status_code == 422
    answer = api.call("POST", "/v1/monitors", {**body, "regions": ["nowhere"]})
    assert "inbound" not in answer.json()["error"]["details"][0]["known"]


def test_lists_find_heartbeats_beside_the_others(api: Api, body: dict[str, Any]) -> None:
    document = created(api, tags=["nightly-list"])
    api.call("POST", "/v1/monitors", {**body, "tags": ["nightly-list"]})
    listed = api.call("GET", "/v1/status?tag=nightly-list").json()["data"]
    assert sorted(one["type"] for one in listed) == ["heartbeat", "http"]
    only = api.call("GET", "/v1/monitors?tag=nightly-list&type=heartbeat").json()["data"]
    assert [one["id"] for one in only] == [document["id"]]
    assert api.call("GET", "/v1/monitors?tag=nightly-list&region=local").json()["data"][0]["type"] == "http"


def test_a_deleted_heartbeat_answers_no_ping(api: Api) -> None:
    document = created(api)
    api.call("DELETE", f"/v1/monitors/{document['id']}")
    assert ping(api, path_of(document)).status_code == 404


def test_probes_get_no_heartbeats(api: Api) -> None:
    document = created(api)
    answer = api.call("GET", "/v1/agent/assignments", token=api.probe_key)
    assert document["id"] not in answer.text


def test_pings_are_counted_without_their_keys(api: Api) -> None:
    document = created(api)
    ping(api, path_of(document))
    ping(api, "/ping/unknown")
    text = api.app.state.services.parts.metrics.text()
    assert 'statuspulse_pings_total{outcome="counted"}' in text
    assert 'statuspulse_pings_total{outcome="unknown"}' in text
    assert path_of(document).rpartition("/")[2] not in text
