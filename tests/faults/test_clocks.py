"""Clocks that are set and a probe that is stopped make nobody believe in an outage."""

from __future__ import annotations

import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from statuspulse.domain.times import HOUR, SECOND
from statuspulse.protocol.documents import Item
from tests.faults.conftest import Record
from tests.faults.fleet import Fleet, duration_ms, fleet, kinds, repeated_slots, slot_of, started_at
from tests.probe.control_plane import ControlPlane, a_monitor
from tests.system.server import eventually, now_ms
from tests.targets import HttpTarget


@dataclass(frozen=True)
class Form:
    monitors: int
    interval_seconds: int
    stop_seconds: float
    suspend_ms: int

    @property
    def interval(self) -> int:
        return self.interval_seconds * SECOND


SHORT = Form(monitors=40, interval_seconds=1, stop_seconds=5, suspend_ms=600_000)
LONG = Form(monitors=300, interval_seconds=10, stop_seconds=45, suspend_ms=600_000)
# Long enough that at every moment some checks are under way.
_ANSWER_SECONDS = 0.3
FORMS = pytest.mark.parametrize(
    "form",
    [
        pytest.param(SHORT, id="short"),
        pytest.param(LONG, id="long", marks=[pytest.mark.faults, pytest.mark.timeout(300)]),
    ],
)


@contextmanager
def working(form: Form, folder: Path) -> Iterator[Fleet]:
    """A fleet at work, each monitor seen once at least; what never may be is looked for in the end."""
    with HttpTarget() as target, ControlPlane() as plane, fleet(folder, plane) as probes:
        target.delay_seconds = _ANSWER_SECONDS
        plane.assign(
            *(
                a_monitor(
                    f"mon_{number:08d}",
                    f"{target.url}/{number}",
                    interval_seconds=form.interval_seconds,
                    timeout_ms=min(5000, form.interval),
                )
                for number in range(form.monitors)
            )
        )
        probes.start()
        _await_a_turn(probes, form)
        yield probes
        _await_a_turn(probes, form)
        probes.stop()
    assert kinds(plane.results).keys() <= {"ok", "self_stall"}
    assert repeated_slots(plane.results) == 0
    assert min(item.latency_ms or 0.0 for item in plane.results) >= 0
    assert plane.violations == []


@FORMS
def test_a_probe_that_is_stopped_voids_what_was_under_way_and_catches_up_nothing(
    form: Form, tmp_path: Path, record: Record
) -> None:
    with working(form, tmp_path) as probes:
        plane = probes.plane
        probes.process.send_signal(signal.SIGSTOP)
        time.sleep(form.stop_seconds)
        before = len(plane.items)
        resumed_at = now_ms()
        probes.process.send_signal(signal.SIGCONT)
        _await_gaps(probes, form, "self_stall", before)
        after = plane.items[before:]
    void = [item for item in after if item.kind != "gap" and item.ok is None]
    record(void=len(void), gaps=_reasons(after))
    assert {item.failure.kind for item in void if item.failure} == {"self_stall"}
    assert 1 <= len(void) <= form.monitors
    begun = [item for item in plane.results if resumed_at <= started_at(item) < resumed_at + form.interval]
    assert max(Counter(item.monitor_id for item in begun).values()) == 1


@FORMS
@pytest.mark.parametrize("step", [HOUR, SECOND + 500])
def test_a_wall_that_is_set_forward_and_back_costs_slots_and_makes_no_failure(
    form: Form, step: int, tmp_path: Path, record: Record
) -> None:
    with working(form, tmp_path) as probes:
        plane = probes.plane
        before = len(plane.items)
        probes.set_clocks(wall_ms=step, monotonic_ms=0)
        _await_a_turn(probes, form)
        ahead = len(plane.items)
        probes.set_clocks(wall_ms=0, monotonic_ms=0)
        _await_a_turn(probes, form)
        _await_a_turn(probes, form)
        forward, back = plane.items[before:ahead], plane.items[ahead:]
    record(forward=_reasons(forward), back=_reasons(back))
    assert _reasons(forward).keys() | _reasons(back).keys() <= {"clock_step", "self_stall", "overrun"}
    if step == HOUR:
        gaps = [item for item in forward if item.reason == "clock_step"]
        assert {item.monitor_id for item in gaps} == {f"mon_{number:08d}" for number in range(form.monitors)}
        assert all(abs((gap.count or 0) - HOUR // form.interval) <= 1 for gap in gaps)
    # After the step back no instant is lived twice, and nobody waits until the wall has caught up.
    assert min(_slots(back)) >= max(_slots(forward)) - form.interval
    assert {item.monitor_id for item in back if item.kind != "gap"} >= {item.monitor_id for item in forward}


@FORMS
def test_a_machine_that_slept_blames_itself(form: Form, tmp_path: Path, record: Record) -> None:
    """Wall and boot time go on while a machine is suspended or its guest is frozen; the process does not."""
    with working(form, tmp_path) as probes:
        plane = probes.plane
        before = len(plane.items)
        probes.set_clocks(wall_ms=form.suspend_ms, monotonic_ms=form.suspend_ms)
        _await_gaps(probes, form, "self_stall", before)
        after = plane.items[before:]
    record(gaps=_reasons(after))
    gaps = [item for item in after if item.reason == "self_stall"]
    assert {gap.monitor_id for gap in gaps} == {f"mon_{number:08d}" for number in range(form.monitors)}
    assert max(duration_ms(item) for item in plane.results if item.ok) < form.interval


def _await_a_turn(probes: Fleet, form: Form) -> None:
    """Every monitor is seen by a regular check that is told from now on."""
    plane = probes.plane
    before = len(plane.items)

    def seen() -> set[str]:
        return {item.monitor_id for item in plane.items[before:] if item.kind == "scheduled"}

    eventually(lambda: len(seen()) == form.monitors, 3 * form.interval_seconds + 10, lambda: str(len(seen())))


def _await_gaps(probes: Fleet, form: Form, reason: str, before: int) -> None:
    plane = probes.plane

    def told() -> set[str]:
        return {item.monitor_id for item in plane.items[before:] if item.reason == reason}

    eventually(lambda: len(told()) == form.monitors, 20, lambda: f"{len(told())} gaps")


def _reasons(items: list[Item]) -> dict[str, int]:
    return dict(Counter(item.reason for item in items if item.reason is not None))


def _slots(items: list[Item]) -> list[int]:
    return [slot_of(item) for item in items if item.kind == "scheduled"]
