"""History of a monitor: transitions, uptime, latency, and why the state is what it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from statuspulse.domain.failure import MissReason
from statuspulse.domain.health import Health, Position, Reason, Standing, State
from statuspulse.domain.result import Gap
from statuspulse.domain.times import DAY, HOUR, MINUTE, SECOND, to_text
from statuspulse.engine import rollups
from statuspulse.storage import results, states, watch
from statuspulse.storage.monitors import Monitor
from statuspulse.storage.results import PlacedGap
from statuspulse.storage.states import Transition
from tests.api.server import NOW, READER, STRANGER, Api, running
from tests.api.test_create_monitor import first_detail
from tests.api.test_results import REFUSED
from tests.api.test_results import see as see_result
from tests.api.test_status import a_monitor

MISSING = "mon_00000000"
FAILED = {"class": "connect_refused", "detail": "connection refused by 192.0.2.1:443"}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    folder: Path = tmp_path_factory.mktemp("history")
    with running(folder) as started:
        yield started


@pytest.fixture
def monitor(shop: Api) -> Monitor:
    """Created a week ago and up since, watched from `local` and `eu-west`."""
    return a_monitor(shop)


def path_of(monitor: Monitor, name: str) -> str:
    return f"/v1/monitors/{monitor.id}/{name}"


def see(shop: Api, monitor: Monitor, at: int, **observed: Any) -> None:
    see_result(shop, path_of(monitor, "results"), at, **observed)


def enter(shop: Api, monitor: Monitor, *changes: tuple[int, State]) -> None:
    def store(connection: Connection) -> None:
        for at, state in changes:
            states.cut_intervals(connection, monitor.key, at, state)

    shop.write(store)


def stand(shop: Api, monitor: Monitor, **positions: Standing) -> None:
    def store(connection: Connection) -> None:
        keys = {"local": 1, "eu_west": 2}
        states.save_standings(connection, {(monitor.key, keys[name]): one for name, one in positions.items()})

    shop.write(store)


def record(shop: Api, monitor: Monitor, seq: int, state: State, before: State, at: int) -> None:
    """Decided 11.6 s after it began."""
    evidence = [
        {
            "region": "local",
            "standing": "failing",
            "observed_at": to_text(at + 11_404),
            "ok": False,
            "status_code": None,
            "latency_ms": 12.0,
            "failure": FAILED,
        }
    ]
    transition = Transition(
        state=state,
        previous_state=before,
        health=Health(state.value),
        previous_health=Health(before.value),
        changed_at=at + 11_600,
        first_observed_at=at,
        reason=Reason.PROBE_RESULT,
        evidence=evidence,
        incident_id="inc_4m8n2v5w",
    )
    shop.write(lambda connection: states.record(connection, monitor.key, seq, transition))


# --- transitions --------------------------------------------------------------------------------------------


def test_a_transition_comes_with_the_votes_that_led_to_it(shop: Api, monitor: Monitor) -> None:
    record(shop, monitor, 2, State.DOWN, State.UP, NOW - HOUR)
    record(shop, monitor, 3, State.UP, State.DOWN, NOW - HOUR + 431_500)
    document = shop.call("GET", path_of(monitor, "transitions"), token=READER).json()
    newest, older = document["data"]
    assert (newest["state_seq"], newest["state"], newest["duration_seconds"]) == (3, "up", None)
    assert older == {
        "object": "transition",
        "state_seq": 2,
        "state": "down",
        "previous_state": "up",
        "health": "down",
        "previous_health": "up",
        "changed_at": to_text(NOW - HOUR + 11_600),
        "first_observed_at": to_text(NOW - HOUR),
        "duration_seconds": 431.5,
        "reason": "probe_result",
        "incident_id": "inc_4m8n2v5w",
        "maintenance_window_id": None,
        "evidence": [
            {
                "region": "local",
                "standing": "failing",
                "observed_at": to_text(NOW - HOUR + 11_404),
                "ok": False,
                "status_code": None,
                "latency_ms": 12.0,
                "failure": FAILED,
            }
        ],
    }


def test_pages_of_transitions_are_the_list_whole_and_in_order(shop: Api, monitor: Monitor) -> None:
    for seq in range(2, 9):
        state, before = (State.DOWN, State.UP) if seq % 2 else (State.UP, State.DOWN)
        record(shop, monitor, seq, state, before, NOW - DAY + seq * HOUR)
    path = path_of(monitor, "transitions")
    for order, expected in (("desc", [8, 7, 6, 5, 4, 3, 2]), ("asc", [2, 3, 4, 5, 6, 7, 8])):
        collected: list[int] = []
        following = f"{path}?limit=3&order={order}"
        while True:
            document = shop.call("GET", following).json()
            collected += [item["state_seq"] for item in document["data"]]
            if not document["has_more"]:
                break
            following = f"{path}?limit=3&order={order}&cursor={document['next_cursor']}"
        assert collected == expected
    window = f"{path}?from={to_text(NOW - DAY + 4 * HOUR)}&to={to_text(NOW - DAY + 6 * HOUR)}&include=total"
    document = shop.call("GET", window).json()
    assert ([item["state_seq"] for item in document["data"]], document["total"]) == ([5, 4], 2)


# --- uptime -------------------------------------------------------------------------------------------------


def test_the_six_kinds_of_seconds_are_the_window(shop: Api, monitor: Monitor) -> None:
    start = NOW - DAY
    enter(
        shop,
        monitor,
        (start + HOUR, State.DOWN),
        (start + HOUR + 431_500, State.UP),
        (start + 5 * HOUR, State.PAUSED),
        (start + 6 * HOUR, State.DEGRADED),
        (start + 7 * HOUR, State.MAINTENANCE),
        (start + 8 * HOUR, State.UNKNOWN),
        (start + 9 * HOUR, State.UP),
    )
    see(shop, monitor, NOW - 10 * SECOND)
    see(shop, monitor, NOW - 5 * SECOND, region="eu-west")
    document = shop.call("GET", f"{path_of(monitor, 'uptime')}?bucket=1h&from={to_text(start)}").json()
    totals = document["totals"]
    assert (totals["start_at"], totals["end_at"]) == (to_text(start), to_text(NOW))
    assert (totals["downtime_seconds"], totals["degraded_seconds"]) == (431.5, 3600)
    assert (totals["paused_seconds"], totals["maintenance_seconds"], totals["unknown_seconds"]) == (3600,) * 3
    kinds = ("up", "degraded", "down", "unknown", "maintenance", "paused")
    names = ["downtime_seconds" if kind == "down" else f"{kind}_seconds" for kind in kinds]
    assert sum(round(totals[name] * 1000) for name in names) == DAY
    for name in names:
        assert sum(round(item[name] * 1000) for item in document["data"]) == round(totals[name] * 1000)
    assert (totals["outages"], totals["checks_total"]) == (1, 2)
    assert totals["mtbf_seconds"] == 21 * 3600 - 431.5
    assert len(document["data"]) == 25
    assert all(one["end_at"] == other["start_at"] for one, other in pairwise(document["data"]))
    # Each hour from 06:20 on lies in two buckets; the worse of what it holds is told.
    worst = [item["state"] for item in document["data"][:11]]
    assert worst == ["up", "down", "up", "up", "up", "paused", "degraded", "degraded", "unknown", "unknown", "up"]


def test_a_day_of_a_clock_change_has_twenty_five_hours(shop: Api, monitor: Monitor) -> None:
    query = "bucket=1d&timezone=America/New_York&from=2026-10-31T04:00:00Z&to=2026-11-03T05:00:00Z"
    data = shop.call("GET", f"{path_of(monitor, 'uptime')}?{query}").json()["data"]
    assert [item["start_at"][:13] for item in data] == ["2026-10-31T04", "2026-11-01T04", "2026-11-02T05"]
    # All of it lies before the monitor's creation: buckets with nulls, none missing.
    assert [(item["state"], item["uptime_pct"], item["up_seconds"]) for item in data] == [(None, None, 0)] * 3


def test_several_monitors_are_answered_in_the_order_asked_for(shop: Api, monitor: Monitor) -> None:
    other = a_monitor(shop, name="Other")
    query = f"monitor_id={other.id}&monitor_id={monitor.id}&bucket=1d"
    document = shop.call("GET", f"/v1/uptime?{query}").json()
    assert [series["monitor_id"] for series in document["data"]] == [other.id, monitor.id]
    alone = shop.call("GET", f"{path_of(monitor, 'uptime')}?bucket=1d").json()
    assert document["data"][1] == {name: alone[name] for name in document["data"][1]}
    for wrong in (f"{query}&monitor_id={MISSING}", "bucket=1d&monitor_id=mine"):
        refused = shop.call("GET", f"/v1/uptime?{wrong}")
        assert (refused.status_code, first_detail(refused)["code"]) == (422, "reference_not_found")
    assert shop.call("GET", "/v1/uptime").status_code == 422
    assert shop.call("GET", f"/v1/uptime?monitor_id={monitor.id}", token=STRANGER).status_code == 422


@pytest.mark.parametrize("name", ["uptime", "latency"])
@pytest.mark.parametrize(
    ("query", "param", "code"),
    [
        ("bucket=2h", "bucket", "parameter_invalid_enum"),
        ("timezone=Europe/Atlantis", "timezone", "timezone_unknown"),
        ("timezone=../../etc/passwd", "timezone", "timezone_unknown"),
        ("from=yesterday", "from", "parameter_invalid_format"),
        ("from=2027-01-01T00:00:00Z&to=2027-01-02T00:00:00Z", "from", "parameter_conflict"),
        ("bucket=5m&from=2026-11-10T00:00:00Z", "bucket", "parameter_out_of_range"),
        ("bucket=1mo&from=0001-01-01T00:00:00Z", "bucket", "parameter_out_of_range"),
        ("bucket=1mo&from=1858-01-01T00:00:00Z", "bucket", "parameter_out_of_range"),
    ],
)
def test_a_window_that_makes_no_sense_is_refused(
    shop: Api, monitor: Monitor, name: str, query: str, param: str, code: str
) -> None:
    refused = shop.call("GET", f"{path_of(monitor, name)}?{query}")
    assert refused.status_code == 422
    assert (first_detail(refused)["param"], first_detail(refused)["code"]) == (param, code)


def test_what_is_not_kept_in_so_narrow_buckets_is_null_and_warned_of(tmp_path: Path) -> None:
    with running(tmp_path) as alone:
        monitor = a_monitor(alone)
        alone.write(lambda connection: rollups.roll(connection, NOW, 1000))
        query = f"bucket=5m&from={to_text(NOW - 20 * DAY)}&to={to_text(NOW - 20 * DAY + HOUR)}"
        document = alone.call("GET", f"{path_of(monitor, 'uptime')}?{query}").json()
        assert [soft["code"] for soft in document["warnings"]] == ["beyond_retention"]
        assert {item["checks_total"] for item in document["data"]} == {None}
        assert alone.call("GET", f"{path_of(monitor, 'uptime')}?bucket=1d").json()["warnings"] == []


# --- latency ------------------------------------------------------------------------------------------------


def test_latency_by_region_and_merged(shop: Api, monitor: Monitor) -> None:
    for place, latency_us in enumerate((10_000, 20_000, 30_000, 40_000)):
        see(shop, monitor, NOW - (place + 1) * MINUTE, latency_us=latency_us)
    see(shop, monitor, NOW - MINUTE, region="eu-west", latency_us=500_000)
    see(shop, monitor, NOW - 2 * MINUTE, region="eu-west", latency_us=9_000_000, failure=REFUSED)
    base = f"{path_of(monitor, 'latency')}?from={to_text(NOW - 10 * MINUTE)}&bucket=1h"
    [merged] = shop.call("GET", f"{base}&percentiles=50,99.9").json()["data"]
    assert (merged["count"], merged["region"], merged["max_latency_ms"]) == (5, None, 500)
    assert merged["percentiles_ms"] == {"50": pytest.approx(30, rel=0.01), "99.9": pytest.approx(500, rel=0.01)}
    by_region = shop.call("GET", f"{base}&group_by=region").json()["data"]
    assert [(item["region"], item["count"], item["avg_latency_ms"]) for item in by_region] == [
        ("local", 4, 25),
        ("eu-west", 1, 500),
    ]


def test_a_heat_map_counts_every_check_in_one_row(shop: Api, monitor: Monitor) -> None:
    for place, latency_us in enumerate((10_000, 10_100, 30_000, 400_000)):
        see(shop, monitor, NOW - (place + 1) * 4 * MINUTE, latency_us=latency_us)
    query = f"view=heatmap&bucket=5m&from={to_text(NOW - 20 * MINUTE)}"
    document = shop.call("GET", f"{path_of(monitor, 'latency')}?{query}").json()
    assert document["object"] == "latency_heatmap"
    bounds = document["buckets_ms"]
    assert bounds == sorted(bounds)
    rows = [sum(column["counts"][row] for column in document["data"]) for row in range(len(bounds) - 1)]
    assert sum(rows) == 4
    for latency_ms in (30, 400):
        [row] = [row for row, (low, high) in enumerate(pairwise(bounds)) if low < latency_ms <= high]
        assert rows[row] == 1


@pytest.mark.parametrize("percentiles", ["", "50,,95", "0", "101", "nan", "1,2,3,4,5,6,7,8,9,10,11", "p95"])
def test_percentiles_that_are_none_are_refused(shop: Api, monitor: Monitor, percentiles: str) -> None:
    refused = shop.call("GET", f"{path_of(monitor, 'latency')}?percentiles={percentiles}")
    assert (refused.status_code, first_detail(refused)["param"]) == (422, "percentiles")


# --- explain ------------------------------------------------------------------------------------------------


def test_it_is_told_what_one_more_failure_would_do(shop: Api) -> None:
    monitor = a_monitor(shop, regions=["local"])
    see(shop, monitor, NOW - 12 * SECOND, failure=REFUSED)
    wobbling = Standing(position=Position.PASSING, fail_streak=1, first_fail_at=NOW - 12 * SECOND, first_ok_at=1)
    stand(shop, monitor, local=wobbling)
    document = shop.call("GET", path_of(monitor, "explain"), token=READER).json()
    assert (document["state"], document["message"]) == ("up", "Checkout Service Gateway is up.")
    [region] = document["regions"]
    assert (region["standing"], region["eligible"]) == ("passing", True)
    assert region["why"] == f"its last verdict is 12 s old and counts through {region['votes_until']}"
    assert region["streak"] == {"failures": 1, "successes": 0, "since": to_text(NOW - 12 * SECOND)}
    assert region["last_result"]["failure"] == FAILED
    assert document["quorum"]["decides"] is True
    assert (document["quorum"]["need"], document["quorum"]["failing"], document["quorum"]["passing"]) == (1, 0, 1)
    [change] = document["next_decision"]["changes"]
    assert (change["state"], change["needed"]) == ("down", [{"region": "local", "ok": False, "results": 1}])
    assert change["sentence"].startswith("It goes down after one more failure from local")
    assert change["sentence"] in document["sentences"]
    assert document["next_decision"]["unknown_at"] == to_text(NOW - 12 * SECOND + 182 + 90 * SECOND)


def test_it_is_told_who_has_not_made_up_its_mind_and_that_nobody_looks(shop: Api, monitor: Monitor) -> None:
    see(shop, monitor, NOW - 12 * SECOND)
    see(shop, monitor, NOW - 12 * SECOND, region="eu-west", failure=REFUSED)
    stand(shop, monitor, local=Standing(position=Position.PASSING, ok_streak=2, first_ok_at=1))
    told = shop.call("GET", path_of(monitor, "explain")).json()["sentences"]
    assert any("0 fail, 1 passes, 1 has not made up its mind; down takes" in sentence for sentence in told)
    assert "No probe of local, eu-west is online, so nobody looks now." in told


def test_a_region_that_is_silent_may_not_vote_and_it_is_told_why(shop: Api, monitor: Monitor) -> None:
    see(shop, monitor, NOW - 12 * SECOND)
    see(shop, monitor, NOW - 80 * SECOND, region="eu-west")
    passing = Standing(position=Position.PASSING, ok_streak=2, first_ok_at=1)
    stand(shop, monitor, local=passing, eu_west=passing)
    document = shop.call("GET", path_of(monitor, "explain")).json()
    here, there = document["regions"]
    assert (here["eligible"], there["eligible"]) == (True, False)
    assert there["why"] == "its last verdict is 80 s old; it counts for 70 s only"
    assert (document["quorum"]["eligible"], document["quorum"]["configured"]) == (1, 2)


def test_nothing_is_claimed_of_what_nobody_saw(shop: Api, monitor: Monitor) -> None:
    document = shop.call("GET", path_of(monitor, "explain")).json()
    assert (document["state"], document["stale"]) == ("unknown", True)
    assert document["quorum"]["decides"] is False
    assert [region["why"] for region in document["regions"]] == ["no result has come from it yet"] * 2
    assert any("too few for a decision" in sentence for sentence in document["sentences"])
    assert not any("is up" in sentence for sentence in document["sentences"])
    assert document["next_decision"]["unknown_at"] is None


def test_a_new_monitor_is_looked_at_before_its_first_slot(api: Api) -> None:
    body = {"name": "New", "type": "http", "url": "https://new.example/", "interval_seconds": 3600}
    made = api.call("POST", "/v1/monitors", body).json()
    changes = api.call("GET", f"/v1/monitors/{made['id']}/explain").json()["next_decision"]["changes"]
    by_state = {change["state"]: change for change in changes}
    assert by_state["up"]["scheduled_at"] == made["next_probe_at"]
    assert (by_state["down"]["needed"][0]["results"], by_state["down"]["scheduled_at"] > made["next_probe_at"]) == (
        2,
        True,
    )


def test_what_was_missed_lately_is_told_with_its_reason(shop: Api, monitor: Monitor) -> None:
    see(shop, monitor, NOW - 12 * SECOND)
    new = Gap(
        monitor_id=monitor.id,
        region="eu-west",
        from_at=NOW - 600 * SECOND,
        to_at=NOW - 90 * SECOND,
        count=18,
        reason=MissReason.SPOOL_OVERFLOW,
    )
    old = replace(new, from_at=NOW - 2 * DAY, to_at=NOW - DAY)

    def store(connection: Connection) -> None:
        region = watch.region_keys(connection)["eu-west"]
        results.insert_gaps(connection, [PlacedGap(monitor.key, region, gap) for gap in (old, new)])

    shop.write(store)
    document = shop.call("GET", path_of(monitor, "explain")).json()
    stretch = {"from_at": to_text(new.from_at), "to_at": to_text(new.to_at)}
    assert document["missed"] == [{"region": "eu-west", **stretch, "count": 18, "reason": "spool_overflow"}]
    told = f"eu-west last missed 18 checks from {stretch['from_at']} to {stretch['to_at']}: the results waited until"
    assert any(sentence.startswith(told) for sentence in document["sentences"])


def test_a_paused_monitor_is_explained_by_its_pause(shop: Api, monitor: Monitor) -> None:
    shop.call("POST", path_of(monitor, "pause"))
    document = shop.call("GET", path_of(monitor, "explain")).json()
    assert document["state"] == "paused"
    assert document["sentences"][1] == "It was paused by a person, so nothing is judged and no time counts."
    assert document["next_decision"] == {"unknown_at": None, "changes": []}
    assert [region["why"] for region in document["regions"]] == ["the monitor is paused"] * 2
    assert [transition["reason"] for transition in document["transitions"]] == ["paused"]


@pytest.mark.parametrize("name", ["transitions", "uptime", "latency", "explain"])
def test_monitors_of_others_and_none_answer_alike(shop: Api, monitor: Monitor, name: str) -> None:
    for path, token in ((path_of(monitor, name), STRANGER), (f"/v1/monitors/{MISSING}/{name}", READER)):
        assert shop.call("GET", path, token=token).status_code == 404
