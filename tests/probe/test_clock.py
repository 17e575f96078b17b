"""The clock of the schedule with hands that a test moves."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from statuspulse.domain.times import DAY, HOUR
from statuspulse.probe.clock import Clock, ClockBehindError, Step
from statuspulse.probe.high_water import HighWater

T = 1_800_000_000_000


class Hands:
    """A wall clock and a monotonic one that run together until somebody sets the wall."""

    def __init__(self) -> None:
        self.wall_ms = T
        self.seconds = 5000.0

    def wall(self) -> int:
        return self.wall_ms

    def monotonic(self) -> float:
        return self.seconds

    def run(self, seconds: float, clock: Clock) -> list[Step]:
        """Time goes by; the clock observes ten times a second."""
        steps = []
        for _ in range(round(seconds * 10)):
            self.seconds += 0.1
            self.wall_ms += 100
            step = clock.observe()
            if step is not None:
                steps.append(step)
        return steps


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def clock(hands: Hands) -> Clock:
    return Clock(wall=hands.wall, monotonic=hands.monotonic)


@pytest.fixture
def high_water(tmp_path: Path) -> Iterator[HighWater]:
    made = HighWater(tmp_path / "lived-until")
    yield made
    made.close()


def test_it_begins_at_the_wall_and_runs_with_the_monotonic_clock(hands: Hands, clock: Clock) -> None:
    hands.seconds += 1.5
    assert clock.now_us() == T * 1000 + 1_500_000
    assert clock.now() == T + 1500


def test_a_step_forward_is_followed_at_once_and_told(hands: Hands, clock: Clock) -> None:
    hands.wall_ms += HOUR
    assert clock.observe() == Step(T, T + HOUR)
    assert clock.now() == T + HOUR
    assert hands.run(10, clock) == []
    assert clock.now() == T + HOUR + 10_000


def test_a_second_forward_is_slewed_away(hands: Hands, clock: Clock) -> None:
    hands.wall_ms += 1000
    assert hands.run(9, clock) == []
    assert 0 < hands.wall_ms - clock.now() < 200
    hands.run(5, clock)
    assert abs(hands.wall_ms - clock.now()) <= 50


def test_a_step_back_is_never_lived_twice(hands: Hands, clock: Clock) -> None:
    hands.wall_ms -= 10_000
    seen = [clock.now()]
    for _ in range(1200):
        hands.run(0.1, clock)
        seen.append(clock.now())
    assert all(earlier < later for earlier, later in pairwise(seen))
    assert abs(hands.wall_ms - clock.now()) <= 50


def test_it_slews_at_nine_tenths_until_it_meets_the_wall(hands: Hands, clock: Clock) -> None:
    hands.wall_ms -= HOUR
    clock.observe()
    before = clock.now()
    hands.run(100, clock)
    assert clock.now() - before == pytest.approx(90_000, abs=2)
    assert clock.is_ahead
    hands.run(36_000, clock)
    assert not clock.is_ahead
    assert abs(hands.wall_ms - clock.now()) <= 50


def test_noise_of_a_few_milliseconds_changes_nothing(hands: Hands, clock: Clock) -> None:
    for shift in (20, -40, 30, -10):
        hands.wall_ms += shift
        hands.run(1, clock)
    assert not clock.is_ahead
    assert clock.now() == T + 4000


def test_a_restart_does_not_begin_before_what_was_lived(hands: Hands) -> None:
    clock = Clock(wall=hands.wall, monotonic=hands.monotonic, not_before=T + HOUR)
    assert clock.now() == T + HOUR
    hands.run(10, clock)
    assert clock.now() == pytest.approx(T + HOUR + 9000, abs=20)


def test_a_wall_more_than_a_day_behind_is_refused_in_one_line(hands: Hands) -> None:
    Clock(wall=hands.wall, monotonic=hands.monotonic, not_before=T + DAY)
    with pytest.raises(ClockBehindError) as refusal:
        Clock(wall=hands.wall, monotonic=hands.monotonic, not_before=T + DAY + 1)
    assert "\n" not in str(refusal.value)
    assert "2027-01-15" in str(refusal.value)


def test_what_was_lived_is_read_back(hands: Hands, clock: Clock, high_water: HighWater, tmp_path: Path) -> None:
    assert high_water.lived_until is None
    high_water.store(clock)
    hands.run(5, clock)
    high_water.store(clock)
    again = HighWater(tmp_path / "lived-until")
    assert again.lived_until == T + 5000
    again.close()


def test_behind_a_clock_that_was_set_back_a_reserve_is_stored(
    hands: Hands, clock: Clock, high_water: HighWater, tmp_path: Path
) -> None:
    hands.wall_ms -= HOUR
    clock.observe()
    high_water.store(clock)
    again = HighWater(tmp_path / "lived-until")
    assert again.lived_until == clock.now() + 1000
    again.close()


def test_a_damaged_mark_reads_as_none(tmp_path: Path) -> None:
    (tmp_path / "lived-until").write_bytes(b"\0" * 20)
    damaged = HighWater(tmp_path / "lived-until")
    assert damaged.lived_until is None
    damaged.close()
