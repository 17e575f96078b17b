"""Faults of our own are told of once each, to those whom they concern, and never as an outage of a target."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from statuspulse.bus.local import LocalBus
from statuspulse.domain.times import MINUTE, SECOND, to_text
from statuspulse.engine.fault_watch import FaultWatch
from statuspulse.storage import events, teams
from statuspulse.storage.ballast import Ballast
from statuspulse.storage.connect import sqlite_module
from statuspulse.storage.events import EventFilter
from statuspulse.storage.teams import Team
from tests.engine.world import START, World

OTHER, EMPTY = "team_other000", "team_empty000"


class Clocks:
    """A wall and a monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.wall = START + MINUTE
        self.monotonic = 100.0

    def pass_time(self, seconds: float) -> None:
        self.wall += round(seconds * SECOND)
        self.monotonic += seconds


class Scene:
    def __init__(self, folder: Path) -> None:
        self.world = World.begin(folder)
        self.clocks = Clocks()
        self.ballast = Ballast(folder / "ballast", 128 * 1024)
        for team_id in (OTHER, EMPTY):
            team = Team(id=team_id, slug=team_id, name=team_id, created_at=START + 1, updated_at=START + 1)
            self.world.write(lambda connection, team=team: teams.insert(connection, team))

    def watch(self) -> FaultWatch:
        """As a start makes it."""
        return FaultWatch(
            self.world.database,
            LocalBus(),
            self.ballast,
            now=lambda: self.clocks.wall,
            monotonic=lambda: self.clocks.monotonic,
        )

    def refuse_changes(self, on: str) -> None:
        connection = self.world.database.engines.writer.raw_connection()
        connection.cursor().execute(f"PRAGMA query_only = {on}")
        connection.close()

    def told(self, team_id: str) -> list[dict[str, Any]]:
        wanted = EventFilter(types=("instance.",))
        found = self.world.database.read_now(
            lambda connection: events.page(connection, team_id, wanted, after=None, descending=False, limit=99)
        )
        return [json.loads(event.body) for event in found]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path)
    yield made
    made.world.database.close()


def words(told: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(event["type"].removeprefix("instance."), event["data"]["fault"]) for event in told]


async def test_a_storage_that_takes_no_change_is_told_of_once_when_it_takes_one_again(scene: Scene) -> None:
    watched = scene.world.monitor(notifications=[])
    watch = scene.watch()
    await watch.look()
    assert watch.is_well
    scene.refuse_changes("on")
    since = scene.clocks.wall
    for _ in range(3):
        await watch.look()
        scene.clocks.pass_time(20)
    assert (watch.is_well, watch.is_read_only) == (False, False)
    scene.refuse_changes("off")
    for _ in range(2):
        await watch.look()
    assert watch.is_well
    fault, recovered = scene.told(scene.world.team_id)
    assert words([fault, recovered]) == [("fault", "storage_error"), ("recovered", "storage_error")]
    assert (fault["data"]["since"], fault["data"]["affected_monitors"]) == (to_text(since), 1)
    assert recovered["data"]["fault_seconds"] == 60.0
    assert scene.told(EMPTY) == []
    assert scene.world.state(watched).state.value == "pending"


async def test_a_database_that_does_not_answer_is_sick_and_asked_no_second_time_meanwhile(scene: Scene) -> None:
    watch = scene.watch()
    with closing(sqlite_module().connect(scene.world.database.engines.writer.url.database)) as other:
        other.execute("BEGIN IMMEDIATE")
        for _ in range(3):
            await watch.look(patience=0.05)
        assert not watch.is_well
        other.execute("ROLLBACK")
    await watch.look()
    assert watch.is_well
    assert words(scene.told(scene.world.team_id)) == [("fault", "storage_error"), ("recovered", "storage_error")]


async def test_a_standstill_and_a_clock_that_was_set_are_told_to_the_first_team(scene: Scene) -> None:
    watch = scene.watch()
    scene.clocks.pass_time(5)
    await watch.notice_pause(0.3)
    assert scene.told(scene.world.team_id) == []
    scene.clocks.pass_time(12)
    await watch.notice_pause(7.0)
    scene.clocks.wall -= 3600 * SECOND
    await watch.notice_pause(0.0)
    await watch.notice_pause(0.0)
    told = scene.told(scene.world.team_id)
    assert words(told) == [
        ("fault", "self_stall"),
        ("recovered", "self_stall"),
        ("fault", "clock_step"),
        ("recovered", "clock_step"),
    ]
    assert told[1]["data"]["fault_seconds"] == 7.0
    assert told[2]["data"]["detail"].endswith("It went back by 3600 s.")
    assert scene.told(OTHER) == []


async def test_what_was_told_before_a_restart_is_over_once_after_it(scene: Scene) -> None:
    scene.world.write(
        lambda connection: connection.exec_driver_sql(
            "INSERT INTO instance_faults (kind, since_at) VALUES ('storage_full', ?)", (START,)
        )
    )
    for _ in range(2):
        await scene.watch().look()
    told = scene.told(scene.world.team_id)
    assert words(told) == [("recovered", "storage_full")]
    assert told[0]["data"]["fault_seconds"] == 60.0


def test_the_ballast_is_taken_only_where_as_much_again_is_free(tmp_path: Path) -> None:
    ballast = Ballast(tmp_path / "ballast", 128 * 1024)
    assert ballast.take()
    assert ballast.take()
    assert (tmp_path / "ballast").stat().st_size == 128 * 1024
    ballast.give()
    ballast.give()
    assert not (tmp_path / "ballast").exists()
    assert not Ballast(tmp_path / "ballast", 1 << 60).take()
    assert not Ballast(tmp_path / "missing" / "ballast", 128 * 1024).take()
