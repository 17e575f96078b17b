"""The blackout brake against a slow oracle, and at its edges."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as some

from statuspulse.domain.times import MINUTE, SECOND
from statuspulse.probe.blackout import Blackout

_MONITORS = [f"mon_{number}" for number in range(14)]
_EVENTS = some.lists(
    some.tuples(some.sampled_from(_MONITORS), some.booleans(), some.integers(0, 20)), min_size=20, max_size=120
)


def told(count: int) -> Blackout:
    blackout = Blackout()
    for monitor in _MONITORS[:count]:
        blackout.passed(monitor)
    return blackout


@given(_EVENTS)
def test_it_brakes_exactly_when_more_than_half_have_turned_within_the_window(
    events: list[tuple[str, bool, int]],
) -> None:
    blackout = Blackout()
    last: dict[str, bool] = {}
    turned: dict[str, int] = {}
    now, quiet_until = MINUTE, 0
    for monitor, is_good, seconds in events:
        now += seconds * SECOND
        if is_good:
            blackout.passed(monitor)
            turned.pop(monitor, None)
            last[monitor] = True
            continue
        if last.get(monitor):
            turned[monitor] = now
        last[monitor] = False
        recent = sum(at + 60 * SECOND > now for at in turned.values())
        expected = now >= quiet_until and len(last) >= 10 and 2 * recent > len(last)
        assert blackout.failed(monitor, 10 * SECOND, now) == expected
        if expected:
            quiet_until = now + 10 * MINUTE
            assert blackout.is_suspect(now + 30 * SECOND - 1)
            assert not blackout.is_suspect(now + 30 * SECOND)


def test_nine_monitors_are_too_few() -> None:
    blackout = told(9)
    assert not any(blackout.failed(monitor, SECOND, 1) for monitor in _MONITORS[:9])


def test_the_window_is_two_intervals_where_that_is_longer() -> None:
    blackout = told(10)
    for number, monitor in enumerate(_MONITORS[:5]):
        assert not blackout.failed(monitor, MINUTE, 1 + number)
    assert blackout.failed(_MONITORS[5], MINUTE, 2 * MINUTE)
    blackout = told(10)
    for number, monitor in enumerate(_MONITORS[:5]):
        assert not blackout.failed(monitor, MINUTE, 1 + number)
    assert not blackout.failed(_MONITORS[5], MINUTE, 2 * MINUTE + 1)


def test_a_monitor_that_is_gone_counts_no_more() -> None:
    blackout = told(14)
    for monitor in _MONITORS[8:]:
        blackout.forget(monitor)
    assert not any(blackout.failed(monitor, SECOND, 1) for monitor in _MONITORS[:8])
