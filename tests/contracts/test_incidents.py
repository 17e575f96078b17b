"""Incidents in storage, on every database: one open per key, versions, lists, timelines, links."""

from __future__ import annotations

import threading
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import Any

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from statuspulse.domain.incident import IncidentState
from statuspulse.domain.monitor import Severity
from statuspulse.storage import incidents
from statuspulse.storage.database import Database
from statuspulse.storage.incidents import Incident, IncidentChangedError, IncidentFilter, TimelineEntry
from tests.contracts.ground import ACTOR, OTHER, TEAM, Ground, an_incident, lay


@pytest.fixture
def ground(database: Database) -> Ground:
    return lay(database)


def stored(ground: Ground, *wanted: Incident) -> list[Incident]:
    kept: list[Incident] = ground.write(lambda connection: [incidents.insert(connection, one) for one in wanted])
    return kept


def _insert(number: int, connection: Connection) -> Incident:
    return incidents.insert(connection, an_incident(number))


def found(ground: Ground, wanted: IncidentFilter, *, descending: bool = False) -> list[str]:
    def read(connection: Connection) -> list[str]:
        matching = incidents.listed(connection, TEAM, wanted, after=None, descending=descending)
        return [incident.id.removeprefix("inc_0000000") for incident in matching]

    ids: list[str] = ground.read(read)
    return ids


def test_an_incident_is_read_as_it_was_stored(ground: Ground) -> None:
    full = an_incident(
        1,
        monitor_key=ground.monitor,
        monitor_id="mon_00000001",
        dedup_key="disk – 🖴",
        state=IncidentState.RESOLVED,
        assignee="maya@acme.example",
        policy="oncall",
        external_ids={"jira": {"id": "OPS-142", "url": None}},
        triggered_by=ACTOR,
        acknowledged_at=2000,
        acknowledged_by=ACTOR,
        resolved_at=3000,
        resolved_by=ACTOR,
        resolve_reason="manual",
    )
    [kept] = stored(ground, full)
    assert replace(full, number=1) == kept == ground.read(lambda connection: incidents.get(connection, TEAM, full.id))


def test_no_incident_is_read_or_changed_for_another_team(ground: Ground) -> None:
    [kept] = stored(ground, an_incident(1))
    assert ground.read(lambda connection: incidents.get(connection, OTHER, kept.id)) is None
    with pytest.raises(IncidentChangedError):
        ground.write(
            lambda connection: incidents.save(connection, replace(kept, team_id=OTHER, title="Stolen"), read_version=1)
        )
    assert kept == ground.read(lambda connection: incidents.get(connection, TEAM, kept.id))


def test_every_team_counts_its_own_incidents(ground: Ground) -> None:
    kept = stored(ground, an_incident(1), an_incident(2), an_incident(3, team_id=OTHER), an_incident(4))
    assert [incident.number for incident in kept] == [1, 2, 1, 3]


def test_one_incident_is_open_per_monitor_and_key(ground: Ground) -> None:
    [first] = stored(ground, an_incident(1, dedup_key="key", monitor_key=ground.monitor))
    with pytest.raises(IntegrityError):
        stored(ground, an_incident(2, dedup_key="key", monitor_key=ground.monitor, state=IncidentState.ACKNOWLEDGED))
    # Another monitor, no monitor, another team and another key are other incidents; without a key all are.
    stored(
        ground,
        an_incident(3, dedup_key="key", monitor_key=ground.neighbour),
        an_incident(4, dedup_key="key"),
        an_incident(5, dedup_key="key", team_id=OTHER),
        an_incident(6, dedup_key="other", monitor_key=ground.monitor),
        an_incident(7, monitor_key=ground.monitor),
        an_incident(8, monitor_key=ground.monitor),
    )
    with pytest.raises(IntegrityError):
        stored(ground, an_incident(9, dedup_key="key"))
    resolved = replace(first, state=IncidentState.RESOLVED, version=2)
    ground.write(lambda connection: incidents.save(connection, resolved, read_version=1))
    stored(ground, an_incident(9, dedup_key="key", monitor_key=ground.monitor))
    with pytest.raises(IntegrityError):
        ground.write(
            lambda connection: incidents.save(
                connection, replace(resolved, state=IncidentState.TRIGGERED, version=3), read_version=2
            )
        )


def test_of_two_processes_that_open_the_same_incident_one_does(ground: Ground, database_url: str) -> None:
    """Each has inserted before either can know of the other."""
    others = [Database(database_url) for _ in range(2)]
    together = threading.Barrier(2)
    outcomes: list[str] = []

    def opening(number: int, database: Database) -> None:
        def work(connection: Connection) -> Incident:
            return incidents.insert(connection, an_incident(number, dedup_key="race", monitor_key=ground.monitor))

        together.wait(10)
        try:
            outcomes.append(f"opened {database.submit(work).result(10).number}")
        except IntegrityError:
            outcomes.append("open already")

    threads = [threading.Thread(target=opening, args=pair) for pair in enumerate(others, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    for database in others:
        database.close()
    assert sorted(outcomes) == ["open already", "opened 1"]


def test_processes_never_give_one_number_twice(ground: Ground, database_url: str) -> None:
    other = Database(database_url)
    writers = (ground.database, other)
    futures = [writers[number % 2].submit(partial(_insert, number)) for number in range(1, 41)]
    numbers = [future.result(20).number for future in futures]
    other.close()
    assert sorted(numbers) == list(range(1, 41))


def test_only_the_version_that_was_read_is_changed(ground: Ground) -> None:
    [kept] = stored(ground, an_incident(1))
    acknowledged = replace(kept, state=IncidentState.ACKNOWLEDGED, version=2)
    ground.write(lambda connection: incidents.save(connection, acknowledged, read_version=1))
    with pytest.raises(IncidentChangedError):
        ground.write(
            lambda connection: incidents.save(
                connection, replace(kept, state=IncidentState.RESOLVED, version=2), read_version=1
            )
        )
    assert acknowledged == ground.read(lambda connection: incidents.get(connection, TEAM, kept.id))


def test_open_incidents_are_found_by_key_and_by_monitor(ground: Ground) -> None:
    here, there = ground.monitor, ground.neighbour
    stored(
        ground,
        an_incident(1, dedup_key="key", monitor_key=here, triggered_at=30),
        an_incident(2, dedup_key="key", monitor_key=there, triggered_at=20),
        an_incident(3, dedup_key="other", monitor_key=here, triggered_at=10, state=IncidentState.ACKNOWLEDGED),
        an_incident(4, dedup_key="gone", monitor_key=here, state=IncidentState.RESOLVED, resolved_at=7),
        an_incident(5, dedup_key="gone", monitor_key=here, state=IncidentState.RESOLVED, resolved_at=9),
        an_incident(6, dedup_key="key", team_id=OTHER),
    )

    def ids(work: Any) -> list[int]:
        return [int(incident.id[4:]) for incident in ground.read(work)]

    assert sorted(ids(lambda connection: incidents.open_with_key(connection, TEAM, "key", None))) == [1, 2]
    assert ids(lambda connection: incidents.open_with_key(connection, TEAM, "key", there)) == [2]
    assert ids(lambda connection: incidents.open_with_key(connection, TEAM, "gone", None)) == []
    assert ids(lambda connection: incidents.open_of_monitor(connection, TEAM, here)) == [3, 1]
    last = ground.read(lambda connection: incidents.last_resolved(connection, TEAM, here, "gone"))
    assert last.id == "inc_00000005"
    assert ground.read(lambda connection: incidents.last_resolved(connection, TEAM, here, "key")) is None


def test_open_incidents_are_counted_by_severity(ground: Ground) -> None:
    stored(
        ground,
        an_incident(1),
        an_incident(2, state=IncidentState.ACKNOWLEDGED),
        an_incident(3, severity=Severity.INFO),
        an_incident(4, severity=Severity.INFO, state=IncidentState.RESOLVED),
        an_incident(5, team_id=OTHER),
    )
    counts = ground.read(lambda connection: incidents.open_by_severity(connection, TEAM))
    assert {severity: count for severity, count in counts.items() if count} == {Severity.CRITICAL: 2, Severity.INFO: 1}


def test_a_list_goes_on_behind_the_last_one_that_was_read(ground: Ground) -> None:
    """Five of one instant: the id orders them, and none is read twice or left out."""
    stored(ground, *(an_incident(number, triggered_at=50 + number // 4) for number in range(1, 8)))
    for descending in (False, True):
        order: list[str] = []
        after = None
        while True:

            def read(connection: Connection, place: Any = after, down: bool = descending) -> list[Incident]:
                return list(
                    islice(incidents.listed(connection, TEAM, IncidentFilter(), after=place, descending=down), 2)
                )

            page = ground.read(read)
            if not page:
                break
            order += [incident.id for incident in page]
            after = (page[-1].triggered_at, page[-1].id)
        expected = [f"inc_{number:08d}" for number in range(1, 8)]
        assert order == (expected[::-1] if descending else expected)


def test_filters_hold_exactly(ground: Ground) -> None:
    stored(
        ground,
        an_incident(1, monitor_key=ground.monitor, severity=Severity.INFO, assignee="maya", title="Disk 100% full"),
        an_incident(2, state=IncidentState.RESOLVED, source="monitor", dedup_key="key", title="ÉTOILE is down"),
        an_incident(3, state=IncidentState.ACKNOWLEDGED, external_ids={"jira": {"id": "OPS-1", "url": None}}),
        an_incident(4, team_id=OTHER),
    )
    for wanted, expected in (
        (IncidentFilter(), ["1", "2", "3"]),
        (IncidentFilter(states=("triggered", "acknowledged")), ["1", "3"]),
        (IncidentFilter(monitor_id="mon_00000001"), ["1"]),
        (IncidentFilter(severity="info"), ["1"]),
        (IncidentFilter(assignee="maya"), ["1"]),
        (IncidentFilter(source="monitor"), ["2"]),
        (IncidentFilter(dedup_key="key"), ["2"]),
        (IncidentFilter(external_id=("jira", "OPS-1")), ["3"]),
        (IncidentFilter(external_id=("pagerduty", "OPS-1")), []),
        (IncidentFilter(text="disk 100% F"), ["1"]),
        (IncidentFilter(text="0_"), []),
        (IncidentFilter(text="étoile"), ["2"]),
        (IncidentFilter(triggered_from=1002), ["2", "3"]),
        (IncidentFilter(triggered_to=1002), ["1"]),
    ):
        assert found(ground, wanted) == expected, wanted


def test_links_are_found_by_provider_and_id(ground: Ground) -> None:
    stored(
        ground,
        an_incident(1, external_ids={"jira": {"id": "OPS-14", "url": None}}),
        an_incident(2, external_ids={"jira": {"id": "OPS-1", "url": "https://jira.example/OPS-1"}}),
        an_incident(3, external_ids={"pagerduty": {"id": "OPS-1", "url": None}, "jira": {"id": "X", "url": "OPS-1"}}),
        an_incident(4, external_ids={"jira": {"id": "OPS-1", "url": None}}),
        an_incident(5, team_id=OTHER, external_ids={"jira": {"id": "OPS-1", "url": None}}),
        an_incident(6, external_ids={"jira": {"id": 'Ümlaut "quoted" 100%', "url": None}}),
    )

    def linked(provider: str, external_id: str) -> list[int]:
        matching = ground.read(lambda connection: incidents.with_external_id(connection, TEAM, provider, external_id))
        return [int(incident.id[4:]) for incident in matching]

    assert linked("jira", "OPS-1") == [4, 2]
    assert linked("pagerduty", "OPS-1") == [3]
    assert linked("jira", "OPS") == []
    assert linked("jira", 'Ümlaut "quoted" 100%') == [6]


def test_a_timeline_is_read_in_the_order_it_was_written(ground: Ground) -> None:
    [kept, other] = stored(ground, an_incident(1), an_incident(2))

    def entry(number: int) -> TimelineEntry:
        return TimelineEntry(
            id=f"evt_{number:08d}", at=100 - number, type="note", actor=ACTOR, detail={"text": f"Grüße {number}"}
        )

    def fill(connection: Connection) -> None:
        incidents.append(connection, kept.id, [entry(1), entry(2)])
        incidents.append(connection, other.id, [entry(3)])
        incidents.append(connection, kept.id, [entry(4)])

    ground.write(fill)
    first = ground.read(lambda connection: incidents.timeline_page(connection, kept.id, after=0, limit=2))
    assert [item for _, item in first] == [entry(1), entry(2)]
    rest = ground.read(lambda connection: incidents.timeline_page(connection, kept.id, after=first[-1][0], limit=2))
    assert [item for _, item in rest] == [entry(4)]
    assert ground.read(lambda connection: incidents.timeline_length(connection, kept.id)) == 3
