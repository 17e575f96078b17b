"""A notification that ends dead is told of, with the event that it was about."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from statuspulse.domain.actor import SYSTEM
from statuspulse.domain.escalation import Escalation
from statuspulse.domain.incident import Move
from statuspulse.domain.message import Facts
from statuspulse.domain.times import DAY
from statuspulse.engine.incidents import change
from statuspulse.storage import events
from statuspulse.storage.events import EventFilter
from tests.delivery.world import TEAM, World
from tests.targets import http_answer

NO_SERVICE = http_answer(404, b"no_service", "Connection: close")


async def turn(world: World) -> None:
    async with asyncio.TaskGroup() as tasks:
        await world.dispatcher().turn(tasks)


def told(world: World, name: str = "notification.failed") -> list[dict[str, Any]]:
    wanted = EventFilter(types=(name,))
    found = world.database.read_now(
        lambda connection: events.page(connection, TEAM, wanted, after=None, descending=False, limit=100)
    )
    return [json.loads(event.body) for event in found]


async def test_a_refusal_for_good_is_told_with_the_event_that_it_was_about(world: World) -> None:
    channel = world.channel()
    incident = replace(world.incident(), escalation=Escalation(heard=(channel,)))
    world.owe(incident, channel)
    await turn(world)
    world.receiver.scripts["abc123"] = [NO_SERVICE]

    def resolve(connection: Connection) -> None:
        change(connection, incident, Move.RESOLVE, SYSTEM, world.clock(), facts=Facts())

    world.write(resolve)
    await turn(world)
    [failed] = told(world)
    [resolved] = told(world, "incident.resolved")
    assert failed["data"] == {
        "notification_id": failed["data"]["notification_id"],
        "channel_id": channel,
        "channel_type": "slack",
        "channel_masked": "slack://hooks/T0A1B2C3D/B0X9Y8Z7W/***",
        "incident_id": incident.id,
        "trigger_event_id": resolved["id"],
        "attempts": 1,
        "last_error": {
            "code": "no_service",
            "message": "The slack channel answered 404: no_service",
            "http_status": 404,
        },
    }


async def test_a_message_that_may_yet_be_taken_is_no_failure(world: World) -> None:
    world.receiver.scripts["abc123"] = [http_answer(500, b"", "Connection: close")] * 2
    world.owe(world.incident(), world.channel())
    await turn(world)
    assert told(world) == []
    world.clock.at += 2 * DAY
    await turn(world)
    [failed] = told(world)
    assert (failed["data"]["attempts"], failed["data"]["trigger_event_id"]) == (2, None)
