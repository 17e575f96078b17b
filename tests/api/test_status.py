"""The status of monitors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from statuspulse.domain.actor import SYSTEM
from statuspulse.domain.failure import Failure, FailureClass
from statuspulse.domain.health import Health, Position, Standing, State
from statuspulse.domain.incident import IncidentState
from statuspulse.domain.monitor import Severity
from statuspulse.domain.result import Observation, Result, ResultKind
from statuspulse.domain.times import DAY, HOUR, SECOND, from_text, to_text
from statuspulse.engine import rollups
from statuspulse.storage import incidents, monitors, probes, results, states
from statuspulse.storage.incidents import Incident
from statuspulse.storage.monitors import Monitor
from statuspulse.storage.results import Placed
from statuspulse.storage.schema import monitors as monitor_rows
from tests.api.server import ADMIN, NOW, READER, STRANGER, Api, running

REFUSED = Failure(FailureClass.CONNECT_REFUSED, "connection refused by 192.0.2.1:443")


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Api]:
    """An API whose clock a test may move."""
    with running(tmp_path) as started:
        yield started


def a_monitor(api: Api, **members: Any) -> Monitor:
    """A monitor that was created a week ago and has been up since, watched from `local` and `eu-west`."""

    def regions(connection: Connection) -> None:
        probes.ensure_region(connection, "eu-west", "Frankfurt", NOW)

    api.write(regions)
    body = {
        "name": "Checkout Service Gateway",
        "type": "http",
        "url": "https://api.acmecorp.com/v2/health",
        "interval_seconds": 30,
        "regions": ["local", "eu-west"],
        **members,
    }
    created = api.call("POST", "/v1/monitors", body)
    assert created.status_code == 201, created.text
    found: Monitor = api.write(lambda connection: _age(connection, created.json()["team_id"], created.json()["id"]))
    return found


def _age(connection: Connection, team_id: str, monitor_id: str) -> Monitor:
    monitor = monitors.get(connection, team_id, monitor_id)
    assert monitor is not None
    born = NOW - 7 * DAY
    connection.execute(monitor_rows.update().where(monitor_rows.c.key == monitor.key).values(created_at=born))
    if not monitor.paused:
        enter(connection, monitor, Health.UP, born)
    return replace(monitor, created_at=born)


def enter(connection: Connection, monitor: Monitor, health: Health, since: int) -> None:
    """The state from the instant on."""
    before = states.state_of(connection, monitor.key)
    after = replace(before, health=health, state=State(health.value), since=since, seq=before.seq + 1, votes_from=since)
    states.save_state(connection, monitor.key, after)
    states.cut_intervals(connection, monitor.key, since, after.state)


def see(api: Api, monitor: Monitor, at: int, failure: Failure | None = None, *, region: str = "local") -> None:
    """A result whose slot is `at`; the check took 182.4 ms."""

    def store(connection: Connection) -> None:
        key = {"local": 1, "eu-west": probes.ensure_region(connection, "eu-west", "Frankfurt", NOW)}[region]
        result = Result(
            monitor_id=monitor.id,
            region=region,
            scheduled_at=at,
            kind=ResultKind.SCHEDULED,
            round=0,
            lag_us=0,
            observed_at=at + 182,
            attempt=1,
            config_version=1,
            observation=Observation(failure=failure, latency_us=182_400),
        )
        placed = [Placed(monitor.key, key, 1, result)]
        results.insert(connection, placed)
        rollups.touch(connection, placed)
        position = Position.FAILING if failure else Position.PASSING
        states.save_standings(connection, {(monitor.key, key): Standing(position=position)})

    api.write(store)


def test_a_healthy_monitor_shows_every_member_of_the_contract(api: Api) -> None:
    monitor = a_monitor(api)
    for region, age in (("local", 20 * SECOND), ("eu-west", 10 * SECOND)):
        see(api, monitor, NOW - age, region=region)
    answer = api.call("GET", f"/v1/status/{monitor.id}", token=READER)
    document = answer.json()
    assert answer.status_code == 200
    assert document["message"] == "Checkout Service Gateway is up; p95 182.4 ms, 100 % over 24h."
    assert {name: document[name] for name in document if name not in {"request_id", "metrics", "next_probe_at"}} == {
        "object": "status",
        "message": document["message"],
        "warnings": [],
        "monitor_id": monitor.id,
        "name": "Checkout Service Gateway",
        "type": "http",
        "target": "https://api.acmecorp.com/v2/health",
        "state": "up",
        "health": "up",
        "state_since": to_text(NOW - 7 * DAY),
        "state_seq": 1,
        "stale": False,
        "failing_regions": [],
        "flapping": False,
        "last_probe_at": to_text(NOW - 10 * SECOND + 182),
        "interval_seconds": 30,
        "heartbeat": None,
        "regions": [
            {
                "region": region,
                "health": "up",
                "last_probe_at": to_text(NOW - age + 182),
                "latency_ms": 182.4,
                "p95_latency_ms": 182.4,
                "failure": None,
            }
            for region, age in (("local", 20 * SECOND), ("eu-west", 10 * SECOND))
        ],
        "active_incident": None,
        "maintenance": {"active": False, "window_id": None, "until": None, "next_start_at": None},
        "sla": None,
        "config_version": 1,
        "generated_at": to_text(NOW),
    }
    assert NOW < from_text(document["next_probe_at"]) <= NOW + 30 * SECOND
    assert document["metrics"] == {
        "window": "24h",
        "window_start": to_text(NOW - DAY),
        "window_end": to_text(NOW),
        "uptime_pct": 100.0,
        "uptime_24h_pct": 100.0,
        "uptime_7d_pct": 100.0,
        "uptime_30d_pct": 100.0,
        "uptime_90d_pct": 100.0,
        "avg_latency_ms": 182.4,
        "min_latency_ms": 182.4,
        "p50_latency_ms": 182.4,
        "p90_latency_ms": 182.4,
        "p95_latency_ms": 182.4,
        "p99_latency_ms": 182.4,
        "max_latency_ms": 182.4,
        "checks_total": 2,
        "checks_failed": 0,
        "downtime_seconds": 0.0,
        "degraded_seconds": 0.0,
        "maintenance_seconds": 0.0,
        "paused_seconds": 0.0,
        "unknown_seconds": 0.0,
        "coverage_pct": 100.0,
        "incidents": 0,
        "mttr_seconds": None,
    }


def test_what_the_reference_reads_of_a_status_is_there(api: Api) -> None:
    monitor = a_monitor(api)
    see(api, monitor, NOW - 10 * SECOND)
    data = api.call("GET", f"/v1/status/{monitor.id}").json()
    assert (
        f"{data['state']} {data['metrics']['p95_latency_ms']}ms {data['metrics']['uptime_pct']}%" == "up 182.4ms 100.0%"
    )


def test_an_outage_shows_in_state_regions_figures_and_incident(api: Api) -> None:
    monitor = a_monitor(api)
    see(api, monitor, NOW - 20 * SECOND, REFUSED)
    see(api, monitor, NOW - 10 * SECOND, REFUSED, region="eu-west")

    def go_down(connection: Connection) -> None:
        enter(connection, monitor, Health.DOWN, NOW - 15_400)
        for number, state, triggered, resolved in (
            (1, IncidentState.RESOLVED, NOW - 3 * HOUR, NOW - 3 * HOUR + 62_000),
            (2, IncidentState.ACKNOWLEDGED, NOW - 15_000, None),
        ):
            incidents.insert(connection, an_incident(monitor, number, state, triggered, resolved))

    api.write(go_down)
    document = api.call("GET", f"/v1/status/{monitor.id}").json()
    assert document["message"] == "Checkout Service Gateway is down; 99.9821 % over 24h."
    assert (document["state"], document["health"]) == ("down", "down")
    assert document["failing_regions"] == ["local", "eu-west"]
    assert [region["health"] for region in document["regions"]] == ["down", "down"]
    assert document["regions"][0]["failure"] == {"class": "connect_refused", "detail": REFUSED.detail}
    assert document["active_incident"] == {
        "id": incident_id(monitor, 2),
        "number": document["active_incident"]["number"],
        "title": "Checkout Service Gateway is down",
        "state": "acknowledged",
        "severity": "critical",
        "triggered_at": to_text(NOW - 15_000),
    }
    metrics = document["metrics"]
    assert (metrics["downtime_seconds"], metrics["uptime_pct"]) == (15.4, 99.9821)
    assert (metrics["incidents"], metrics["mttr_seconds"]) == (2, 62.0)
    assert (metrics["checks_total"], metrics["checks_failed"], metrics["p95_latency_ms"]) == (2, 2, None)


def incident_id(monitor: Monitor, number: int) -> str:
    return f"inc_{number}{monitor.id[4:]}"


def an_incident(monitor: Monitor, number: int, state: IncidentState, triggered: int, resolved: int | None) -> Incident:
    return Incident(
        id=incident_id(monitor, number),
        team_id=monitor.team_id,
        number=0,
        monitor_key=monitor.key,
        monitor_id=monitor.id,
        dedup_key=f"key-{number}",
        state=state,
        version=1,
        title="Checkout Service Gateway is down",
        severity=Severity.CRITICAL,
        source="monitor",
        assignee=None,
        occurrences=1,
        notify=False,
        policy=None,
        triggered_at=triggered,
        triggered_by=SYSTEM,
        resolved_at=resolved,
        created_at=triggered,
        updated_at=triggered,
    )


def test_below_the_quorum_the_sentence_names_the_regions(api: Api) -> None:
    monitor = a_monitor(api)
    see(api, monitor, NOW - 20 * SECOND)
    see(api, monitor, NOW - 10 * SECOND, REFUSED, region="eu-west")
    api.write(lambda connection: enter(connection, monitor, Health.DEGRADED, NOW - 10 * SECOND))
    document = api.call("GET", f"/v1/status/{monitor.id}").json()
    assert document["message"].startswith(
        "Checkout Service Gateway is degraded, partial: failing in eu-west (1 of 2); p95"
    )
    assert document["metrics"]["degraded_seconds"] == 10.0
    assert document["metrics"]["uptime_pct"] == 100.0


def test_a_new_monitor_is_pending_and_claims_nothing(api: Api, body: dict[str, Any]) -> None:
    monitor_id = api.call("POST", "/v1/monitors", body).json()["id"]
    document = api.call("GET", f"/v1/status/{monitor_id}").json()
    assert document["message"] == "Shop is pending until its first checks are in."
    assert (document["state"], document["last_probe_at"], document["stale"]) == ("pending", None, False)
    metrics = document["metrics"]
    assert {metrics[name] for name in metrics if name.endswith(("_pct", "latency_ms")) and name != "coverage_pct"} == {
        None
    }
    assert metrics["coverage_pct"] == 0.0
    assert document["regions"] == [
        {
            "region": "local",
            "health": "pending",
            "last_probe_at": None,
            "latency_ms": None,
            "p95_latency_ms": None,
            "failure": None,
        }
    ]


@pytest.mark.parametrize(
    ("health", "window", "message"),
    [
        (Health.UP, "24h", "Shop is up; p95 182.4 ms, up 100 % of the 40 seconds seen in the last 24h."),
        (Health.DOWN, "24h", "Shop is down; p95 182.4 ms, up 75 % of the 40 seconds seen in the last 24h."),
        (Health.UP, "7d", "Shop is up; p95 182.4 ms, up 100 % of the 40 seconds seen in the last 7d."),
    ],
)
def test_what_was_not_seen_of_the_window_is_not_claimed(
    alone: Api, body: dict[str, Any], health: Health, window: str, message: str
) -> None:
    created = alone.call("POST", "/v1/monitors", body).json()

    def begin(connection: Connection) -> Monitor:
        monitor = monitors.get(connection, created["team_id"], created["id"])
        assert monitor is not None
        enter(connection, monitor, Health.UP, NOW)
        if health is not Health.UP:
            enter(connection, monitor, health, NOW + 30 * SECOND)
        return monitor

    see(alone, alone.write(begin), NOW + 39 * SECOND)
    alone.clock.at = NOW + 40 * SECOND
    answer = alone.call("GET", f"/v1/status/{created['id']}?window={window}").json()
    assert answer["message"] == message


def test_nothing_but_failures_is_zero_of_what_was_seen(alone: Api, body: dict[str, Any]) -> None:
    created = alone.call("POST", "/v1/monitors", body).json()

    def begin(connection: Connection) -> None:
        monitor = monitors.get(connection, created["team_id"], created["id"])
        assert monitor is not None
        enter(connection, monitor, Health.DOWN, NOW)

    alone.write(begin)
    alone.clock.at = NOW + 61 * SECOND
    answer = alone.call("GET", f"/v1/status/{created['id']}").json()
    assert answer["message"] == "Shop is down; up 0 % of the 1 minute 1 second seen in the last 24h."


def test_a_paused_monitor_has_no_next_check(api: Api) -> None:
    monitor = a_monitor(api)
    assert api.call("POST", f"/v1/monitors/{monitor.id}/pause").status_code == 200
    document = api.call("GET", f"/v1/status/{monitor.id}").json()
    assert document["message"] == "Checkout Service Gateway is paused and not being checked; 100 % over 24h."
    assert (document["state"], document["stale"], document["next_probe_at"]) == ("paused", False, None)


def test_a_state_that_nobody_confirms_is_unknown(alone: Api) -> None:
    monitor = a_monitor(alone)
    for region in ("local", "eu-west"):
        see(alone, monitor, NOW, region=region)
    alone.clock.at = NOW + HOUR
    document = alone.call("GET", f"/v1/status/{monitor.id}").json()
    since = to_text(NOW + 182)
    assert document["message"] == (
        f"Checkout Service Gateway is unknown: too few regions have reported since {since};"
        " p95 182.4 ms, up 100 % of the 23 hours seen in the last 24h."
    )
    assert (document["state"], document["health"], document["stale"]) == ("unknown", "unknown", True)
    assert document["state_since"] == since
    assert document["metrics"]["unknown_seconds"] == 3570.0


def test_another_window_is_another_set_of_figures(api: Api) -> None:
    monitor = a_monitor(api)
    api.write(lambda connection: enter(connection, monitor, Health.DOWN, NOW - 30 * HOUR))
    api.write(lambda connection: enter(connection, monitor, Health.UP, NOW - 20 * HOUR))
    see(api, monitor, NOW - 25 * HOUR, REFUSED)
    see(api, monitor, NOW - 10 * SECOND)
    found = {
        window: api.call("GET", f"/v1/status/{monitor.id}?window={window}").json()["metrics"]
        for window in ("1h", "24h", "7d", "30d", "90d")
    }
    assert [one["checks_total"] for one in found.values()] == [1, 1, 2, 2, 2]
    assert [one["downtime_seconds"] for one in found.values()] == [0.0, 14_400.0, 36_000.0, 36_000.0, 36_000.0]
    for window, one in found.items():
        assert one["window"] == window
        assert one[f"uptime_{window}_pct" if window != "1h" else "uptime_pct"] == one["uptime_pct"]
        assert one["uptime_24h_pct"] == 83.3333


def test_the_figures_do_not_change_when_results_are_rolled_up(alone: Api) -> None:
    monitor = a_monitor(alone)
    for age in range(10, 20_000, 600):
        see(alone, monitor, NOW - age * SECOND, REFUSED if age % 7 == 0 else None)
    path = f"/v1/status/{monitor.id}"
    before = alone.call("GET", path).json()["metrics"]
    assert before["checks_total"] == 34
    while alone.write(lambda connection: rollups.roll(connection, NOW, 1000)):
        pass
    assert alone.call("GET", path).json()["metrics"] == before


# --- conditions and variants ------------------------------------------------------------------------------


def test_nothing_new_is_304_and_news_are_told(alone: Api) -> None:
    monitor = a_monitor(alone)
    see(alone, monitor, NOW - 20 * SECOND)
    path = f"/v1/status/{monitor.id}"
    first = alone.call("GET", path)
    tag = first.headers["ETag"]
    assert first.headers["Cache-Control"] == "private, max-age=1"
    for sent in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = alone.call("GET", path, headers={"If-None-Match": sent})
        assert (again.status_code, again.content) == (304, b"")
        assert (again.headers["ETag"], again.headers["Cache-Control"]) == (tag, "private, max-age=1")

    def news(work: Any) -> None:
        nonlocal tag
        work()
        answer = alone.call("GET", path, headers={"If-None-Match": tag})
        assert answer.status_code == 200
        assert answer.headers["ETag"] != tag
        tag = answer.headers["ETag"]

    news(lambda: see(alone, monitor, NOW - 5 * SECOND))
    news(lambda: alone.write(lambda connection: enter(connection, monitor, Health.DEGRADED, NOW)))
    news(lambda: alone.call("PUT", f"/v1/monitors/{monitor.id}/config", {"timeout_ms": 8000}))
    incident = an_incident(monitor, 1, IncidentState.TRIGGERED, NOW, None)
    news(lambda: alone.write(lambda connection: incidents.insert(connection, incident)))
    news(lambda: setattr(alone.clock, "at", NOW + HOUR))


def test_head_tells_the_tag(api: Api) -> None:
    path = f"/v1/status/{a_monitor(api).id}"
    answer = api.call("HEAD", path)
    assert (answer.status_code, answer.headers["ETag"]) == (200, api.call("GET", path).headers["ETag"])


def test_regions_can_be_left_out(api: Api) -> None:
    path = f"/v1/status/{a_monitor(api).id}"
    whole = api.call("GET", f"{path}?include=regions").json()
    assert "regions" in whole
    assert whole.keys() - api.call("GET", f"{path}?include=").json().keys() == {"regions"}


@pytest.mark.parametrize(
    ("query", "code", "param"),
    [
        ("window=2h", "parameter_invalid_enum", "window"),
        ("include=everything", "parameter_invalid_enum", "include"),
        ("include=regions,sparkline", "parameter_invalid_enum", "include"),
        ("colour=red", "unknown_parameter", "colour"),
        ("window=1h&window=7d", "parameter_duplicate", "window"),
    ],
)
def test_a_query_that_does_not_hold_is_422(api: Api, query: str, code: str, param: str) -> None:
    monitor = a_monitor(api)
    answer = api.call("GET", f"/v1/status/{monitor.id}?{query}")
    assert answer.status_code == 422
    [detail] = answer.json()["error"]["details"]
    assert (detail["code"], detail["param"]) == (code, param)
    if param == "include":
        assert detail["known"] == ["regions"]


def test_unknown_foreign_deleted_and_malformed_ids_are_the_same_404(api: Api) -> None:
    mine, gone = a_monitor(api), a_monitor(api)
    api.call("DELETE", f"/v1/monitors/{gone.id}")
    answers = []
    for monitor_id, token in (
        (mine.id, STRANGER),
        ("mon_00000000", ADMIN),
        (gone.id, ADMIN),
        ("nonsense", ADMIN),
        ("inc_4m8n2v5w", ADMIN),
    ):
        answer = api.call("GET", f"/v1/status/{monitor_id}", token=token)
        assert answer.status_code == 404
        document = answer.json()
        document.pop("request_id")
        document.pop("instance")
        answers.append(document)
    assert all(document == answers[0] for document in answers)


def test_a_status_takes_its_scope(api: Api) -> None:
    monitor = a_monitor(api)
    assert api.call("GET", f"/v1/status/{monitor.id}", token=None).status_code == 401
    assert api.call("GET", "/v1/status", token=None).status_code == 401


# --- lists ------------------------------------------------------------------------------------------------


def test_a_list_holds_the_same_objects_without_regions(alone: Api) -> None:
    first, second = a_monitor(alone, name="First", tags=["shop"]), a_monitor(alone, name="Second")
    see(alone, first, NOW - 10 * SECOND)
    see(alone, second, NOW - 5 * SECOND, REFUSED, region="eu-west")
    alone.write(lambda connection: enter(connection, second, Health.DOWN, NOW - 3 * SECOND))
    answer = alone.call("GET", "/v1/status?sort=name")
    assert answer.headers["Cache-Control"] == "private, max-age=1"
    listed = answer.json()["data"]
    for item, monitor in zip(listed, (first, second), strict=True):
        single = alone.call("GET", f"/v1/status/{monitor.id}").json()
        for name in ("request_id", "message", "warnings", "regions"):
            single.pop(name)
        assert item == single
    assert alone.call("GET", "/v1/status", token=STRANGER).json()["data"] == []

    def names(query: str) -> list[str]:
        return [item["name"] for item in alone.call("GET", f"/v1/status?{query}").json()["data"]]

    assert names("state=down") == ["Second"]
    assert names("tag=shop&state=up,down") == ["First"]
    assert names("sort=state") == ["Second", "First"]
    page = alone.call("GET", "/v1/status?sort=name&limit=1&include=total").json()
    assert (page["total"], page["has_more"]) == (2, True)
    assert names(f"sort=name&limit=1&cursor={page['next_cursor']}") == ["Second"]
    hour = alone.call("GET", "/v1/status?window=1h").json()["data"]
    assert {item["metrics"]["window"] for item in hour} == {"1h"}
    assert alone.call("GET", "/v1/status?state=broken").status_code == 422
