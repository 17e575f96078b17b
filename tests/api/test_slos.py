"""SLOs: made, changed and removed, out of a monitor's configuration too, and how they stand."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection, select

from statuspulse.catalog.kinds.registry import KINDS
from statuspulse.domain.health import State
from statuspulse.domain.times import DAY, HOUR, MINUTE, SECOND, from_text, to_text
from statuspulse.storage import monitors, states
from statuspulse.storage.schema import monitors as table
from tests.api.server import ADMIN, NOW, READER, Api

BODY = {"name": "Shop", "type": "http", "url": "https://shop.example/health"}
HOOK = "slack://hooks/T0A1B2C3D/B0X9Y8Z7W/abc123"


def monitor(api: Api, **members: Any) -> str:
    return str(api.call("POST", "/v1/monitors", {**BODY, **members}).json()["id"])


def live(api: Api, monitor_id: str, *stretches: tuple[State, int], end: int = NOW) -> None:
    """Gives the monitor a past: stretches up to the instant, the newest last, which goes on."""
    at = end - sum(length for _, length in stretches)

    def write(connection: Connection) -> None:
        found = monitors.get_to_change(connection, team_of(connection, monitor_id), monitor_id)
        assert found is not None
        begun = at
        for state, length in stretches:
            states.cut_intervals(connection, found.key, begun, state)
            begun += length

    api.write(write)


def team_of(connection: Connection, monitor_id: str) -> str:
    return str(connection.scalar(select(table.c.team_id).where(table.c.id == monitor_id)))


def refusal(answer: Any) -> tuple[int, str, str | None]:
    error = answer.json()["error"]
    return answer.status_code, error["details"][0]["code"], error["details"][0]["param"]


def test_an_objective_hangs_on_the_clock_of_its_team_when_it_is_made(api: Api) -> None:
    team = api.call("GET", "/v1/me", token=ADMIN).json()["team_id"]
    watched = monitor(api)
    api.call("PATCH", f"/v1/teams/{team}", {"timezone": "Asia/Tokyo"}, token=ADMIN)
    try:
        slo = api.call("POST", "/v1/slos", {"name": "Shop", "monitor_id": watched, "objective_pct": 99}).json()
        api.call("PATCH", f"/v1/monitors/{watched}", {"sla": {"objective_pct": 99.9}})
        own = [one for one in api.call("GET", "/v1/slos").json()["data"] if one["monitor_id"] == watched]
    finally:
        api.call("PATCH", f"/v1/teams/{team}", {"timezone": None}, token=ADMIN)
    assert [one["timezone"] for one in own] == ["Asia/Tokyo"] * 2
    # What was promised does not move with the team, unless it is told to.
    kept = api.call("PATCH", f"/v1/slos/{slo['id']}", {"objective_pct": 98}).json()
    assert kept["timezone"] == "Asia/Tokyo"
    assert api.call("PATCH", f"/v1/slos/{slo['id']}", {"timezone": None}).json()["timezone"] == "UTC"


def test_an_objective_over_tags_that_nobody_has_is_warned_of(api: Api) -> None:
    body = {"name": "Edge", "tags": ["edge-of-nowhere"], "objective_pct": 99}
    made = api.call("POST", "/v1/slos", body)
    assert made.status_code == 201
    (warning,) = made.json()["warnings"]
    assert (warning["code"], warning["param"]) == ("nothing_measured", "tags")
    path = f"/v1/slos/{made.json()['id']}"
    assert [one["code"] for one in api.call("PATCH", path, {"objective_pct": 98}).json()["warnings"]] == [
        warning["code"]
    ]
    monitor(api, tags=["edge-of-nowhere"])
    assert api.call("PATCH", path, {"objective_pct": 97}).json()["warnings"] == []


def test_an_objective_has_usual_alerting_and_a_budget(api: Api) -> None:
    made = api.call("POST", "/v1/slos", {"name": "Shop 99.9", "monitor_id": monitor(api), "objective_pct": 99.9})
    slo = made.json()
    assert made.status_code == 201
    assert made.headers["Location"] == f"/v1/slos/{slo['id']}"
    assert (slo["kind"], slo["window"], slo["timezone"], slo["status"]) == ("availability", "30d", "UTC", "no_data")
    assert slo["alerting"]["slow"] == {"burn_rate": 6.0, "long": 21_600, "short": 1800}
    assert slo["budget"]["budget_seconds"] == 2592.0
    assert slo["budget"]["observed_pct"] is None
    again = api.call("GET", f"/v1/slos/{slo['id']}", token=READER).json()
    assert again["id"] == slo["id"]
    assert again["message"] == "Shop 99.9 has no data."


@pytest.mark.parametrize(
    ("sent", "code", "param"),
    [
        ({"objective_pct": 100}, "parameter_out_of_range", "objective_pct"),
        ({"objective_pct": 0}, "parameter_out_of_range", "objective_pct"),
        ({"objective_pct": 99.1234567}, "parameter_invalid_format", "objective_pct"),
        ({"objective_pct": "99"}, "parameter_invalid_type", "objective_pct"),
        ({"window": "1h"}, "parameter_invalid_enum", "window"),
        ({"timezone": "Mars/Phobos"}, "timezone_unknown", "timezone"),
        ({"kind": "latency"}, "parameter_missing", "latency_threshold_ms"),
        ({"latency_threshold_ms": 300}, "parameter_conflict", "latency_threshold_ms"),
        ({"tags": ["prod"]}, "parameter_conflict", "monitor_id"),
        ({"monitor_id": None}, "parameter_missing", "monitor_id"),
        ({"monitor_id": "mon_zzzzzzzz"}, "reference_not_found", "monitor_id"),
        ({"notify": ["nch_zzzzzzzz"]}, "reference_not_found", "notify[0]"),
        (
            {"alerting": {"fast": {"burn_rate": 2, "long": 600, "short": 600}}},
            "parameter_conflict",
            "alerting.fast",
        ),
        (
            {"alerting": {"fast": {"burn_rate": 2.125, "long": 600, "short": 60}}},
            "parameter_invalid_format",
            "alerting.fast.burn_rate",
        ),
        ({"colour": "red"}, "unknown_parameter", "colour"),
    ],
)
def test_what_does_not_hold_is_refused_by_name(api: Api, sent: dict[str, Any], code: str, param: str) -> None:
    body = {"name": "Shop", "monitor_id": monitor(api), "objective_pct": 99.9, **sent}
    assert refusal(api.call("POST", "/v1/slos", body)) == (422, code, param)


def test_at_a_hundred_no_budget_is_left_to_watch(api: Api) -> None:
    body = {"name": "Shop", "monitor_id": monitor(api), "objective_pct": 100}
    message = api.call("POST", "/v1/slos", body).json()["error"]["details"][0]["message"]
    assert message == "must be below 100: at 100 nothing may ever fail, and no budget is left to watch"


def test_a_change_merges_and_null_switches_a_pair_off(api: Api) -> None:
    body = {"name": "Shop", "monitor_id": monitor(api), "objective_pct": 99.9, "notify": [HOOK]}
    slo = api.call("POST", "/v1/slos", body).json()
    path = f"/v1/slos/{slo['id']}"
    assert slo["notify"][0].startswith("slack://hooks/T0A1B2C3D/B0X9Y8Z7W/***#nch_")
    sent = {**slo, "objective_pct": 99.5, "alerting": {"ticket": None, "fast": {"burn_rate": 10}}}
    changed = api.call("PATCH", path, sent).json()
    assert (changed["objective_pct"], changed["notify"]) == (99.5, slo["notify"])
    assert changed["alerting"]["ticket"] is None
    assert changed["alerting"]["fast"] == {"burn_rate": 10.0, "long": 3600, "short": 300}
    assert changed["alerting"]["slow"] == slo["alerting"]["slow"]
    assert api.call("PATCH", path, {"objective_pct": 99.5}).json()["message"] == "Nothing changed."
    assert refusal(api.call("PATCH", path, {"monitor_id": monitor(api)}))[1:] == ("parameter_immutable", "monitor_id")
    assert api.call("DELETE", path).json()["deleted"] is True
    assert api.call("GET", path).status_code == 404


def test_a_monitor_s_sla_makes_its_objective(api: Api) -> None:
    monitor_id = monitor(api, name="Gateway", sla={"objective_pct": 99.95, "window": "7d"})
    config = api.call("GET", f"/v1/monitors/{monitor_id}/config").json()
    assert config["sla"] == {"objective_pct": 99.95, "window": "7d", "latency_threshold_ms": None}
    (slo,) = [one for one in listed(api) if one["monitor_id"] == monitor_id]
    assert (slo["name"], slo["of_config"], slo["window"]) == ("Gateway 99.95", True, "7d")
    path = f"/v1/slos/{slo['id']}"
    refused = api.call("PATCH", path, {"objective_pct": 99})
    assert refusal(refused)[1:] == ("parameter_immutable", "objective_pct")
    assert api.call("PATCH", path, {"name": "Ours", "notify": [HOOK]}).json()["name"] == "Ours"
    assert api.call("DELETE", path).status_code == 409
    api.call("PATCH", f"/v1/monitors/{monitor_id}", {"sla": {"latency_threshold_ms": 250}})
    latency = api.call("GET", path).json()
    assert (latency["kind"], latency["objective_pct"], latency["latency_threshold_ms"]) == ("latency", 99.95, 250)
    assert latency["notify"]
    api.call("PATCH", f"/v1/monitors/{monitor_id}", {"sla": None})
    assert api.call("GET", path).status_code == 404


def test_every_type_takes_an_sla_and_a_heartbeat_only_without_latency(api: Api) -> None:
    assert "heartbeat" in KINDS
    body = {"name": "Backup", "type": "heartbeat", "period_seconds": 3600}
    sla = {"objective_pct": 99, "latency_threshold_ms": 100}
    refused = api.call("POST", "/v1/monitors", {**body, "sla": sla})
    assert refusal(refused) == (422, "parameter_conflict", "sla.latency_threshold_ms")
    made = api.call("POST", "/v1/monitors", {**body, "sla": {"objective_pct": 99}})
    assert made.json()["sla"]["window"] == "30d"
    asked = {"name": "B", "monitor_id": made.json()["id"], "objective_pct": 99, "kind": "latency"}
    assert refusal(api.call("POST", "/v1/slos", {**asked, "latency_threshold_ms": 5})) == (
        422,
        "parameter_conflict",
        "kind",
    )


def listed(api: Api) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    path = "/v1/slos?limit=100&order=desc"
    page = api.call("GET", path).json()
    found += page["data"]
    return found


def test_a_dry_run_makes_no_objective(api: Api) -> None:
    monitor_id = monitor(api)
    api.call("PUT", f"/v1/monitors/{monitor_id}/config?dry_run=true", {"sla": {"objective_pct": 99}})
    assert [one for one in listed(api) if one["monitor_id"] == monitor_id] == []


def test_the_status_shows_what_is_left_of_the_budget(api: Api) -> None:
    monitor_id = monitor(api, sla={"objective_pct": 99.9})
    live(api, monitor_id, (State.UP, 10 * DAY), (State.DOWN, 10 * MINUTE), (State.UP, HOUR))
    sla = api.call("GET", f"/v1/status/{monitor_id}").json()["sla"]
    (slo,) = [one for one in listed(api) if one["monitor_id"] == monitor_id]
    assert sla["slo_id"] == slo["id"]
    assert sla["budget_remaining_pct"] == slo["budget"]["remaining_pct"] == 76.8518
    assert sla["observed_pct"] == slo["budget"]["observed_pct"]
    assert (sla["objective_pct"], sla["window"], sla["status"]) == (99.9, "30d", "met")
    listed_status = api.call("GET", "/v1/status?limit=100&order=desc").json()["data"]
    assert [one["sla"] for one in listed_status if one["monitor_id"] == monitor_id] == [sla]
    api.call("PATCH", f"/v1/monitors/{monitor_id}", {"sla": {"window": "calendar_month"}})
    month = api.call("GET", f"/v1/status/{monitor_id}").json()["sla"]
    assert (month["window"], month["budget_remaining_pct"]) == ("calendar_month", 76.8518)


def test_a_channel_that_an_objective_tells_is_not_deleted(api: Api) -> None:
    channel = api.call("POST", "/v1/channels", {"url": "slack://hooks/T0A1B2C3D/B0X9Y8Z7W/alone"}).json()["id"]
    body = {"name": "Named", "monitor_id": monitor(api), "objective_pct": 99, "notify": [channel]}
    slo = api.call("POST", "/v1/slos", body).json()
    refused = api.call("DELETE", f"/v1/channels/{channel}")
    assert refused.status_code == 409
    assert "SLO Named" in refused.json()["message"]
    api.call("DELETE", f"/v1/slos/{slo['id']}")
    assert api.call("DELETE", f"/v1/channels/{channel}").status_code == 200


def test_what_people_do_stands_in_the_audit_log(api: Api) -> None:
    body = {"name": "Audited", "monitor_id": monitor(api), "objective_pct": 99}
    slo = api.call("POST", "/v1/slos", body).json()
    api.call("PATCH", f"/v1/slos/{slo['id']}", {"name": "Renamed"})
    api.call("DELETE", f"/v1/slos/{slo['id']}")
    entries = api.call("GET", f"/v1/audit-log?resource={slo['id']}", token=ADMIN).json()["data"]
    assert sorted(entry["action"] for entry in entries) == ["slo.created", "slo.deleted", "slo.updated"]


def test_the_seconds_of_the_past_are_as_written(api: Api) -> None:
    monitor_id = monitor(api)
    live(api, monitor_id, (State.UP, DAY), (State.DOWN, 90 * SECOND), end=NOW)
    body = {"name": "Day", "monitor_id": monitor_id, "objective_pct": 99.9, "window": "24h"}
    budget = api.call("POST", "/v1/slos", body).json()["budget"]
    assert budget["period_start"] == to_text(NOW - DAY)
    assert (budget["budget_seconds"], budget["consumed_seconds"]) == (86.4, 90.0)
    assert budget["remaining_pct"] == -4.1667
    assert from_text(budget["period_end"]) == NOW
