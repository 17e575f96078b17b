"""Objectives on every database: due, touched, settled once, and gone with their monitor."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from statuspulse.domain.health import Health, State
from statuspulse.domain.slo import USUAL_ALERTING, Kind, Window
from statuspulse.domain.slo_course import Course
from statuspulse.engine.slos import look, settle
from statuspulse.storage import monitors, slos, states
from statuspulse.storage.database import Database
from statuspulse.storage.schema import monitors as monitor_rows
from statuspulse.storage.slos import Slo
from tests.contracts.ground import OTHER, TEAM, Ground, lay

NOW = 1_790_000_000_000
CONFIG = {
    "type": "http",
    "tags": [],
    "regions": ["local", "eu-west"],
    "interval_seconds": 30,
    "timeout_ms": 10_000,
    "region_strategy": "parallel",
    "quorum": "majority",
    "failure_threshold": 2,
    "recovery_threshold": 2,
    "retry": {"count": 0, "delay_ms": 1000},
    "degraded_latency_ms": None,
}


@pytest.fixture
def ground(database: Database) -> Ground:
    return lay(database)


def slo(ground: Ground, number: int, **members: Any) -> Slo:
    made = Slo(
        id=f"slo_{number:08d}",
        team_id=TEAM,
        monitor_key=ground.monitor,
        monitor_id=None,
        of_config=False,
        name=f"Objective {number}",
        tags=(),
        kind=Kind.AVAILABILITY,
        objective_pct=99.95,
        latency_threshold_ms=None,
        window=Window.MONTH,
        timezone="Europe/Berlin",
        alerting=USUAL_ALERTING,
        notify=("nch_00000001",),
        course=Course(),
        due_at=NOW + number,
        touched=0,
        created_at=NOW + number,
        updated_at=NOW + number,
    )
    return replace(made, **members)


def kept(ground: Ground, slo_id: str, team_id: str = TEAM) -> Slo | None:
    found: Slo | None = ground.read(lambda connection: slos.get(connection, team_id, slo_id))
    return found


def test_what_is_stored_is_read_again(ground: Ground) -> None:
    one = slo(ground, 1)
    ground.write(lambda connection: slos.insert(connection, one))
    read = kept(ground, one.id)
    assert read is not None
    assert read == replace(one, monitor_id=read.monitor_id)
    assert read.monitor_id is not None
    assert kept(ground, one.id, OTHER) is None
    assert read.terms.allowance == 50_000


def test_those_that_wait_longest_come_first(ground: Ground) -> None:
    for number in (3, 1, 2):
        ground.write(lambda connection, number=number: slos.insert(connection, slo(ground, number)))
    assert ground.read(slos.next_due_at) == NOW + 1
    found = ground.read(lambda connection: slos.due(connection, NOW + 2, 10))
    assert [one.name for one in found] == ["Objective 1", "Objective 2"]
    page = ground.read(lambda connection: slos.page(connection, TEAM, after=None, descending=True, limit=2))
    assert [one.name for one in page] == ["Objective 3", "Objective 2"]
    assert ground.read(lambda connection: slos.count(connection, TEAM)) == 3


def test_a_look_is_settled_once_and_not_over_a_change(ground: Ground) -> None:
    ground.write(lambda connection: slos.insert(connection, slo(ground, 1)))
    read = kept(ground, "slo_00000001")
    assert read is not None
    course = Course(breached_at=NOW, told_for=NOW - 1, burning="fast")
    assert ground.write(partial(slos.settle, slo=read, course=course, due_at=None))
    assert not ground.write(partial(slos.settle, slo=read, course=Course(), due_at=NOW))
    after = kept(ground, "slo_00000001")
    assert after is not None
    assert (after.course, after.due_at) == (course, None)


def test_a_transition_touches_the_monitor_s_and_the_team_s_own(ground: Ground) -> None:
    for one in (
        slo(ground, 1),
        slo(ground, 2, monitor_key=None, tags=("prod",)),
        slo(ground, 3, monitor_key=ground.neighbour),
    ):
        ground.write(partial(slos.insert, slo=one))
    ground.write(lambda connection: slos.insert(connection, slo(ground, 4, team_id=OTHER, monitor_key=None)))
    ground.write(lambda connection: slos.touch(connection, ground.monitor, NOW + 99))
    assert [kept(ground, f"slo_0000000{number}").touched for number in (1, 2, 3)] == [1, 1, 0]  # type: ignore[union-attr]
    other = kept(ground, "slo_00000004", OTHER)
    assert other is not None
    assert other.touched == 0


def test_a_configuration_makes_one_objective_at_most(ground: Ground) -> None:
    ground.write(lambda connection: slos.insert(connection, slo(ground, 1, of_config=True)))
    ground.write(lambda connection: slos.insert(connection, slo(ground, 2)))
    with pytest.raises(IntegrityError):
        ground.write(lambda connection: slos.insert(connection, slo(ground, 3, of_config=True)))
    found = ground.read(lambda connection: slos.of_configs(connection, TEAM, [ground.monitor, ground.neighbour]))
    assert {key: one.id for key, one in found.items()} == {ground.monitor: "slo_00000001"}


def test_objectives_end_with_their_monitor(ground: Ground) -> None:
    for number in (1, 2):
        ground.write(lambda connection, number=number: slos.insert(connection, slo(ground, number)))
    ground.write(lambda connection: slos.remove_of_monitor(connection, TEAM, ground.monitor))
    assert ground.read(lambda connection: slos.count(connection, TEAM)) == 0


def test_a_channel_is_named_until_it_is_left_out(ground: Ground) -> None:
    one = slo(ground, 1)
    ground.write(lambda connection: slos.insert(connection, one))
    assert ground.read(lambda connection: slos.names_channel(connection, TEAM, "nch_00000001")) == ["Objective 1"]
    ground.write(lambda connection: slos.save(connection, replace(one, notify=())))
    assert ground.read(lambda connection: slos.names_channel(connection, TEAM, "nch_00000001")) == []
    ground.write(lambda connection: slos.remove(connection, TEAM, one.id))
    assert not ground.read(lambda connection: slos.exists(connection, one.id))


def test_a_look_reads_and_tells_on_every_database(ground: Ground) -> None:
    """The monitor was down for an hour of thirty days."""
    one = slo(ground, 1, objective_pct=99.9, notify=())
    now = NOW + 3_600_000

    def begin(connection: Connection) -> None:
        connection.execute(monitor_rows.update().values(config=json.dumps(CONFIG)))
        slos.insert(connection, one)
        states.cut_intervals(connection, ground.monitor, NOW - 86_400_000, State.UP)
        states.cut_intervals(connection, ground.monitor, NOW, State.DOWN)
        states.cut_intervals(connection, ground.monitor, now, State.UP)
        before = states.state_of(connection, ground.monitor)
        states.save_state(connection, ground.monitor, replace(before, health=Health.UP, votes_from=now))

    ground.write(begin)
    read = kept(ground, one.id)
    assert read is not None
    seen = ground.read(lambda connection: look(connection, read, now))
    assert [news.value for news in seen.judgement.news] == ["sla.breached"]
    assert ground.write(partial(settle, seen=seen, now=now))
    assert not ground.write(partial(settle, seen=seen, now=now))


def test_monitors_are_found_by_key_and_by_every_tag(ground: Ground) -> None:
    def found(**wanted: Any) -> list[int]:
        members = {"key": None, "tags": (), "since": 0, **wanted}
        return [one.key for one, _ in ground.read(lambda connection: monitors.of_slo(connection, TEAM, **members))]

    assert found(key=ground.monitor) == [ground.monitor]
    assert found() == sorted([ground.monitor, ground.neighbour])
    assert found(tags=("nobody-has-it",)) == []
    deleted = monitor_rows.update().where(monitor_rows.c.key == ground.monitor).values(deleted_at=NOW)
    ground.write(lambda connection: connection.execute(deleted))
    assert found(since=NOW) == [ground.neighbour]
    assert found(since=NOW - 1) == sorted([ground.monitor, ground.neighbour])
