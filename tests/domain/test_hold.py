"""How long an incident waits for what its monitor depends on, and that each wait but one has an end."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from statuspulse.domain.hold import LONGEST_DOUBT, Cause, Hold, Obstacles, Proof, held, looked
from statuspulse.domain.times import MINUTE, SECOND

DOWN = Obstacles(down=("mon_a",))
DOUBTED = Obstacles(doubted=("mon_a",))
FREE = Obstacles()
PATIENT = Proof(is_there=False, pace=15 * SECOND, patience=90 * SECOND)
PROVEN = Proof(is_there=True, pace=15 * SECOND, patience=90 * SECOND)


def begun(obstacles: Obstacles, now: int = 0) -> Hold:
    hold = held(obstacles, now, begins=True)
    assert hold is not None
    return hold


def test_nothing_in_the_way_holds_nothing() -> None:
    assert held(FREE, 0, begins=True) is None


def test_what_people_have_heard_of_waits_for_no_doubt() -> None:
    assert held(DOUBTED, 0, begins=False) is None
    assert held(DOWN, 0, begins=False) is not None


def test_a_doubt_is_waited_for_half_a_minute_at_most() -> None:
    hold = begun(DOUBTED)
    assert hold.until == LONGEST_DOUBT == 30_000
    after = looked(hold, DOUBTED, PATIENT, 29_999)
    assert after is not None
    assert after.look_at == 30_000
    assert looked(after, DOUBTED, PATIENT, 30_000) is None


def test_a_doubt_that_has_settled_well_ends_the_wait_at_once() -> None:
    assert looked(begun(DOUBTED), FREE, PATIENT, 1) is None


def test_a_doubt_that_comes_true_holds_for_as_long_as_it_is_down() -> None:
    hold = looked(begun(DOUBTED), DOWN, PROVEN, 5_000)
    assert hold is not None
    assert (hold.cause, hold.until) == (Cause.DOWN, None)


def test_what_is_down_no_more_is_followed_by_a_fresh_confirmation() -> None:
    freed = looked(begun(DOWN), FREE, PROVEN, 60_000)
    assert freed is not None
    assert (freed.cause, freed.freed_at, freed.until) == (Cause.CONFIRMING, 60_000, 150_000)
    assert looked(freed, FREE, PATIENT, 75_000) is not None
    assert looked(freed, FREE, PROVEN, 75_000) is None
    assert looked(freed, FREE, PATIENT, 150_000) is None


def test_what_goes_down_again_while_it_is_confirmed_holds_again() -> None:
    freed = looked(begun(DOWN), FREE, PATIENT, 60_000)
    assert freed is not None
    again = looked(freed, DOWN, PROVEN, 70_000)
    assert again is not None
    assert (again.cause, again.since, again.freed_at) == (Cause.DOWN, 0, None)


@given(st.lists(st.tuples(st.sampled_from([FREE, DOUBTED]), st.integers(1, 20_000)), min_size=60, max_size=60))
def test_without_anything_down_no_hold_lasts(looks: list[tuple[Obstacles, int]]) -> None:
    """Whatever is doubted and whenever it is looked at: the two waits together have an end."""
    hold = begun(DOWN)
    now, freed_at = 0, 0
    for obstacles, pause in looks:
        now = min(now + pause, hold.look_at)
        after = looked(hold, obstacles, PATIENT, now)
        freed_at = freed_at or now
        if after is None:
            break
        assert after.look_at > now
        hold = after
    assert now <= freed_at + PATIENT.patience


def test_what_is_down_is_looked_at_again_even_if_nobody_tells_of_its_end() -> None:
    assert begun(DOWN).look_at == MINUTE
