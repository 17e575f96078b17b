"""Maintenance windows by the API: rules and zones, edges by hand, what everything else shows of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest
import requests
from sqlalchemy import Connection

from statuspulse.domain.health import Health
from statuspulse.domain.times import DAY, HOUR, MINUTE, to_text
from statuspulse.engine.maintenance_watch import MaintenanceWatch
from statuspulse.engine.watchlist import Watchlist
from statuspulse.storage import monitors, states
from tests.api.server import ADMIN, NOW, READER, STRANGER, Api, running

PATH = "/v1/maintenance-windows"
PATCHING = {
    "name": "DB patching",
    "monitors": {"tags": ["prod"]},
    "starts_at": "2026-11-29T02:00:00",
    "timezone": "America/New_York",
    "duration_seconds": 7200,
    "rrule": "FREQ=WEEKLY;BYDAY=SU",
}


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Api]:
    """An API whose clock a test may move."""
    with running(tmp_path) as started:
        yield started


def made(api: Api, **members: Any) -> dict[str, Any]:
    answer = api.call("POST", PATH, {**PATCHING, **members}, token=ADMIN)
    assert answer.status_code == 201, answer.text
    document: dict[str, Any] = answer.json()
    return document


def once(api: Api, begin: int, seconds: int = 3600, **members: Any) -> dict[str, Any]:
    return made(api, starts_at=to_text(begin), duration_seconds=seconds, timezone=None, rrule=None, **members)


def a_monitor(api: Api, **members: Any) -> dict[str, Any]:
    body = {"name": "Shop", "type": "http", "url": "https://shop.example/", **members}
    answer = api.call("POST", "/v1/monitors", body)
    assert answer.status_code == 201, answer.text
    document: dict[str, Any] = answer.json()
    return document


def error(answer: requests.Response) -> tuple[int, str, str | None]:
    told = answer.json()["error"]
    return answer.status_code, told["details"][0]["code"] if told["details"] else told["code"], told["param"]


def carry_out(api: Api) -> None:
    """What the engine would do by now."""
    watch = MaintenanceWatch(Watchlist())
    while api.write(lambda connection: watch.sweep(connection, api.clock())).has_more:
        pass


def told(api: Api, kind: str = "maintenance.") -> list[tuple[str, str, str]]:
    """(type, reason, who) of the events of a kind, the oldest first."""
    found = api.call("GET", f"/v1/events?type={kind}&order=asc&limit=100", token=READER).json()["data"]
    return [(one["type"], one["data"]["reason"], one["data"]["actor"]["type"]) for one in found]


def test_a_window_is_planned_read_changed_and_cancelled(alone: Api) -> None:
    window = made(alone)
    assert {name: window[name] for name in PATCHING} == PATCHING
    assert (window["probing"], window["alerting"], window["sla"], window["open_incidents"]) == (
        "continue",
        "suppress",
        "exclude",
        "hold",
    )
    assert (window["status"], window["active_occurrence"]) == ("scheduled", None)
    assert window["next_occurrence"] == {"start_at": "2026-11-29T07:00:00.000Z", "end_at": "2026-11-29T09:00:00.000Z"}
    path = f"{PATH}/{window['id']}"
    read = alone.call("GET", path, token=READER).json()
    assert {**read, "request_id": "", "message": ""} == {**window, "request_id": "", "message": ""}
    longer = alone.call("PATCH", path, {"duration_seconds": 10800, "description": "All replicas"}).json()
    assert longer["next_occurrence"]["end_at"] == "2026-11-29T10:00:00.000Z"
    assert alone.call("PATCH", path, longer).json()["updated_at"] == longer["updated_at"]
    assert [one["id"] for one in alone.call("GET", PATH, token=READER).json()["data"]] == [window["id"]]
    gone = alone.call("DELETE", path).json()
    assert (gone["status"], gone["next_occurrence"]) == ("cancelled", None)
    assert alone.call("DELETE", path).json()["status"] == "cancelled"
    assert error(alone.call("PATCH", path, {"name": "x"})) == (409, "window_already_ended", None)
    assert told(alone) == [
        ("maintenance.scheduled", "created", "token"),
        ("maintenance.scheduled", "updated", "token"),
        ("maintenance.cancelled", "manual", "token"),
    ]
    audit = alone.call("GET", f"/v1/audit-log?resource={window['id']}", token=ADMIN).json()["data"]
    actions = {entry["action"].removeprefix("maintenance_window.") for entry in audit}
    assert actions == {"cancelled", "updated", "created"}


@pytest.mark.parametrize(
    ("members", "code", "param"),
    [
        ({"monitors": {}}, "parameter_conflict", "monitors"),
        ({"monitors": {"tags": ["a"], "all": True}}, "parameter_conflict", "monitors"),
        ({"monitors": {"all": False}}, "parameter_invalid_enum", "monitors.all"),
        ({"monitors": {"ids": ["mon_zzzzzzzz"]}}, "reference_not_found", "monitors.ids[0]"),
        ({"monitors": {"ids": ["mon_zzzzzzzz"] * 2}}, "parameter_duplicate", "monitors.ids"),
        ({"starts_at": "2026-11-29T02:00:00Z"}, "parameter_invalid_format", "starts_at"),
        ({"starts_at": "2026-11-29T02:00:00", "timezone": None}, "parameter_invalid_format", "starts_at"),
        ({"starts_at": "2026-11-31T02:00:00"}, "parameter_invalid_format", "starts_at"),
        ({"starts_at": "tomorrow"}, "parameter_invalid_format", "starts_at"),
        ({"starts_at": "1999-11-29T02:00:00"}, "parameter_out_of_range", "starts_at"),
        ({"starts_at": "9999-12-31T23:59:59"}, "parameter_out_of_range", "starts_at"),
        ({"starts_at": "0001-01-01T00:00:00", "timezone": "Asia/Tokyo"}, "parameter_out_of_range", "starts_at"),
        ({"timezone": "Mars/Olympus"}, "timezone_unknown", "timezone"),
        ({"duration_seconds": 59}, "parameter_out_of_range", "duration_seconds"),
        ({"duration_seconds": 2_592_001}, "parameter_out_of_range", "duration_seconds"),
        ({"rrule": "FREQ=HOURLY"}, "rrule_unsupported", "rrule"),
        ({"rrule": "DTSTART=20260101T000000Z;FREQ=DAILY"}, "rrule_unsupported", "rrule"),
        ({"rrule": "FREQ=DAILY;INTERVAL=0"}, "rrule_unsupported", "rrule"),
        ({"rrule": "FREQ=MINUTELY;INTERVAL=1;COUNT=999999"}, "rrule_unsupported", "rrule"),
        ({"rrule": "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"}, "rrule_never_occurs", "rrule"),
        ({"rrule": "FREQ=DAILY;UNTIL=20260101T000000Z"}, "rrule_never_occurs", "rrule"),
        ({"rrule": "FREQ=DAILY;COUNT=1", "exdates": ["2026-11-29T02:00:00"]}, "rrule_never_occurs", "rrule"),
        ({"exdates": ["2026-11-29T02:00:00Z"]}, "parameter_invalid_format", "exdates[0]"),
        ({"exdates": ["2026-11-29T02:00:00"] * 2}, "parameter_duplicate", "exdates"),
        ({"rrule": None, "exdates": ["2026-11-29T02:00:00"]}, "parameter_conflict", "exdates"),
        ({"probing": "stop"}, "parameter_invalid_enum", "probing"),
        ({"status": "active"}, "unknown_parameter", "status"),
    ],
)
def test_what_does_not_hold_is_refused_at_once_with_the_member_and_the_cure(
    api: Api, members: dict[str, Any], code: str, param: str
) -> None:
    begun = perf_counter()
    answer = api.call("POST", PATH, {**PATCHING, **members})
    assert perf_counter() - begun < 1  # some 10 ms
    assert error(answer) == (422, code, param)
    assert len(answer.json()["message"]) > 20


def test_a_past_start_means_now_and_only_an_admin_changes_the_past(alone: Api) -> None:
    now = alone.clock()
    late = once(alone, now - HOUR)
    assert (late["status"], late["starts_at"], late["active_occurrence"]["start_at"]) == ("active", *[to_text(now)] * 2)
    body = {**PATCHING, "starts_at": to_text(now - HOUR), "timezone": None, "rrule": None, "backdate": True}
    assert error(alone.call("POST", PATH, body)) == (403, "scope_insufficient", "backdate")
    past = alone.call("POST", PATH, body, token=ADMIN).json()
    assert (past["status"], past["starts_at"]) == ("active", to_text(now - HOUR))
    audit = alone.call("GET", f"/v1/audit-log?resource={past['id']}", token=ADMIN).json()["data"]
    assert "maintenance_window.backdated" in {entry["action"] for entry in audit}
    assert error(alone.call("POST", PATH, {**body, "starts_at": "2020-01-01T00:00:00Z"}, token=ADMIN)) == (
        422,
        "parameter_out_of_range",
        "starts_at",
    )


def test_that_time_of_the_past_stays_out_is_told(alone: Api) -> None:
    a_monitor(alone)
    past = once(alone, NOW - 2 * HOUR, backdate=True, monitors={"all": True})
    carry_out(alone)
    told_of = alone.call("DELETE", f"{PATH}/{past['id']}").json()["message"]
    assert "there is no way back" in told_of


@pytest.mark.parametrize("resource", ["maintenance-windows", "slos"])
def test_a_change_of_another_version_is_refused(alone: Api, resource: str) -> None:
    slo = {"name": "Shop", "monitor_id": a_monitor(alone)["id"], "objective_pct": 99.9}
    made_one = alone.call("POST", f"/v1/{resource}", slo if resource == "slos" else PATCHING)
    path = f"/v1/{resource}/{made_one.json()['id']}"
    assert (made_one.headers["ETag"], alone.call("GET", path).headers["ETag"]) == ('"1"', '"1"')
    first, other = {"If-Match": '"1"'}, {"If-Match": '"9"'}
    assert alone.call("PATCH", path, {"name": "One"}, headers=first).headers["ETag"] == '"2"'
    for method, body in (("PATCH", {"name": "Two"}), ("DELETE", None)):
        for headers in (first, other):
            assert error(alone.call(method, path, body, headers=headers))[:2] == (412, "precondition_failed")
        assert alone.call(method, path, body, headers={"If-Match": "2"}).status_code == 400
    settings = {"settings": {"require_preconditions": True}}
    assert alone.call("PATCH", "/v1/teams/default", settings, token=ADMIN).status_code == 200
    for method, body in (("PATCH", {"name": "Two"}), ("DELETE", None)):
        assert error(alone.call(method, path, body))[:2] == (428, "precondition_required")
    assert alone.call("DELETE", path, headers={"If-Match": '"2"'}).status_code == 200


def test_windows_are_found_by_status_monitor_and_tag(alone: Api) -> None:
    joined, gone = made(alone, monitors={"tags": ["stage"]}), made(alone, monitors={"tags": ["stage", "test"]})
    active, everything = once(alone, NOW), made(alone, monitors={"all": True})
    monitor = a_monitor(alone, tags=["prod"], maintenance_windows=[joined["id"], INLINE])
    own = monitor["maintenance_windows"][1]
    other = a_monitor(alone, name="Other")
    alone.call("DELETE", f"{PATH}/{gone['id']}")

    def found(query: str) -> set[str]:
        listed = alone.call("GET", f"{PATH}?{query}&include=total&limit=100", token=READER).json()
        assert listed["total"] == len(listed["data"])
        return {one["id"] for one in listed["data"]}

    assert alone.call("GET", f"{PATH}/{joined['id']}").json()["joined_monitor_ids"] == [monitor["id"]]
    listed = {one["id"]: one["joined_monitor_ids"] for one in alone.call("GET", PATH).json()["data"]}
    assert (listed[joined["id"]], listed[own["id"]]) == ([monitor["id"]], [])
    assert found("status=active") == {active["id"]}
    assert found("status=cancelled,active") == {active["id"], gone["id"]}
    assert found("tag=stage") == {joined["id"], gone["id"]}
    assert found("tag=stage&status=scheduled") == {joined["id"]}
    assert found(f"monitor_id={monitor['id']}") == {one["id"] for one in (joined, active, everything, own)}
    assert found(f"monitor_id={other['id']}") == {everything["id"]}
    assert found("monitor_id=mon_zzzzzzzz") == set()
    page = alone.call("GET", f"{PATH}?tag=stage&limit=1").json()
    rest = alone.call("GET", f"{PATH}?tag=stage&limit=1&cursor={page['next_cursor']}").json()
    assert {page["data"][0]["id"], rest["data"][0]["id"]} == {joined["id"], gone["id"]}
    assert rest["has_more"] is False
    assert error(alone.call("GET", f"{PATH}?status=past")) == (422, "parameter_invalid_enum", "status")
    assert error(alone.call("GET", f"{PATH}?monitor_id=shop")) == (422, "parameter_invalid_format", "monitor_id")


def remarks(answer: requests.Response) -> list[tuple[str, str | None]]:
    assert answer.status_code < 300, answer.text
    return [(one["code"], one["param"]) for one in answer.json()["warnings"]]


def test_a_start_that_became_now_is_told(alone: Api) -> None:
    begun = {**PATCHING, "starts_at": "2026-11-22T02:00:00", "rrule": None}
    answer = alone.call("POST", PATH, begun)
    assert remarks(answer) == [("starts_now", "starts_at")]
    assert to_text(NOW) in answer.json()["warnings"][0]["message"]
    ahead = once(alone, NOW + HOUR)
    assert ahead["warnings"] == []
    assert remarks(alone.call("PATCH", f"{PATH}/{ahead['id']}", {"name": "Same"})) == []
    early = {"starts_at": to_text(NOW - HOUR)}
    assert remarks(alone.call("PATCH", f"{PATH}/{ahead['id']}", early)) == [("starts_now", "starts_at")]
    assert remarks(alone.call("POST", PATH, {**begun, "backdate": True}, token=ADMIN)) == []
    body = {"name": "Shop", "type": "http", "url": "https://shop.example/"}
    entry = {**INLINE, "starts_at": "2026-11-22T02:00:00", "rrule": None}
    answer = alone.call("POST", "/v1/monitors", {**body, "maintenance_windows": [entry]})
    assert remarks(answer) == [("starts_now", "maintenance_windows[0].starts_at")]
    path = f"/v1/monitors/{answer.json()['id']}/config"
    again = {"maintenance_windows": [*answer.json()["maintenance_windows"], entry]}
    assert remarks(alone.call("PUT", path, again)) == [("starts_now", "maintenance_windows[1].starts_at")]


@pytest.mark.parametrize("rule", ["FREQ=WEEKLY;BYDAY=SU", "FREQ=WEEKLY;BYDAY=SU;COUNT=4"])
def test_what_leaves_nothing_out_is_told(alone: Api, rule: str) -> None:
    exdates = ["2026-12-06T02:00:00", "2026-12-06T03:00:00", "2026-12-07T02:00:00", "9999-12-31T23:59:59"]
    answer = alone.call("POST", PATH, {**PATCHING, "rrule": rule, "exdates": exdates})
    wrong = [("exdate_unmatched", f"exdates[{place}]") for place in (1, 2, 3)]
    assert remarks(answer) == wrong
    path = f"{PATH}/{answer.json()['id']}"
    assert remarks(alone.call("PATCH", path, {"exdates": exdates[:1]})) == []
    assert remarks(alone.call("PATCH", path, {"exdates": exdates[1:2]})) == [("exdate_unmatched", "exdates[0]")]


def test_maintenance_of_a_monitor_begins_now_and_shows_at_once(alone: Api) -> None:
    monitor = a_monitor(alone)
    answer = alone.call(
        "POST", f"/v1/monitors/{monitor['id']}/maintenance", {"duration_seconds": 3600, "reason": "Disk"}
    )
    window = answer.json()
    assert (answer.status_code, window["status"], window["name"]) == (201, "active", "Disk")
    assert answer.headers["Location"] == f"{PATH}/{window['id']}"
    ends_at = to_text(alone.clock() + HOUR)
    status = alone.call("GET", f"/v1/status/{monitor['id']}", token=READER).json()
    assert (status["state"], status["health"]) == ("maintenance", "pending")
    assert status["maintenance"] == {
        "active": True,
        "window_id": window["id"],
        "until": ends_at,
        "next_start_at": None,
    }
    assert alone.call("GET", f"/v1/monitors/{monitor['id']}", token=READER).json()["state"] == "maintenance"
    carry_out(alone)
    alone.clock.at += 10 * MINUTE
    assert alone.call("GET", f"/v1/status/{monitor['id']}").json()["metrics"]["maintenance_seconds"] == 600
    ended = alone.call("POST", f"{PATH}/{window['id']}/end").json()
    assert (ended["status"], ended["active_occurrence"]) == ("ended", None)
    carry_out(alone)
    alone.clock.at += 10 * MINUTE
    status = alone.call("GET", f"/v1/status/{monitor['id']}").json()
    assert (status["state"], status["metrics"]["maintenance_seconds"]) == ("unknown", 600)
    assert status["maintenance"] == {"active": False, "window_id": None, "until": None, "next_start_at": None}
    assert error(alone.call("POST", f"{PATH}/{window['id']}/end")) == (409, "window_already_ended", None)
    history = alone.call("GET", f"/v1/monitors/{monitor['id']}/transitions?order=asc").json()["data"]
    assert [(one["state"], one["reason"], one["maintenance_window_id"]) for one in history] == [
        ("maintenance", "maintenance_started", window["id"]),
        ("pending", "maintenance_ended", window["id"]),
    ]
    assert told(alone) == [("maintenance.started", "manual", "token"), ("maintenance.ended", "manual", "token")]
    missing = alone.call("POST", "/v1/monitors/mon_zzzzzzzz/maintenance", {"duration_seconds": 3600})
    assert missing.status_code == 404


def test_an_explanation_names_the_window_its_end_and_that_nobody_is_told(alone: Api) -> None:
    monitor = a_monitor(alone)
    path = f"/v1/monitors/{monitor['id']}"
    window = alone.call("POST", f"{path}/maintenance", {"duration_seconds": 3600, "reason": "Disk"}).json()
    told = alone.call("GET", f"{path}/explain", token=READER).json()
    end = to_text(alone.clock() + HOUR)
    assert (
        f"Maintenance window Disk ({window['id']}) holds until {end} and suppresses messages: "
        "no incident begins, and what is still broken behind it is told then."
    ) in told["sentences"]
    goes_down = [one["sentence"] for one in told["next_decision"]["changes"] if one["state"] == "down"]
    assert [one.split(" after ")[0] for one in goes_down] == ["Its health becomes down"]


def test_a_status_says_how_it_is_behind_the_window(alone: Api) -> None:
    monitor = a_monitor(alone)
    alone.call("POST", f"/v1/monitors/{monitor['id']}/maintenance", {"duration_seconds": 3600})
    carry_out(alone)

    def fall(connection: Connection) -> None:
        stored = monitors.get(connection, monitor["team_id"], monitor["id"])
        assert stored is not None
        state = states.state_of(connection, stored.key)
        states.save_all(connection, {stored.key: replace(state, health=Health.DOWN)})

    alone.write(fall)
    message = alone.call("GET", f"/v1/status/{monitor['id']}").json()["message"]
    assert message.startswith("Shop is in maintenance and down meanwhile")


def test_an_explanation_says_when_quiet_hours_end(alone: Api) -> None:
    rule = {
        "name": "In the morning",
        "notify": ["slack://hooks/T0A1B2C3D/B0X9Y8Z7W/def456"],
        "quiet_hours": {"from": "22:00", "to": "07:00"},
    }
    monitor = a_monitor(alone, notification_rules=[rule])
    trigger = {"title": "Slow", "monitor_id": monitor["id"], "severity": "warning"}
    incident = alone.call("POST", "/v1/incidents", trigger).json()
    explained = alone.call("GET", f"/v1/monitors/{monitor['id']}/explain").json()["sentences"]
    ends = "hears of it at 2026-11-23T07:00:00.000Z, when quiet hours end, if it is open still."
    assert [one for one in explained if one.endswith(ends)]
    shown = alone.call("GET", f"/v1/incidents/{incident['id']}").json()
    assert (shown["escalation"]["held"]["reason"], shown["escalation"]["held"]["until"]) == (
        "quiet_hours",
        "2026-11-23T07:00:00.000Z",
    )


def test_an_incident_from_before_says_that_maintenance_holds_it(alone: Api) -> None:
    monitor = a_monitor(alone)
    incident = alone.call("POST", "/v1/incidents", {"title": "Slow", "monitor_id": monitor["id"]}).json()
    begun_at = to_text(alone.clock())
    window = alone.call("POST", f"/v1/monitors/{monitor['id']}/maintenance", {"duration_seconds": 3600}).json()
    carry_out(alone)
    shown = alone.call("GET", f"/v1/incidents/{incident['id']}").json()
    end = to_text(alone.clock() + HOUR)
    assert shown["escalation"]["held"] == {
        "reason": "maintenance",
        "monitor_ids": [],
        "maintenance_window_id": window["id"],
        "since": begun_at,
        "until": end,
    }
    words = f"Incident {incident['id']} is triggered; maintenance holds what is to follow until {end}."
    assert (shown["message"], shown["version"]) == (words, incident["version"] + 1)
    explained = alone.call("GET", f"/v1/monitors/{monitor['id']}/explain").json()["sentences"]
    assert f"Maintenance window {window['id']} holds its escalation until {end}." in explained


def test_the_end_of_an_occurrence_leaves_those_that_come(alone: Api) -> None:
    window = made(alone, starts_at="2026-11-23T01:00:00", rrule="FREQ=DAILY")
    assert window["status"] == "active"
    assert window["active_occurrence"]["start_at"] == to_text(NOW)
    assert window["next_occurrence"]["start_at"] == "2026-11-24T06:00:00.000Z"
    carry_out(alone)
    alone.clock.at += MINUTE
    ended = alone.call("POST", f"{PATH}/{window['id']}/end").json()
    assert (ended["status"], ended["next_occurrence"]["start_at"]) == ("scheduled", "2026-11-24T06:00:00.000Z")
    assert window["last_occurrence"] is None
    assert ended["last_occurrence"] == {"start_at": to_text(NOW), "end_at": to_text(NOW + MINUTE)}
    not_active = alone.call("POST", f"{PATH}/{window['id']}/end")
    assert error(not_active) == (409, "window_already_ended", None)
    assert "2026-11-24T06:00:00.000Z" in not_active.json()["message"]
    carry_out(alone)
    alone.clock.at += DAY
    assert alone.call("GET", f"{PATH}/{window['id']}").json()["status"] == "active"


def test_a_window_that_is_over_tells_when_it_was(alone: Api) -> None:
    window = once(alone, NOW + HOUR)
    planned = window["next_occurrence"]
    carry_out(alone)
    alone.clock.at += 2 * DAY
    carry_out(alone)
    for shown in (alone.call("GET", f"{PATH}/{window['id']}").json(), alone.call("GET", PATH).json()["data"][0]):
        assert (shown["status"], shown["active_occurrence"], shown["next_occurrence"]) == ("ended", None, None)
        assert shown["last_occurrence"] == planned
    cancelled = once(alone, NOW + 3 * DAY)
    gone = alone.call("DELETE", f"{PATH}/{cancelled['id']}").json()
    assert (gone["status"], gone["last_occurrence"]) == ("cancelled", None)


def test_the_next_occurrence_is_skipped(alone: Api) -> None:
    window = made(alone)
    skipped = alone.call("POST", f"{PATH}/{window['id']}/skip-next").json()
    assert skipped["exdates"] == ["2026-11-29T02:00:00"]
    assert skipped["next_occurrence"]["start_at"] == "2026-12-06T07:00:00.000Z"
    single = once(alone, NOW + HOUR)
    assert alone.call("POST", f"{PATH}/{single['id']}/skip-next").json()["status"] == "cancelled"
    assert error(alone.call("POST", f"{PATH}/{single['id']}/skip-next")) == (409, "window_already_ended", None)
    assert [one[0] for one in told(alone)].count("maintenance.cancelled") == 2


def test_occurrences_are_shown_up_to_two_hundred(api: Api) -> None:
    window = made(api, starts_at="2026-10-25T02:30:00", rrule="FREQ=DAILY", exdates=["2026-11-02T02:30:00"])
    path = f"{PATH}/{window['id']}/occurrences"
    query = "?from=2026-10-31T00:00:00Z&to=2026-11-04T00:00:00Z"
    answer = api.call("GET", f"{path}{query}", token=READER).json()
    # Nothing was planned before the window was made.
    assert (answer["data"], answer["has_more"]) == ([], False)
    ahead = api.call("GET", f"{path}?from=2027-03-13T00:00:00Z&to=2027-03-16T00:00:00Z", token=READER).json()
    assert [one["start_at"] for one in ahead["data"]] == [
        "2027-03-13T07:30:00.000Z",
        "2027-03-14T07:30:00.000Z",
        "2027-03-15T06:30:00.000Z",
    ]
    many = api.call("GET", path, token=READER).json()
    assert (len(many["data"]), many["has_more"]) == (200, True)
    assert error(api.call("GET", f"{path}?from=x")) == (422, "parameter_invalid_format", "from")
    assert error(api.call("GET", f"{path}?to=2020-01-01T00:00:00Z")) == (422, "parameter_conflict", "to")


@pytest.mark.parametrize("rule", ["FREQ=DAILY", "FREQ=WEEKLY", "FREQ=MONTHLY;BYMONTHDAY=31", "FREQ=YEARLY", None])
def test_a_preview_of_any_year_is_answered(api: Api, rule: str | None) -> None:
    for zone in ("America/New_York", "Asia/Tokyo"):
        path = f"{PATH}/{made(api, timezone=zone, rrule=rule)['id']}/occurrences"
        for at in ("0001-01-01T00:00:00Z", "9948-12-31T23:59:59Z", "9998-12-31T23:59:59Z", "9999-12-31T23:59:59Z"):
            for query in (f"from={at}", f"from=2026-01-01T00:00:00Z&to={at}"):
                assert api.call("GET", f"{path}?{query}", token=READER).status_code < 500


def starts(api: Api, window: dict[str, Any], begin: int, end: int) -> list[str]:
    query = f"?from={to_text(begin)}&to={to_text(end)}"
    found = api.call("GET", f"{PATH}/{window['id']}/occurrences{query}", token=READER).json()["data"]
    return [one["start_at"] for one in found]


def test_what_has_been_stays_listed_after_another_plan(alone: Api) -> None:
    a_monitor(alone)
    window = made(alone, starts_at=to_text(NOW + HOUR), timezone=None, rrule="FREQ=DAILY", monitors={"all": True})
    path = f"{PATH}/{window['id']}"
    for _ in range(6):  # the first occurrence begins and ends
        alone.clock.at += HOUR
        carry_out(alone)
    assert alone.call("PATCH", path, {"starts_at": to_text(NOW + DAY + 3 * HOUR)}).status_code == 200
    assert starts(alone, window, NOW, NOW + 2 * DAY) == [to_text(NOW + HOUR), to_text(NOW + DAY + 3 * HOUR)]
    # An occurrence that is under way keeps its beginning, and what was before it stays as it was.
    alone.clock.at = NOW + DAY + 3 * HOUR + 30 * MINUTE
    carry_out(alone)
    assert alone.call("PATCH", path, {"starts_at": to_text(NOW + DAY + 2 * HOUR)}).json()["status"] == "active"
    carry_out(alone)
    listed = starts(alone, window, NOW, NOW + 3 * DAY)
    assert (listed[0], listed[-1], len(listed)) == (to_text(NOW + HOUR), to_text(NOW + 2 * DAY + 2 * HOUR), 3)


def test_a_change_while_it_holds_leaves_the_days_before_as_they_were(alone: Api) -> None:
    a_monitor(alone)
    window = made(alone, starts_at=to_text(NOW + HOUR), timezone=None, rrule="FREQ=DAILY", monitors={"all": True})
    for at in (NOW + HOUR, NOW + 4 * HOUR, NOW + 5 * HOUR, NOW + DAY + HOUR + 30 * MINUTE):
        alone.clock.at = at
        carry_out(alone)
    moved = {"starts_at": to_text(NOW + 30 * MINUTE)}
    assert alone.call("PATCH", f"{PATH}/{window['id']}", moved).json()["status"] == "active"
    assert starts(alone, window, NOW, NOW + DAY) == [to_text(NOW + HOUR)]


def test_an_active_window_that_is_moved_ends_and_is_scheduled(alone: Api) -> None:
    a_monitor(alone)
    window = once(alone, NOW, monitors={"all": True})
    carry_out(alone)
    alone.clock.at += 10 * MINUTE
    moved = alone.call("PATCH", f"{PATH}/{window['id']}", {"starts_at": to_text(NOW + DAY)}).json()
    assert (moved["status"], moved["next_occurrence"]["start_at"]) == ("scheduled", to_text(NOW + DAY))
    carry_out(alone)
    assert told(alone) == [
        ("maintenance.started", "manual", "token"),
        ("maintenance.ended", "manual", "token"),
        ("maintenance.scheduled", "updated", "token"),
    ]
    assert starts(alone, window, NOW, NOW + 2 * DAY) == [to_text(NOW), to_text(NOW + DAY)]


def test_an_edit_of_a_window_that_is_active_holds_from_then_on(alone: Api) -> None:
    monitor = a_monitor(alone, tags=["prod"])
    other = a_monitor(alone, name="Other", tags=["stage"])
    window = once(alone, NOW)
    path = f"{PATH}/{window['id']}"
    carry_out(alone)
    alone.clock.at += 10 * MINUTE
    edit = {"monitors": {"tags": ["stage"]}, "duration_seconds": 7200}
    assert alone.call("PATCH", path, edit).json()["active_occurrence"]["end_at"] == to_text(NOW + 2 * HOUR)
    carry_out(alone)
    alone.clock.at += 10 * MINUTE

    def covered(one: dict[str, Any]) -> tuple[str, float]:
        status = alone.call("GET", f"/v1/status/{one['id']}").json()
        return status["state"], status["metrics"]["maintenance_seconds"]

    assert (covered(monitor)[1], covered(other)) == (600, ("maintenance", 600))
    assert covered(monitor)[0] != "maintenance"
    shorter = alone.call("PATCH", path, {"duration_seconds": 60}).json()
    assert shorter["status"] == "ended"
    carry_out(alone)
    alone.clock.at += 10 * MINUTE
    assert covered(other)[1] == 600


def test_a_deleted_monitor_is_taken_out_of_windows(alone: Api) -> None:
    first, second, third = (a_monitor(alone, name=name)["id"] for name in ("One", "Two", "Three"))
    both = made(alone, monitors={"ids": [first, second]})
    joined = made(alone, monitors={"ids": [second]})
    single, active = made(alone, monitors={"ids": [second]}), once(alone, NOW, monitors={"ids": [second]})
    body = {"maintenance_windows": [joined["id"]]}
    assert alone.call("PATCH", f"/v1/monitors/{third}", body).status_code == 200
    alone.call("DELETE", f"/v1/monitors/{second}")
    found = [alone.call("GET", f"{PATH}/{one['id']}").json() for one in (both, joined, single, active)]
    assert [one["status"] for one in found] == ["scheduled", "scheduled", "cancelled", "ended"]
    assert [one["monitors"]["ids"] for one in found[:2]] == [[first], [third]]
    assert alone.call("PATCH", f"{PATH}/{both['id']}", {"name": "Renamed"}).status_code == 200
    audit = alone.call("GET", f"/v1/audit-log?resource={both['id']}", token=ADMIN).json()["data"]
    assert [entry["action"].removeprefix("maintenance_window.") for entry in audit].count("updated") == 2
    events = set(told(alone))
    assert {("maintenance.cancelled", "monitor_deleted", "token"), ("maintenance.ended", "manual", "token")} <= events
    assert ("maintenance.scheduled", "updated", "token") in events


def test_the_event_shows_the_zone_as_the_window_does(alone: Api) -> None:
    zones = [window["timezone"] for window in (made(alone), once(alone, NOW + HOUR))]
    events = alone.call("GET", "/v1/events?type=maintenance.&order=asc", token=READER).json()["data"]
    assert [one["data"]["maintenance_window"]["timezone"] for one in events] == zones == ["America/New_York", None]


def test_windows_of_another_team_are_not_there(api: Api) -> None:
    window = made(api)
    for method, tail in (
        ("GET", ""),
        ("DELETE", ""),
        ("POST", "/end"),
        ("POST", "/skip-next"),
        ("GET", "/occurrences"),
    ):
        assert api.call(method, f"{PATH}/{window['id']}{tail}", token=STRANGER).status_code == 404
    assert api.call("GET", f"{PATH}/mwn_zzzzzzzz", token=READER).status_code == 404
    assert api.call("GET", f"{PATH}/nonsense", token=READER).status_code == 404


INLINE = {
    "name": "Nightly",
    "starts_at": "2026-11-24T02:00:00",
    "timezone": "Europe/Berlin",
    "duration_seconds": 1800,
    "rrule": "FREQ=DAILY",
}


def config_of(api: Api, monitor: dict[str, Any]) -> dict[str, Any]:
    document: dict[str, Any] = api.call("GET", f"/v1/monitors/{monitor['id']}/config").json()
    return document


def test_a_configuration_holds_windows_of_its_own_and_names_others(alone: Api) -> None:
    shared = made(alone)
    monitor = a_monitor(alone, maintenance_windows=[shared["id"], INLINE])
    first, own = monitor["maintenance_windows"]
    assert first == shared["id"]
    assert {name: own[name] for name in INLINE} == INLINE
    window = alone.call("GET", f"{PATH}/{own['id']}").json()
    assert (window["monitor_id"], window["monitors"]) == (monitor["id"], {"ids": [monitor["id"]]})
    status = alone.call("GET", f"/v1/status/{monitor['id']}").json()
    assert status["maintenance"]["next_start_at"] == "2026-11-24T01:00:00.000Z"
    path = f"/v1/monitors/{monitor['id']}/config"
    again = alone.call("PUT", path, {"maintenance_windows": monitor["maintenance_windows"]}).json()
    assert (again["config_version"], again["changed"]) == (1, [])
    longer = alone.call("PUT", path, {"maintenance_windows": [{**own, "duration_seconds": 3600}]}).json()
    assert (longer["config_version"], longer["changed"]) == (2, ["/maintenance_windows"])
    assert [one["id"] for one in longer["maintenance_windows"]] == [own["id"]]
    window = alone.call("GET", f"{PATH}/{own['id']}").json()
    assert window["next_occurrence"]["end_at"] == "2026-11-24T02:00:00.000Z"
    # The one that stands for itself is left, and not gone.
    assert alone.call("GET", f"{PATH}/{shared['id']}").json()["status"] == "scheduled"
    for method, tail in (("PATCH", ""), ("DELETE", ""), ("POST", "/skip-next")):
        answer = alone.call(method, f"{PATH}/{own['id']}{tail}", {} if method == "PATCH" else None)
        assert error(answer) == (409, "resource_in_use", None)
        assert monitor["id"] in answer.json()["message"]
    dry = alone.call("PUT", f"{path}?dry_run=true", {"maintenance_windows": []}).json()
    assert dry["changed"] == ["/maintenance_windows"]
    assert alone.call("GET", f"{PATH}/{own['id']}").json()["status"] == "scheduled"
    assert alone.call("PUT", path, {"maintenance_windows": []}).json()["maintenance_windows"] == []
    assert alone.call("GET", f"{PATH}/{own['id']}").json()["status"] == "cancelled"
    back = alone.call("POST", f"{path}/rollback", {"config_version": 2}).json()
    (revived,) = back["maintenance_windows"]
    assert {**revived, "id": own["id"]} == {**own, "duration_seconds": 3600}
    assert revived["id"] != own["id"]
    alone.call("DELETE", f"/v1/monitors/{monitor['id']}")
    assert alone.call("GET", f"{PATH}/{revived['id']}").json()["status"] == "cancelled"
    assert told(alone)[-1] == ("maintenance.cancelled", "monitor_deleted", "token")


def test_a_window_of_a_configuration_holds_for_its_monitor_alone(alone: Api) -> None:
    now = {**INLINE, "starts_at": to_text(alone.clock()), "timezone": None, "rrule": None}
    monitor = a_monitor(alone, maintenance_windows=[now])
    other = a_monitor(alone, name="Other")
    states = [alone.call("GET", f"/v1/monitors/{one['id']}").json()["state"] for one in (monitor, other)]
    assert states == ["maintenance", "pending"]
    alone.clock.at += HOUR
    carry_out(alone)
    path = f"/v1/monitors/{monitor['id']}/config"
    held = config_of(alone, monitor)["maintenance_windows"]
    assert alone.call("PUT", path, {"maintenance_windows": held}).json()["changed"] == []
    changed = alone.call("PUT", path, {"maintenance_windows": [{**held[0], "duration_seconds": 60}]})
    assert error(changed) == (422, "parameter_conflict", "maintenance_windows[0].id")


@pytest.mark.parametrize(
    ("entry", "code", "param"),
    [
        ("mwn_zzzzzzzz", "reference_not_found", "maintenance_windows[0]"),
        ({**INLINE, "id": "mwn_zzzzzzzz"}, "reference_not_found", "maintenance_windows[0].id"),
        (
            {**INLINE, "starts_at": "0001-01-01T00:00:00"},
            "parameter_out_of_range",
            "maintenance_windows[0].starts_at",
        ),
        (
            {**INLINE, "starts_at": "9999-12-31T23:59:59", "timezone": "America/New_York"},
            "parameter_out_of_range",
            "maintenance_windows[0].starts_at",
        ),
        ({**INLINE, "rrule": "FREQ=SECONDLY"}, "rrule_unsupported", "maintenance_windows[0].rrule"),
        ({"name": "x", "duration_seconds": 60}, "parameter_missing", "maintenance_windows[0].starts_at"),
        (5, "parameter_invalid_type", "maintenance_windows[0]"),
        ({**INLINE, "monitors": {"all": True}}, "unknown_parameter", "maintenance_windows[0].monitors"),
        ({**INLINE, "duration_seconds": 1}, "parameter_out_of_range", "maintenance_windows[0].duration_seconds"),
    ],
)
def test_what_does_not_hold_in_a_configuration_is_named_where_it_stands(
    api: Api, entry: Any, code: str, param: str
) -> None:
    body = {"name": "Shop", "type": "http", "url": "https://shop.example/", "maintenance_windows": [entry]}
    answer = api.call("POST", "/v1/monitors", body)
    assert error(answer) == (422, code, param)
    assert len(answer.json()["error"]["details"]) == 1
