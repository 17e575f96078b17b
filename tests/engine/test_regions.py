"""Several regions: who may vote, who looks in turn, and how slow answers count."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import Connection

from statuspulse.domain.failure import Failure
from statuspulse.domain.health import Health, State
from statuspulse.domain.result import Result, ResultKind
from statuspulse.domain.rollup import Bucket
from statuspulse.domain.schedule import Grid, Strategy
from statuspulse.domain.timeline import Timeline
from statuspulse.domain.times import MINUTE, SECOND, to_datetime
from statuspulse.domain.uptime import Span
from statuspulse.engine.closed_checks import ClosedChecks
from statuspulse.engine.figures import figures_of
from statuspulse.engine.liveness import Liveness
from statuspulse.engine.sight import Sight, sights_of
from statuspulse.protocol.documents import Heartbeat
from statuspulse.storage import monitors, states
from tests.deep import deep
from tests.engine.world import REFUSED, REGIONS, START, World, result


def at(seconds: float) -> int:
    return START + round(seconds * SECOND)


def unseen(world: World, monitor: str) -> list[Span]:
    key = world.key_of(monitor)
    found: list[Span] = world.database.read_now(
        lambda connection: states.unseen_between(connection, key, 0, START + 10_000 * SECOND)
    )
    return found


def sight(world: World, monitor: str, now: int) -> Sight:
    def read(connection: Connection) -> Sight:
        stored = monitors.get(connection, world.team_id, monitor)
        assert stored is not None
        return sights_of(connection, [(stored, states.state_of(connection, stored.key))], now)[stored.key]

    return world.database.read_now(read)


# --- who may vote ----------------------------------------------------------------------------------------


def test_regions_that_were_heard_and_are_heard_no_more_are_silent() -> None:
    liveness = Liveness()

    def hear(probe_id: str, region: str, now: int) -> None:
        liveness.hear(probe_id, region, Heartbeat(clock=to_datetime(now), boot_id="b", version="1"), now)

    hear("prb_1", "us-east", at(0))
    hear("prb_2", "us-east", at(10))
    hear("prb_3", "eu-west", at(0))
    assert liveness.silent_regions(at(14.999)) == set()
    assert liveness.silent_regions(at(15)) == {"eu-west"}
    assert liveness.silent_regions(at(25)) == {"eu-west", "us-east"}
    hear("prb_3", "eu-west", at(25))
    assert liveness.silent_regions(at(25)) == {"us-east"}


def test_a_silent_region_has_no_vote_and_one_that_ships_results_is_not_silent(world: World) -> None:
    monitor = world.monitor(interval_seconds=30, regions=REGIONS, quorum="all", failure_threshold=1)
    world.see(*(result(monitor, at(n), region=slug) for n, slug in enumerate(REGIONS)))
    world.see(result(monitor, at(30), REFUSED, region="us-east"), result(monitor, at(31), REFUSED, region="eu-west"))
    assert world.state(monitor).health is Health.DEGRADED
    world.watchlist.silent = frozenset({"ap-south", "eu-west"})
    world.see(result(monitor, at(32), REFUSED, region="eu-west"))
    assert world.state(monitor).health is Health.DOWN


def test_two_of_four_never_flap(world: World) -> None:
    world.region("sa-east", START)
    regions = [*REGIONS, "sa-east"]
    monitor = world.monitor(regions=regions, failure_threshold=1, recovery_threshold=1)
    world.see(*(result(monitor, at(n), region=slug) for n, slug in enumerate(regions)))
    for turn in range(1, 20):
        failing = {regions[turn % 4], regions[(turn + 1 + turn // 7) % 4]}
        for n, slug in enumerate(regions):
            world.see(result(monitor, at(10 * turn + n), REFUSED if slug in failing and n % 2 else None, region=slug))
        assert world.state(monitor).health in (Health.UP, Health.DEGRADED)
    assert world.incidents() == []


def test_below_the_quorum_it_is_degraded_by_the_region_that_fails(world: World) -> None:
    monitor = world.monitor(regions=REGIONS)
    world.see(*(result(monitor, at(n), region=slug) for n, slug in enumerate(REGIONS)))
    world.see(result(monitor, at(10), REFUSED, region="eu-west"), result(monitor, at(20), REFUSED, region="eu-west"))
    assert world.state(monitor).health is Health.DEGRADED
    assert sight(world, monitor, at(21)).failing_regions == ["eu-west"]
    assert world.history(monitor, at(30))[-1] == (State.DEGRADED, at(10), at(30))
    assert world.incidents() == []


# --- rechecks among results ------------------------------------------------------------------------------


def test_a_recheck_counts_as_a_slot_does_and_is_none(world: World) -> None:
    monitor = world.monitor(interval_seconds=30)
    world.see(result(monitor, at(0)), result(monitor, at(30), REFUSED))
    world.see(result(monitor, at(35), REFUSED, kind=ResultKind.RECHECK))
    assert world.state(monitor).health is Health.DOWN
    assert world.history(monitor, at(40))[-1] == (State.DOWN, at(30), at(40))
    checks = checks_of(world, monitor, at(40))
    assert (checks.checks, checks.failed) == (2, 1)


def checks_of(world: World, monitor: str, now: int) -> Bucket:
    def read(connection: Connection) -> Bucket:
        stored = monitors.get(connection, world.team_id, monitor)
        assert stored is not None
        seen = sights_of(connection, [(stored, states.state_of(connection, stored.key))], now)[stored.key]
        shown = figures_of(connection, world.team_id, [(stored, seen)], "24h", now, ClosedChecks(8))
        return shown[stored.key].checks.whole()

    return world.database.read_now(read)


def test_a_recheck_never_takes_the_place_of_a_slot(world: World) -> None:
    monitor = world.monitor(interval_seconds=30)
    slot = Grid.of(monitor, 30 * SECOND, 0, 1).next_slot(START)
    found = result(monitor, slot, REFUSED, kind=ResultKind.RECHECK)
    world.see(found)
    receipt, tally = world.ship(world.items(found), slot + 500)
    assert (receipt.duplicates, tally.placed) == (1, [])
    assert world.stored(monitor) == 1
    world.see(result(monitor, slot))
    assert world.stored(monitor) == 2


def test_a_doubt_asks_each_region_once_and_only_those_that_waver_again(world: World) -> None:
    monitor = world.monitor(interval_seconds=60, regions=REGIONS, failure_threshold=3)
    zero = Grid.of(monitor, MINUTE, 0, 3).next_slot(START + MINUTE)
    world.see(*(result(monitor, zero - MINUTE + n * MINUTE // 3, region=slug) for n, slug in enumerate(REGIONS)))

    def asked(region: str, after: int, failure: Failure | None, kind: ResultKind) -> list[tuple[str, int]]:
        """The rechecks that follow from a result, by their instants after the first failure (ms)."""
        found = result(monitor, zero + after, failure, region=region, kind=kind)
        _, tally = world.ship(world.items(found, probe=region), found.observed_at + 200, region=region)
        return [(one.watched.regions[one.region_key], one.not_before - zero) for one in tally.rechecks]

    slot, recheck = ResultKind.SCHEDULED, ResultKind.RECHECK
    assert asked("us-east", 0, REFUSED, slot) == [("eu-west", 212), ("ap-south", 212), ("us-east", 5012)]
    assert asked("eu-west", 1000, REFUSED, recheck) == [("eu-west", 6012)]
    assert asked("ap-south", 2000, None, recheck) == []
    assert asked("us-east", 6000, REFUSED, recheck) == [("us-east", 11_012)]
    assert asked("eu-west", 7000, None, recheck) == []
    # The third failure settles it, and the next one is no news.
    assert asked("us-east", 12_000, REFUSED, recheck) == []
    assert asked("us-east", 60_000, REFUSED, slot) == []
    assert world.state(monitor).health is Health.DEGRADED


# --- one region after the other --------------------------------------------------------------------------


def rotation(monitor: str, begin: int, count: int) -> list[tuple[str, int]]:
    """The next slots, with the region whose turn each is."""
    grids = [Grid.of(monitor, 10 * SECOND, place, 3, Strategy.ROTATE) for place in range(3)]
    turns = []
    for _ in range(count):
        slot, place = min((grid.next_slot(begin), place) for place, grid in enumerate(grids))
        turns.append((REGIONS[place], slot))
        begin = slot
    return turns


def test_regions_that_take_turns_see_for_each_other(world: World) -> None:
    monitor = world.monitor(regions=REGIONS, region_strategy="rotate")
    turns = rotation(monitor, START, 12)
    world.see(*(result(monitor, slot, region=slug) for slug, slot in turns))
    assert unseen(world, monitor) == []
    assert world.state(monitor).health is Health.UP
    end = turns[-1][1]
    seen = sight(world, monitor, end + 15 * SECOND)
    assert (seen.holes, seen.stale) == ((), False)
    assert [region.health for region in seen.regions] == [Health.UP] * 3


@pytest.mark.parametrize("restarts", [False, True])
def test_a_hole_in_a_rotation_is_one_of_all_regions(world: World, *, restarts: bool) -> None:
    monitor = world.monitor(regions=REGIONS, region_strategy="rotate")
    turns = rotation(monitor, START, 12)
    world.see(*(result(monitor, slot, region=slug) for slug, slot in turns[:6]))
    if restarts:
        world.restart()
    world.see(*(result(monitor, slot, region=slug) for slug, slot in turns[8:]))
    begun, ended = turns[5][1] + 10 * SECOND, turns[8][1]
    assert {(span.start, span.end) for span in unseen(world, monitor)} == {(begun, ended)}
    window = (turns[1][1], turns[-1][1])  # one region of three decides nothing
    key = world.key_of(monitor)
    intervals = world.database.read_now(lambda connection: states.intervals_between(connection, key, *window))
    found = Timeline.of(intervals, unseen(world, monitor), 3, ()).sums(*window)
    assert (found.unknown, found.window) == (20 * SECOND, window[1] - window[0])


def test_a_rotation_that_nobody_keeps_loses_sight_an_interval_after_its_last_slot(world: World) -> None:
    monitor = world.monitor(regions=REGIONS, region_strategy="rotate")
    turns = rotation(monitor, START, 6)
    world.see(*(result(monitor, slot, region=slug) for slug, slot in turns))
    last = turns[-1][1]
    assert sight(world, monitor, last + 60 * SECOND).holes[0].start == last + 10 * SECOND
    # Even where the engine itself could not store that: nothing is claimed of the time after the newest look.
    shown = sight(world, monitor, last + 600 * SECOND).state
    assert (shown.state, shown.since) == (State.UNKNOWN, last + 12)
    assert world.sweep(last + 120 * SECOND) == 1
    assert world.history(monitor, last + 130 * SECOND)[-1][:2] == (State.UNKNOWN, last + 10 * SECOND)


def test_an_outage_in_a_rotation_is_decided_by_the_votes_of_its_regions(world: World) -> None:
    monitor = world.monitor(regions=REGIONS, region_strategy="rotate")
    turns = rotation(monitor, START, 12)
    world.see(*(result(monitor, slot, region=slug) for slug, slot in turns[:3]))
    for slug, slot in turns[3:7]:
        world.see(result(monitor, slot, REFUSED, region=slug))
    # One region has failed twice, the two others once.
    assert world.state(monitor).health is Health.DEGRADED
    world.see(result(monitor, turns[7][1], REFUSED, region=turns[7][0]))
    assert world.state(monitor).health is Health.DOWN
    assert world.history(monitor, turns[8][1])[-1][:2] == (State.DOWN, turns[3][1])


# --- slow answers ----------------------------------------------------------------------------------------


def slow(found: Result, latency_ms: int) -> Result:
    return replace(found, observation=replace(found.observation, latency_us=latency_ms * 1000))


def test_answers_that_are_slow_twice_in_five_rounds_degrade_and_five_quick_ones_end_it(world: World) -> None:
    monitor = world.monitor(degraded_latency_ms=500)
    latencies = [100, 600, 100, 100, 500, 100, 600, 100, 600] + [100] * 5
    healths = []
    for turn, latency_ms in enumerate(latencies):
        world.see(slow(result(monitor, at(10 * turn)), latency_ms))
        healths.append(world.state(monitor).health.value)
    # The sixth round no longer sees the first slow one: there is never more than one in five until round 8.
    assert healths == ["up"] * 8 + ["degraded"] * 5 + ["up"]
    assert [(row.health, row.reason) for row in world.transitions(monitor)][1:] == [
        ("degraded", "threshold_latency"),
        ("up", "threshold_latency"),
    ]
    end = at(200)
    assert world.history(monitor, end)[-2:] == [
        (State.DEGRADED, at(80) + 212, at(130) + 212),
        (State.UP, at(130) + 212, end),
    ]
    assert world.incidents() == []


def test_slow_answers_are_remembered_over_a_restart(world: World) -> None:
    monitor = world.monitor(degraded_latency_ms=500)
    world.see(slow(result(monitor, at(0)), 100), slow(result(monitor, at(10)), 600))
    world.restart()
    world.see(slow(result(monitor, at(20)), 600))
    assert world.state(monitor).health is Health.DEGRADED
    world.restart()
    world.see(slow(result(monitor, at(30)), 100))
    assert world.state(monitor).health is Health.DEGRADED


def test_a_recheck_and_a_failure_have_no_latency(world: World) -> None:
    monitor = world.monitor(degraded_latency_ms=500, failure_threshold=1)
    world.see(slow(result(monitor, at(0)), 100))
    world.see(*(slow(result(monitor, at(n), kind=ResultKind.RECHECK), 900) for n in (1, 2, 3)))
    assert world.state(monitor).health is Health.UP
    world.see(slow(result(monitor, at(10), REFUSED), 900))
    assert world.state(monitor).health is Health.DOWN


def test_a_recovery_with_slow_answers_is_degraded(world: World) -> None:
    monitor = world.monitor(degraded_latency_ms=500)
    world.see(result(monitor, at(0)), result(monitor, at(10), REFUSED), result(monitor, at(20), REFUSED))
    world.see(slow(result(monitor, at(30)), 600), slow(result(monitor, at(40)), 600))
    assert world.state(monitor).health is Health.DEGRADED
    assert world.history(monitor, at(50))[-2:] == [(State.DOWN, at(10), at(30)), (State.DEGRADED, at(30), at(50))]
    assert world.incidents()[0].resolve_reason == "recovered"


# --- whatever happens ------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [0, 1, *deep((2, 3))])
def test_the_seconds_of_all_states_add_up_whatever_happens(world: World, seed: int) -> None:
    chance = random.Random(seed)
    members: dict[str, Any] = {
        "regions": REGIONS,
        "quorum": chance.choice(["majority", "any", "all", 2]),
        "degraded_latency_ms": 500,
    }
    monitor = world.monitor(region_strategy=chance.choice(["parallel", "rotate"]), **members)
    now = START
    for _ in range(80):
        now += chance.choice([500, 3000, 10_000, 10_000, 25_000, 130_000])
        failing = set(chance.sample(REGIONS, chance.choice([0, 0, 1, 2, 3])))
        for slug in chance.sample(REGIONS, chance.choice([1, 2, 3, 3])):
            kind = chance.choice([ResultKind.SCHEDULED, ResultKind.SCHEDULED, ResultKind.RECHECK])
            found = result(monitor, now, REFUSED if slug in failing else None, region=slug, kind=kind)
            world.see(slow(found, chance.choice([100, 900])))
            now += 1
        if chance.random() < 0.1:
            world.restart()
        world.sweep(now)
    end = now + 10 * SECOND
    history = world.history(monitor, end)
    assert history[0][1] == START
    assert all(before[2] == after[1] for before, after in pairwise(history))
    assert all(start < stop for _, start, stop in history)
    assert len({state for state, _, _ in history}) >= 3
    key = world.key_of(monitor)
    intervals = world.database.read_now(lambda connection: states.intervals_between(connection, key, START, end))
    total = Timeline.of(intervals, unseen(world, monitor), len(REGIONS), ()).sums(START, end)
    assert total.window == end - START
    downs = [incident for incident in world.incidents() if incident.resolved_at is None]
    assert len(downs) <= 1
