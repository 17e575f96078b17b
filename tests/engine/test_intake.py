"""Batches of results: each item once, in order, with what follows from it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection

from statuspulse.catalog import incidents
from statuspulse.domain.failure import Failure, FailureClass, MissReason
from statuspulse.domain.health import Health, State
from statuspulse.domain.incident import IncidentState, availability_key
from statuspulse.domain.result import Gap, ResultKind
from statuspulse.domain.team_settings import TeamSettings
from statuspulse.domain.times import MINUTE, SECOND, to_text
from statuspulse.domain.uptime import Span
from statuspulse.engine.sight import sights_of
from statuspulse.protocol.conversion import gap_item
from statuspulse.protocol.documents import TimingsDocument
from statuspulse.storage import incidents as stored_incidents
from statuspulse.storage import monitors, states, teams, watch
from tests.engine.world import REFUSED, START, World, result

BLOCKED = Failure(FailureClass.BLOCKED_BY_POLICY, "the address policy denies private addresses")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    begun = World.begin(tmp_path)
    yield begun
    begun.database.close()


def at(seconds: float) -> int:
    return START + round(seconds * SECOND)


def test_the_first_ok_makes_a_monitor_up(world: World) -> None:
    monitor = world.monitor()
    receipt = world.see(result(monitor, at(3), kind=ResultKind.FIRST))
    assert (receipt.accepted, receipt.committed_through) == (1, 1)
    assert world.state(monitor).state is State.UP
    assert world.history(monitor, at(10)) == [(State.PENDING, START, at(3)), (State.UP, at(3), at(10))]
    assert world.owed() == []


def test_one_failure_changes_nothing_and_two_open_one_incident(world: World) -> None:
    monitor = world.monitor()
    world.see(result(monitor, at(0)), result(monitor, at(10), REFUSED))
    assert world.state(monitor).health is Health.UP
    world.see(result(monitor, at(20), REFUSED))
    assert world.state(monitor).health is Health.DOWN
    assert world.history(monitor, at(30)) == [(State.UP, START, at(10)), (State.DOWN, at(10), at(30))]
    [incident] = world.incidents()
    assert (incident.title, incident.state) == ("Shop is down", IncidentState.TRIGGERED)
    assert incident.triggered_at == at(20) + 212
    assert world.owed() == [("trigger", 1)]
    last = world.transitions(monitor)[-1]
    assert (last.first_observed_at, last.changed_at, last.incident_id) == (at(10), at(20) + 212, incident.id)
    [(_, begun)] = world.database.read_now(
        lambda connection: stored_incidents.timeline_page(connection, incident.id, after=0, limit=9)
    )
    assert (begun.type, begun.detail["first_observed_at"]) == ("triggered", to_text(at(10)))
    assert "connection refused" in last.evidence


def test_an_incident_by_hand_with_the_monitors_key_is_the_one_of_its_outage(world: World) -> None:
    monitor = world.monitor()
    world.see(result(monitor, at(0)))
    sent = {"dedup_key": availability_key(monitor), "title": "Users complain"}
    world.write(lambda connection: incidents.submit(connection, world.change_at(at(5)), sent))
    world.see(*(result(monitor, at(seconds), REFUSED) for seconds in (10, 20)))
    assert world.state(monitor).health is Health.DOWN
    assert [incident.title for incident in world.incidents()] == ["Users complain"]
    assert world.owed() == [("trigger", 1)]
    world.see(*(result(monitor, at(seconds)) for seconds in (30, 40)))
    assert [incident.state for incident in world.incidents()] == [IncidentState.RESOLVED]


def test_an_outage_whose_incident_was_resolved_by_hand_opens_none_and_the_next_one_does(world: World) -> None:
    monitor = world.monitor()
    world.see(result(monitor, at(0)), *(result(monitor, at(seconds), REFUSED) for seconds in (10, 20)))
    [first] = world.incidents()
    sent = {"incident_id": first.id, "state": "resolved"}
    world.write(lambda connection: incidents.submit(connection, world.change_at(at(25)), sent))
    world.see(*(result(monitor, at(seconds), REFUSED) for seconds in (30, 40, 50)))
    assert world.state(monitor).health is Health.DOWN
    assert [incident.state for incident in world.incidents()] == [IncidentState.RESOLVED]
    world.see(*(result(monitor, at(seconds)) for seconds in (60, 70)))
    world.see(*(result(monitor, at(seconds), REFUSED) for seconds in (80, 90)))
    second = next(incident for incident in world.incidents() if incident.id != first.id)
    assert (second.state, second.occurrences) == (IncidentState.TRIGGERED, 1)
    assert [one.state for one in world.incidents() if one.id == first.id] == [IncidentState.RESOLVED]


def test_recovery_takes_two_and_resolves_the_incident(world: World) -> None:
    monitor = world.monitor()
    world.see(result(monitor, at(0)), result(monitor, at(10), REFUSED), result(monitor, at(20), REFUSED))
    world.see(result(monitor, at(30)))
    assert world.state(monitor).health is Health.DOWN
    world.see(result(monitor, at(40)))
    assert world.state(monitor).health is Health.UP
    assert world.history(monitor, at(50))[-2:] == [(State.DOWN, at(10), at(30)), (State.UP, at(30), at(50))]
    [incident] = world.incidents()
    assert (incident.state, incident.resolve_reason) == (IncidentState.RESOLVED, "recovered")
    assert world.owed() == [("trigger", 1), ("resolve", 2)]


def test_a_monitor_that_fails_again_at_once_goes_on_with_its_incident(world: World) -> None:
    monitor = world.monitor()
    world.see(*(result(monitor, at(10 * n), failure) for n, failure in enumerate([None, REFUSED, REFUSED, None, None])))
    world.see(result(monitor, at(50), REFUSED), result(monitor, at(60), REFUSED))
    [incident] = world.incidents()
    assert (incident.state, incident.occurrences) == (IncidentState.TRIGGERED, 2)
    assert world.owed() == [("trigger", 1), ("resolve", 2), ("trigger", 3)]


def test_a_monitor_that_fails_much_later_gets_a_new_incident(world: World) -> None:
    monitor = world.monitor()
    world.see(*(result(monitor, at(10 * n), failure) for n, failure in enumerate([None, REFUSED, REFUSED, None, None])))
    world.see(*(result(monitor, at(10 * n)) for n in range(5, 40)))
    world.see(result(monitor, at(400), REFUSED), result(monitor, at(410), REFUSED))
    assert [incident.state for incident in world.incidents()] == [IncidentState.RESOLVED, IncidentState.TRIGGERED]


@pytest.mark.parametrize(("window_seconds", "again_at", "count"), [(0, 60, 2), (3600, 400, 1)])
def test_how_soon_is_at_once_is_for_the_team_to_say(
    world: World, window_seconds: int, again_at: int, count: int
) -> None:
    def settle(connection: Connection) -> None:
        team = teams.get(connection, world.team_id)
        assert team is not None
        teams.save(connection, replace(team, settings=TeamSettings(reopen_window_seconds=window_seconds)))

    world.write(settle)
    monitor = world.monitor()
    world.see(*(result(monitor, at(10 * n), failure) for n, failure in enumerate([None, REFUSED, REFUSED, None, None])))
    world.see(*(result(monitor, at(10 * n)) for n in range(5, again_at // 10)))
    world.see(*(result(monitor, at(again_at + after), REFUSED) for after in (0, 10)))
    assert len(world.incidents()) == count


def test_a_void_result_is_stored_and_decides_nothing(world: World) -> None:
    monitor = world.monitor()
    world.see(result(monitor, at(0), BLOCKED), result(monitor, at(10), BLOCKED), result(monitor, at(20), BLOCKED))
    assert world.state(monitor).health is Health.PENDING
    assert world.incidents() == []
    assert world.stored(monitor) == 3


@pytest.mark.parametrize("before", [[], [None], [None, REFUSED]])
def test_what_policy_refuses_becomes_unknown_and_calls_nobody(world: World, before: list[Failure | None]) -> None:
    monitor = world.monitor()
    found = [*before, *[BLOCKED] * 10]
    world.see(*(result(monitor, at(10 * n), failure) for n, failure in enumerate(found)))
    assert world.sweep(at(10 * len(found))) == 1
    assert world.state(monitor).state is State.UNKNOWN
    assert (world.incidents(), world.owed()) == ([], [])


def test_void_results_break_no_streak(world: World) -> None:
    monitor = world.monitor()
    world.see(result(monitor, at(0)), result(monitor, at(10), REFUSED), result(monitor, at(20), BLOCKED))
    assert world.state(monitor).health is Health.UP
    world.see(result(monitor, at(30), REFUSED))
    assert world.state(monitor).health is Health.DOWN


def test_a_batch_that_is_sent_again_changes_nothing(world: World) -> None:
    monitor = world.monitor()
    items = world.items(result(monitor, at(0)), result(monitor, at(10), REFUSED), result(monitor, at(20), REFUSED))
    first, _ = world.ship(items, at(21))
    before = (world.stored(monitor), world.state(monitor), world.owed())
    again, _ = world.ship(items, at(22))
    assert (first.accepted, first.duplicates, again.accepted, again.duplicates) == (3, 0, 0, 3)
    assert again.committed_through == first.committed_through == 3
    assert (world.stored(monitor), world.state(monitor), world.owed()) == before


def test_the_same_slot_under_another_seq_is_known(world: World) -> None:
    monitor = world.monitor()
    world.see(result(monitor, at(0)), result(monitor, at(10), REFUSED))
    receipt, _ = world.ship(world.items(result(monitor, at(10), REFUSED)), at(12))
    assert (receipt.accepted, receipt.duplicates, receipt.committed_through) == (0, 1, 3)
    assert world.state(monitor).health is Health.UP


def test_the_same_slot_twice_in_one_batch_counts_once(world: World) -> None:
    monitor = world.monitor()
    world.see(result(monitor, at(0)))
    receipt, _ = world.ship(world.items(result(monitor, at(10), REFUSED), result(monitor, at(10), REFUSED)), at(12))
    assert (receipt.accepted, receipt.duplicates) == (1, 1)
    assert world.state(monitor).health is Health.UP


def test_a_batch_that_leaves_a_hole_is_not_taken(world: World) -> None:
    monitor = world.monitor()
    world.see(result(monitor, at(0)))
    lost = world.items(result(monitor, at(10)))
    later = world.items(result(monitor, at(20)))
    receipt, _ = world.ship(later, at(21))
    assert (receipt.accepted, receipt.committed_through) == (0, 1)
    receipt, _ = world.ship(lost + later, at(22))
    assert (receipt.accepted, receipt.committed_through) == (2, 3)


def test_what_a_full_spool_dropped_is_stepped_over(world: World) -> None:
    monitor = world.monitor()
    world.see(result(monitor, at(0)))
    world.items(result(monitor, at(10)))
    receipt, _ = world.ship(world.items(result(monitor, at(20))), at(21), dropped_through=2)
    assert (receipt.accepted, receipt.committed_through) == (1, 3)


def test_bad_items_are_rejected_alone(world: World) -> None:
    monitor = world.monitor()
    good, stranger, ahead, odd = world.items(
        result(monitor, at(0)),
        result("mon_00000000", at(0)),
        result(monitor, at(3600)),
        result(monitor, at(10), REFUSED),
    )
    odd.ok = True
    receipt, _ = world.ship([good, stranger, ahead, odd], at(11))
    assert (receipt.accepted, receipt.committed_through) == (1, 4)
    assert [(rejection.seq, rejection.code) for rejection in receipt.rejected] == [
        (2, "unknown_monitor"),
        (3, "in_the_future"),
        (4, "invalid"),
    ]


def test_slots_that_no_spool_could_hold_are_rejected(world: World) -> None:
    monitor = world.monitor()
    old, kept = world.items(result(monitor, at(-2 * 86_400)), result(monitor, at(60 - 2 * 86_400)))
    receipt, _ = world.ship([old, kept], at(30))
    assert [(rejection.seq, rejection.code) for rejection in receipt.rejected] == [(1, "invalid")]
    assert receipt.committed_through == 2


def test_a_gap_that_is_still_to_come_is_rejected(world: World) -> None:
    monitor = world.monitor()
    gap = Gap(monitor_id=monitor, region="local", from_at=at(0), to_at=at(3600), count=360, reason=MissReason.RESTART)
    world.seqs["local"] = 1
    receipt, tally = world.ship([gap_item(1, gap)], at(10))
    assert ([rejection.code for rejection in receipt.rejected], tally.gaps) == (["in_the_future"], [])


def test_numbers_below_zero_are_rejected(world: World) -> None:
    monitor = world.monitor()
    items = world.items(*(result(monitor, at(10 * number)) for number in range(5)))
    items[0].attempt = items[1].bytes = items[2].status_code = -1
    items[3].timings_ms = TimingsDocument(tls=-0.1)
    receipt, _ = world.ship(items, at(51))
    assert [(rejection.seq, rejection.code) for rejection in receipt.rejected] == [(n, "invalid") for n in (1, 2, 3, 4)]
    assert (receipt.accepted, receipt.committed_through) == (1, 5)


def test_results_of_a_deleted_monitor_are_let_go(world: World) -> None:
    monitor = world.monitor()
    world.see(result(monitor, at(0)))
    world.delete(monitor, at(5))
    receipt, _ = world.ship(world.items(result(monitor, at(10))), at(11))
    assert (receipt.accepted, receipt.committed_through) == (0, 2)
    assert receipt.rejected[0].code == "unknown_monitor"


def test_a_gap_is_kept_and_moves_nothing(world: World) -> None:
    monitor = world.monitor()
    world.see(result(monitor, at(0)))
    gap = Gap(monitor_id=monitor, region="local", from_at=at(10), to_at=at(30), count=3, reason=MissReason.RESTART)
    world.seqs["local"] += 1
    receipt, tally = world.ship([gap_item(world.seqs["local"], gap)], at(31))
    assert (receipt.accepted, tally.gaps[0].gap.count) == (1, 3)
    assert world.state(monitor).health is Health.UP


def test_a_result_of_long_ago_is_history(world: World) -> None:
    monitor = world.monitor()
    items = world.items(*(result(monitor, at(10 * n), REFUSED) for n in range(3)))
    receipt, _ = world.ship(items, at(20 * 60))
    assert receipt.accepted == 3
    assert world.state(monitor).health is Health.PENDING
    assert world.incidents() == []


def test_results_under_an_older_rule_are_history(world: World) -> None:
    monitor = world.monitor()
    world.see(result(monitor, at(0)), result(monitor, at(10), REFUSED))
    world.edit(monitor, at(12), url="http://192.0.2.2/health")
    world.see(result(monitor, at(20), REFUSED, version=1))
    assert world.state(monitor).health is Health.UP
    world.see(result(monitor, at(30), REFUSED, version=2))
    assert world.state(monitor).health is Health.UP
    world.see(result(monitor, at(40), REFUSED, version=2))
    assert world.state(monitor).health is Health.DOWN


def test_an_edit_of_the_timeout_keeps_streaks_and_state(world: World) -> None:
    monitor = world.monitor()
    world.see(result(monitor, at(0)), result(monitor, at(10), REFUSED))
    world.edit(monitor, at(12), name="Other", failure_threshold=2)
    world.see(result(monitor, at(20), REFUSED, version=1))
    assert world.state(monitor).health is Health.DOWN


def test_a_restart_in_the_middle_of_a_failure_forgets_nothing(world: World) -> None:
    monitor = world.monitor()
    world.see(result(monitor, at(0)), result(monitor, at(10), REFUSED))
    world.restart()
    world.see(result(monitor, at(20), REFUSED))
    assert world.state(monitor).health is Health.DOWN
    world.restart()
    world.see(result(monitor, at(30)))
    world.restart()
    world.see(result(monitor, at(40)))
    assert world.state(monitor).health is Health.UP
    assert world.owed() == [("trigger", 1), ("resolve", 2)]


def test_a_hole_between_results_is_unseen_time(world: World) -> None:
    monitor = world.monitor()
    world.see(result(monitor, at(0)), result(monitor, at(10)))
    world.restart()
    world.see(result(monitor, at(60)))
    key = world.key_of(monitor)
    [hole] = world.database.read_now(lambda connection: states.unseen_between(connection, key, 0, at(100)))
    assert (hole.start, hole.end) == (at(20), at(60))
    assert world.state(monitor).health is Health.UP


def test_silence_makes_a_monitor_unknown_since_sight_was_lost(world: World) -> None:
    monitor = world.monitor()
    world.see(result(monitor, at(0)), result(monitor, at(10)))
    assert world.sweep(at(80)) == 0
    assert world.sweep(at(101)) == 1
    assert world.state(monitor).state is State.UNKNOWN
    assert world.history(monitor, at(120))[-1] == (State.UNKNOWN, at(20), at(120))
    assert world.incidents() == []


def test_silence_leaves_an_open_incident_open_and_recovery_resolves_it(world: World) -> None:
    monitor = world.monitor()
    world.see(result(monitor, at(0)), result(monitor, at(10), REFUSED), result(monitor, at(20), REFUSED))
    assert world.sweep(at(200)) == 1
    assert [incident.state for incident in world.incidents()] == [IncidentState.TRIGGERED]
    world.see(result(monitor, at(210)))
    assert world.state(monitor).health is Health.UP
    assert [incident.state for incident in world.incidents()] == [IncidentState.RESOLVED]


def test_what_was_never_seen_becomes_unknown_too(world: World) -> None:
    monitor = world.monitor()
    assert world.sweep(START + 2 * MINUTE) == 1
    assert world.state(monitor).state is State.UNKNOWN


def test_a_paused_monitor_is_left_alone(world: World) -> None:
    monitor = world.monitor()
    world.see(result(monitor, at(0)), result(monitor, at(10), REFUSED), result(monitor, at(20), REFUSED))
    world.pause(monitor, at(25))
    assert world.state(monitor).state is State.PAUSED
    assert [incident.resolve_reason for incident in world.incidents()] == ["monitor_paused"]
    world.see(result(monitor, at(30), REFUSED))
    assert world.sweep(at(600)) == 0
    world.resume(monitor, at(700))
    assert world.state(monitor).state is State.PENDING
    world.see(result(monitor, at(710), REFUSED, version=3))
    assert world.state(monitor).state is State.PENDING
    world.see(result(monitor, at(720), REFUSED, version=3))
    assert world.state(monitor).state is State.DOWN
    assert world.history(monitor, at(730))[-3:] == [
        (State.PAUSED, at(25), at(700)),
        (State.PENDING, at(700), at(710)),
        (State.DOWN, at(710), at(730)),
    ]
    assert len(world.incidents()) == 2


def test_a_deleted_monitor_resolves_its_incident(world: World) -> None:
    monitor = world.monitor()
    world.see(result(monitor, at(0)), result(monitor, at(10), REFUSED), result(monitor, at(20), REFUSED))
    world.delete(monitor, at(25))
    assert [incident.resolve_reason for incident in world.incidents()] == ["monitor_deleted"]
    assert world.owed() == [("trigger", 1), ("resolve", 2)]


def test_a_change_that_fails_to_commit_is_taken_back_whole(world: World) -> None:
    monitor = world.monitor()
    world.see(result(monitor, at(0)), result(monitor, at(10), REFUSED))
    items = world.items(result(monitor, at(20), REFUSED))
    world.write(lambda connection: connection.exec_driver_sql("ALTER TABLE outbox RENAME TO outbox_away"))
    with pytest.raises(Exception, match="no such table"):
        world.ship(items, at(21))
    world.write(lambda connection: connection.exec_driver_sql("ALTER TABLE outbox_away RENAME TO outbox"))
    world.watchlist.forget()
    assert world.state(monitor).health is Health.UP
    assert world.incidents() == []
    receipt, _ = world.ship(items, at(22))
    assert (receipt.accepted, receipt.committed_through) == (1, 3)
    assert world.state(monitor).health is Health.DOWN
    assert world.owed() == [("trigger", 1)]


def test_times_of_a_batch_are_read_to_the_millisecond(world: World) -> None:
    monitor = world.monitor()
    [item] = world.items(result(monitor, at(3.217)))
    assert item.scheduled_at is not None
    item.scheduled_at += timedelta(microseconds=400)
    world.ship([item], at(4))
    assert world.history(monitor, at(5))[-1] == (State.UP, at(3.217), at(5))


def test_a_region_that_never_looked_is_missed_since_it_was_asked_to(world: World) -> None:
    monitor = world.monitor()
    world.see(*(result(monitor, at(10 * n)) for n in range(30)))
    world.region("far", at(300))
    world.edit(monitor, at(301), regions=["far"])
    world.restart()
    assert world.sweep(at(500)) == 1
    assert world.history(monitor, at(500))[-2:] == [
        (State.UP, START, at(301)),
        (State.UNKNOWN, at(301), at(500)),
    ]


def test_a_region_that_stops_voting_takes_no_history_with_it(world: World) -> None:
    world.region("far", START)
    monitor = world.monitor(regions=["local", "far"], quorum="any")
    for n in range(30):
        world.see(result(monitor, at(10 * n)), result(monitor, at(10 * n + 5), region="far"))
    world.see(result(monitor, at(300), REFUSED), result(monitor, at(310), REFUSED))
    assert world.state(monitor).health is Health.DOWN
    world.see(*(result(monitor, at(10 * n + 5), region="far") for n in range(31, 37)))
    assert world.state(monitor).health is Health.UP
    assert [(state, begun) for state, begun, _ in world.history(monitor, at(400))] == [
        (State.UP, at(0)),
        (State.DOWN, at(300)),
        (State.UP, world.state(monitor).since),
    ]


def test_a_region_that_returns_after_long_starts_anew(world: World) -> None:
    world.region("far", START)
    monitor = world.monitor(regions=["local", "far"], quorum="any", failure_threshold=1)
    world.see(result(monitor, at(0)), result(monitor, at(5), region="far"))
    world.edit(monitor, at(6), failure_threshold=2)
    world.see(result(monitor, at(10), REFUSED), result(monitor, at(15), region="far"))
    world.see(*(result(monitor, at(10 * n + 5), region="far") for n in range(2, 20)))
    world.see(result(monitor, at(200), REFUSED))
    assert world.state(monitor).health is Health.UP
    world.see(result(monitor, at(210), REFUSED))
    assert world.state(monitor).health is Health.DOWN
    assert world.history(monitor, at(220))[-1] == (State.DOWN, at(200), at(220))


LATE = range(2, 26)


def shown_holes(world: World, monitor: str, now: int) -> tuple[Span, ...]:
    """What is missed up to now, as whoever asks is told."""

    def look(connection: Connection) -> tuple[Span, ...]:
        found = monitors.get(connection, world.team_id, monitor)
        assert found is not None
        return sights_of(connection, [(found, states.state_of(connection, found.key))], now)[found.key].holes

    return world.database.read_now(look)


@pytest.mark.parametrize("restarts_after", [None, 1, 10, len(LATE)])
def test_what_a_region_kept_while_it_was_cut_off_does_not_keep_what_it_thought(
    world: World, restarts_after: int | None
) -> None:
    world.region("far", START)
    monitor = world.monitor(regions=["local", "far"], quorum="all", failure_threshold=1)
    world.see(result(monitor, at(0)), result(monitor, at(5), region="far"))
    world.see(result(monitor, at(10)), result(monitor, at(15), REFUSED, region="far"))
    assert world.state(monitor).health is Health.DEGRADED
    world.see(*(result(monitor, at(10 * n)) for n in range(2, 29)))
    kept = world.items(*(result(monitor, at(10 * n + 5), region="far") for n in LATE), probe="far")
    for count, item in enumerate(kept, 1):
        world.ship([item], at(285.3), region="far")
        if count == restarts_after:
            world.restart()
    world.see(result(monitor, at(285.1), region="far", kind=ResultKind.RECHECK))
    assert world.state(monitor).health is Health.UP


def test_a_late_result_that_says_otherwise_hides_no_hole_from_a_restart(world: World) -> None:
    world.region("far", START)
    monitor = world.monitor(regions=["local", "far"], quorum="all")
    world.see(result(monitor, at(0)), result(monitor, at(5), region="far"), result(monitor, at(10)))
    kept = world.items(*(result(monitor, at(10 * n + 5), REFUSED, region="far") for n in range(1, 8)), probe="far")
    world.ship(kept, at(115.1), region="far")
    assert [(hole.region, hole.start, hole.end) for hole in shown_holes(world, monitor, at(115.1))][-1:] == [
        (world.database.read_now(watch.region_keys)["far"], at(15), at(115.1))
    ]
    world.restart()
    world.see(result(monitor, at(115), region="far"))
    key = world.key_of(monitor)
    holes = world.database.read_now(lambda connection: states.unseen_between(connection, key, 0, at(200)))
    assert [(hole.start, hole.end) for hole in holes] == [(at(15), at(115))]


def test_a_decision_after_a_restart_tells_what_regions_saw_before_it(world: World) -> None:
    world.region("far", START)
    monitor = world.monitor(regions=["local", "far"], quorum="all", failure_threshold=1)
    world.see(result(monitor, at(0)), result(monitor, at(5), region="far"))
    world.see(result(monitor, at(10)), result(monitor, at(15), REFUSED, region="far"))
    world.restart()
    world.edit(monitor, at(18), quorum="any")
    world.see(result(monitor, at(20)))
    assert world.state(monitor).health is Health.DOWN
    evidence = {one["region"]: one for one in json.loads(world.transitions(monitor)[-1].evidence)}
    assert evidence["far"]["standing"] == "failing"
    assert evidence["far"]["failure"] == {"class": "connect_refused", "detail": REFUSED.detail}
