"""A monitor's past under other rules."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from statuspulse.domain.health import State
from statuspulse.domain.times import DAY, HOUR, SECOND, to_text
from statuspulse.storage.monitors import Monitor
from tests.api.server import NOW, READER, STRANGER, Api, running
from tests.api.test_create_monitor import first_detail
from tests.api.test_history import enter, path_of
from tests.api.test_results import REFUSED
from tests.api.test_results import see as see_result
from tests.api.test_status import a_monitor

BEGIN = NOW - HOUR
# Two outages of three failed checks and two of two, with ten good ones between them.
CALM = "o" * 10
STORY = f"{CALM}xxx{CALM}xx{CALM}xxx{CALM}xx{CALM}"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    folder: Path = tmp_path_factory.mktemp("simulation")
    with running(folder) as started:
        yield started


@pytest.fixture
def monitor(shop: Api) -> Monitor:
    """Up for a week, watched from `local` every 30 s, with two failures and recoveries for a change."""
    return a_monitor(shop, regions=["local"], recovery_threshold=1)


def live(shop: Api, monitor: Monitor, story: str) -> None:
    """One check every 30 s: `x` failed; before it began there were some good ones."""
    for place, letter in enumerate(CALM + story):
        at = BEGIN + (place - len(CALM)) * 30 * SECOND
        see_result(shop, path_of(monitor, "results"), at, failure=REFUSED if letter == "x" else None)


def simulate(shop: Api, monitor: Monitor, token: str = READER, **body: Any) -> Any:
    return shop.call("POST", path_of(monitor, "simulate"), body or None, token=token)


def window() -> dict[str, str]:
    return {"from": to_text(BEGIN), "to": to_text(BEGIN + len(STORY) * 30 * SECOND)}


def test_a_third_failure_halves_the_pages(shop: Api, monitor: Monitor) -> None:
    live(shop, monitor, STORY)
    present = simulate(shop, monitor, **window()).json()
    assert (present["simulated"]["incident_count"], present["changed"]) == (4, [])
    assert present["message"] == "Under its present rules you would have been paged 4 times instead of 0."
    third = simulate(shop, monitor, **window(), failure_threshold=3).json()
    assert (third["simulated"]["pages"], third["actual"]["pages"]) == (2, 0)
    assert third["message"] == "With failure_threshold 3 you would have been paged 2 times instead of 0."
    assert third["config"]["failure_threshold"] == 3
    assert (third["window"], third["warnings"]) == (
        {"start_at": to_text(BEGIN), "end_at": to_text(BEGIN + len(STORY) * 30 * SECOND), "cut": None},
        [],
    )
    began = BEGIN + 10 * 30 * SECOND
    assert third["simulated"]["transitions"][0] == {
        "state": "down",
        "previous_state": "up",
        "changed_at": to_text(began + 60 * SECOND + 182),
        "first_observed_at": to_text(began),
        "reason": "probe_result",
    }
    assert third["simulated"]["incidents"][0] == {
        "opened_at": to_text(began + 60 * SECOND + 182),
        "resolved_at": to_text(began + 90 * SECOND + 182),
        "duration_seconds": 30,
        "pages": 1,
    }
    assert third["simulated"]["downtime_seconds"] == 2 * 90
    assert third["simulated"]["coverage_pct"] == 100
    assert third["longest_outage"] is None


def test_it_needs_no_body(shop: Api, monitor: Monitor) -> None:
    document = simulate(shop, monitor).json()
    assert document["window"]["start_at"] == to_text(NOW - 7 * DAY)
    assert (document["results"], document["simulated"]["uptime_pct"]) == (0, None)


def test_what_was_paused_stays_paused(shop: Api, monitor: Monitor) -> None:
    live(shop, monitor, STORY)
    pause, resume = BEGIN + 9 * 30 * SECOND, BEGIN + 14 * 30 * SECOND
    enter(shop, monitor, (pause, State.PAUSED), (resume, State.PENDING))
    document = simulate(shop, monitor, **window()).json()
    states = [one["state"] for one in document["simulated"]["transitions"]]
    assert states[:4] == ["paused", "pending", "up", "down"]
    assert document["simulated"]["pages"] == 3


@pytest.mark.parametrize(
    ("body", "param", "code"),
    [
        ({"interval_seconds": 45}, "interval_seconds", "parameter_out_of_range"),
        ({"interval_seconds": 10}, "interval_seconds", "parameter_out_of_range"),
        ({"interval_seconds": None}, "interval_seconds", "parameter_invalid_type"),
        ({"regions": ["mars"]}, "regions[0]", "reference_not_found"),
        ({"regions": []}, "regions", "parameter_out_of_range"),
        ({"quorum": 2}, "quorum", "parameter_conflict"),
        ({"quorum": "most"}, "quorum", "parameter_invalid_enum"),
        ({"failure_threshold": 11}, "failure_threshold", "parameter_out_of_range"),
        ({"thresholds": 3}, "thresholds", "unknown_parameter"),
        ({"from": "yesterday"}, "from", "parameter_invalid_format"),
        ({"from": to_text(NOW + DAY)}, "from", "parameter_conflict"),
        ({"from": to_text(NOW - 31 * DAY)}, "from", "parameter_out_of_range"),
        ({"to": to_text(NOW - 20 * DAY)}, "to", "parameter_out_of_range"),
    ],
)
def test_what_makes_no_sense_is_refused(
    shop: Api, monitor: Monitor, body: dict[str, Any], param: str, code: str
) -> None:
    refused = simulate(shop, monitor, **body)
    assert refused.status_code == 422
    assert (first_detail(refused)["param"], first_detail(refused)["code"]) == (param, code)


def test_a_window_before_the_monitor_is_cut_with_a_warning(shop: Api, monitor: Monitor) -> None:
    document = simulate(shop, monitor, **{"from": to_text(NOW - 10 * DAY)}).json()
    assert (document["window"]["start_at"], document["window"]["cut"]) == (to_text(NOW - 7 * DAY), "created")
    assert [(soft["code"], soft["param"]) for soft in document["warnings"]] == [("window_cut", "from")]


@pytest.mark.parametrize("body", [{"interval_seconds": 60}, {"regions": ["local"]}])
def test_turns_of_regions_cannot_be_taken_apart(shop: Api, body: dict[str, Any]) -> None:
    turning = a_monitor(shop, region_strategy="rotate")
    refused = simulate(shop, turning, **body)
    assert (refused.status_code, first_detail(refused)["code"]) == (422, "parameter_conflict")
    assert simulate(shop, turning, failure_threshold=3).status_code == 200


def test_a_heartbeat_has_nothing_to_try(shop: Api) -> None:
    created = shop.call("POST", "/v1/monitors", {"name": "Backup", "type": "heartbeat", "period_seconds": 600}).json()
    refused = shop.call("POST", f"/v1/monitors/{created['id']}/simulate", {})
    assert refused.status_code == 422
    assert refused.json()["message"].startswith("type is heartbeat: one missed ping decides")


def test_another_team_has_no_such_monitor(shop: Api, monitor: Monitor) -> None:
    assert simulate(shop, monitor, STRANGER, failure_threshold=3).status_code == 404


def test_a_team_has_one_running_at_a_time_and_the_instance_few(shop: Api, monitor: Monitor) -> None:
    running_ones = shop.app.state.services.simulations
    with running_ones.admitted(monitor.team_id):
        refused = simulate(shop, monitor)
        assert (refused.status_code, refused.json()["error"]["code"]) == (429, "concurrency_limited")
        assert refused.headers["Retry-After"] == "2"
    with running_ones.admitted("team_00000001"), running_ones.admitted("team_00000002"):
        refused = simulate(shop, monitor)
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "overloaded")
    assert simulate(shop, monitor).status_code == 200


def test_slow_answers_are_degraded_under_a_limit(shop: Api, monitor: Monitor) -> None:
    live(shop, monitor, CALM)
    document = simulate(shop, monitor, **window(), degraded_latency_ms=100).json()
    assert document["simulated"]["degraded_seconds"] == len(CALM) * 30
    assert document["message"] == "With degraded_latency_ms 100 you would have been paged 0 times, as you were."
    assert simulate(shop, monitor, **window(), degraded_latency_ms=200).json()["simulated"]["degraded_seconds"] == 0
