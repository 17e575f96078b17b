"""Storms, dead letters and retries of many, in virtual time."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import Connection

from statuspulse.delivery.channel import Delivered, Outcome, Retry
from statuspulse.delivery.digest import digest
from statuspulse.domain.message import Action, Message
from statuspulse.domain.secret import Secret
from statuspulse.domain.team_settings import TeamSettings
from statuspulse.domain.times import DAY, HOUR, MINUTE, SECOND
from statuspulse.storage import outbox, teams
from statuspulse.storage.database import Database
from statuspulse.storage.outbox import State
from tests.delivery.receiver import Receiver
from tests.delivery.test_slack import DOWN
from tests.delivery.world import TEAM, World, running

pytestmark = pytest.mark.virtual_time


class Chat:
    """Keeps what it was told when; addresses that end in `sick` take nothing before an instant."""

    spacing_ms = SECOND

    def __init__(self, now: Callable[[], int], *, groups: bool = True, well_from: int = 0) -> None:
        self.groups = groups
        self._now = now
        self._well_from = well_from
        self.told: list[tuple[int, Message]] = []
        self.tries: list[int] = []
        self.under_way = self.most_under_way = 0

    async def hand_over(self, address: Secret, message: Message, *, key: str) -> Outcome:  # noqa: ARG002
        if address.reveal().endswith("sick"):
            self.tries.append(self._now())
            if self._now() < self._well_from:
                return Retry(error="timeout")
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        await asyncio.sleep(0.1)
        self.under_way -= 1
        self.told.append((self._now(), message))
        return Delivered(200)


def world_of(database: Database, now: Callable[[], int], channel: Chat) -> World:
    world = World(database, Receiver(), {"slack": channel})
    world.clock.at = now()
    return world


async def test_a_storm_is_told_in_one_message_each_half_minute(
    sqlite_database: Database, now: Callable[[], int]
) -> None:
    begun, chat = now(), Chat(now)
    world = world_of(sqlite_database, now, chat)
    destination = world.channel()
    owed = [world.incident(f"Shop {place}") for place in range(40)]
    for incident in owed:
        world.owe(incident, destination)
    async with running(world.dispatcher(now=now)):
        await asyncio.sleep(20)
        for incident in owed[:20]:
            world.owe(incident, destination, Action.RESOLVE)
        await asyncio.sleep(5 * MINUTE / 1000)
        late = world.incident("Calm again")
        world.owe(late, destination)
        world.pass_time(0)
        await asyncio.sleep(40)
    rows = [row for incident in owed for row in world.rows(incident)]
    assert {row.state for row in rows} == {State.DELIVERED}
    assert [message.action for _, message in chat.told] == [*[Action.TRIGGER] * 5, Action.DIGEST, Action.TRIGGER]
    at, message = chat.told[5]
    assert 30 * SECOND <= at - begun < 40 * SECOND
    assert message.title == "55 messages: 35 triggered, 20 resolved"
    assert message.facts.note is not None
    assert message.facts.note.count("\n") == 20
    assert message.facts.note.endswith("and 35 more")


async def test_what_machines_listen_to_is_never_grouped(sqlite_database: Database, now: Callable[[], int]) -> None:
    pager = Chat(now, groups=False)
    world = world_of(sqlite_database, now, pager)
    destination = world.channel()
    for place in range(20):
        world.owe(world.incident(f"Shop {place}"), destination)
    async with running(world.dispatcher(now=now)):
        await asyncio.sleep(60)
    assert [message.action for _, message in pager.told] == [Action.TRIGGER] * 20


async def test_a_dead_letter_is_told_of_once_and_can_be_handed_over_again(
    sqlite_database: Database, now: Callable[[], int]
) -> None:
    begun, chat = now(), Chat(now, groups=False, well_from=now() + 30 * HOUR)
    world = world_of(sqlite_database, now, chat)
    sick, spare = world.channel("sick"), world.channel("spare")
    world.write(lambda connection: _name_fallback(connection, spare))
    incidents = [world.incident("Shop"), world.incident("Till")]
    for incident in incidents:
        world.owe(incident, sick)
    before = world.database.read_now(outbox.counts)
    async with running(world.dispatcher(now=now)):
        await asyncio.sleep(10 * MINUTE / 1000)
        ((told_at, notice),) = chat.told
        assert (notice.action, told_at - begun < 10 * MINUTE) == (Action.NOTICE, True)
        assert notice.title.startswith("Channel Slack T0A1B2C3D/B0X9Y8Z7W is failing: timeout")
        await asyncio.sleep(25 * HOUR / 1000)
        dead = world.row(incidents[0])
        assert dead.state is State.DEAD
        assert dead.finished_at is not None
        assert abs(dead.finished_at - begun - DAY) <= 15 * MINUTE
        await asyncio.sleep(6 * HOUR / 1000)
        at = now()
        world.write(lambda connection: outbox.ask_again(connection, dead, at))
        world.pass_time(0)
        await asyncio.sleep(10 * MINUTE / 1000)
    again = world.row(incidents[0])
    assert (again.id, again.state) == (dead.id, State.DELIVERED)
    assert [message.action for _, message in chat.told] == [Action.NOTICE, Action.TRIGGER]
    after = world.database.read_now(outbox.counts)
    assert sum(after.values()) == sum(before.values()) + 1


async def test_a_backlog_of_failures_comes_back_without_a_wave(
    sqlite_database: Database, now: Callable[[], int]
) -> None:
    chat = Chat(now, groups=False, well_from=now() + 10 * MINUTE)
    chat.spacing_ms = 0
    world = world_of(sqlite_database, now, chat)
    destination = world.channel("sick")
    owed = [world.incident(f"Shop {place}") for place in range(60)]
    for incident in owed:
        world.owe(incident, destination)
    async with running(world.dispatcher(now=now)):
        await asyncio.sleep(30 * MINUTE / 1000)
    assert {world.row(incident).state for incident in owed} == {State.DELIVERED}
    assert chat.most_under_way <= 4
    assert len([at for at in chat.tries if at < chat.told[0][0] - SECOND]) <= 5 + 4 + 6
    assert chat.told[-1][0] - chat.told[0][0] <= 2 * MINUTE
    assert max(Counter(at // SECOND for at, _ in chat.told).values()) <= 60


def test_a_digest_lists_what_fits_and_counts_the_rest() -> None:
    made = digest([DOWN, replace(DOWN, action=Action.UPDATE)], DOWN.at)
    assert made.title == "2 messages: 1 triggered, 1 updated"
    assert made.facts.note is not None
    assert len(made.facts.note.split("\n")) == 2
    assert not made.action.is_of_incident


def _name_fallback(connection: Connection, channel_id: str) -> None:
    team = teams.get(connection, TEAM)
    assert team is not None
    teams.save(connection, replace(team, settings=TeamSettings(fallback_channel=channel_id)))
