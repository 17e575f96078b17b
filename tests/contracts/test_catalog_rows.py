"""Revisions, positions of probes and the audit log, on every database."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from statuspulse.domain.actor import SYSTEM
from statuspulse.storage import audit, monitors, positions, probes, watch
from statuspulse.storage.audit import AuditEntry
from statuspulse.storage.database import Database
from tests.contracts.ground import ACTOR, OTHER, TEAM, Ground, lay


@pytest.fixture
def ground(database: Database) -> Ground:
    return lay(database)


def changed(ground: Ground, since: int) -> list[tuple[str, bool]]:
    found = ground.read(lambda connection: watch.changed_since(connection, since))
    return [(monitor.id, monitor.deleted) for monitor in found]


def test_the_revision_counts_up_by_one(ground: Ground) -> None:
    assert ground.read(watch.revision) == 0
    assert [ground.write(watch.advance) for _ in range(3)] == [1, 2, 3]
    assert ground.read(watch.revision) == 3


def test_processes_never_give_one_revision_twice(ground: Ground, database_url: str) -> None:
    """Not even the first of all, for which there is no row yet."""
    other = Database(database_url)
    futures = [writer.submit(watch.advance) for _ in range(10) for writer in (ground.database, other)]
    revisions = [future.result(20) for future in futures]
    other.close()
    assert sorted(revisions) == list(range(1, 21))


def test_a_change_that_was_undone_took_no_revision(ground: Ground) -> None:
    def work(connection: Connection) -> None:
        watch.advance(connection)
        raise LookupError

    with pytest.raises(LookupError):
        ground.write(work)
    assert ground.write(watch.advance) == 1


def test_a_delta_holds_what_changed_and_who_is_gone(ground: Ground) -> None:
    assert changed(ground, 0) == [("mon_00000001", False), ("mon_00000002", False)]
    assert changed(ground, 1) == [("mon_00000002", False)]
    assert changed(ground, 2) == []
    ground.write(lambda connection: monitors.mark_deleted(connection, TEAM, ground.monitor, 3, 20_000))
    assert changed(ground, 2) == [("mon_00000001", True)]
    assert changed(ground, 0) == [("mon_00000002", False)]


def test_a_watched_monitor_is_what_was_stored(ground: Ground) -> None:
    kept = ground.read(lambda connection: monitors.get(connection, TEAM, "mon_00000001"))
    ground.write(lambda connection: monitors.save(connection, replace(kept, paused=True, config_version=4, revision=9)))
    [found] = ground.read(lambda connection: watch.changed_since(connection, 8))
    assert (found.key, found.team_id, found.target, found.config) == (kept.key, TEAM, kept.target, kept.config)
    assert (found.paused, found.config_version, found.revision, found.deleted) == (True, 4, 9, False)
    assert ground.read(watch.region_keys) == {"local": ground.here, "eu-west": ground.there}


def test_a_position_moves_with_its_transaction(ground: Ground) -> None:
    def through() -> Any:
        return ground.read(lambda connection: positions.committed_through(connection, ground.probe))

    assert through() == 0
    ground.write(lambda connection: positions.advance(connection, ground.probe, 1 << 40, 5))
    assert through() == 1 << 40

    def fail(connection: Connection) -> None:
        positions.advance(connection, ground.probe, 1 << 41, 6)
        raise LookupError

    with pytest.raises(LookupError):
        ground.write(fail)
    assert through() == 1 << 40
    with pytest.raises(LookupError, match="no probe"):
        ground.read(lambda connection: positions.committed_through(connection, ground.probe + 99))


def test_a_probe_has_an_id_and_a_key_of_its_own(ground: Ground) -> None:
    for probe_id, digest in (("prb_00000001", b"other"), ("prb_00000002", b"one")):
        with pytest.raises(IntegrityError):
            ground.write(
                lambda connection, i=probe_id, d=digest: probes.insert(
                    connection, i, region_key=ground.here, name="again", digest=d, now=1
                )
            )
    assert ground.read(lambda connection: probes.by_id(connection, "prb_00000002")) is None


def test_the_audit_log_shows_a_team_its_newest_entries_first(ground: Ground) -> None:
    def work(connection: Connection) -> None:
        for at, team, actor in ((10, TEAM, ACTOR), (30, TEAM, SYSTEM), (20, TEAM, ACTOR), (40, OTHER, ACTOR)):
            audit.record(connection, team, at=at, actor=actor, action="monitor.update", resource=f"mon_{at}")

    ground.write(work)
    found: list[AuditEntry] = ground.read(lambda connection: audit.entries(connection, TEAM, 2))
    assert [(entry.at, entry.actor, entry.resource) for entry in found] == [
        (30, SYSTEM, "mon_30"),
        (20, ACTOR, "mon_20"),
    ]
    assert all(entry.action == "monitor.update" and entry.id.startswith("aud_") for entry in found)
