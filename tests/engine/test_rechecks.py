"""Rechecks as the engine asks for them: one per monitor and region, few per second, each with one end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from statuspulse.bus.bus import Topic
from statuspulse.bus.local import LocalBus
from statuspulse.domain.failure import Failure, FailureClass
from statuspulse.domain.result import ResultKind
from statuspulse.domain.times import SECOND, from_datetime
from statuspulse.engine.evaluation import Recheck
from statuspulse.engine.jobs import Jobs
from statuspulse.engine.rechecks import Outcome, Rechecks
from statuspulse.engine.watchlist import Watched
from statuspulse.storage.results import Placed
from tests.engine.world import REFUSED, START, World, result

PROBE = "prb_2d4f6h8j"
BLIND = Failure(FailureClass.PROBE_ERROR, "no_route")


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    world = World.begin(tmp_path)
    monitor = world.monitor(interval_seconds=30, timeout_ms=4000)
    world.see(result(monitor, START))
    yield world.watchlist.by_id[monitor]
    world.database.close()


class Scene:
    """The rechecks of one engine and what became of them."""

    def __init__(self) -> None:
        self.bus = LocalBus()
        self.jobs = Jobs(self.bus)
        self.ends: Counter[Outcome] = Counter()
        self.rechecks = Rechecks(self.jobs, self._count)

    def _count(self, outcome: Outcome) -> None:
        self.ends[outcome] += 1

    def ask(self, watched: Watched, at: int, *numbers: int) -> None:
        """Asks the region 1 for a look at each of so many monitors like the one given."""
        wanted = [Recheck(like(watched, number), 1, at) for number in numbers]
        self.rechecks.follow([], wanted, at)

    def offered(self, now: int) -> list[str | None]:
        return [job.monitor_id for job in self.jobs.offered("local", PROBE, now)]


def like(watched: Watched, number: int) -> Watched:
    monitor = watched.monitor
    return replace(watched, monitor=replace(monitor, key=number, id=f"mon_{number:08d}"))


def came(number: int, kind: ResultKind, failure: Failure | None = None) -> Placed:
    return Placed(number, 1, 1, result(f"mon_{number:08d}", START, failure, kind=kind))


async def test_a_recheck_is_a_job_of_its_region_without_a_secret(watched: Watched) -> None:
    scene = Scene()
    seen = scene.bus.count(Topic.CATALOG)
    scene.rechecks.follow([], [Recheck(watched, 1, START + 5000)], START)
    assert scene.bus.count(Topic.CATALOG) == seen + 1
    assert scene.jobs.offered("local", PROBE, START + 4999) == []
    assert scene.jobs.offered("far", "prb_far", START + 5000) == []
    [job] = scene.jobs.offered("local", PROBE, START + 5000)
    assert (job.kind, job.monitor_id, job.spec, job.timeout_ms) == ("recheck", watched.monitor.id, {}, 4000)
    assert from_datetime(job.not_before) == START + 5000
    assert from_datetime(job.deadline_at) == START + 30 * SECOND
    # People may look at the monitor meanwhile, and as many of them as ever.
    assert not scene.jobs.is_asked(watched.monitor.id)
    assert len(scene.jobs) == 0


@pytest.mark.parametrize(
    ("kind", "failure", "outcome"),
    [
        (ResultKind.RECHECK, None, Outcome.OK),
        (ResultKind.RECHECK, REFUSED, Outcome.FAILED),
        (ResultKind.RECHECK, BLIND, Outcome.VOID),
        (ResultKind.SCHEDULED, REFUSED, Outcome.SERVED),
    ],
)
async def test_whatever_the_region_sees_next_ends_its_recheck(
    watched: Watched, kind: ResultKind, failure: Failure | None, outcome: Outcome
) -> None:
    scene = Scene()
    scene.ask(watched, START, 7, 8)
    scene.rechecks.follow([came(7, kind, failure)], [], START + SECOND)
    scene.rechecks.follow([came(7, kind, failure)], [], START + SECOND)
    assert scene.ends == {outcome: 1}
    assert scene.offered(START + SECOND) == ["mon_00000008"]


async def test_a_region_is_asked_again_only_after_its_answer(watched: Watched) -> None:
    scene = Scene()
    scene.ask(watched, START, 7)
    scene.ask(watched, START, 7)
    assert scene.offered(START) == ["mon_00000007"]
    scene.rechecks.follow([came(7, ResultKind.RECHECK, REFUSED)], [Recheck(like(watched, 7), 1, START)], START)
    assert scene.offered(START) == ["mon_00000007"]


async def test_what_nobody_has_done_in_time_is_let_go(watched: Watched) -> None:
    scene = Scene()
    scene.ask(watched, START, 7)
    scene.rechecks.expire(START + 34 * SECOND - 1)
    assert scene.ends == {}
    scene.rechecks.expire(START + 34 * SECOND)
    assert scene.ends == {Outcome.EXPIRED: 1}
    assert scene.jobs.next_offer_at("local", PROBE) is None
    scene.ask(watched, START + 40 * SECOND, 7)
    assert scene.offered(START + 40 * SECOND) == ["mon_00000007"]


async def test_a_region_is_asked_for_two_hundred_at_once_and_fifty_a_second_after_that(watched: Watched) -> None:
    scene = Scene()
    scene.ask(watched, START, *range(1, 301))
    assert len(scene.offered(START)) == 200
    assert scene.ends == {Outcome.LIMITED: 100}
    scene.ask(watched, START + SECOND, *range(301, 401))
    assert len(scene.offered(START + SECOND)) == 50
    # Another region has an allowance of its own.
    far = replace(watched, regions={2: "far"})
    scene.rechecks.follow([], [Recheck(far, 2, START + SECOND)], START + SECOND)
    assert len(scene.jobs.offered("far", "prb_far", START + SECOND)) == 1
