"""Maintenance windows in storage, on every database: what holds, what was covered, and edges in parts."""

from __future__ import annotations

from typing import Any

import pytest

from statuspulse.domain.health import State
from statuspulse.domain.maintenance import Occurrence, Status, Switches
from statuspulse.domain.times import HOUR, to_text
from statuspulse.engine import maintenance_watch
from statuspulse.engine.maintenance_watch import MaintenanceWatch
from statuspulse.engine.watchlist import Watchlist
from statuspulse.storage import events, maintenance, states
from statuspulse.storage.database import Database
from statuspulse.storage.events import EventFilter
from statuspulse.storage.maintenance import CoveredSpan, Phase, Window
from tests.contracts.ground import OTHER, TEAM, Ground, lay

BEGIN = 1_800_000_000_000
END = BEGIN + HOUR


@pytest.fixture
def ground(database: Database) -> Ground:
    return lay(database)


def a_window(number: int, **changes: Any) -> Window:
    plan: dict[str, Any] = {
        "description": None,
        "monitors": {"all": True},
        "starts_at": to_text(BEGIN),
        "timezone": None,
        "duration_seconds": 3600,
        "rrule": None,
        "exdates": [],
        "probing": "continue",
        "alerting": "suppress",
        "sla": "exclude",
        "open_incidents": "hold",
        "status_page_note": None,
        "valid_from": None,
        "joined_at": None,
        "cut": {},
    }
    members: dict[str, Any] = {
        "id": f"mwn_{number:08d}",
        "team_id": TEAM,
        "name": "Über Nacht",
        "plan": plan,
        "occurrence": Occurrence(planned=BEGIN, start=BEGIN, end=END),
        "due_at": BEGIN,
        "created_at": number,
        "updated_at": number,
    }
    return Window(**{**members, **changes})


def insert(ground: Ground, *windows: Window) -> None:
    for window in windows:
        ground.write(lambda connection, window=window: maintenance.insert(connection, window))


def test_a_window_is_read_as_it_was_saved_by_its_team_alone(ground: Ground) -> None:
    insert(ground, a_window(1))
    assert ground.read(lambda connection: maintenance.get(connection, TEAM, "mwn_00000001")) == a_window(1)
    assert ground.read(lambda connection: maintenance.get(connection, OTHER, "mwn_00000001")) is None
    changed = a_window(1, phase=Phase.OVER, due_at=None, ended_at=END, monitor_key=ground.monitor)
    ground.write(lambda connection: maintenance.save(connection, changed))
    assert ground.write(lambda connection: maintenance.get_to_change(connection, TEAM, changed.id)) == changed
    assert changed.status_at(END) is Status.ENDED


def test_what_holds_is_found_by_the_clock_and_by_whose_it_is(ground: Ground) -> None:
    insert(ground, a_window(1), a_window(2, monitor_key=ground.monitor), a_window(3, monitor_key=ground.neighbour))
    insert(ground, a_window(4, team_id=OTHER))

    def holding(at: int, *keys: int) -> list[str]:
        found = ground.read(lambda connection: maintenance.in_force(connection, TEAM, keys, at))
        return sorted(window.id[-1] for window in found)

    assert [holding(at, ground.monitor) for at in (BEGIN - 1, BEGIN, END - 1, END)] == [[], ["1", "2"], ["1", "2"], []]
    assert holding(BEGIN) == ["1"]
    assert holding(BEGIN, *range(1, 9)) == ["1", "2", "3"]
    planned = ground.read(lambda connection: maintenance.planned(connection, TEAM, [ground.neighbour]))
    assert sorted(window.id[-1] for window in planned) == ["1", "3"]


def test_spans_are_opened_once_and_closed_where_they_end(ground: Ground) -> None:
    insert(ground, a_window(1))
    switches = Switches(mutes=True, excludes=True)
    span = CoveredSpan(
        monitor_key=ground.monitor, window_id="mwn_00000001", start=BEGIN, end=END, switches=switches, is_open=True
    )
    for _ in range(2):
        ground.write(lambda connection: maintenance.add_spans(connection, [span], BEGIN))
    assert ground.read(lambda connection: maintenance.open_spans(connection, [ground.monitor])) == {
        ground.monitor: [span]
    }
    assert ground.read(lambda connection: maintenance.covered_keys(connection, span.window_id, 0, 9)) == [
        ground.monitor
    ]
    ground.write(lambda connection: maintenance.close_spans(connection, [span], BEGIN + 5))
    assert ground.read(lambda connection: maintenance.open_spans(connection, [ground.monitor])) == {}
    excluded = ground.read(lambda connection: maintenance.excluded_by_monitor(connection, [ground.monitor], BEGIN, END))
    assert excluded == {ground.monitor: [(BEGIN, BEGIN + 5)]}


def test_edges_are_carried_out_in_parts(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maintenance_watch, "STEP", 1)
    insert(ground, a_window(1))
    watch = MaintenanceWatch(Watchlist())

    def sweep(at: int) -> list[State]:
        ground.write(lambda connection: watch.sweep(connection, at))
        keys = (ground.monitor, ground.neighbour)
        return [ground.read(lambda connection, key=key: states.state_of(connection, key)).state for key in keys]

    pending, covered = State.PENDING, State.MAINTENANCE
    found = [sweep(at) for at in (BEGIN - 1, BEGIN, BEGIN, BEGIN, END, END, END)]
    assert found == [
        [pending, pending],
        [covered, pending],
        [covered, covered],
        [covered, covered],
        [pending, covered],
        [pending, pending],
        [pending, pending],
    ]
    assert ground.read(maintenance.next_due_at) is None
    told = ground.read(
        lambda connection: events.page(connection, TEAM, EventFilter(), after=None, descending=False, limit=20)
    )
    assert [event.seq for event in told] == list(range(1, 7))
    assert [event.type for event in told] == [
        "maintenance.started",
        *["monitor.state_changed"] * 2,
        "maintenance.ended",
        *["monitor.state_changed"] * 2,
    ]
