"""Regions whose probes lost their own network: they have no vote, and nobody is told of an outage."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from statuspulse.domain.failure import Failure, FailureClass
from statuspulse.domain.health import Health
from statuspulse.domain.result import Result
from statuspulse.domain.times import SECOND, to_datetime
from statuspulse.engine.liveness import Liveness
from statuspulse.protocol.documents import Heartbeat
from tests.engine.world import REFUSED, START, World, result

REGIONS = ["us-east", "eu-west", "ap-south"]
BLIND = Failure(FailureClass.PROBE_BLIND, "nothing else at public addresses answered the probe either")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    begun = World.begin(tmp_path)
    for slug in REGIONS:
        begun.region(slug, START)
    yield begun
    begun.database.close()


def at(seconds: float) -> int:
    return START + round(seconds * SECOND)


def seen_at(ip: str, monitor: str, when: int, failure: Failure | None = None, *, region: str) -> Result:
    found = result(monitor, when, failure, region=region)
    return replace(found, observation=replace(found.observation, ip=ip))


def watched_by_all(world: World, ip: str) -> str:
    monitor = world.monitor(interval_seconds=30, regions=REGIONS, quorum="all", failure_threshold=1)
    world.see(*(seen_at(ip, monitor, at(n), region=slug) for n, slug in enumerate(REGIONS)))
    return monitor


def fail_in_two(world: World, monitor: str, ip: str) -> None:
    for n, slug in enumerate(REGIONS[:2]):
        world.see(seen_at(ip, monitor, at(30 + n), REFUSED, region=slug))


def test_a_region_is_blind_only_while_all_of_its_live_probes_are() -> None:
    liveness = Liveness()

    def hear(probe: str, seconds: float, *blind: str, region: str = "eu-west") -> None:
        clock = to_datetime(at(seconds))
        liveness.hear(probe, region, Heartbeat(clock=clock, boot_id="b", version="1", blind=list(blind)), at(seconds))

    hear("prb_1", 0, "public", "private")
    hear("prb_2", 10, "public")
    hear("prb_3", 0, "public", region="us-east")
    assert liveness.blind_regions(at(11)) == {"eu-west": {"public"}, "us-east": {"public"}}
    assert liveness.blind_regions(at(16)) == {"eu-west": {"public"}}
    hear("prb_1", 17)
    assert liveness.blind_regions(at(18)) == {}


@pytest.mark.parametrize(
    ("ip", "blind_to", "health"),
    [
        ("8.8.8.8", "public", Health.DOWN),
        ("8.8.8.8", "private", Health.DEGRADED),
        ("10.0.0.1", "private", Health.DOWN),
        ("127.0.0.1", "public", Health.DEGRADED),
    ],
)
def test_a_region_that_is_blind_to_the_class_of_the_target_has_no_vote(
    world: World, ip: str, blind_to: str, health: Health
) -> None:
    monitor = watched_by_all(world, ip)
    world.watchlist.blind = {"ap-south": frozenset({blind_to})}
    fail_in_two(world, monitor, ip)
    assert world.state(monitor).health is health


def test_a_region_whose_last_result_is_blind_has_no_vote_until_it_sees_again(world: World) -> None:
    monitor = watched_by_all(world, "8.8.8.8")
    world.see(seen_at("8.8.8.8", monitor, at(29), BLIND, region="ap-south"))
    fail_in_two(world, monitor, "8.8.8.8")
    assert world.state(monitor).health is Health.DOWN
    world.see(seen_at("8.8.8.8", monitor, at(40), region="ap-south"))
    assert world.state(monitor).health is not Health.DOWN


def test_a_blind_local_probe_makes_nothing_down_and_opens_no_incident(world: World) -> None:
    monitor = world.monitor(failure_threshold=1)
    world.see(result(monitor, at(0)))
    world.see(*(result(monitor, at(10 * n), BLIND) for n in range(1, 8)))
    assert world.state(monitor).health is Health.UP
    assert world.incidents() == []
