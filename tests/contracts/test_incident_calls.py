"""Calls about incidents on every database: versions, numbers, and races between processes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from statuspulse.catalog.incidents import Outcome, submit
from statuspulse.catalog.references import Change
from statuspulse.domain.incident import IncidentState, Move
from statuspulse.domain.message import Facts
from statuspulse.domain.monitor import Severity
from statuspulse.engine.incidents import Opening, Revision, change, note_of, open_incident, revise
from statuspulse.storage import incidents
from statuspulse.storage.database import Database
from statuspulse.storage.incidents import Incident, IncidentChangedError
from tests.contracts.ground import ACTOR, OTHER, TEAM, Ground, lay

CHANGE = Change(team_id=TEAM, actor=ACTOR, now=50_000, strict=False)
PARALLEL = 20


@pytest.fixture
def ground(database: Database) -> Ground:
    return lay(database)


@pytest.fixture
def processes(ground: Ground, database_url: str) -> Iterator[list[Database]]:
    """The same database as three processes have it, each with a writer of its own."""
    others = [Database(database_url) for _ in range(2)]
    yield [ground.database, *others]
    for other in others:
        other.close()


def opened(ground: Ground, **members: Any) -> Incident:
    parts = {"team_id": TEAM, "title": "Down", "severity": Severity.ERROR, "source": "manual", "triggered_at": 1000}
    opening = Opening(**{**parts, **members})
    incident: Incident = ground.write(lambda connection: open_incident(connection, opening, ACTOR, 1000, Facts()))
    return incident


def stored(ground: Ground, incident: Incident) -> Incident:
    found: Incident = ground.read(lambda connection: incidents.get(connection, incident.team_id, incident.id))
    return found


def told(ground: Ground, incident: Incident) -> list[str]:
    page = ground.read(lambda connection: incidents.timeline_page(connection, incident.id, after=0, limit=100))
    return [entry.type for _, entry in page]


def at_once(processes: list[Database], body: dict[str, Any]) -> list[Outcome]:
    """The outcomes of the same call, sent to all processes in turn without waiting."""
    futures = [
        processes[number % len(processes)].submit(lambda connection: submit(connection, CHANGE, body))
        for number in range(PARALLEL)
    ]
    return [future.result(30) for future in futures]


def test_an_incident_begins_with_everything_that_it_was_opened_with(ground: Ground) -> None:
    links: dict[str, dict[str, str | None]] = {"jira": {"id": "ÖPS-1", "url": None}}
    note = note_of(ACTOR, 1000, "look")
    incident = opened(ground, dedup_key="k", assignee="maya", external_ids=links, policy="oncall", note=note)
    assert stored(ground, incident) == incident
    assert (incident.version, incident.state) == (1, IncidentState.TRIGGERED)
    assert told(ground, incident) == ["triggered", "assigned", "linked", "note"]


def test_a_given_number_is_kept_and_counted_on_from(ground: Ground) -> None:
    numbers = [opened(ground, given_number=given).number for given in (None, 40, None)]
    assert numbers == [1, 40, 41]
    taken = ground.read(lambda connection: [incidents.has_number(connection, team, 40) for team in (TEAM, OTHER)])
    assert taken == [True, False]


def test_a_revision_is_one_version_whatever_it_holds(ground: Ground) -> None:
    incident = opened(ground)
    revision = Revision(edited=incident, move=Move.ACKNOWLEDGE, note=note_of(ACTOR, 2000, "look"))
    ground.write(lambda connection: revise(connection, incident, revision, ACTOR, 2000, facts=Facts()))
    changed = stored(ground, incident)
    assert (changed.version, changed.state) == (2, IncidentState.ACKNOWLEDGED)
    nothing = Revision(edited=changed)
    ground.write(lambda connection: revise(connection, changed, nothing, ACTOR, 3000, facts=Facts()))
    assert stored(ground, incident) == changed
    assert told(ground, incident) == ["triggered", "state_changed", "note"]


def test_who_read_before_another_changed_it_leaves_nothing_behind(ground: Ground) -> None:
    incident = opened(ground)
    ground.write(lambda connection: change(connection, incident, Move.ACKNOWLEDGE, ACTOR, 2000, facts=Facts()))
    with pytest.raises(IncidentChangedError):
        ground.write(lambda connection: change(connection, incident, Move.RESOLVE, ACTOR, 3000, facts=Facts()))
    assert stored(ground, incident).state is IncidentState.ACKNOWLEDGED
    assert told(ground, incident) == ["triggered", "state_changed"]


def test_parallel_triggers_with_one_key_make_one_incident(processes: list[Database]) -> None:
    outcomes = at_once(processes, {"state": "triggered", "title": "Down", "dedup_key": "k"})
    assert sum(outcome.before is None for outcome in outcomes) == 1
    assert sorted(outcome.incident.occurrences for outcome in outcomes) == list(range(1, PARALLEL + 1))
    assert len({outcome.incident.id for outcome in outcomes}) == 1


def test_parallel_triggers_without_a_key_have_numbers_of_their_own(processes: list[Database]) -> None:
    outcomes = at_once(processes, {"title": "Down"})
    assert sorted(outcome.incident.number for outcome in outcomes) == list(range(1, PARALLEL + 1))


def test_of_parallel_acknowledgements_one_acts(ground: Ground, processes: list[Database]) -> None:
    incident = opened(ground)
    outcomes = at_once(processes, {"state": "acknowledged", "incident_id": incident.id})
    assert sorted(outcome.move for outcome in outcomes) == [Move.ACKNOWLEDGE] + [Move.NONE] * (PARALLEL - 1)
    assert told(ground, incident) == ["triggered", "state_changed"]
