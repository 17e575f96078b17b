"""Probes that go and come are told of, once each, to the teams that they check something for."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from statuspulse.bus.local import LocalBus
from statuspulse.domain.times import HOUR, SECOND, to_datetime, to_text
from statuspulse.engine.liveness import OFFLINE_AFTER, Liveness
from statuspulse.engine.probe_watch import ProbeWatch
from statuspulse.protocol.documents import Heartbeat
from statuspulse.storage import events, probes
from statuspulse.storage.events import EventFilter
from tests.engine.world import START, World, result


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    begun = World.begin(tmp_path)
    yield begun
    begun.database.close()


class Sentry:
    """A watch on the local probe with a clock that a test moves."""

    def __init__(self, world: World, at: int = START) -> None:
        self.world, self.at, self.liveness = world, at, Liveness()
        self.watch = ProbeWatch(world.database, LocalBus(), self.liveness, now=lambda: self.at)
        found = world.database.read_now(lambda connection: probes.first_of_region(connection, "local"))
        assert found is not None
        self.probe = found

    def hear(self, *blind: str) -> None:
        beat = Heartbeat(clock=to_datetime(self.at), boot_id="b", version="1", blind=list(blind))
        self.liveness.hear(self.probe.id, "local", beat, self.at)

    def look(self) -> int:
        return asyncio.run(self.watch.look())

    def told(self) -> list[dict[str, Any]]:
        wanted = EventFilter(types=("probe.",))
        found = self.world.database.read_now(
            lambda connection: events.page(
                connection, self.world.team_id, wanted, after=None, descending=False, limit=100
            )
        )
        return [json.loads(event.body) for event in found]


def test_a_silent_probe_is_told_of_after_fifteen_seconds_and_when_it_is_back(world: World) -> None:
    world.monitor()
    world.pause(world.monitor(), START)
    sentry = Sentry(world)
    sentry.hear()
    sentry.at += OFFLINE_AFTER - 1
    assert sentry.look() == 0
    sentry.at += 1
    assert (sentry.look(), sentry.look()) == (1, 0)
    sentry.at = START + 121 * SECOND
    sentry.hear()
    assert (sentry.look(), sentry.look()) == (1, 0)
    offline, online = sentry.told()
    assert offline["data"] == {
        "probe": {"object": "probe", "id": sentry.probe.id, "name": sentry.probe.name, "region": "local"},
        "reason": "silent",
        "last_seen_at": to_text(START),
        "affected_monitors": 1,
    }
    assert online["data"]["offline_seconds"] == 121


def test_a_blind_probe_is_away_until_it_sees_again(world: World) -> None:
    world.monitor()
    sentry = Sentry(world)
    sentry.hear("public")
    assert sentry.look() == 1
    sentry.at += OFFLINE_AFTER
    assert sentry.look() == 1  # silent by now, which is no second absence
    sentry.hear()
    assert sentry.look() == 1
    assert [event["type"] for event in sentry.told()] == ["probe.offline", "probe.online"]
    assert sentry.told()[0]["data"]["reason"] == "blind"


def test_a_restart_tells_nobody_twice(world: World) -> None:
    world.monitor()
    before = Sentry(world)
    before.hear()
    before.at += OFFLINE_AFTER
    before.look()
    after = Sentry(world, before.at + SECOND)
    assert after.look() == 0
    after.hear()
    assert after.look() == 1
    assert len(after.told()) == 2


@pytest.mark.parametrize(("calls", "told"), [(False, ["probe.offline"]), (True, [])])
def test_a_probe_that_was_there_before_a_restart_has_time_to_call(world: World, calls: bool, told: list[str]) -> None:
    monitor = world.monitor()
    world.see(result(monitor, START))
    sentry = Sentry(world, START + HOUR)
    sentry.at += OFFLINE_AFTER - 1
    assert sentry.look() == 0
    if calls:
        sentry.hear()
    sentry.at += 1
    sentry.look()
    assert [event["type"] for event in sentry.told()] == told


def test_a_probe_that_never_called_is_not_away(world: World) -> None:
    world.monitor()
    sentry = Sentry(world)
    sentry.at += HOUR
    assert sentry.look() == 0


def test_a_team_without_monitors_there_hears_nothing(world: World) -> None:
    sentry = Sentry(world)
    sentry.hear()
    sentry.at += OFFLINE_AFTER
    assert sentry.look() == 1
    assert sentry.told() == []
