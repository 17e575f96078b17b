"""Backtests: the rules that were in force tell what the engine did, others what it would have done."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from statuspulse.catalog import escalation_policies
from statuspulse.domain.health import State
from statuspulse.domain.schedule import Strategy
from statuspulse.domain.times import DAY, HOUR, MINUTE, SECOND
from statuspulse.engine import backtest
from statuspulse.engine.backtest import MOST_RESULTS, Backtest, Cut, NothingKeptError, Terms
from statuspulse.engine.flaps import FlapWatch
from statuspulse.storage import monitors
from tests.deep import deep
from tests.engine.scene import Scene
from tests.engine.world import REFUSED, SLACK, START, World, result
from tests.virtual_time import WatchedDatabase, virtual_now

NAMES = ["local", "eu-west", "ap-south"]
# Shipping takes 0.2 s; silence and flapping end when a timer of the engine says so.
SOON = 1500


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    begun = World.begin(tmp_path, WatchedDatabase)
    yield begun
    begun.database.close()


def backtested(
    world: World,
    monitor_id: str,
    end: int,
    *,
    start: int = START,
    mutes: bool = True,
    most: int = MOST_RESULTS,
    **changed: Any,
) -> Backtest:
    def read(connection: Any) -> Backtest:
        monitor = monitors.get(connection, world.team_id, monitor_id)
        assert monitor is not None
        config = {**monitor.config, **changed}
        terms = Terms(start=start, end=end, config=config, mutes_flapping=mutes, most_results=most)
        return backtest.run(connection, monitor, terms, end)

    return world.database.read_now(read)


def told(account: backtest.Account) -> list[tuple[State, State, int, str]]:
    return [(one.previous_state, one.state, one.first_observed_at, one.reason.value) for one in account.changes]


def assert_same(found: Backtest) -> None:
    """Both accounts tell the same, apart from the time that a result takes to be shipped."""
    assert told(found.simulated) == told(found.actual)
    for simulated, actual in zip(found.simulated.changes, found.actual.changes, strict=True):
        assert 0 <= actual.changed_at - simulated.changed_at <= SOON
    assert found.simulated.pages == found.actual.pages
    assert found.simulated.notifications == found.actual.notifications
    assert [len(one.paged_at) for one in found.simulated.outages] == [len(one.paged_at) for one in found.actual.outages]
    assert [one.resolved_at is None for one in found.simulated.outages] == [
        one.resolved_at is None for one in found.actual.outages
    ]


# --- the engine is the oracle -----------------------------------------------------------------------------------


class Weather:
    """A target that fails at random, and regions that fall silent."""

    def __init__(self, seed: int, minutes: int) -> None:
        chance = random.Random(seed)
        self._bad: dict[str, list[bool]] = {}
        everywhere = self._drawn(chance, minutes, (0.8, 0.2))
        for name in NAMES:
            alone = self._drawn(chance, minutes, (0.95, 0.05))
            self._bad[name] = [one or other for one, other in zip(everywhere, alone, strict=True)]

    @staticmethod
    def _drawn(chance: random.Random, minutes: int, weights: tuple[float, float]) -> list[bool]:
        found: list[bool] = []
        while len(found) < 4 * minutes:
            found += chance.choices((False, True), weights) * chance.choice((1, 2, 3, 5, 9))
        return found[: 4 * minutes]

    def fails(self, region: str, at: int) -> bool:
        place = (at - START) // (15 * SECOND)
        return self._bad[region][place % len(self._bad[region])]


@pytest.mark.virtual_time
@pytest.mark.parametrize("seed", [1, 2, 5, *deep((0, 3, 4))])
async def test_the_rules_that_were_in_force_tell_what_the_engine_did(world: World, seed: int) -> None:
    regions = NAMES[: 1 + seed % 3]
    for slug in regions[1:]:
        world.region(slug, START)
    members: dict[str, Any] = {
        "interval_seconds": (10, 30)[seed % 2],
        "timeout_ms": 4000,
        "failure_threshold": (2, 1, 3)[seed % 3],
        "recovery_threshold": 1 + seed % 2,
        "quorum": ("majority", "any", "all")[seed // 2 % 3],
        "region_strategy": "rotate" if seed == 5 else "parallel",
    }
    # From its very first moment on: what is decided while results are shipped around an edge lies on either side of it.
    begun = virtual_now()
    monitor = world.monitor(begun, regions=regions, **members)
    weather = Weather(seed, 80)
    interval = members["interval_seconds"] * SECOND
    strategy = Strategy(members["region_strategy"])
    scene = Scene(world, monitor, regions, interval, weather.fails, strategy)
    async with scene.running():
        await asyncio.sleep(1800)
        scene.deaf = set(regions)
        await asyncio.sleep(400)
        scene.deaf = set()
        await asyncio.sleep(900)
        world.pause(monitor, virtual_now())
        await asyncio.sleep(300)
        world.resume(monitor, virtual_now())
        await asyncio.sleep(1200)
    end = virtual_now()
    found = backtested(world, monitor, end, start=begun)
    assert found.simulated.change_count > 8
    assert {one.reason.value for one in found.actual.changes} >= {"sight_lost", "paused", "resumed", "probe_result"}
    assert_same(found)


# --- other rules ------------------------------------------------------------------------------------------------


def at(number: float) -> int:
    return START + round(number * 10 * SECOND)


def live(world: World, monitor: str, story: str, *, begin: int = 0, version: int = 1) -> None:
    """One check every 10 s: `o` good, `x` failed, a blank none. Flapping ends when it is due."""
    flaps = FlapWatch(world.watchlist)
    for place, letter in enumerate(story, begin):
        due_at = flaps.due_at()
        if due_at is not None and due_at <= at(place):
            world.write(partial(flaps.sweep, now=due_at))
        if letter != " ":
            world.see(result(monitor, at(place), REFUSED if letter == "x" else None, version=version))


# Good for ten minutes between any two of them, so that nothing flaps and every outage is an incident of its own.
CALM = "o" * 60
STORY = f"{CALM}xx{CALM}xxxxx{CALM}xx{CALM}xxxx{CALM}"


def test_a_third_failure_halves_the_pages(world: World) -> None:
    monitor = world.monitor(failure_threshold=2, recovery_threshold=1)
    live(world, monitor, STORY)
    found = backtested(world, monitor, at(len(STORY)), failure_threshold=3)
    assert (found.actual.pages, found.simulated.pages) == (4, 2)
    assert (found.actual.notifications, found.simulated.notifications) == (8, 4)
    assert found.cut is None
    assert found.longest_outage is not None
    assert found.longest_outage.opened_at == at(123) + 212
    # The third failure is a turn later; a result took 0.2 s to be shipped.
    assert found.longest_outage_delay == 10 * SECOND - 200
    assert found.simulated.sums.down == (5 + 4) * 10 * SECOND
    assert found.actual.sums.down == (2 + 5 + 2 + 4) * 10 * SECOND
    assert found.simulated.sums.window == found.actual.sums.window == at(len(STORY)) - START
    nothing = backtested(world, monitor, at(len(STORY)), failure_threshold=6)
    assert (nothing.simulated.pages, nothing.longest_outage_delay) == (0, None)


def a_policy(world: World, *delays: int) -> str:
    steps = [{"delay_seconds": delay, "targets": [{"type": "monitor_notifications"}]} for delay in delays]
    policy = {"slug": "steps", "name": "Steps", "steps": steps}
    world.write(lambda connection: escalation_policies.create(connection, world.change_at(START), policy))
    return "steps"


def test_messages_are_those_of_the_policy_and_a_short_outage_calls_nobody(world: World) -> None:
    later = [{"name": "Later", "notify": [SLACK], "when": {"states": ["down"]}, "after_seconds": 25}]
    monitor = world.monitor(failure_threshold=2, recovery_threshold=1, notification_rules=later)
    live(world, monitor, STORY)
    found = backtested(world, monitor, at(len(STORY)))
    # After the decision the outages last 10, 40, 10 and 30 s: two end before anybody is called.
    assert (len(found.simulated.outages), found.simulated.pages) == (4, 2)
    assert found.simulated.notifications == 4


def test_every_step_that_an_outage_lasts_for_is_counted(world: World) -> None:
    slug = a_policy(world, 0, 15, 15)
    monitor = world.monitor(failure_threshold=2, recovery_threshold=1, escalation_policy=slug)
    live(world, monitor, STORY)
    found = backtested(world, monitor, at(len(STORY)))
    # After the decision the outages last 10, 40, 10 and 30 s: 1, 3, 1 and 2 steps, and as many ends.
    assert (found.simulated.pages, found.simulated.notifications) == (4, 1 + 3 + 1 + 2 + 4)


def test_what_it_depends_on_holds_simulated_calls_back(world: World) -> None:
    parent = world.monitor(name="Gateway", failure_threshold=1, recovery_threshold=1)
    monitor = world.monitor(failure_threshold=2, recovery_threshold=1, depends_on=[parent])
    for place in range(len(STORY)):
        is_bad = STORY[place] == "x"
        world.see(result(parent, at(place) - 3 * SECOND, REFUSED if is_bad else None))
        world.see(result(monitor, at(place), REFUSED if is_bad else None))
    found = backtested(world, monitor, at(len(STORY)))
    assert (len(found.simulated.outages), found.simulated.pages, found.actual.pages) == (4, 0, 0)
    assert (found.simulated.notifications, found.actual.notifications) == (0, 0)


def test_a_backtest_writes_nothing(world: World) -> None:
    monitor = world.monitor(failure_threshold=2)
    live(world, monitor, STORY[:70])
    before = (world.state(monitor), world.transitions(monitor), world.owed(), world.incidents())
    backtested(world, monitor, at(70), failure_threshold=1)
    assert (world.state(monitor), world.transitions(monitor), world.owed(), world.incidents()) == before


@pytest.mark.parametrize(("every", "pages"), [(1, 4), (2, 2), (6, 0)])
def test_a_longer_interval_sees_every_so_many_turns(world: World, every: int, pages: int) -> None:
    monitor = world.monitor(failure_threshold=2, recovery_threshold=1)
    live(world, monitor, STORY)
    found = backtested(world, monitor, at(len(STORY)), interval_seconds=10 * every)
    assert found.results == pytest.approx(len(STORY) / every, abs=1)
    assert found.simulated.pages == pages
    assert found.simulated.sums.unknown <= 10 * every * SECOND


def test_an_outage_that_began_before_the_window_is_no_page_in_it(world: World) -> None:
    monitor = world.monitor(failure_threshold=2, recovery_threshold=1)
    live(world, monitor, f"{CALM}{'x' * 400}{CALM}")
    found = backtested(world, monitor, at(520), start=at(400))
    assert_same(found)
    assert (found.simulated.pages, found.simulated.notifications) == (0, 1)
    [simulated], [actual] = found.simulated.outages, found.actual.outages
    assert found.duration(simulated) == pytest.approx(found.duration(actual), abs=SOON)


def test_a_window_in_the_middle_tells_what_happened_in_it(world: World) -> None:
    monitor = world.monitor(failure_threshold=2, recovery_threshold=1)
    story = (STORY + "xoxxoxxoooxxxxooxxoxx") * 3
    live(world, monitor, story)
    for begin in (200, 260, 261, 300, 490):
        found = backtested(world, monitor, at(len(story)), start=at(begin))
        assert_same(found)


def test_damping_turned_off_pages_at_every_outage(world: World) -> None:
    monitor = world.monitor(failure_threshold=1, recovery_threshold=1)
    story = "oox" * 40
    live(world, monitor, story)
    muted = backtested(world, monitor, at(len(story)))
    assert muted.simulated.pages == muted.actual.pages < 5
    assert backtested(world, monitor, at(len(story)), mutes=False).simulated.pages == 40


def test_slow_answers_are_degraded_under_a_limit_that_was_not_there(world: World) -> None:
    monitor = world.monitor()
    live(world, monitor, CALM)
    found = backtested(world, monitor, at(60), degraded_latency_ms=11)
    assert [one.state for one in found.simulated.changes] == [State.UP, State.DEGRADED]
    assert found.simulated.changes[-1].reason.value == "threshold_latency"
    assert [one.state for one in backtested(world, monitor, at(60), degraded_latency_ms=12).simulated.changes] == [
        State.UP
    ]


def test_fewer_regions_decide_by_themselves(world: World) -> None:
    for slug in NAMES[1:]:
        world.region(slug, START)
    monitor = world.monitor(regions=NAMES)
    for place in range(60):
        for offset, name in enumerate(NAMES):
            failure = REFUSED if name == "eu-west" and 30 <= place < 40 else None
            world.see(result(monitor, at(place) + offset * 3333, failure, region=name))
    alone = backtested(world, monitor, at(60), regions=["eu-west"])
    assert (alone.actual.pages, alone.simulated.pages) == (0, 1)
    assert backtested(world, monitor, at(60), quorum="any").simulated.pages == 1
    assert backtested(world, monitor, at(60), regions=["local", "ap-south"]).simulated.pages == 0


# --- the window -------------------------------------------------------------------------------------------------


def test_a_window_that_begins_before_the_monitor_is_cut(world: World) -> None:
    monitor = world.monitor()
    live(world, monitor, CALM)
    found = backtested(world, monitor, at(60), start=START - DAY)
    assert (found.start, found.cut) == (START, Cut.CREATED)
    with pytest.raises(NothingKeptError):
        backtested(world, monitor, START, start=START - DAY)


def test_results_of_another_target_are_left_out(world: World) -> None:
    monitor = world.monitor()
    live(world, monitor, "x" * 60)
    world.edit(monitor, at(59.5), url="http://192.0.2.2/health")
    live(world, monitor, CALM, begin=60, version=2)
    found = backtested(world, monitor, at(120))
    assert (found.start, found.cut, found.results) == (at(59) + 1, Cut.EDITED, 60)
    assert found.simulated.pages == 0


def test_no_more_results_are_replayed_than_are_allowed_and_the_newest_are(world: World) -> None:
    monitor = world.monitor(failure_threshold=2, recovery_threshold=1)
    live(world, monitor, STORY * 3)
    end = at(3 * len(STORY))
    found = backtested(world, monitor, end, most=500)
    assert (found.results, found.cut) == (500, Cut.RESULTS)
    assert START + HOUR < found.start < end - 20 * MINUTE
    assert_same(found)
    # However long it takes to settle under an interval so long, half of what was read is shown.
    rare = backtested(world, monitor, end, most=500, interval_seconds=3600)
    assert (rare.cut, end - rare.start) == (Cut.RESULTS, 250 * 10 * SECOND)
