"""One run: a world from a seed, played on virtual time, watched after every commit and judged at the end."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import Connection, select

from statuspulse.domain import ids
from statuspulse.domain.times import SECOND
from statuspulse.engine.engine import Engine
from statuspulse.engine.maintenance_watch import Swept
from statuspulse.storage import probes as probe_rows
from statuspulse.storage.prepared import Prepared
from statuspulse.storage.probes import Probe
from statuspulse.storage.schema import monitor_states, monitors, regions, standings
from tests.engine.world import World
from tests.simulation.invariants import Rest
from tests.simulation.model import Model, Monitor, Region
from tests.simulation.plane import Accidents, ControlPlane, SimulatedDatabase, Violation
from tests.simulation.probe import Assigned, SimulatedProbe
from tests.simulation.scenario import END, REGIONS, Change, Scenario, scenario_of
from tests.simulation.trace import Trace
from tests.simulation.windows import Plan, Work, carried_out, plans_of
from tests.virtual_time import START, VirtualTimeLoop, virtual_now

_HEALTH = Prepared(
    select(monitors.c.key, monitors.c.id, monitor_states.c.health, monitor_states.c.state).join(
        monitor_states, monitor_states.c.monitor_key == monitors.c.key
    )
)
_POSITIONS = Prepared(
    select(standings.c.monitor_key, regions.c.slug, standings.c.standing)
    .join(regions, regions.c.key == standings.c.region_key)
    .where(standings.c.standing != "none")
)


class BrokenError(AssertionError):
    """What was found, how to repeat it, and the last lines of the trace."""


def simulate(seed: int, folder: Path) -> Trace:
    """Plays the seed in an empty folder; raises BrokenError where something fails."""
    return play(scenario_of(seed), folder)


def play(scenario: Scenario, folder: Path) -> Trace:
    """The same for what is to happen, however that was drawn."""
    trace, seed = Trace(), scenario.seed
    try:
        with _ids_from(seed), asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
            runner.run(_play(scenario, folder, trace))
    except* Violation as found:
        first = _first(found)
        last = "\n".join(trace.lines[-25:])
        raise BrokenError(f"{first}\nrepeat with: python -m pytest tests/simulation --seed {seed}\n{last}") from first
    return trace


def _first(group: BaseExceptionGroup[Any]) -> BaseException:
    found = group.exceptions[0]
    return _first(found) if isinstance(found, BaseExceptionGroup) else found


@contextmanager
def _ids_from(seed: int) -> Iterator[None]:
    """The ids of objects decide about slots, so they follow from the seed as well."""

    class Drawn:
        choice = Random(f"ids {seed}").choice
        randbits = staticmethod(secrets.randbits)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ids, "secrets", Drawn)
        yield


async def _play(scenario: Scenario, folder: Path, trace: Trace) -> None:
    world = World.begin(folder, SimulatedDatabase)
    assert isinstance(world.database, SimulatedDatabase)
    try:
        await _Run.of(scenario, world, world.database, trace).play()
    finally:
        world.database.close()


@dataclass(slots=True)
class _Run:
    scenario: Scenario
    world: World
    plane: ControlPlane
    assigned: list[Assigned]
    probes: list[SimulatedProbe]
    model: Model
    trace: Trace
    through: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, scenario: Scenario, world: World, database: SimulatedDatabase, trace: Trace) -> _Run:
        random = Random(f"accidents {scenario.seed}")
        for slug in REGIONS:
            world.region(slug, START)
        assigned = [Assigned(world.monitor(START, **target.config), target) for target in scenario.targets]
        accidents = Accidents(random, scenario.chances)
        plane = ControlPlane(database, scenario.chances, accidents, trace)
        probes = []
        for slug in REGIONS:
            row = database.read_now(partial(_probe, slug=slug))
            mine = [one for one in assigned if slug in one.target.config["regions"]]
            probes.append(SimulatedProbe(row, scenario.probes[slug], mine, plane, Random(f"{slug} {scenario.seed}")))
        model = Model(
            {
                one.id: Monitor(
                    one,
                    dict(one.target.config),
                    votes_from=START,
                    decided_at=START,
                    heard_at=START,
                    starts=[START],
                    regions={slug: Region() for slug in one.target.config["regions"]},
                )
                for one in assigned
            }
        )
        return cls(scenario, world, plane, assigned, probes, model, trace)

    async def play(self) -> None:
        database = self.plane.database
        async with asyncio.TaskGroup() as tasks:
            self.plane.start(tasks)
            database.committed, database.accidents = self.committed, self.plane.accidents
            parts = [part for probe in self.probes for part in probe.start(tasks)]
            parts += [tasks.create_task(self._restart()), tasks.create_task(self._change())]
            parts += [tasks.create_task(self._plan(plan)) for plan in plans_of(self.scenario)]
            await asyncio.sleep(END / SECOND)
            for part in parts:
                part.cancel()
            await asyncio.sleep(60)  # what is under way arrives, and late results are read
            self.plane.stop()
        database.committed = None
        rest = Rest(
            team_id=self.world.team_id,
            assigned=self.assigned,
            probes=self.probes,
            model=self.model,
            now=virtual_now() - 60 * SECOND,
        )
        database.read_now(rest.check)

    def committed(self, work: Callable[[Connection], Any], value: Any) -> None:
        """Holds what stands in the rows against the model, after each commit of the engine."""
        function = getattr(work, "func", work)
        name = getattr(function, "__func__", None)
        now = virtual_now()
        if name is Engine._commit:
            batch, silent, _ = work.args  # type: ignore[attr-defined]
            self.model.take(batch, silent, now)
            receipt, _ = value
            if receipt.committed_through < self.through.get(batch.probe_id, 0):
                raise Violation(f"committed_through of {batch.region} went back")
            self.through[batch.probe_id] = receipt.committed_through
            if receipt.committed_through != self.model.through[batch.probe_id]:
                raise Violation(f"{batch.region} is told {receipt.committed_through}, not what is in")
        elif name is not Engine._sweep and not isinstance(value, Swept):
            return
        self._compare(now)

    def _compare(self, now: int) -> None:
        covered = self.plane.database.look(carried_out)
        for monitor_id, key, health, state, positions in self.plane.database.look(_decided):
            one = self.model.monitors[monitor_id]
            if wrong := self.model.carry_out(monitor_id, key in covered, now):
                raise Violation(f"{one.config['name']} {wrong}")
            before = one.health
            if health != before and health == "unknown" and self.model.may_lose_sight(monitor_id, now):
                self.model.lose_sight(monitor_id, now)
            if health != one.health:
                raise Violation(f"{one.config['name']} is {health} and must be {one.health}")
            if (state == "maintenance") is not one.shows_maintenance:
                raise Violation(f"{one.config['name']} shows {state}, and a window holds: {one.shows_maintenance}")
            if health != "unknown" and self.model.must_have_lost_sight(monitor_id, now):
                raise Violation(f"{one.config['name']} is {health} and nobody has looked")
            expected = {slug: region.position for slug, region in one.regions.items()}
            if positions != {slug: position for slug, position in expected.items() if position != "none"}:
                raise Violation(f"{one.config['name']} stands {positions} and must stand {expected}")
            self._tell(one, health, now)

    def _tell(self, one: Monitor, health: str, now: int) -> None:
        if one.told != health:
            self.trace.tell(now, f"{one.config['name']}: {one.told} -> {health}")
            one.told = health

    async def _restart(self) -> None:
        for at in self.scenario.restarts:
            await asyncio.sleep((START + at - virtual_now()) / SECOND)
            self.plane.restart()

    async def _change(self) -> None:
        for change in self.scenario.changes:
            await asyncio.sleep((START + change.at - virtual_now()) / SECOND)
            self._make(change)

    async def _plan(self, plan: Plan) -> None:
        assigned = [self.assigned[place] for place in plan.targets]
        work = Work.of(plan, self.world, START, [one.id for one in assigned])
        for one, cover in zip(assigned, work.covers, strict=True):
            self.model.monitors[one.id].covers.append(cover)
        for at, verb in work.steps():
            await asyncio.sleep((START + at - virtual_now()) / SECOND)
            now = virtual_now()
            names = ", ".join(one.target.config["name"] for one in assigned)
            self.trace.tell(now, f"{names}: {verb} maintenance {work.covers[0]}")
            work.do(verb, now)
            for one in assigned if work.edits(verb) else ():
                one.version += 1
            self.plane.jobs.wake()
            self._compare(now)

    def _make(self, change: Change) -> None:
        one, now = self.assigned[change.target], virtual_now()
        self.trace.tell(now, f"{one.target.config['name']}: {change.verb} {change.members}")
        if change.verb == "edit":
            self.world.edit(one.id, now, **change.members)
            one.version += 1
        elif change.verb == "pause":
            self.world.pause(one.id, now)
        else:
            self.world.resume(one.id, now)
        one.paused = change.verb == "pause"
        self.model.turn(one.id, change.verb, change.members, now)


def _decided(connection: Connection) -> list[tuple[str, int, str, str, dict[str, str]]]:
    """(id, key, health, state, position of each region that has one) of every monitor."""
    positions: dict[int, dict[str, str]] = {}
    for key, slug, position in _POSITIONS.rows(connection):
        positions.setdefault(key, {})[slug] = position
    return [(row.id, row.key, row.health, row.state, positions.get(row.key, {})) for row in _HEALTH.rows(connection)]


def _probe(connection: Connection, slug: str) -> Probe:
    found = probe_rows.first_of_region(connection, slug)
    assert found is not None
    return found
