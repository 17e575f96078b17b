"""Time that nobody saw stays unseen: through a pause, a restart, and a start at which few regions have spoken."""

from __future__ import annotations

from statuspulse.domain.health import Health
from statuspulse.domain.times import SECOND
from statuspulse.storage import states
from tests.engine.world import REGIONS, START, World, result


def at(seconds: float) -> int:
    return START + round(seconds * SECOND)


def unseen(world: World, monitor: str) -> list[tuple[float, float]]:
    key = world.key_of(monitor)
    spans = world.database.read_now(lambda connection: states.unseen_between(connection, key, 0, at(10_000)))
    return [((span.start - START) / SECOND, (span.end - START) / SECOND) for span in spans]


def test_a_pause_leaves_unseen_what_nobody_had_looked_at(world: World) -> None:
    monitor = world.monitor()
    world.see(result(monitor, at(0)), result(monitor, at(10)))
    world.pause(monitor, at(60))
    assert unseen(world, monitor) == [(20, 60)]


def test_a_silence_leaves_its_holes_also_when_the_engine_restarts_in_it(world: World) -> None:
    monitor = world.monitor()
    world.see(result(monitor, at(0)), result(monitor, at(10)))
    assert world.sweep(at(120)) == 1
    world.restart()
    world.see(result(monitor, at(150)))
    assert unseen(world, monitor)[0][0] == 20
    assert unseen(world, monitor)[-1][1] == 150


def test_a_region_that_has_not_spoken_since_the_resumption_does_not_vote(world: World) -> None:
    monitor = world.monitor(regions=REGIONS)
    world.see(*(result(monitor, at(place), region=slug) for place, slug in enumerate(REGIONS)))
    world.pause(monitor, at(10))
    world.see(*(result(monitor, at(12 + place), region=slug) for place, slug in enumerate(REGIONS)))
    world.resume(monitor, at(16))
    world.see(result(monitor, at(20), region=REGIONS[0], version=3))
    assert world.state(monitor).health is Health.PENDING
    world.see(result(monitor, at(23), region=REGIONS[1], version=3))
    assert world.state(monitor).health is Health.UP
