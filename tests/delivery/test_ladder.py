"""The dispatcher over hours of virtual time, with a channel that only keeps count."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import cycle, pairwise

import pytest

from statuspulse.delivery.channel import Delivered, Outcome, Retry
from statuspulse.domain.message import Action, Message
from statuspulse.domain.secret import Secret
from statuspulse.domain.times import HOUR, MINUTE, SECOND
from statuspulse.storage.database import Database
from statuspulse.storage.outbox import LEASE, State
from tests.delivery.receiver import Receiver
from tests.delivery.world import World, running

pytestmark = pytest.mark.virtual_time


class Sickly:
    """A channel that takes nothing before an instant, and keeps what it was offered when."""

    spacing_ms = SECOND
    groups = False

    def __init__(self, now: Callable[[], int], well_from: int) -> None:
        self._now = now
        self._well_from = well_from
        self.offered: list[tuple[int, str, str]] = []

    async def hand_over(self, address: Secret, message: Message, *, key: str) -> Outcome:  # noqa: ARG002
        self.offered.append((self._now(), message.incident_id, message.action.value))
        return Delivered(200) if self._now() >= self._well_from else Retry(error="timeout")

    def waits(self) -> list[int]:
        return [later[0] - earlier[0] for earlier, later in pairwise(self.offered)]


class Endless:
    """A channel with a defect: it never comes back."""

    spacing_ms = 0
    groups = False

    def __init__(self) -> None:
        self.begun = 0

    async def hand_over(self, address: Secret, message: Message, *, key: str) -> Outcome:  # noqa: ARG002
        self.begun += 1
        await asyncio.Event().wait()
        raise AssertionError


def world_of(database: Database, now: Callable[[], int], channel: Sickly) -> World:
    world = World(database, Receiver(), {"slack": channel})
    world.clock.at = now()
    return world


async def test_the_waits_are_those_of_the_table_within_a_fifth(
    sqlite_database: Database, now: Callable[[], int]
) -> None:
    channel = Sickly(now, well_from=now() + HOUR)
    world = world_of(sqlite_database, now, channel)
    incident = world.incident()
    world.owe(incident, world.channel())
    async with running(world.dispatcher(now=now, random=cycle((0.0, 0.5, 0.999999)).__next__)):
        await asyncio.sleep(2 * HOUR / 1000)
    expected = [5 * SECOND, 15 * SECOND, MINUTE, 5 * MINUTE, *[15 * MINUTE] * 10]
    for wait, middle in zip(channel.waits(), expected, strict=False):
        assert 0.8 * middle - 50 <= wait <= 1.2 * middle + 50
    assert world.row(incident).state is State.DELIVERED
    # Delivered at the first step after it was well again.
    assert channel.offered[-1][0] <= now() - HOUR + 18 * MINUTE
    assert world.row(incident).attempts == len(channel.offered)


async def test_a_backlog_of_flapping_incidents_drains_in_order_once_the_receiver_is_well(
    sqlite_database: Database, now: Callable[[], int]
) -> None:
    begun, channel = now(), Sickly(now, well_from=now() + 10 * MINUTE)
    world = world_of(sqlite_database, now, channel)
    destination = world.channel()
    owed = [world.incident(f"Shop {place}") for place in range(10)]
    for action in (Action.TRIGGER, Action.RESOLVE, Action.TRIGGER, Action.RESOLVE):
        for incident in owed:
            world.owe(incident, destination, action)
    async with running(world.dispatcher(now=now)):
        await asyncio.sleep(2 * HOUR / 1000)
    taken = [offer for offer in channel.offered if offer[0] >= begun + 10 * MINUTE]
    for incident in owed:
        actions = [action for _, key, action in taken if key == incident.id]
        assert actions == ["trigger", "resolve", "trigger", "resolve"]
    assert min(channel.waits()) >= SECOND
    # While it was sick only the breaker's trials came, and none of those that waited lost an attempt.
    assert len(channel.offered) - len(taken) <= 5 + 5
    untouched = [row for incident in owed for row in world.rows(incident) if row.attempts == 1]
    assert len(untouched) >= 30


async def test_a_channel_that_never_returns_is_given_up_before_its_lease_ends(
    sqlite_database: Database, now: Callable[[], int]
) -> None:
    channel = Endless()
    world = World(sqlite_database, Receiver(), {"slack": channel})
    world.clock.at = now()
    incident = world.incident()
    world.owe(incident, world.channel())
    async with running(world.dispatcher(now=now)):
        await asyncio.sleep(LEASE / 1000)
        assert channel.begun == 2
        row = world.row(incident)
    assert (row.attempts, row.last_error) == (1, "internal: TimeoutError")
