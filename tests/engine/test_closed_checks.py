"""What is remembered of closed windows is never other than what a fresh read gives."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection

from statuspulse.domain.result import Verdict
from statuspulse.domain.rollup import Bucket, edge, floor
from statuspulse.domain.times import DAY, HOUR, MINUTE, SECOND
from statuspulse.engine import rollups
from statuspulse.engine.closed_checks import Basis, Checks, ClosedChecks
from statuspulse.engine.figures import WINDOWS, checks_since
from statuspulse.storage import results
from statuspulse.storage import rollups as rollup_rows
from statuspulse.storage.database import Database
from statuspulse.storage.monitors import Monitor
from statuspulse.storage.results import Placed
from statuspulse.storage.rollups import Place
from tests.deep import deep
from tests.engine.past import NOW, Past, look

BEGIN = floor(NOW, DAY) - 3 * HOUR
VERDICTS = (Verdict.OK, Verdict.OK, Verdict.FAILED, Verdict.VOID)


@pytest.fixture
def past(database: Database) -> Past:
    return Past.begin(database)


def some_look(chance: random.Random, monitor: Monitor, at: int) -> Placed:
    verdict = chance.choice(VERDICTS)
    latency_us = None if verdict is Verdict.VOID else int(10 ** chance.uniform(3, 6))
    return look(monitor, at, verdict, region_key=chance.choice((1, 2)), latency_us=latency_us)


def take(past: Past, placed: list[Placed]) -> None:
    """As the engine does: stored, and late ones marked, in one transaction."""

    def store(connection: Connection) -> None:
        results.insert(connection, placed)
        rollups.touch(connection, placed)

    past.write(store)


def roll(past: Past, now: int) -> int:
    done: int = past.write(lambda connection: rollups.roll(connection, now, rollups.ROWS_PER_STEP))
    return done


def since(past: Past, keys: list[int], start: int, now: int, memory: ClosedChecks) -> dict[int, Checks]:
    found: dict[int, Checks] = past.read(lambda connection: checks_since(connection, keys, start, now, memory))
    return found


@pytest.mark.parametrize("seed", [0, 1, *deep((2, 3))])
def test_over_any_history_a_remembering_reader_sees_what_a_fresh_one_sees(past: Past, seed: int) -> None:
    chance = random.Random(seed)
    monitors = [past.monitor(number, born=BEGIN) for number in (1, 2, 3)]
    keys = [monitor.key for monitor in monitors]
    # Smaller than what is asked for, so that some of it is dropped on the way.
    memory = ClosedChecks(chance.choice((4, 64)))
    now = BEGIN
    roll(past, now)
    for _ in range(60):
        before, now = now, now + chance.choice((SECOND, MINUTE, 7 * MINUTE, HOUR))
        fresh = [some_look(chance, monitor, chance.randrange(before, now)) for monitor in monitors]
        late = [some_look(chance, chance.choice(monitors), chance.randrange(BEGIN, now)) for _ in range(2)]
        take(past, fresh + (late if chance.random() < 0.3 else []))
        for _ in range(chance.choice((0, 1, 4))):
            roll(past, now)
        for window in chance.sample(sorted(WINDOWS), 2):
            start = edge(now - WINDOWS[window], now)
            assert since(past, keys, start, now, memory) == since(past, keys, start, now, ClosedChecks(8))


def test_what_is_closed_is_read_once(past: Past, monkeypatch: pytest.MonkeyPatch) -> None:
    monitor = past.monitor(born=BEGIN)
    roll(past, BEGIN)
    take(past, [look(monitor, at) for at in range(BEGIN, BEGIN + HOUR, 30 * SECOND)])
    now = BEGIN + HOUR + 2 * MINUTE
    while roll(past, now):
        pass
    memory, read = ClosedChecks(8), []
    between = rollup_rows.between

    def note(*arguments: Any) -> Iterator[tuple[Place, Bucket]]:
        read.append(arguments)
        return between(*arguments)

    monkeypatch.setattr(rollup_rows, "between", note)
    first = since(past, [monitor.key], BEGIN, now, memory)
    assert read
    read.clear()
    assert since(past, [monitor.key], BEGIN, now, memory) == first
    assert not read


def test_what_was_remembered_is_no_readers_own() -> None:
    memory, basis = ClosedChecks(8), Basis(1, BEGIN, (), 0)
    memory.keep(basis, Checks({1: Bucket(ok=1)}))
    for _ in range(2):
        found = memory.recall(basis)
        assert found == Checks({1: Bucket(ok=1)})
        assert found is not None
        found.region(1).add(Verdict.OK, 80_000)


def test_what_was_not_asked_for_the_longest_is_dropped() -> None:
    memory = ClosedChecks(2)
    first, second, third = (Basis(key, BEGIN, (), 0) for key in (1, 2, 3))
    memory.keep(first, Checks())
    memory.keep(second, Checks())
    memory.recall(first)
    memory.keep(third, Checks())
    assert [memory.recall(basis) is None for basis in (first, second, third)] == [False, True, False]
