"""Jobs that call us, on both databases: pings, silence, runs, our own absence, edits and pauses."""

from __future__ import annotations

import pytest

from statuspulse.catalog import monitors as catalog
from statuspulse.catalog.refusals import InvalidInputError
from statuspulse.domain.heartbeat import Signal
from statuspulse.domain.incident import IncidentState
from statuspulse.domain.times import HOUR, SECOND
from statuspulse.engine import heartbeats
from statuspulse.engine.heartbeats import Ping, Taken
from statuspulse.storage.database import Database
from tests.engine.job import Job, begin, moment
from tests.engine.world import World


@pytest.fixture
def world(database: Database) -> World:
    return begin(database)


def test_before_its_first_ping_a_job_is_pending_and_alarms_nobody(world: World) -> None:
    job = Job.of(world)
    job.look(0)
    job.look(100_000)
    assert (job.state, job.told(), world.incidents()) == ("pending", [], [])


def test_silence_past_period_and_grace_opens_an_incident_and_the_next_ping_resolves_it(world: World) -> None:
    job = Job.of(world)
    job.ping(10)
    assert job.state == "up"
    job.listen(95, 102)
    assert job.state == "up"
    job.look(103)  # due at 100; a ping may be three seconds on its way
    assert job.state == "down"
    job.ping(110)
    assert job.state == "up"
    [incident] = world.incidents()
    assert (incident.state, incident.severity.value, incident.resolve_reason) == (
        IncidentState.RESOLVED,
        "critical",
        "recovered",
    )
    assert [action for action, _ in world.owed()] == ["trigger", "resolve"]
    missed = "no ping since 2026-11-23T06:24:10.000Z; one was expected by 2026-11-23T06:25:40.000Z"
    assert job.told() == [(10.0, "ok", None), (70.0, "failed", missed), (110.0, "ok", None)]
    states = [(state.value, start) for state, start, _ in world.history(job.id, moment(200))]
    assert states == [("pending", moment(0)), ("up", moment(10)), ("down", moment(70)), ("up", moment(110))]


def test_every_expected_ping_that_is_missed_is_a_failure_and_one_incident(world: World) -> None:
    job = Job.of(world)
    job.ping(0)
    job.listen(0, 300)
    assert [(at, verdict) for at, verdict, _ in job.told()] == [
        (0.0, "ok"),
        (60.0, "failed"),
        (120.0, "failed"),
        (180.0, "failed"),
        (240.0, "failed"),
    ]
    assert len(world.incidents()) == 1
    assert [action for action, _ in world.owed()] == ["trigger"]


def test_a_job_that_tells_its_failure_is_down_at_once(world: World) -> None:
    job = Job.of(world)
    job.ping(0)
    job.ping(5, Signal.FAILURE, exit_code=3, evidence={"exit_code": 3, "body": "disk full"})
    assert job.state == "down"
    assert job.told()[-1] == (5.0, "failed", "the job ended with exit code 3")
    job.ping(6, Signal.FAILURE)
    assert job.told()[-1] == (6.0, "failed", "the job told that it failed")
    assert len(world.incidents()) == 1


def test_a_run_is_measured_and_must_end_within_the_grace(world: World) -> None:
    job = Job.of(world, period_seconds=7 * 24 * 3600, grace_seconds=14_400)
    job.ping(0, Signal.START)
    assert job.state == "pending"
    job.ping(3 * 3600)
    newest = job.sight(3 * 3600).regions[0].newest
    assert newest is not None
    assert newest.latency_us == 3 * HOUR * 1000
    job.ping(4 * 3600, Signal.START)
    job.listen(8 * 3600, 8 * 3600 + 2)
    assert job.state == "up"
    job.look(8 * 3600 + 3)
    assert job.state == "down"
    text = "a run began at 2026-11-23T10:24:00.000Z and had not ended by 2026-11-23T14:24:00.000Z"
    assert job.told()[-1] == (4 * 3600.0, "failed", text)


def test_pings_of_one_millisecond_are_all_stored(world: World) -> None:
    job = Job.of(world)
    for _ in range(3):
        job.ping(1)
    assert [at for at, _, _ in job.told()] == [1.0, 1.001, 1.002]


def test_an_old_key_leads_nowhere_as_soon_as_there_is_another(world: World) -> None:
    job = Job.of(world)
    old = Ping(digest=job.digest, signal=Signal.SUCCESS, at=moment(2))
    change, keyring = world.change_at(moment(1)), world.instance.keyring
    world.write(lambda connection: catalog.rotate_ping_key(connection, keyring, change, job.id))
    taken, _ = world.write(lambda connection: heartbeats.take(connection, [old], moment(2), mutes_flapping=True))
    assert (taken, job.state) == ([Taken.UNKNOWN], "pending")
    assert job.ping(3) is Taken.COUNTED


def test_a_restart_before_the_deadline_changes_nothing(world: World) -> None:
    job = Job.of(world)
    job.ping(0)
    job.look(0)
    job.restart()
    job.listen(20, 92)
    assert job.state == "up"
    job.look(93)
    assert job.state == "down"


def test_a_deadline_that_passed_while_we_were_away_is_granted_anew_and_the_time_is_unknown(world: World) -> None:
    job = Job.of(world)
    job.ping(0)
    job.listen(0, 50)
    job.restart()
    assert job.look(200) == 1
    assert (job.state, world.incidents()) == ("unknown", [])
    [*_, last] = world.transitions(job.id)
    assert (last.reason, last.first_observed_at) == ("sight_lost", moment(50))
    job.listen(201, 272)  # expected at 240, by 270
    assert (job.state, world.incidents()) == ("unknown", [])
    job.look(273)
    assert job.state == "down"
    sums = job.sums(273)
    assert (sums.up, sums.down) == (50 * SECOND, 33 * SECOND)
    assert sums.window == 273 * SECOND


def test_a_ping_after_our_absence_ends_the_doubt_and_the_incident_that_was_open(world: World) -> None:
    job = Job.of(world)
    job.ping(0)
    job.listen(0, 93)
    assert job.state == "down"
    job.restart()
    job.look(200)
    assert job.state == "unknown"
    assert [incident.state for incident in world.incidents()] == [IncidentState.TRIGGERED]
    job.ping(210)
    assert job.state == "up"
    assert [incident.state for incident in world.incidents()] == [IncidentState.RESOLVED]


def test_a_short_absence_far_from_any_moment_is_a_hole_and_nothing_more(world: World) -> None:
    job = Job.of(world, period_seconds=3600)
    job.ping(0)
    job.listen(0, 10)
    job.restart()
    job.look(40)
    assert job.state == "up"
    assert job.sums(40).unknown == 30 * SECOND


def test_a_watch_that_stood_still_was_away(world: World) -> None:
    job = Job.of(world)
    job.ping(0)
    job.listen(0, 50)
    job.look(95)
    assert job.state == "unknown"


def test_time_that_is_set_back_is_no_absence(world: World) -> None:
    job = Job.of(world)
    job.ping(100)
    job.listen(100, 110)
    assert job.look(40) == 0
    job.restart()
    assert job.look(30) == 0
    assert job.state == "up"


def test_a_first_run_whose_end_may_be_lost_leaves_the_job_pending(world: World) -> None:
    job = Job.of(world)
    job.look(0)
    job.ping(1, Signal.START)
    job.restart()
    job.look(100)
    job.look(101)
    assert (job.state, world.incidents()) == ("pending", [])


def test_a_paused_job_is_not_waited_for_and_its_pings_count_for_nothing(world: World) -> None:
    job = Job.of(world)
    job.ping(0)
    world.pause(job.id, moment(10))
    assert job.ping(20) is Taken.PAUSED
    job.listen(90, 100)
    assert (job.state, len(job.told())) == ("paused", 1)
    world.resume(job.id, moment(200))
    job.listen(200, 300)
    assert (job.state, world.incidents()) == ("pending", [])
    job.ping(301)
    assert job.state == "up"


def test_pausing_resolves_the_incident(world: World) -> None:
    job = Job.of(world)
    job.ping(0, Signal.FAILURE)
    world.pause(job.id, moment(10))
    assert [incident.resolve_reason for incident in world.incidents()] == ["monitor_paused"]


def test_an_edit_moves_the_deadline_and_misses_nothing(world: World) -> None:
    job = Job.of(world, period_seconds=3600)
    job.ping(0)
    world.edit(job.id, moment(600), period_seconds=60)
    job.listen(600, 692)
    assert job.state == "up"  # 600 itself is over: the moment behind it counts, by 690
    job.look(693)
    assert job.state == "down"


def test_an_edit_of_anything_else_leaves_the_deadline_as_it_is(world: World) -> None:
    job = Job.of(world)
    job.ping(0)
    job.listen(0, 130)  # missed at 90, and expected at 120 again
    world.edit(job.id, moment(131), tags=["nightly"])
    beat = job.sight(131).beat
    assert beat is not None
    assert beat.due_at == moment(150)


def test_a_longer_period_saves_a_job_that_is_not_late_yet(world: World) -> None:
    job = Job.of(world)
    job.ping(0)
    world.edit(job.id, moment(80), period_seconds=3600)
    job.listen(80, 200)
    assert job.state == "up"


def test_a_cron_line_takes_the_place_of_the_period_in_one_edit(world: World) -> None:
    job = Job.of(world)
    job.ping(0)
    world.edit(job.id, moment(10), cron="30 6 * * *", timezone="UTC")
    beat = job.sight(10).beat
    assert beat is not None
    assert (beat.expected_at, beat.due_at) == (moment(360), moment(390))  # START is 06:24
    world.edit(job.id, moment(20), period_seconds=120)
    beat = job.sight(20).beat
    assert beat is not None
    assert beat.due_at == moment(150)


def test_an_edit_that_says_both_is_refused(world: World) -> None:
    job = Job.of(world)
    with pytest.raises(InvalidInputError, match="exclude each other"):
        world.edit(job.id, moment(1), cron="30 6 * * *", period_seconds=60)


def test_a_deadline_that_nobody_decides_on_leaves_nothing_to_claim(world: World) -> None:
    job = Job.of(world)
    job.ping(0)
    job.look(0)
    assert job.sight(100).state.state.value == "up"
    sight = job.sight(104)
    assert (sight.state.state.value, sight.stale, sight.state.since) == ("unknown", True, moment(90))
    # Nobody has looked since 0: that is no time in which the job was seen.
    assert (job.sums(104).up, job.sums(104).unknown) == (0, 104 * SECOND)


def test_a_deleted_job_is_waited_for_no_more_and_its_key_leads_nowhere(world: World) -> None:
    job = Job.of(world)
    job.ping(0)
    late = Ping(digest=job.digest, signal=Signal.SUCCESS, at=moment(2))
    world.delete(job.id, moment(1))
    taken, _ = world.write(lambda connection: heartbeats.take(connection, [late], moment(2), mutes_flapping=True))
    job.listen(90, 95)
    assert (taken, world.incidents()) == ([Taken.UNKNOWN], [])


def test_many_that_are_late_at_once_are_failed_in_steps(world: World) -> None:
    jobs = [Job.of(world, notifications=[]) for _ in range(60)]
    for job in jobs:
        job.ping(0)
    watch = jobs[0]
    watch.look(92)
    swept = world.write(lambda connection: watch.watch.sweep(connection, moment(93)))
    assert (swept.transitions, swept.has_more) == (50, True)
    swept = world.write(lambda connection: watch.watch.sweep(connection, moment(94)))
    assert (swept.transitions, swept.has_more) == (10, False)
    assert {job.state for job in jobs} == {"down"}


def test_a_job_that_goes_up_and_down_flaps_and_settles_by_itself(world: World) -> None:
    job = Job.of(world)
    job.look(0)
    for second in range(5):
        job.ping(10 * second, Signal.FAILURE if second % 2 else Signal.SUCCESS)
    assert job.sight(41).state.flapping.is_on
    told = world.messages_of(job.id)
    # The score halves in five minutes and has to come to one; until then no end of an outage is told.
    job.ping(50, Signal.FAILURE)
    job.ping(60)
    assert world.messages_of(job.id) == told
    at = 61
    while job.sight(at).state.flapping.is_on:
        job.ping(at)
        job.look(at)
        at += 30
        assert at < 1000
    assert world.messages_of(job.id)[-1][0] == "resolve"
