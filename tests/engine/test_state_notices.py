"""States that are no outage are told to whom a rule names, once each way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from statuspulse.catalog import channels
from statuspulse.domain.message import Message
from statuspulse.domain.times import SECOND
from statuspulse.storage import outbox
from statuspulse.storage.outbox import Aside
from statuspulse.storage.schema import outbox as rows
from tests.engine.world import REFUSED, START, World, result

FIRST, LATER, QUIET = (f"slack://hooks/T0A1B2C3D/B0X9Y8Z7W/{name}" for name in ("first", "later", "quiet"))
# The monitor is checked every 10 s, and its last result counts for 30 s.
SILENT = START + 200 * SECOND


def rule(url: str, *states: str, **members: Any) -> dict[str, Any]:
    return {"name": "rule", "when": {"states": list(states)}, "notify": [url], **members}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World.begin(tmp_path)


def told(world: World) -> list[tuple[str, str, str, int]]:
    """(end of the hook, title, state, when it is due in s) of what is about no incident, by time and hook."""
    query = select(rows).where(rows.c.incident_id.is_(None)).order_by(rows.c.created_at)
    found = world.database.read_now(lambda connection: list(connection.execute(query)))
    names = {hook_id(world, url): url.rpartition("/")[2] for url in (FIRST, LATER, QUIET)}
    shown = [
        (
            row.created_at,
            names[row.destination],
            Message.of(json.loads(row.body)).title,
            row.state,
            (row.next_attempt_at - START) // SECOND,
        )
        for row in found
    ]
    return [one[1:] for one in sorted(shown)]


def hook_id(world: World, url: str) -> str:
    made: str = world.write(lambda connection: channels.provide(connection, world.team_id, url, world.instance, START))
    return made


def deliver_what_is_due(world: World, now: int) -> None:
    def settle(connection: Any) -> None:
        for row in outbox.claim(connection, owner="one", now=now, limit=9, aside=Aside()):
            connection.execute(rows.update().where(rows.c.id == row.id).values(state="delivered", lease_owner=None))

    world.write(settle)


def test_who_has_a_rule_for_unknown_hears_of_it_and_of_its_end(world: World) -> None:
    rules = [
        rule(FIRST, "unknown", "degraded"),
        rule(LATER, "unknown", after_seconds=60),
        rule(QUIET, "unknown", send_resolved=False),
    ]
    monitor = world.monitor(notification_rules=rules, notifications=[])
    world.see(result(monitor, START))
    world.sweep(SILENT)
    assert world.state(monitor).state.value == "unknown"
    # The sweep that decides is a second after the one that looks first.
    assert [(name, title, due - 201) for name, title, _, due in told(world)] == [
        ("first", "Shop is unknown", 0),
        ("later", "Shop is unknown", 60),
        ("quiet", "Shop is unknown", 0),
    ]
    deliver_what_is_due(world, SILENT + SECOND)
    world.see(result(monitor, SILENT + 10 * SECOND))
    assert world.state(monitor).state.value == "up"
    after = told(world)
    # What was not told yet is taken back, and whoever wants no end hears of none.
    assert [state for name, _, state, _ in after if name == "later"] == ["superseded"]
    assert [(name, title) for name, title, _, _ in after[3:]] == [("first", "Shop is up again")]


def test_a_rule_for_the_outage_alone_hears_nothing_of_other_states(world: World) -> None:
    monitor = world.monitor(notification_rules=[rule(FIRST, "down", "up")], notifications=[])
    world.see(result(monitor, START))
    world.sweep(SILENT)
    assert told(world) == []


def test_an_outage_that_ends_in_unknown_is_told_beside_its_incident(world: World) -> None:
    monitor = world.monitor(notification_rules=[rule(FIRST, "down", "unknown")], notifications=[])
    world.see(result(monitor, START), *(result(monitor, START + n * 10 * SECOND, REFUSED) for n in range(1, 4)))
    assert world.state(monitor).state.value == "down"
    world.sweep(SILENT + 60 * SECOND)
    assert [title for _, title, _, _ in told(world)] == ["Shop is unknown"]
    assert [action for action, _ in world.messages_of(monitor)] == ["trigger"]
