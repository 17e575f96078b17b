"""Many monitors at once: no start, first or repeated, makes a herd of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from statuspulse.protocol.documents import Item
from tests.faults.conftest import Record
from tests.faults.fleet import Fleet, fleet, kinds, repeated_slots, slot_of, started_at
from tests.probe.control_plane import ControlPlane, a_monitor
from tests.system.server import eventually, now_ms
from tests.targets import HttpTarget


@dataclass(frozen=True)
class Form:
    monitors: int
    interval_seconds: int
    restarts: int
    turn_seconds: float  # all have run by then
    # The shares of the mean in the busiest second: a small fleet is less even, and this machine has other work.
    herd: float

    @property
    def interval(self) -> int:
        return self.interval_seconds * 1000


SHORT = Form(monitors=500, interval_seconds=5, restarts=1, turn_seconds=8, herd=2.5)
LONG = Form(monitors=5000, interval_seconds=60, restarts=3, turn_seconds=61, herd=2)


@pytest.mark.parametrize(
    "form",
    [
        pytest.param(SHORT, id="short"),
        pytest.param(LONG, id="long", marks=[pytest.mark.faults, pytest.mark.timeout(600)]),
    ],
)
def test_no_start_makes_a_herd_and_phases_outlast_it(form: Form, tmp_path: Path, record: Record) -> None:
    with HttpTarget() as target, ControlPlane() as plane, fleet(tmp_path, plane) as probes:
        plane.assign(
            *(
                a_monitor(
                    f"mon_{number:08d}",
                    f"{target.url}/{number}",
                    interval_seconds=form.interval_seconds,
                    timeout_ms=2000,
                )
                for number in range(form.monitors)
            )
        )
        turns, busiest = [], []
        for _ in range(1 + form.restarts):
            turn, items = _first_turn(probes, form)
            turns.append(turn)
            busiest.append(max(Counter(int(started_at(item) // 1000) for item in items).values()))
        record(turn_seconds=turns, busiest_second=busiest, mean_per_second=form.monitors / form.interval_seconds)
        results = plane.results
    phases: dict[str, set[int]] = {}
    for item in results:
        if item.kind == "scheduled":
            phases.setdefault(item.monitor_id, set()).add(slot_of(item) % form.interval)
    assert {len(seen) for seen in phases.values()} == {1}
    assert repeated_slots(results) == 0
    assert kinds(results).keys() <= {"ok", "self_stall"}
    assert max(busiest) <= form.herd * form.monitors / form.interval_seconds
    assert max(turns) <= form.turn_seconds
    assert plane.violations == []


def _first_turn(probes: Fleet, form: Form) -> tuple[float, list[Item]]:
    """Starts a probe, and ends it when each monitor has run; the seconds from its first check, and all its results."""
    plane = probes.plane
    before = len(plane.items)
    probes.start()

    def seen() -> set[str]:
        return {item.monitor_id for item in plane.items[before:]}

    eventually(seen, 20)
    begun = now_ms()
    eventually(lambda: len(seen() | _missed_at_once(plane.items[before:])) == form.monitors, form.turn_seconds + 10)
    turn = round((now_ms() - begun) / 1000, 1)
    probes.stop()
    return turn, [item for item in plane.items[before:] if item.kind != "gap"]


def _missed_at_once(items: list[Item]) -> set[str]:
    return {item.monitor_id for item in items if item.kind == "gap" and item.reason != "restart"}
