"""A year of outages, pauses and gaps through the real engine: every month's report against a calculation of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import pytest

from statuspulse.catalog import slos as catalog
from statuspulse.domain.slo import Period
from statuspulse.domain.times import DAY, HOUR, SECOND
from statuspulse.engine.slo_reports import Report, report
from statuspulse.storage import incidents
from tests.deep import deep
from tests.domain.histories import months
from tests.engine.world import REFUSED, START, World, result

STEP = 6 * HOUR
SLOTS = 365 * DAY // STEP
ZONE = ZoneInfo("America/New_York")
Stretch = tuple[int, int, str]


@dataclass
class Script:
    """What happens at each slot, and the stretches that it means by the rules of the contract alone.

    A look sees [slot, slot + interval). An outage of two looks or more begins with the first that fails and ends with
    the first that does not. What nobody looked at is unknown, and so is the time from a resumption to the next look.
    """

    random: Random
    failing: set[int] = field(default_factory=set)
    missing: set[int] = field(default_factory=set)
    pauses: list[tuple[int, int]] = field(default_factory=list)

    @classmethod
    def drawn(cls, seed: int) -> Script:
        script = cls(Random(seed))
        at = 8
        while at < SLOTS - 30:
            kind = script.random.choice(["outage", "outage", "gap", "hole", "pause", "pause in an outage"])
            length = script.random.randrange(2, 9)
            if "outage" in kind:
                # What is left of it behind a pause is long enough to be decided anew.
                script.failing |= set(range(at, at + length + (8 if "pause" in kind else 0)))
            if "pause" in kind:
                begun = START + (at + 2) * STEP + script.random.randrange(1, STEP)
                script.pauses.append((begun, begun + script.random.randrange(SECOND, 3 * STEP)))
            if kind == "hole":
                script.missing.add(at)
            if kind == "gap":
                script.missing |= set(range(at, at + length + 4))
            at += length + script.random.randrange(12, 40)
        return script

    def stretches(self) -> list[Stretch]:
        """Slot by slot, and the pauses laid over it."""
        found: list[Stretch] = []
        for number in range(SLOTS):
            slot = START + number * STEP
            state = "unknown" if number in self.missing else "down" if number in self.failing else "up"
            found.append((slot, slot + STEP, state))
        for begun, ended in self.pauses:
            found = list(self._paused(found, begun, ended))
        return found

    def _paused(self, stretches: list[Stretch], begun: int, ended: int) -> Iterator[Stretch]:
        following = next(start for start, _, _ in stretches if start >= ended and (start - START) % STEP == 0)
        for start, end, state in stretches:
            if end <= begun or start >= following:
                yield start, end, state
            elif start < begun:
                yield start, begun, state
        yield begun, ended, "paused"
        yield ended, following, "unknown"

    def is_paused(self, at: int) -> bool:
        return any(begun <= at < ended for begun, ended in self.pauses)


def play(world: World, script: Script) -> str:
    """The year, each look when its time has come; pauses by people, silence by the engine's own watch."""
    monitor_id = world.monitor(interval_seconds=STEP // SECOND)
    moves = sorted(
        [*((at, world.pause) for at, _ in script.pauses), *((at, world.resume) for _, at in script.pauses)],
        key=lambda move: move[0],
    )
    for number in range(SLOTS):
        slot = START + number * STEP
        while moves and moves[0][0] <= slot:
            at, move = moves.pop(0)
            move(monitor_id, at)
        if script.is_paused(slot):
            continue
        if number in script.missing:
            world.sweep(slot + STEP - SECOND)
            continue
        world.see(result(monitor_id, slot, REFUSED if number in script.failing else None))
    return monitor_id


def time_in(stretches: list[Stretch], state: str, start: int, end: int) -> int:
    return sum(max(0, min(high, end) - max(low, start)) for low, high, held in stretches if held == state)


@pytest.mark.parametrize("seed", [1, *deep([2])])
def test_every_month_of_a_year_is_as_another_calculation_has_it(tmp_path: Path, seed: int) -> None:
    world = World.begin(tmp_path)
    script = Script.drawn(seed)
    monitor_id = play(world, script)
    stretches = script.stretches()
    end = START + SLOTS * STEP
    body = {"name": "Year", "monitor_id": monitor_id, "objective_pct": 99.5, "window": "calendar_month"}
    body["timezone"] = "America/New_York"
    slo = world.write(lambda connection: catalog.create(connection, world.instance, world.change_at(end), body))
    spent_in_all = 0
    for start, until in months(ZONE, START, end):
        told: Report = world.database.read_now(
            partial(report, slo=slo, period=Period(start, until), month=None, now=end)
        )
        held = told.account
        expected = {state: time_in(stretches, state, start, until) for state in ("up", "down", "unknown", "paused")}
        assert (held.sums.up, held.sums.down, held.sums.unknown, held.sums.paused) == tuple(expected.values())
        assert held.consumed == expected["down"]
        assert held.sums.window + held.absent + held.ahead == until - start
        assert held.budget == Fraction(5, 1000) * (until - start - expected["paused"]) // 1
        assert told.is_met is (held.consumed * 1000 <= 5 * (until - start - expected["paused"]))
        assert sum(day.consumed for _, day in told.days) == held.consumed
        assert sum(day.sums.unknown for _, day in told.days) == held.sums.unknown
        assert told.days[0][0].start == start
        for day, of_day in told.days:
            assert of_day.consumed == time_in(stretches, "down", day.start, day.end)
        spent_in_all += held.consumed
        _hold_incidents(world, told)
    assert spent_in_all == time_in(stretches, "down", START, end) > 30 * DAY
    world.database.close()


def _hold_incidents(world: World, told: Report) -> None:
    """With ten at most, those that are listed cost what the month did."""
    until = min(told.period.end, told.generated_at)
    keys = [world.key_of(str(told.slo.monitor_id))]
    opened = world.database.read_now(
        lambda connection: incidents.of_outages(connection, world.team_id, keys, told.period.start, until)
    )
    costs = [one.consumed for one in told.worst]
    assert costs == sorted(costs, reverse=True)
    if len(opened) <= 10:
        assert sum(costs) == told.account.consumed
