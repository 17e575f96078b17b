"""A monitor's place in time: vectors that other implementations can use, and what holds for every grid."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statuspulse.domain.schedule import (
    PARTITIONS,
    Grid,
    Strategy,
    first_check_delay,
    hashed,
    latest_start,
    next_after_edit,
    owner,
    partition,
)
from statuspulse.domain.times import DAY, SECOND, from_text, to_text

MONITOR = "mon_9x2k4p7q"
AFTER = from_text("2026-11-23T06:24:43Z")

grids = st.builds(
    Grid.of,
    st.text(st.sampled_from("0123456789abcdef"), min_size=8, max_size=8).map("mon_".__add__),
    st.integers(10, 3600).map(lambda seconds: seconds * SECOND),
    st.integers(0, 2),
    st.just(3),
)
instants = st.integers(0, 1 << 42)


def test_the_hash_and_the_partition_are_those_of_the_vector() -> None:
    assert hashed(MONITOR, "sp-phase") == 0x05C89E4F1F722BC7
    assert partition(MONITOR) == 4


@pytest.mark.parametrize(("interval", "phase"), [(10_000, 1879), (30_000, 1879), (60_000, 31_879)])
def test_the_phase_is_that_of_the_vector(interval: int, phase: int) -> None:
    assert Grid.of(MONITOR, interval, 0, 1).phase == phase


@pytest.mark.parametrize(
    ("region", "start", "slot", "turn"),
    [
        (0, 1879, "2026-11-23T06:25:01.879Z", 59847170),
        (1, 11879, "2026-11-23T06:25:11.879Z", 59847170),
        (2, 21879, "2026-11-23T06:24:51.879Z", 59847169),
    ],
)
def test_three_regions_are_spread_over_the_interval(region: int, start: int, slot: str, turn: int) -> None:
    grid = Grid.of(MONITOR, 30_000, region, 3)
    assert grid.phase + grid.offset == start
    scheduled_at = grid.next_slot(AFTER)
    assert (to_text(scheduled_at), grid.round_of(scheduled_at)) == (slot, turn)


@given(grids, instants)
def test_slots_are_one_interval_apart_and_strictly_later(grid: Grid, after: int) -> None:
    first = grid.next_slot(after)
    assert after < first <= after + grid.interval
    assert grid.next_slot(first) == first + grid.interval
    assert grid.next_slot(first - 1) == first
    assert grid.round_of(first + grid.interval) == grid.round_of(first) + 1


@given(grids, instants, st.integers(0, 100_000_000))
def test_slots_between_are_those_that_one_would_count(grid: Grid, after: int, length: int) -> None:
    until = min(after + length, after + 500 * grid.interval)
    counted, slot = 0, grid.next_slot(after)
    while slot <= until:
        counted, slot = counted + 1, grid.next_slot(slot)
    assert grid.slots_between(after, until) == counted


@given(grids, instants)
def test_no_slot_lies_between_an_instant_and_an_earlier_one(grid: Grid, after: int) -> None:
    assert grid.slots_between(after, after - 7 * grid.interval) == 0


@given(grids, instants)
def test_the_regions_of_one_turn_share_its_number(grid: Grid, after: int) -> None:
    regions = [Grid(phase=grid.phase, offset=index * grid.interval // 3, interval=grid.interval) for index in range(3)]
    first = regions[0].next_slot(after)
    turn = [region.next_slot(first - 1) for region in regions]
    assert {region.round_of(slot) for region, slot in zip(regions, turn, strict=True)} == {grid.round_of(first)}


def test_phases_and_partitions_do_not_depend_on_each_other() -> None:
    """One hash for both would put whole partitions into the same seconds."""
    seconds = {number: Counter[int]() for number in range(PARTITIONS)}
    for number in range(32_000):
        monitor_id = f"mon_{number:08d}"
        seconds[partition(monitor_id)][Grid.of(monitor_id, 10_000, 0, 1).phase // 1000] += 1
    assert all(len(counts) == 10 and max(counts.values()) < 200 for counts in seconds.values())


rotations = st.builds(
    lambda grid, regions: [Grid.of(f"mon_{grid.phase}", grid.interval, index, regions, Strategy.ROTATE)
                           for index in range(regions)],
    grids,
    st.integers(1, 5),
)  # fmt: skip


@given(rotations, instants)
def test_in_a_rotation_every_round_has_one_region_and_the_next_one_follows(regions: list[Grid], after: int) -> None:
    at, turns = after, list[tuple[int, int, int]]()
    for _ in range(2 * len(regions)):
        at, place = min((grid.next_slot(at), place) for place, grid in enumerate(regions))
        turns.append((at, regions[place].round_of(at), place))
    for before, following in pairwise(turns):
        assert following[0] - before[0] == regions[0].interval
        assert following[1] == before[1] + 1
        assert following[2] == (before[2] + 1) % len(regions)


@given(rotations, instants, st.integers(0, 100_000_000))
def test_slots_of_a_rotation_are_counted_by_their_spacing(regions: list[Grid], after: int, length: int) -> None:
    counted = sum(grid.slots_between(after, after + length) for grid in regions)
    alone = Grid(phase=regions[0].phase, offset=0, interval=regions[0].interval)
    assert counted == alone.slots_between(after, after + length)


def test_the_region_of_a_round_follows_from_the_hash_of_the_monitor() -> None:
    first = hashed(MONITOR, "sp-rotate")
    for index in range(3):
        grid = Grid.of(MONITOR, 30_000, index, 3, Strategy.ROTATE)
        slot = grid.next_slot(AFTER)
        assert (grid.round_of(slot) + first) % 3 == index
        assert (slot - grid.phase) % 30_000 == 0
        assert grid.spacing == 90_000


def test_a_new_monitor_is_looked_at_within_five_seconds_and_within_its_interval() -> None:
    delays = [first_check_delay(f"mon_{number}", 30 * SECOND) for number in range(1000)]
    assert 0 <= min(delays) < 500
    assert 4500 < max(delays) < 5000
    assert all(first_check_delay(f"mon_{number}", SECOND) < SECOND for number in range(1000))


@pytest.mark.parametrize(("interval", "latest"), [(1000, 500), (10_000, 5000), (DAY, 5000)])
def test_a_slot_starts_within_half_its_interval_or_five_seconds(interval: int, latest: int) -> None:
    assert latest_start(interval) == latest


def test_an_edit_goes_on_at_the_next_point_of_the_new_grid() -> None:
    grid = Grid(phase=0, offset=0, interval=10_000)
    assert next_after_edit(grid, last_start=100_500, old_spacing=60_000, now=101_000) == 110_000


def test_a_gap_longer_than_both_intervals_is_bridged() -> None:
    grid = Grid(phase=50_000, offset=0, interval=60_000)
    # The next point is 170 s; nobody has looked since 100 s, and 60 s is the longer interval.
    assert next_after_edit(grid, last_start=100_000, old_spacing=10_000, now=111_000) == 160_000
    assert next_after_edit(grid, last_start=20_000, old_spacing=10_000, now=111_000) == 111_000


@given(grids, st.integers(10, 3600).map(lambda seconds: seconds * SECOND), instants, st.integers(0, 7_200_000))
def test_after_an_edit_nobody_waits_longer_than_the_longer_interval(
    grid: Grid, old_interval: int, last_start: int, since: int
) -> None:
    now = last_start + since
    slot = next_after_edit(grid, last_start, old_interval, now)
    assert now <= slot <= max(now, last_start + max(old_interval, grid.interval))


def test_the_owner_of_a_monitor_is_that_of_the_vector() -> None:
    assert hashed(f"prb_2d4f6h8j|{MONITOR}", "sp-owner") == 0xD6BCFED96B24C970
    assert hashed(f"prb_7k9m1n3p|{MONITOR}", "sp-owner") == 0x9BA06FEFC7E026FD
    assert owner(MONITOR, ("prb_7k9m1n3p", "prb_2d4f6h8j")) == "prb_2d4f6h8j"


def test_a_probe_that_leaves_moves_only_its_own_monitors() -> None:
    probes = ("prb_1", "prb_2", "prb_3")
    monitors = [f"mon_{number}" for number in range(3000)]
    before = {monitor: owner(monitor, probes) for monitor in monitors}
    after = {monitor: owner(monitor, probes[:2]) for monitor in monitors}
    assert all(after[monitor] == before[monitor] for monitor in monitors if before[monitor] != "prb_3")
    assert all(800 < count < 1200 for count in Counter(before.values()).values())
