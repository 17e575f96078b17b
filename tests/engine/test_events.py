"""What happens is told of in the transaction of the change: which events, in which order, with what in them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from statuspulse.domain.failure import Failure, FailureClass
from statuspulse.domain.result import Certificate
from statuspulse.domain.times import DAY, HOUR, MINUTE, SECOND, to_text
from statuspulse.engine.flaps import FlapWatch
from statuspulse.storage import events
from statuspulse.storage.events import EventFilter
from tests.engine.world import REFUSED, START, World, result


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    begun = World.begin(tmp_path)
    yield begun
    begun.database.close()


def told(world: World) -> list[dict[str, Any]]:
    """Every event in the order of the log."""
    found = world.database.read_now(
        lambda connection: events.page(
            connection, world.team_id, EventFilter(), after=None, descending=False, limit=500
        )
    )
    return [json.loads(event.body) for event in found]


def types(world: World) -> list[str]:
    return [event["type"] for event in told(world)]


def of_type(world: World, name: str) -> list[dict[str, Any]]:
    return [event for event in told(world) if event["type"] == name]


def at(seconds: float) -> int:
    return START + round(seconds * SECOND)


def quick(world: World, **members: Any) -> str:
    return world.monitor(failure_threshold=1, recovery_threshold=1, **members)


def test_an_outage_and_its_end_are_told_with_their_incident(world: World) -> None:
    monitor = quick(world, tags=["prod"])
    world.see(result(monitor, at(0)), result(monitor, at(10), REFUSED), result(monitor, at(20)))
    assert types(world) == [
        "monitor.created",
        "monitor.state_changed",
        "incident.triggered",
        "monitor.state_changed",
        "incident.resolved",
        "monitor.state_changed",
    ]
    down = of_type(world, "monitor.state_changed")[1]
    [triggered] = of_type(world, "incident.triggered")
    incident_id = triggered["data"]["incident"]["id"]
    assert down["team_id"] == world.team_id
    assert down["request"] is None
    assert down["data"]["monitor"]["tags"] == ["prod"]
    assert (down["data"]["previous_state"], down["data"]["state"], down["data"]["state_seq"]) == ("up", "down", 2)
    assert down["data"]["incident_id"] == incident_id
    assert down["data"]["reason"] == "probe_result"
    assert down["data"]["failing_regions"] == ["local"]
    assert down["data"]["previous_state_seconds"] == 10
    assert down["data"]["changed_at"] == down["timestamp"] == to_text(at(10.212))
    assert down["data"]["first_observed_at"] == to_text(at(10))
    assert down["data"]["p95_latency_ms"] == pytest.approx(12, rel=0.05)
    [seen] = down["data"]["observations"]
    assert seen == triggered["data"]["observations"][0]
    assert seen["failure"] == {"class": "connect_refused", "detail": REFUSED.detail}
    assert seen["probe_id"].startswith("prb_")
    assert triggered["data"]["incident"]["state"] == "triggered"
    [resolved] = of_type(world, "incident.resolved")
    assert resolved["data"]["reason"] == "recovered"
    assert resolved["data"]["downtime_seconds"] == 10
    assert resolved["data"]["time_to_resolve_seconds"] == 10
    assert resolved["data"]["incident"]["version"] == 2


def test_a_monitor_that_nobody_sees_is_told_as_stale(world: World) -> None:
    monitor = quick(world)
    world.see(result(monitor, at(0)))
    assert world.sweep(at(600)) == 1
    last = told(world)[-1]
    assert (last["data"]["state"], last["data"]["reason"], last["data"]["incident_id"]) == ("unknown", "stale", None)


def test_a_reopened_incident_is_told_as_flapping(world: World) -> None:
    monitor = quick(world)
    for second, failure in enumerate((None, REFUSED, None, REFUSED)):
        world.see(result(monitor, at(10 * second), failure))
    [reopened] = of_type(world, "incident.reopened")
    [resolved] = of_type(world, "incident.resolved")
    assert reopened["data"]["reason"] == "flapping"
    assert reopened["data"]["previous_resolved_at"] == resolved["timestamp"]


def test_a_change_of_the_configuration_tells_what_was_before_and_no_secret(world: World) -> None:
    monitor = world.monitor(auth={"type": "basic", "username": "u", "password": "hunter2"})
    world.edit(monitor, at(1), name="Store", auth={"type": "basic", "username": "u", "password": "hunter3"})
    [updated] = of_type(world, "monitor.updated")
    assert updated["data"]["config_version"] == 2
    assert set(updated["data"]["changed"]) == {"/name", "/auth/password"}
    assert updated["data"]["previous"]["name"] == "Shop"
    assert updated["data"]["previous"]["auth"]["password"] == "***"
    assert "hunter" not in json.dumps(told(world))
    assert updated["data"]["actor"] == {"type": "token", "id": "tok_00000001", "label": "ops"}


def test_an_edit_that_changes_nothing_is_no_event(world: World) -> None:
    monitor = world.monitor()
    world.edit(monitor, at(1), name="Shop")
    assert types(world) == ["monitor.created"]


def test_pause_resumption_and_deletion_are_told_with_what_they_resolve(world: World) -> None:
    monitor = quick(world)
    world.see(result(monitor, at(0)), result(monitor, at(10), REFUSED))
    world.pause(monitor, at(20))
    world.resume(monitor, at(80.5))
    before = len(told(world))
    world.see(result(monitor, at(90), REFUSED))
    world.delete(monitor, at(100))
    assert types(world)[4:before] == [
        "monitor.updated",
        "monitor.state_changed",
        "incident.resolved",
        "monitor.paused",
        "monitor.updated",
        "monitor.state_changed",
        "monitor.resumed",
    ]
    assert of_type(world, "incident.resolved")[0]["data"]["reason"] == "monitor_paused"
    assert of_type(world, "monitor.resumed")[0]["data"]["paused_seconds"] == 60
    [deleted] = of_type(world, "monitor.deleted")
    open_one = of_type(world, "incident.triggered")[1]["data"]["incident"]["id"]
    assert deleted["data"]["resolved_incident_ids"] == [open_one]


def test_flapping_is_told_when_it_begins_and_when_it_has_settled(world: World) -> None:
    monitor = quick(world, interval_seconds=30)
    for second in range(0, 600, 30):
        world.see(result(monitor, at(second), REFUSED if second // 60 % 2 else None))
    watch = FlapWatch(world.watchlist)
    ends_at = watch.due_at()
    assert ends_at is not None
    assert world.write(lambda connection: watch.sweep(connection, ends_at)) == 1
    [started] = of_type(world, "monitor.flapping_started")
    [ended] = of_type(world, "monitor.flapping_ended")
    changes = [
        event["timestamp"]
        for event in of_type(world, "monitor.state_changed")
        if "down" in {event["data"]["state"], event["data"]["previous_state"]}
    ]
    assert started["data"]["transitions"] == changes.index(started["timestamp"]) + 1
    assert started["data"]["since"] == changes[0]
    assert started["data"]["score"] >= 3
    assert ended["data"]["score"] == pytest.approx(1, abs=0.01)


def test_a_pause_ends_flapping(world: World) -> None:
    monitor = quick(world, interval_seconds=30)
    for second in range(0, 600, 30):
        world.see(result(monitor, at(second), REFUSED if second // 60 % 2 else None))
    [started] = of_type(world, "monitor.flapping_started")
    world.pause(monitor, at(600))
    [ended] = of_type(world, "monitor.flapping_ended")
    assert ended["timestamp"] == to_text(at(600))
    assert ended["data"]["monitor"] == started["data"]["monitor"]


def a_certified(monitor: str, when: int, ends: int, failure: Failure | None = None) -> Any:
    found = result(monitor, when, failure)
    return replace(found, observation=replace(found.observation, certificate=Certificate(not_after=ends)))


def test_a_certificate_that_ends_soon_is_told_of_once_a_day_over_restarts(world: World) -> None:
    monitor, ends = world.monitor(), START + 15 * DAY
    world.see(a_certified(monitor, at(0), ends))
    assert of_type(world, "monitor.tls_expiring") == []
    for hours in (24, 25, 47, 48, 49):
        world.restart()
        world.see(a_certified(monitor, START + hours * HOUR, ends))
    warned = of_type(world, "monitor.tls_expiring")
    assert [event["data"]["days_left"] for event in warned] == [13, 12]
    assert [event["timestamp"] for event in warned] == [to_text(START + hours * HOUR + 212) for hours in (24, 48)]
    assert warned[0]["data"]["not_after"] == to_text(ends)


def test_a_monitor_says_how_many_days_before_the_end_it_warns(world: World) -> None:
    monitor = world.monitor(url="https://192.0.2.1/", tls={"expiry_warn_days": 3})
    world.see(a_certified(monitor, at(0), START + 4 * DAY))
    assert of_type(world, "monitor.tls_expiring") == []
    world.see(a_certified(monitor, at(10), START + 3 * DAY))
    assert len(of_type(world, "monitor.tls_expiring")) == 1


def test_types_without_options_for_certificates_warn_two_weeks_before(world: World) -> None:
    secure = world.monitor(type="tcp", url="tcp://192.0.2.1:465", tls=True)
    world.see(a_certified(secure, at(0), START + 14 * DAY))
    assert len(of_type(world, "monitor.tls_expiring")) == 1


def test_a_certificate_that_has_ended_is_told_of_too(world: World) -> None:
    monitor = world.monitor()
    expired = Failure(FailureClass.TLS_EXPIRED, "the certificate ended yesterday")
    world.see(a_certified(monitor, at(0), START - MINUTE, expired))
    assert of_type(world, "monitor.tls_expiring")[0]["data"]["days_left"] == -1
