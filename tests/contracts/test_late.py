"""What late results told, the marks that lead to it, and transitions in pages; on each engine."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection

from statuspulse.domain.failure import Failure, FailureClass
from statuspulse.domain.health import Health, Reason, State
from statuspulse.domain.replay import Observed
from statuspulse.domain.result import ResultKind, Verdict
from statuspulse.domain.uptime import Interval
from statuspulse.storage import late, results, states, transitions
from statuspulse.storage.database import Database
from statuspulse.storage.late import Mark
from statuspulse.storage.states import Transition
from statuspulse.storage.transitions import TransitionFilter
from tests.contracts.ground import Ground, a_result, lay, placed

BLIND = Failure(FailureClass.PROBE_BLIND, "no network of its own")
REFUSED = Failure(FailureClass.CONNECT_REFUSED, "connection refused")


@pytest.fixture
def ground(database: Database) -> Ground:
    return lay(database)


def told(start: int, end: int, state: State = State.UP) -> Interval:
    return Interval(start=start, end=end, state=state)


def intervals(ground: Ground) -> list[Interval]:
    found: dict[int, list[Interval]] = ground.read(
        lambda connection: late.intervals_by_monitor(connection, [ground.monitor, ground.neighbour], 0, 1 << 40)
    )
    assert ground.neighbour not in found
    return found.get(ground.monitor, [])


def test_a_stretch_is_told_anew_and_its_neighbours_stay(ground: Ground) -> None:
    def replace(start: int, end: int, *new: Interval) -> None:
        ground.write(lambda connection: late.replace_between(connection, ground.monitor, start, end, new))

    replace(1000, 9000, told(1000, 5000), told(5000, 9000, State.DOWN))
    replace(20_000, 30_000, told(21_000, 22_000))
    replace(4000, 6000, told(4500, 5500, State.DEGRADED))
    assert intervals(ground) == [
        told(1000, 4000),
        told(4500, 5500, State.DEGRADED),
        told(6000, 9000, State.DOWN),
        told(21_000, 22_000),
    ]
    replace(0, 30_000)
    assert intervals(ground) == []


def test_marks_are_kept_one_for_a_monitor_and_due_in_their_order(ground: Ground) -> None:
    first = Mark(monitor_key=ground.monitor, start=1, end=2, due_at=500, settled_at=900)
    other = Mark(monitor_key=ground.neighbour, start=3, end=4, due_at=400, settled_at=900)
    wider = Mark(monitor_key=ground.monitor, start=0, end=9, due_at=300, settled_at=950)
    ground.write(lambda connection: late.save_marks(connection, [first, other]))
    assert ground.read(lambda connection: late.due(connection, 399)) is None
    assert ground.read(lambda connection: late.due(connection, 500)) == other
    ground.write(lambda connection: late.save_marks(connection, [wider]))
    keys = [ground.monitor, ground.neighbour]
    assert ground.read(lambda connection: late.marks(connection, keys)) == {
        ground.monitor: wider,
        ground.neighbour: other,
    }
    ground.write(lambda connection: late.remove_mark(connection, ground.monitor))
    assert ground.read(lambda connection: late.due(connection, 500)) == other


def test_only_verdicts_of_slots_under_the_rules_are_observed(ground: Ground) -> None:
    stored = [
        a_result(1000, config_version=1),
        a_result(2000, config_version=2),
        a_result(3000, config_version=3, failure=REFUSED),
        a_result(4000, config_version=3, failure=BLIND),
        a_result(5000, config_version=3, kind=ResultKind.MANUAL),
        a_result(6000, config_version=3, kind=ResultKind.RECHECK),
        a_result(9000, config_version=3),
    ]
    ground.write(lambda connection: results.insert(connection, [placed(ground, one) for one in stored]))

    def observed(connection: Connection) -> list[Observed]:
        return late.observed_between(connection, ground.monitor, [ground.here, ground.there], (0, 9000), 2)

    assert sorted(ground.read(observed), key=lambda seen: seen.at) == [
        Observed(2000, ground.here, Verdict.OK),
        Observed(3000, ground.here, Verdict.FAILED),
        Observed(6000, ground.here, Verdict.OK),
    ]
    for window, expected in (((3500, 5999), False), ((3500, 6001), True)):
        assert (
            ground.read(
                lambda connection, window=window: late.saw_something(connection, ground.monitor, ground.here, window)
            )
            is expected
        )


def test_transitions_are_read_from_behind_a_place_with_the_end_of_each(ground: Ground) -> None:
    def store(connection: Connection) -> None:
        for seq in range(1, 6):
            state, before = (State.UP, State.DOWN) if seq % 2 else (State.DOWN, State.UP)
            change = Transition(
                state=state,
                previous_state=before,
                health=Health(state.value),
                previous_health=Health(before.value),
                changed_at=seq * 20_000 + 600,
                first_observed_at=seq * 20_000,
                reason=Reason.PROBE_RESULT,
                evidence=[{"region": "local"}],
            )
            states.record(connection, ground.monitor, seq, change)

    ground.write(store)

    def page(after: int | None, *, descending: bool, wanted: TransitionFilter) -> list[tuple[int, int | None]]:
        found = ground.read(
            lambda connection: transitions.listed(
                connection, ground.monitor, wanted, after=after, descending=descending, limit=2
            )
        )
        return [(one.seq, one.ended_at) for one in found]

    every = TransitionFilter(start=None, end=None)
    assert page(None, descending=True, wanted=every) == [(5, None), (4, 100_000)]
    assert page(4, descending=True, wanted=every) == [(3, 80_000), (2, 60_000)]
    assert page(4, descending=False, wanted=every) == [(5, None)]
    some = TransitionFilter(start=40_600, end=80_600)
    assert page(None, descending=False, wanted=some) == [(2, 60_000), (3, 80_000)]
    assert ground.read(lambda connection: transitions.count(connection, ground.monitor, some, 10)) == 2
    assert ground.read(lambda connection: transitions.count(connection, ground.monitor, every, 3)) == 3
