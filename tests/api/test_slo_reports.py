"""Reports of SLOs: as JSON, as a table that no spreadsheet takes for formulas, and as a page."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import re
from typing import Any

import pytest

from statuspulse.api.resources.slo_table import report_table
from statuspulse.domain.health import State
from statuspulse.domain.times import DAY, HOUR, MINUTE, SECOND, from_text
from tests.api.server import READER, Api
from tests.api.test_slos import HOOK, live, monitor, refusal

OCTOBER = from_text("2026-10-01T04:00:00Z")
FORMULA = '=HYPERLINK("http://attacker.example","x")'


@pytest.fixture(scope="module")
def slo(api: Api) -> dict[str, Any]:
    """An outage of 10 minutes on 12 October and one of 2 across the midnight of New York, planned work in between."""
    monitor_id = monitor(api, name="Gateway")
    begun = from_text("2026-09-20T00:00:00Z")
    twelfth, night = from_text("2026-10-12T09:00:00Z"), from_text("2026-10-21T03:59:00Z")
    stretches = (
        (State.UP, twelfth - begun),
        (State.DOWN, 10 * MINUTE),
        (State.UP, DAY),
        (State.MAINTENANCE, HOUR),
        (State.UNKNOWN, 5 * MINUTE),
        (State.UP, night - twelfth - DAY - HOUR - 15 * MINUTE),
        (State.DOWN, 2 * MINUTE),
    )
    end = night + 2 * MINUTE
    live(api, monitor_id, *stretches, (State.UP, api.clock.at - end), end=api.clock.at)
    body = {
        "name": "Gateway 99.9",
        "monitor_id": monitor_id,
        "objective_pct": 99.9,
        "window": "calendar_month",
        "timezone": "America/New_York",
        "notify": [HOOK],
    }
    made: dict[str, Any] = api.call("POST", "/v1/slos", body).json()
    return made


def test_a_month_is_told_with_its_days(api: Api, slo: dict[str, Any]) -> None:
    told = api.call("GET", f"/v1/slos/{slo['id']}/report?period=2026-10", token=READER).json()
    assert (told["period"], told["period_start"], told["period_end"]) == (
        "2026-10",
        "2026-10-01T04:00:00.000Z",
        "2026-11-01T04:00:00.000Z",
    )
    basis = 31 * 86_400 - 3600
    assert (told["budget_seconds"], told["consumed_seconds"], told["met"]) == (basis / 1000, 720.0, True)
    assert told["excluded_maintenance_seconds"] == 3600
    assert told["unknown_seconds"] == 300
    assert told["observed_pct"] == 99.9730
    parts = ("measured", "excluded_maintenance", "paused", "unknown", "absent", "ahead")
    assert sum(told[f"{part}_seconds"] for part in parts) == 31 * 86_400
    spent = {day["date"]: day["consumed_seconds"] for day in told["daily"] if day["consumed_seconds"]}
    assert spent == {"2026-10-12": 600.0, "2026-10-20": 60.0, "2026-10-21": 60.0}
    assert len(told["daily"]) == 31
    assert told["message"].startswith("Gateway 99.9, 2026-10: met; 99.973 % observed, ")


def test_the_month_that_holds_now_is_the_default_and_has_time_ahead(api: Api, slo: dict[str, Any]) -> None:
    told = api.call("GET", f"/v1/slos/{slo['id']}/report").json()
    assert told["period"] == "2026-11"
    assert told["consumed_seconds"] == 0
    assert told["ahead_seconds"] == (from_text("2026-12-01T05:00:00Z") - api.clock.at) / SECOND
    assert told["budget_seconds"] == (30 * 86_400 + 3600) / 1000


def test_a_stretch_is_cut_at_now(api: Api, slo: dict[str, Any]) -> None:
    query = "from=2026-10-12T00:00:00Z&to=2027-01-01T00:00:00Z"
    told = api.call("GET", f"/v1/slos/{slo['id']}/report?{query}").json()
    assert [warning["code"] for warning in told["warnings"]] == ["window_cut"]
    assert (told["period"], told["consumed_seconds"]) == (None, 720.0)


@pytest.mark.parametrize(
    ("query", "code", "param"),
    [
        ("period=2026-13", "parameter_invalid_format", "period"),
        ("period=october", "parameter_invalid_format", "period"),
        ("period=2027-01", "parameter_out_of_range", "period"),
        ("period=2026-10&from=2026-10-01T00:00:00Z", "parameter_conflict", "period"),
        ("from=2026-10-01", "parameter_invalid_format", "from"),
        ("from=2020-01-01T00:00:00Z", "parameter_out_of_range", "from"),
    ],
)
def test_what_is_no_period_is_refused(api: Api, slo: dict[str, Any], query: str, code: str, param: str) -> None:
    for path in (f"{slo['id']}/report", f"{slo['id']}/report.csv", f"{slo['id']}/report.html", "reports"):
        assert refusal(api.call("GET", f"/v1/slos/{path}?{query}")) == (422, code, param)


@pytest.mark.parametrize("query", ["to=x", "from=9999-13-01T00:00:00Z", "period=october", "period=2026-10&to=x"])
def test_what_is_no_period_is_refused_where_there_is_no_objective(api: Api, query: str) -> None:
    assert refusal(api.call("GET", f"/v1/slos/reports?{query}"))[0] == 422


def test_before_there_was_anything_to_measure_nothing_is_claimed(api: Api, slo: dict[str, Any]) -> None:
    told = api.call("GET", f"/v1/slos/{slo['id']}/report?period=2026-01").json()
    assert (told["met"], told["observed_pct"], told["consumed_seconds"]) == (None, None, 0)
    assert told["absent_seconds"] == 31 * 86_400
    assert told["message"] == "Gateway 99.9, 2026-01: nothing was measured."


def test_all_reports_of_a_month_are_a_list(api: Api, slo: dict[str, Any]) -> None:
    page = api.call("GET", "/v1/slos/reports?period=2026-10&limit=1&include=total").json()
    alone = api.call("GET", f"/v1/slos/{slo['id']}/report?period=2026-10").json()
    assert page["total"] == 1
    assert page["data"][0] == {name: alone[name] for name in page["data"][0]}


def test_the_table_has_the_figures_of_the_report(api: Api, slo: dict[str, Any]) -> None:
    answer = api.call("GET", f"/v1/slos/{slo['id']}/report.csv?period=2026-10")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{slo["id"]}-2026-10.csv"'
    told = api.call("GET", f"/v1/slos/{slo['id']}/report?period=2026-10").json()
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert [row["row"] for row in rows] == ["period"] + ["day"] * 31
    for name in ("budget_seconds", "consumed_seconds", "remaining_pct", "observed_pct", "unknown_seconds"):
        assert float(rows[0][name]) == told[name]
    assert rows[0]["met"] == "true"
    assert [float(row["consumed_seconds"]) for row in rows[1:]] == [day["consumed_seconds"] for day in told["daily"]]


@pytest.mark.parametrize("text", [FORMULA, "+1", "-1+1", "@SUM(A1)", "\t=1", " =1", "\uff1d1"])
def test_no_text_in_the_table_begins_like_a_formula(text: str) -> None:
    document = {"slo_id": "slo_00000001", "name": text, "daily": [{"date": "2026-10-01", "observed_pct": -1.5}]}
    incident = {"incident_id": "inc_00000001", "title": text}
    rows = list(csv.DictReader(io.StringIO(report_table({**document, "worst_incidents": [incident]}), newline="")))
    assert rows[0]["name"] == rows[2]["title"] == f"'{text}"
    assert rows[1]["observed_pct"] == "-1.5"


def test_the_page_is_one_file_that_runs_nothing(api: Api) -> None:
    monitor_id = monitor(api, name="<script>alert(1)</script>")
    body = {"name": '<b>&"Shop"', "monitor_id": monitor_id, "objective_pct": 99.9}
    slo_id = api.call("POST", "/v1/slos", body).json()["id"]
    answer = api.call("GET", f"/v1/slos/{slo_id}/report.html?period=2026-11")
    page = answer.text
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert '<h1>&lt;b&gt;&amp;"Shop"</h1>' in page
    assert "<script" not in page
    assert not re.search(r"(src|href|url\()", page)
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = answer.headers["Content-Security-Policy"]
    assert f"style-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    api.call("DELETE", f"/v1/slos/{slo_id}")


def test_the_page_says_what_the_report_says(api: Api, slo: dict[str, Any]) -> None:
    page = api.call("GET", f"/v1/slos/{slo['id']}/report.html?period=2026-10").text
    assert "The objective is met." in page
    for cell in ("99.973 %", "12 minutes", "2026-10-12", "10 minutes"):
        assert f'<td class="n">{cell}</td>' in page or f"<td>{cell}</td>" in page
    assert "so far" in api.call("GET", f"/v1/slos/{slo['id']}/report.html").text


def test_incidents_are_told_by_what_they_cost(api: Api) -> None:
    monitor_id = monitor(api, name="Costly")
    live(api, monitor_id, (State.UP, 5 * DAY), (State.DOWN, HOUR), (State.UP, HOUR), end=api.clock.at)
    body = {"name": "Costly", "monitor_id": monitor_id, "objective_pct": 99}
    slo_id = api.call("POST", "/v1/slos", body).json()["id"]
    manual = api.call("POST", "/v1/incidents", {"monitor_id": monitor_id, "title": "By hand", "notify": False})
    assert manual.status_code == 201
    told = api.call("GET", f"/v1/slos/{slo_id}/report").json()
    assert told["consumed_seconds"] == 3600
    assert told["worst_incidents"] == []
    api.call("DELETE", f"/v1/slos/{slo_id}")
