"""Planned work in a run: what people do with maintenance windows, and what holds by that, written from the rules.

Windows of one monitor lie apart, and probes go on looking inside: overlaps and resting probes are other tests' subject.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

from sqlalchemy import Connection, select

from statuspulse.catalog import maintenance as catalog
from statuspulse.domain.times import MINUTE, SECOND, to_text
from statuspulse.storage.maintenance import Window as Stored
from statuspulse.storage.prepared import Prepared
from statuspulse.storage.schema import maintenance_spans
from tests.engine.world import World
from tests.simulation.scenario import CALM_FROM, Scenario

_OPEN = Prepared(select(maintenance_spans.c.monitor_key).where(maintenance_spans.c.is_open.is_(True)))
# Of each such stretch a window may take a part: it begins, lasts and is changed within it. The last one reaches into
# the calm, so that what broke inside and stays so has to be told behind its end.
_STRETCHES = (MINUTE, 4 * MINUTE, CALM_FROM - 2 * MINUTE)
_STRETCH = 170 * SECOND


@dataclass(slots=True)
class Cover:
    """A window holds over a monitor in [start, end), as people have said up to now."""

    start: int
    end: int
    mutes: bool
    excludes: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One window. It is made at `at` in one of three ways, for targets by place, and something may be done to it.

    Instants are ms since the start of the run.
    """

    way: str  # shared | inline | now
    at: int
    start: int
    seconds: int
    targets: tuple[int, ...]
    mutes: bool
    excludes: bool
    verb: str | None  # end | cancel | change
    verb_at: int
    other_seconds: int


def plans_of(scenario: Scenario) -> list[Plan]:
    """Drawn apart from the rest, so that a seed stays what it was; nothing is planned for what is paused."""
    if not scenario.has_windows:
        return []
    random = Random(f"windows {scenario.seed}")
    paused = {change.target for change in scenario.changes if change.verb == "pause"}
    free = [place for place in range(len(scenario.targets)) if place not in paused]
    if not free or random.random() < 0.3:
        return []
    return [_plan(random, begin, free) for begin in _STRETCHES if random.random() < 0.6]


def _plan(random: Random, begin: int, free: Sequence[int]) -> Plan:
    way = random.choice(("shared", "shared", "inline", "now"))
    targets = sorted(random.sample(free, random.randint(1, len(free)))) if way == "shared" else [random.choice(free)]
    start = begin + random.randrange(60) * SECOND
    seconds = random.randrange(60, 100)
    verb = random.choice((None, None, "end", "cancel", "change"))
    is_inside = way == "now" or verb == "end" or random.random() < 0.6
    at = start if way == "now" else start - random.randrange(1, 50 * SECOND)
    verb_at = start + random.randrange(1, 55 * SECOND) if is_inside else random.randrange(at + 1, start + 1)
    is_default = way == "now"
    return Plan(
        way=way,
        at=at,
        start=start,
        seconds=seconds,
        targets=tuple(targets),
        mutes=is_default or random.random() < 0.75,
        excludes=is_default or random.random() < 0.75,
        verb=verb,
        verb_at=verb_at,
        other_seconds=random.randrange(60, (begin + _STRETCH - start) // SECOND),
    )


@dataclass(slots=True)
class Work:
    """A plan as people carry it out, and the covers that follow from it."""

    plan: Plan
    world: World
    origin: int
    monitors: Sequence[str]
    covers: Sequence[Cover]
    id: str = ""

    @classmethod
    def of(cls, plan: Plan, world: World, origin: int, monitors: Sequence[str]) -> Work:
        start = origin + plan.start
        ends = start + plan.seconds * SECOND
        covers = [Cover(start, ends, plan.mutes, plan.excludes) for _ in monitors]
        return cls(plan, world, origin, monitors, covers)

    def steps(self) -> Iterator[tuple[int, str]]:
        """(instant, verb) of everything that is done, in order."""
        yield self.plan.at, "plan"
        if self.plan.verb is not None:
            yield self.plan.verb_at, self.plan.verb

    def do(self, verb: str, now: int) -> None:
        if verb == "plan":
            self._make(now)
        elif verb == "change":
            self._change(now)
        elif self.plan.way == "inline" and verb == "cancel":
            self.world.edit(self.monitors[0], now, maintenance_windows=[])
            self._cut(now)
        else:
            act = catalog.end if verb == "end" else catalog.cancel
            self._write(lambda connection: act(connection, self.world.change_at(now), self.id))
            self._cut(now)

    def edits(self, verb: str) -> bool:
        """Whether the configuration of the monitor gets another version by it."""
        return self.plan.way == "inline" and verb != "end"

    def _make(self, now: int) -> None:
        way = self.plan.way
        if way == "inline":
            self.id = self._inline(now, {})
        elif way == "shared":
            body = {**self._body(self.plan.seconds), "monitors": {"ids": list(self.monitors)}}
            change = self.world.change_at(now)
            self.id = self._write(lambda connection: catalog.create(connection, change, body, may_backdate=False)).id
        else:
            sent = {"duration_seconds": self.plan.seconds}
            change, monitor = self.world.change_at(now), self.monitors[0]
            self.id = self._write(lambda connection: catalog.start_now(connection, change, monitor, sent)).id

    def _change(self, now: int) -> None:
        seconds = self.plan.other_seconds
        for cover in self.covers:
            cover.end = max(now, cover.start + seconds * SECOND)
        if self.plan.way == "inline":
            self._inline(now, {"id": self.id, "duration_seconds": seconds})
            return
        change, sent = self.world.change_at(now), {"duration_seconds": seconds}
        self._write(lambda connection: catalog.update(connection, change, self.id, sent))

    def _inline(self, now: int, members: dict[str, object]) -> str:
        entry = {**self._body(self.plan.seconds), **members}
        self.world.edit(self.monitors[0], now, maintenance_windows=[entry])
        return self.world.inline_window(self.monitors[0])

    def _body(self, seconds: int) -> dict[str, object]:
        return {
            "name": "Patching",
            "starts_at": to_text(self.origin + self.plan.start),
            "duration_seconds": seconds,
            "alerting": "suppress" if self.plan.mutes else "deliver",
            "sla": "exclude" if self.plan.excludes else "include",
        }

    def _cut(self, now: int) -> None:
        """What has not begun is nothing, what holds ends now."""
        for cover in self.covers:
            cover.end = max(cover.start, min(cover.end, now))

    def _write(self, work: object) -> Stored:
        written: Stored = self.world.write(work)
        return written


def carried_out(connection: Connection) -> frozenset[int]:
    """The monitors (by key) over which a window is carried out and not over."""
    return frozenset(row.monitor_key for row in _OPEN.rows(connection))
