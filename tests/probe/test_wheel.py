"""The wheel in made-up time: what starts when, what is missed and why."""

from __future__ import annotations

import pytest

from statuspulse.domain.failure import MissReason
from statuspulse.domain.result import Gap, ResultKind
from statuspulse.domain.schedule import first_check_delay
from statuspulse.domain.specs.tcp import TcpSpec
from statuspulse.probe.places import Places
from statuspulse.probe.plan import Plan, Slot
from statuspulse.probe.wheel import Line, Wheel
from tests.probe.plans import a_plan

# Slots of mon_9x2k4p7q at 10 s lie 1.879 s behind the full ten seconds (`ENGINE.md` 1).
T = 1_800_000_000_000
PHASE = 1879
FIRST_SLOT = T + PHASE


class World:
    """A wheel with a clock to turn; started slots run until they are ended."""

    def __init__(self, *, now: int = T, room: int = 1000) -> None:
        self.now = now
        self.places: Places[Line] = Places(4 * room)
        self.held = 0
        self.started: list[Slot] = []
        self.running: list[Slot] = []
        self.gaps: list[Gap] = []
        self.wheel = Wheel(start=self._start, places=self.places, miss=self.gaps.append)

    def _start(self, slot: Slot) -> None:
        self.started.append(slot)
        self.running.append(slot)

    def hold_places(self) -> None:
        """As if checks of somebody else were under way."""
        while self.places.take(self.places.claim(a_plan().spec, None, a_plan().team_id)):
            self.held += 1

    def free_places(self) -> None:
        for _ in range(self.held):
            self.places.give_back(self.places.claim(a_plan().spec, None, a_plan().team_id))

    def known(self, plan: Plan) -> None:
        """A monitor that was there before."""
        self.wheel.resume(plan, self.now, self.now)

    def pass_time(self, until: int, *, ends: bool = True, tick: int = 100) -> None:
        """Turns the wheel at every tick; with `ends` each check is over before the next one."""
        while self.now < until:
            self.now = min(self.now + tick, until)
            self.wheel.turn(self.now * 1000)
            if ends:
                self.end_all()

    def stand_still(self, milliseconds: int, reason: MissReason) -> None:
        self.now += milliseconds
        self.wheel.skip(self.now, reason)
        self.wheel.turn(self.now * 1000)

    def end(self, slot: Slot) -> None:
        self.running.remove(slot)
        self.wheel.finished(slot, self.now * 1000)

    def end_all(self) -> None:
        for slot in list(self.running):
            self.end(slot)

    @property
    def slots(self) -> list[int]:
        return [slot.scheduled_at for slot in self.started]

    def missed(self) -> list[tuple[int, int, int, MissReason]]:
        self.wheel.close()
        return [(gap.from_at, gap.to_at, gap.count, gap.reason) for gap in self.gaps]


@pytest.fixture
def world() -> World:
    return World()


def test_a_monitor_runs_at_each_point_of_its_grid(world: World) -> None:
    world.known(a_plan())
    world.pass_time(T + 35_000)
    assert world.slots == [FIRST_SLOT + n * 10_000 for n in range(4)]
    assert world.missed() == []


def test_the_regions_of_a_monitor_share_the_interval(world: World) -> None:
    world.known(a_plan(interval=30_000, region_index=2, region_count=3))
    world.pass_time(T + 60_000)
    assert [at % 30_000 for at in world.slots] == [21_879, 21_879]


def test_a_slot_knows_its_lag_its_kind_and_the_next_slot(world: World) -> None:
    world.known(a_plan())
    world.pass_time(T + 2_000)
    slot = world.started[0]
    assert (slot.lag_us, slot.kind, slot.next_at) == (21_000, ResultKind.SCHEDULED, FIRST_SLOT + 10_000)


def test_a_thousand_monitors_spread_over_the_interval(world: World) -> None:
    for number in range(1000):
        world.known(a_plan(f"mon_{number:08d}"))
    world.pass_time(T + 10_000)
    per_second = [sum(1 for at in world.slots if (at - T) // 1000 == second) for second in range(10)]
    assert len(world.slots) == 1000
    assert max(per_second) <= 2 * 100


def test_a_new_monitor_gets_one_extra_check_within_five_seconds(world: World) -> None:
    plan = a_plan(interval=60_000)
    world.wheel.assign(plan, world.now)
    world.pass_time(T + 125_000)
    first, *others = world.started
    assert (first.kind, first.scheduled_at) == (
        ResultKind.FIRST,
        T + first_check_delay(plan.monitor_id, plan.grid.interval),
    )
    assert first.scheduled_at <= T + 5000
    assert [slot.kind for slot in others] == [ResultKind.SCHEDULED] * 2
    assert [slot.scheduled_at for slot in others] == [
        plan.grid.next_slot(T),
        plan.grid.next_slot(T) + 60_000,
    ]


def test_the_extra_check_comes_although_a_regular_slot_came_before_it() -> None:
    plan = a_plan(interval=60_000)
    extra_delay = first_check_delay(plan.monitor_id, 60_000)
    world = World(now=plan.grid.next_slot(T) - 1)
    assert extra_delay > 1
    begun = world.now
    world.wheel.assign(plan, begun)
    world.pass_time(begun + 6000)
    assert [slot.kind for slot in world.started] == [ResultKind.SCHEDULED, ResultKind.FIRST]


def test_a_slot_close_behind_the_extra_check_is_not_forgotten() -> None:
    plan = a_plan()
    extra_at = FIRST_SLOT - 2
    world = World(now=extra_at - first_check_delay(plan.monitor_id, plan.grid.interval))
    world.wheel.assign(plan, world.now)
    world.pass_time(extra_at - 1)
    world.pass_time(extra_at + 5, tick=6)
    world.pass_time(FIRST_SLOT + 10_000)
    assert world.slots == [extra_at, FIRST_SLOT, FIRST_SLOT + 10_000]
    assert world.missed() == []


def test_an_extra_check_that_is_put_off_comes_later_or_not_at_all(world: World) -> None:
    plans = [a_plan(f"mon_{number:08d}", interval=60_000) for number in range(40)]
    for plan in plans:
        world.wheel.assign(plan, world.now, extra_after=20_000)
    world.pass_time(T + 60_000)
    extra = {slot.plan.monitor_id: slot.scheduled_at for slot in world.started if slot.kind is ResultKind.FIRST}
    assert all(T + 20_000 <= at <= T + 25_000 for at in extra.values())
    late = {plan.monitor_id for plan in plans if plan.grid.next_slot(T) > T + 25_000}
    early = {plan.monitor_id for plan in plans if plan.grid.next_slot(T) < T + 20_000}
    assert late <= extra.keys()
    assert not early & extra.keys()


def test_an_edit_that_leaves_the_grid_alone_keeps_the_phase(world: World) -> None:
    world.known(a_plan())
    world.pass_time(T + 5_000)
    world.wheel.assign(a_plan(config_version=2, timeout_ms=2000), world.now)
    world.pass_time(T + 25_000)
    assert world.slots == [FIRST_SLOT, FIRST_SLOT + 10_000, FIRST_SLOT + 20_000]
    assert [slot.plan.config_version for slot in world.started] == [1, 2, 2]
    assert {slot.kind for slot in world.started} == {ResultKind.SCHEDULED}


def test_a_longer_interval_is_bridged_by_one_slot_where_the_gap_would_exceed_it(world: World) -> None:
    world.known(a_plan())
    world.pass_time(T + 2_000)
    new = a_plan(interval=60_000)
    world.wheel.assign(new, world.now)
    world.pass_time(T + 200_000)
    gaps = [later - earlier for earlier, later in zip(world.slots, world.slots[1:], strict=False)]
    assert max(gaps) <= 60_000 + 100
    on_grid = [at for at in world.slots[1:] if new.grid.next_slot(at - 1) == at]
    assert len(world.slots[1:]) - len(on_grid) <= 1


def test_a_shorter_interval_begins_on_its_own_grid(world: World) -> None:
    world.known(a_plan(interval=60_000))
    world.pass_time(T + 1_000)
    new = a_plan(interval=10_000)
    world.wheel.assign(new, world.now)
    world.pass_time(T + 12_000)
    assert world.slots == [FIRST_SLOT, FIRST_SLOT + 10_000]


def test_an_edit_before_the_extra_check_does_not_cost_it(world: World) -> None:
    plan = a_plan(interval=60_000)
    world.wheel.assign(plan, world.now)
    world.wheel.assign(a_plan(interval=30_000, config_version=2), world.now)
    world.pass_time(T + 6_000)
    assert [slot.kind for slot in world.started if slot.kind is ResultKind.FIRST] == [ResultKind.FIRST]


def test_a_dismissed_monitor_never_runs_again(world: World) -> None:
    world.known(a_plan())
    world.pass_time(T + 2_000, ends=False)
    running = world.wheel.dismiss("mon_9x2k4p7q")
    assert running is world.started[0]
    world.pass_time(T + 30_000)
    assert world.slots == [FIRST_SLOT]
    assert world.wheel.dismiss("mon_9x2k4p7q") is None


def test_a_monitor_that_comes_back_counts_as_new(world: World) -> None:
    world.known(a_plan())
    world.wheel.dismiss("mon_9x2k4p7q")
    world.wheel.assign(a_plan(), world.now)
    world.pass_time(T + 6_000)
    assert ResultKind.FIRST in {slot.kind for slot in world.started}


def test_only_one_check_of_a_monitor_runs_at_a_time(world: World) -> None:
    world.known(a_plan(interval=1000))
    world.pass_time(T + 5_000, ends=False)
    assert len(world.started) == 1


def test_a_slot_whose_predecessor_ends_in_time_starts_late(world: World) -> None:
    world.known(a_plan())
    world.pass_time(FIRST_SLOT + 10_000, ends=False)
    world.pass_time(FIRST_SLOT + 14_000, ends=False)
    world.end(world.started[0])
    assert world.slots == [FIRST_SLOT, FIRST_SLOT + 10_000]
    assert world.started[1].lag_us == 4_000_000
    world.end(world.started[1])
    world.pass_time(FIRST_SLOT + 20_000)
    assert world.slots[2] == FIRST_SLOT + 20_000
    assert world.missed() == []


def test_a_slot_whose_predecessor_runs_on_is_missed_as_overrun(world: World) -> None:
    world.known(a_plan())
    world.pass_time(FIRST_SLOT + 16_000, ends=False)
    world.end(world.started[0])
    world.pass_time(FIRST_SLOT + 20_000)
    assert world.slots == [FIRST_SLOT, FIRST_SLOT + 20_000]
    assert world.missed() == [(FIRST_SLOT + 10_000, FIRST_SLOT + 10_000, 1, MissReason.OVERRUN)]


def test_a_run_of_missed_slots_is_one_gap(world: World) -> None:
    world.known(a_plan())
    world.pass_time(FIRST_SLOT + 56_000, ends=False)
    world.end_all()
    world.pass_time(FIRST_SLOT + 60_000)
    assert world.slots == [FIRST_SLOT, FIRST_SLOT + 60_000]
    assert world.missed() == [(FIRST_SLOT + 10_000, FIRST_SLOT + 50_000, 5, MissReason.OVERRUN)]


def test_a_run_that_does_not_end_is_told_every_minute(world: World) -> None:
    world.known(a_plan())
    world.pass_time(FIRST_SLOT + 150_000, ends=False)
    assert [gap.count for gap in world.gaps] == [7, 7]
    world.wheel.close()
    assert [(gap.count, gap.reason) for gap in world.gaps[2:]] == [(1, MissReason.RESTART)]


def test_without_a_free_place_slots_wait_in_order() -> None:
    world = World(room=1)
    for number in range(3):
        world.known(a_plan(f"mon_{number:08d}"))
    first_at = {f"mon_{number:08d}": a_plan(f"mon_{number:08d}").grid.next_slot(T) for number in range(3)}
    order = sorted(first_at, key=lambda monitor_id: first_at[monitor_id])
    world.pass_time(max(first_at.values()) + 1, ends=False)
    waited = world.now
    for _ in range(3):
        world.end_all()
    started = [slot.plan.monitor_id for slot in world.started]
    assert started[0] == order[0]
    assert all(slot.lag_us <= 5_000_000 for slot in world.started)
    in_time = [monitor_id for monitor_id in order if waited - first_at[monitor_id] <= 5000]
    assert started[1:] == [monitor_id for monitor_id in in_time if monitor_id != order[0]]


def test_what_finds_no_place_in_time_is_missed_as_overload() -> None:
    world = World(room=1)
    world.hold_places()
    world.known(a_plan())
    world.pass_time(FIRST_SLOT + 5_000)
    assert world.wheel.waiting() == 1
    assert world.gaps == []
    world.pass_time(FIRST_SLOT + 5_100)
    assert world.wheel.waiting() == 0
    world.free_places()
    world.pass_time(FIRST_SLOT + 10_000)
    assert world.slots == [FIRST_SLOT + 10_000]
    assert world.missed() == [(FIRST_SLOT, FIRST_SLOT, 1, MissReason.OVERLOAD)]


def test_a_full_destination_makes_nobody_else_wait() -> None:
    world = World(room=1)
    for number in range(3):
        world.known(a_plan(f"mon_{number:08d}"))
    world.known(a_plan("mon_other", spec=TcpSpec(host="127.0.0.2", port=1)))
    world.pass_time(T + 10_000, ends=False)
    assert sorted(slot.plan.monitor_id == "mon_other" for slot in world.started) == [False, True]
    other = next(slot for slot in world.started if slot.plan.monitor_id == "mon_other")
    assert other.lag_us <= 100_000


def test_monitors_whose_names_lead_to_one_address_share_its_places() -> None:
    world = World(room=1)
    for name in ("a", "b"):
        world.known(a_plan(f"mon_{name}", spec=TcpSpec(host=f"{name}.test", port=1)))
    world.pass_time(T + 10_000, ends=False)
    assert len(world.started) == 2
    for slot in world.started:
        slot.seen_at = "127.0.0.3"
    world.end_all()
    world.pass_time(T + 20_000, ends=False)
    assert len(world.started) == 3


def test_what_waits_when_the_wheel_is_closed_is_told_and_never_starts() -> None:
    world = World(room=1)
    world.known(a_plan("mon_00000001"))
    world.known(a_plan("mon_00000002"))
    later = max(a_plan(name).grid.next_slot(T) for name in ("mon_00000001", "mon_00000002"))
    world.pass_time(later, ends=False)
    world.wheel.close()
    assert [(gap.from_at, gap.reason) for gap in world.gaps] == [(later, MissReason.RESTART)]
    world.end_all()
    world.pass_time(later + 30_000)
    assert len(world.started) == 1


def test_a_place_that_becomes_free_too_late_starts_nothing_late() -> None:
    """After a standstill the end of a check may be heard before the wheel has turned."""
    world = World(room=1)
    world.known(a_plan("mon_00000001"))
    world.known(a_plan("mon_00000002"))
    world.pass_time(T + 10_000, ends=False)
    assert len(world.started) == 1
    world.now += 30_000
    world.end(world.started[0])
    assert len(world.started) == 1


def test_after_a_restart_each_monitor_has_one_gap_and_nothing_is_caught_up(world: World) -> None:
    world.wheel.resume(a_plan(), T - 35_000, T)
    world.pass_time(T + 10_000)
    assert world.slots == [FIRST_SLOT]
    first_missed = FIRST_SLOT - 30_000
    assert world.missed() == [(first_missed, FIRST_SLOT - 10_000, 3, MissReason.RESTART)]


def test_a_restart_between_two_slots_misses_nothing(world: World) -> None:
    world.wheel.resume(a_plan(), T - 5_000, T)
    world.pass_time(T + 10_000)
    assert world.slots == [FIRST_SLOT]
    assert world.missed() == []


@pytest.mark.parametrize("reason", [MissReason.SELF_STALL, MissReason.CLOCK_STEP])
def test_time_in_which_we_did_not_live_is_one_gap_and_is_not_caught_up(world: World, reason: MissReason) -> None:
    world.known(a_plan())
    world.pass_time(FIRST_SLOT + 5_000)
    world.stand_still(26_000, reason)
    assert world.slots == [FIRST_SLOT]
    world.pass_time(FIRST_SLOT + 40_000)
    assert world.slots == [FIRST_SLOT, FIRST_SLOT + 40_000]
    assert world.missed() == [(FIRST_SLOT + 10_000, FIRST_SLOT + 30_000, 3, reason)]


def test_an_extra_check_that_is_passed_over_hides_no_missed_slot() -> None:
    world = World(now=T + 2_000)
    world.wheel.assign(a_plan(), world.now)
    due = world.wheel.next_due()
    assert due == world.now + first_check_delay("mon_9x2k4p7q", 10_000)
    world.stand_still(25_000, MissReason.SELF_STALL)
    first_missed = a_plan().grid.next_slot(due)
    assert [(gap.from_at, gap.reason) for gap in world.gaps] == [(first_missed, MissReason.SELF_STALL)]
    world.pass_time(T + 35_000)
    assert {slot.kind for slot in world.started} == {ResultKind.SCHEDULED}


def test_a_turn_that_comes_too_late_is_our_own_fault(world: World) -> None:
    world.known(a_plan(interval=1000))
    slot = a_plan(interval=1000).grid.next_slot(T)
    world.now = slot + 1_400
    world.wheel.turn(world.now * 1000)
    assert world.slots == [slot + 1000]
    assert world.missed() == [(slot, slot, 1, MissReason.SELF_STALL)]


def test_no_slot_starts_twice_however_the_wheel_is_turned(world: World) -> None:
    world.known(a_plan(interval=1000))
    for step in (1, 1, 499, 0, 700, 10_000, 3, 999, 1000, 1001):
        world.pass_time(world.now + step, tick=max(step, 1))
    assert len(world.slots) == len(set(world.slots))
    assert world.slots == sorted(world.slots)


def test_an_empty_wheel_has_nothing_due(world: World) -> None:
    assert world.wheel.next_due() is None
    world.wheel.turn(T * 1000)
    assert len(world.wheel) == 0
