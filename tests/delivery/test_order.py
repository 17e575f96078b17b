"""Order under flapping: three dispatchers, a receiver that fails a third of the time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from random import Random

import pytest

from statuspulse.delivery.channel import Delivered, Outcome, Retry
from statuspulse.domain.message import Action, Message
from statuspulse.domain.secret import Secret
from statuspulse.domain.times import MINUTE, SECOND
from statuspulse.storage import outbox
from statuspulse.storage.database import Database
from statuspulse.storage.outbox import State
from tests.delivery.receiver import Receiver
from tests.delivery.world import World, running

pytestmark = pytest.mark.virtual_time


class Moody:
    """A receiver that takes a message, loses its answer or stays away, by its seed."""

    spacing_ms = 0
    groups = False

    def __init__(self, random: Random) -> None:
        self._random = random
        self.taken: dict[str, list[str]] = {}

    async def hand_over(self, address: Secret, message: Message, *, key: str) -> Outcome:  # noqa: ARG002
        await asyncio.sleep(self._random.uniform(0, 0.5))
        mood = self._random.random()
        if mood < 0.15:
            return Retry(error="http_503", status=503)
        self.taken.setdefault(message.incident_id, []).append(key)
        return Retry(error="timeout") if mood < 0.3 else Delivered(200)


_LONGEST_MINUTES = 600
_LONG = [pytest.mark.faults, pytest.mark.timeout(600)]


@pytest.mark.parametrize(
    ("seed", "count", "changes"), [(0, 8, 6), *(pytest.param(seed, 50, 20, marks=_LONG) for seed in range(20))]
)
async def test_every_change_arrives_after_the_one_before(
    sqlite_database: Database, now: Callable[[], int], seed: int, count: int, changes: int
) -> None:
    random = Random(seed)
    receiver = Moody(random)
    with Receiver() as unused:
        world = World(sqlite_database, unused, {"slack": receiver})
        world.clock.at = now()
        destination = world.channel()
        incidents = [world.incident(f"Shop {number}") for number in range(count)]
        async with AsyncExitStack() as stack:
            for owner in ("one", "two", "three"):
                dispatcher = world.dispatcher(owner, now=now, random=random.random)
                await stack.enter_async_context(running(dispatcher))
            for change in range(changes):
                for incident in incidents:
                    world.owe(incident, destination, Action.RESOLVE if change % 2 else Action.TRIGGER)
                await asyncio.sleep(30)
            for _ in range(_LONGEST_MINUTES):
                await asyncio.sleep(MINUTE / SECOND)
                if not (await sqlite_database.read(outbox.counts))[State.PENDING]:
                    break
    owed = {incident.id: [row.event_id for row in world.rows(incident)] for incident in incidents}
    for incident_id, keys in owed.items():
        arrived = receiver.taken[incident_id]
        # Copies come of answers that got lost; the first of each is what a receiver acts on.
        assert list(dict.fromkeys(arrived)) == keys
        assert sorted(arrived, key=keys.index) == arrived
    counts = sqlite_database.read_now(outbox.counts)
    assert (counts[State.DELIVERED], sum(counts.values())) == (count * changes,) * 2
