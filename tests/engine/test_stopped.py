"""Everything of ours stands still for ten minutes while targets fail: that is time nobody saw, and no news."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import Connection, select

from statuspulse.catalog import monitors as catalog
from statuspulse.domain.times import MINUTE, SECOND
from statuspulse.domain.uptime import Sums
from statuspulse.engine.sight import sights_of
from statuspulse.engine.timelines import timelines_of
from statuspulse.storage import monitors, states
from statuspulse.storage.schema import monitors as monitor_rows
from statuspulse.storage.schema import outbox, transitions
from tests.engine.world import REFUSED, SLACK, START, World, result

COUNT = 100
# So many at a time, one fifth of the interval after the other.
TOGETHER = 20
INTERVAL = 30 * SECOND
SHIFT = 6 * SECOND
STOPPED = START + 3 * MINUTE + 14 * SECOND
BACK = STOPPED + 10 * MINUTE
END = BACK + 3 * MINUTE
FLAP = 45 * SECOND


@dataclass(frozen=True)
class Target:
    """Half of them flap while nobody looks; of those every fifth stays down."""

    monitor: str
    number: int

    @property
    def slots(self) -> list[int]:
        first = START + self.number // TOGETHER * SHIFT
        return [at for at in range(first, END, INTERVAL) if not STOPPED <= at < BACK]

    @property
    def flaps(self) -> bool:
        return self.number % 2 == 1

    @property
    def stays_down(self) -> bool:
        return self.number % 10 == 1

    def fails(self, at: int) -> bool:
        if at >= BACK:
            return self.stays_down
        return self.flaps and at >= STOPPED and (at - STOPPED) // FLAP % 2 == 0

    def covered(self) -> int:
        """How long (ms) of the whole run a check stands for."""
        return sum(min(at + INTERVAL, END) - at for at in self.slots)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    begun = World.begin(tmp_path)
    yield begun
    begun.database.close()


def make(world: World) -> list[Target]:
    def create(connection: Connection) -> list[str]:
        change = world.change_at(START)
        body = {
            "type": "http",
            "url": "http://192.0.2.1/",
            "interval_seconds": INTERVAL // SECOND,
            "notifications": [SLACK],
        }
        bodies = [{**body, "name": f"Shop {number}"} for number in range(COUNT)]
        return [catalog.create(connection, world.instance, change, one).view.monitor.id for one in bodies]

    return [Target(monitor, number) for number, monitor in enumerate(world.write(create))]


def look(world: World, targets: list[Target], start: int, end: int) -> None:
    """Ships what the probe finds in [start, end), each group as it is checked."""
    found: dict[int, list[Target]] = {}
    for target in targets:
        for at in target.slots:
            if start <= at < end:
                found.setdefault(at, []).append(target)
    for at, due in sorted(found.items()):
        results = [result(target.monitor, at, REFUSED if target.fails(at) else None) for target in due]
        world.ship(world.items(*results), at + 200)


def sums(world: World, targets: list[Target]) -> list[Sums]:
    def read(connection: Connection) -> list[Sums]:
        listed = [monitors.get(connection, world.team_id, target.monitor) for target in targets]
        found = [(one, states.state_of(connection, one.key)) for one in listed if one is not None]
        sights = sights_of(connection, found, END)
        timelines = timelines_of(connection, [(one, sights[one.key]) for one, _ in found], START, END)
        return [timelines[one.key].sums(START, END) for one, _ in found]

    return world.database.read_now(read)


def changes(world: World) -> dict[str, list[str]]:
    """The states that each monitor entered, in order."""
    query = (
        select(monitor_rows.c.id, transitions.c.state)
        .join(monitor_rows, monitor_rows.c.key == transitions.c.monitor_key)
        .order_by(transitions.c.monitor_key, transitions.c.state_seq)
    )
    found: dict[str, list[str]] = {}
    for row in world.database.read_now(lambda connection: connection.execute(query).all()):
        found.setdefault(row.id, []).append(row.state)
    return found


def owed_at(world: World) -> list[int]:
    """When each message became due."""
    return world.database.read_now(lambda connection: list(connection.scalars(select(outbox.c.created_at))))


def test_ten_minutes_in_which_we_stood_still_are_unknown_and_no_news(world: World) -> None:
    targets = make(world)
    look(world, targets, START, STOPPED)
    world.restart()
    assert world.sweep(BACK) == COUNT
    look(world, targets, BACK, END)

    told = changes(world)
    for target, found in zip(targets, sums(world, targets), strict=True):
        before_first = target.slots[0] - START
        assert abs(found.unknown - before_first - 10 * MINUTE) <= INTERVAL
        coverage = found.coverage_pct(END - START)
        assert coverage is not None
        assert abs(coverage - 100 * target.covered() / (END - START)) <= 0.1
        assert (found.down > 0) == target.stays_down
        assert found.down <= END - BACK
        assert told[target.monitor] == ["up", "unknown", "down" if target.stays_down else "up"]
    # What is down now began, as far as anybody knows, when somebody looked again.
    assert len(world.incidents()) == COUNT // 10
    assert all(BACK <= incident.triggered_at < BACK + 2 * INTERVAL for incident in world.incidents())
    assert all(at >= BACK for at in owed_at(world))
    assert len(owed_at(world)) == COUNT // 10
