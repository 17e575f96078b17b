"""Edges between monitors and the incidents that they hold, on every database."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import Connection, select, update

from statuspulse.catalog import dependencies as rules
from statuspulse.domain.actor import SYSTEM
from statuspulse.domain.hold import Cause
from statuspulse.domain.message import Facts
from statuspulse.domain.monitor import Severity
from statuspulse.domain.times import SECOND
from statuspulse.engine import escalator
from statuspulse.engine.incidents import Opening, open_incident
from statuspulse.storage import dependencies, incidents, monitors, results
from statuspulse.storage.database import Database
from statuspulse.storage.incidents import Incident
from statuspulse.storage.schema import escalation_timers, monitor_states
from statuspulse.storage.schema import monitors as monitor_rows
from tests.contracts.ground import BORN, OTHER, TEAM, Ground, a_result, lay, placed
from tests.engine.world import REFUSED

PARENT, CHILD = "mon_00000001", "mon_00000002"
T0 = 1_790_000_000_000


@pytest.fixture
def ground(database: Database) -> Ground:
    made = lay(database)
    made.write(lambda connection: dependencies.link(connection, made.neighbour, TEAM, [PARENT]))
    return made


def parents(ground: Ground) -> list[str]:
    return list(ground.read(lambda connection: dependencies.parents_of(connection, ground.neighbour)).values())


def set_health(ground: Ground, key: int, health: str) -> None:
    rows = update(monitor_states).where(monitor_states.c.monitor_key == key)
    ground.write(lambda connection: connection.execute(rows.values(health=health)))


def held_one(ground: Ground) -> Incident:
    """The child is down while its parent is."""
    set_health(ground, ground.monitor, "down")
    set_health(ground, ground.neighbour, "down")
    opening = Opening(
        team_id=TEAM,
        title="Shop is down",
        severity=Severity.CRITICAL,
        source="monitor",
        triggered_at=T0,
        monitor_key=ground.neighbour,
        monitor_id=CHILD,
        dedup_key=f"{CHILD}/availability",
    )
    facts = Facts(reason="refused", since=T0)
    made: Incident = ground.write(lambda connection: open_incident(connection, opening, SYSTEM, T0, facts))
    return made


def read_back(ground: Ground, incident: Incident) -> Incident:
    found: Incident | None = ground.read(lambda connection: incidents.get(connection, TEAM, incident.id))
    assert found is not None
    return found


def test_a_link_replaces_what_was_linked(ground: Ground) -> None:
    assert parents(ground) == [PARENT]
    ground.write(lambda connection: dependencies.link(connection, ground.neighbour, TEAM, []))
    assert parents(ground) == []


def test_a_monitor_that_is_gone_is_depended_on_no_more(ground: Ground) -> None:
    ground.write(lambda connection: monitors.mark_deleted(connection, TEAM, ground.monitor, 3, 20_000))
    assert parents(ground) == []


def test_children_and_edges_are_those_of_the_team(ground: Ground) -> None:
    children = ground.write(lambda connection: dependencies.children_of(connection, TEAM, ground.monitor))
    assert [child.id for child in children] == [CHILD]
    assert ground.write(lambda connection: dependencies.children_of(connection, OTHER, ground.monitor)) == []
    assert ground.write(lambda connection: dependencies.locked_graph(connection, TEAM)) == {CHILD: [PARENT]}
    assert ground.write(lambda connection: dependencies.locked_graph(connection, OTHER)) == {}


def test_two_processes_cannot_make_a_circle_of_two_halves(ground: Ground, database_url: str) -> None:
    """Each asks for one half at the same time; the second finds the first one's half."""
    ground.write(lambda connection: dependencies.link(connection, ground.neighbour, TEAM, []))
    other = Database(database_url)

    def half(child: str, parent: str) -> Callable[[Connection], list[str]]:
        def work(connection: Connection) -> list[str]:
            stored = monitors.get(connection, TEAM, child)
            assert stored is not None
            stored = replace(stored, config={**stored.config, "depends_on": []})
            found = list(rules.problems(connection, TEAM, stored, [parent]))
            if not found:
                dependencies.link(connection, stored.key, TEAM, [parent])
            return [problem.message for problem in found]

        return work

    first = ground.database.submit(half(CHILD, PARENT))
    second = other.submit(half(PARENT, CHILD))
    refused = [*first.result(20), *second.result(20)]
    other.close()
    assert len(refused) == 1
    assert "would go in a circle: mon_0000000" in refused[0]


def test_a_held_incident_is_read_as_it_was_written(ground: Ground) -> None:
    incident = held_one(ground)
    assert read_back(ground, incident).escalation == incident.escalation
    hold = incident.escalation.hold
    assert hold is not None
    assert (hold.cause, hold.monitors) == (Cause.DOWN, (PARENT,))
    rows = ground.read(lambda connection: connection.execute(select(escalation_timers)).all())
    assert [(row.kind, row.due_at) for row in rows] == [("hold", hold.look_at)]


def test_a_parent_that_changes_makes_its_children_due(ground: Ground) -> None:
    held_one(ground)
    ground.write(lambda connection: dependencies.look_again(connection, ground.monitor, T0 + SECOND))
    rows = ground.read(lambda connection: connection.execute(select(escalation_timers.c.due_at)).all())
    assert [row.due_at for row in rows] == [T0 + SECOND]


def test_failures_since_the_parent_recovered_are_counted(ground: Ground) -> None:
    found = [
        placed(ground, a_result(BORN + 1000 * number, failure=failure), monitor=ground.neighbour)
        for number, failure in enumerate([REFUSED, None, REFUSED, REFUSED])
    ]
    ground.write(lambda connection: results.insert(connection, found))
    since = [
        ground.read(lambda connection, at=at: results.failed_since(connection, ground.neighbour, at))
        for at in (BORN, BORN + 1, BORN + 3000, BORN + 3001)
    ]
    assert since == [3, 2, 1, 0]


def test_a_sweep_tells_of_a_held_incident_whose_parent_is_gone(ground: Ground) -> None:
    incident = held_one(ground)
    job = update(monitor_rows).where(monitor_rows.c.key == ground.neighbour)
    config = json.dumps({"type": "heartbeat", "grace_seconds": 60, "notifications": [], "notification_rules": []})
    ground.write(lambda connection: connection.execute(job.values(config=config)))
    ground.write(lambda connection: dependencies.link(connection, ground.neighbour, TEAM, []))
    ground.write(lambda connection: dependencies.look_again(connection, ground.neighbour, T0 + SECOND))
    ground.write(lambda connection: escalator.sweep(connection, T0 + SECOND))
    assert read_back(ground, incident).escalation.hold is not None
    ground.write(lambda connection: escalator.sweep(connection, T0 + 61 * SECOND))
    assert read_back(ground, incident).escalation.hold is None
