"""Limits of calls: GCRA held to what it promises, and the overrides of an operator."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statuspulse.domain.throttle import DEFAULTS, Left, Limit, overridden, policies_of

SECOND_US = 1_000_000
limits = st.builds(Limit, st.integers(1, 10_000), st.integers(1, 86_400))
pauses = st.lists(st.integers(0, 90_000_000), max_size=60)


def called(limit: Limit, full_at: int, now_us: int, times: int) -> tuple[int, int]:
    """The state after so many calls at one instant, and how many of them were let through."""
    passed = 0
    for _ in range(times):
        after = limit.spent(full_at, now_us)
        if after is not None:
            full_at, passed = after, passed + 1
    return full_at, passed


def test_all_calls_of_the_quota_may_come_at_once_and_none_more() -> None:
    limit = Limit(7, 60)
    full_at, passed = called(limit, 0, 5 * SECOND_US, 20)
    assert passed == 7
    assert limit.left(full_at, 5 * SECOND_US) == Left(calls=0, seconds=9)


def test_with_something_left_it_tells_when_the_quota_is_full_again() -> None:
    limit = Limit(600, 60)
    full_at, _ = called(limit, 0, 0, 3)
    assert limit.left(full_at, 0) == Left(calls=597, seconds=1)
    assert limit.left(full_at, 300_000) == Left(calls=600, seconds=0)
    assert (limit.is_full(full_at, 299_999), limit.is_full(full_at, 300_000)) == (False, True)


@given(limits, pauses)
def test_the_wait_that_is_told_is_enough_and_never_a_second_too_long(limit: Limit, waits: list[int]) -> None:
    full_at, now = called(limit, 0, 0, limit.quota)[0], 0
    for wait in waits:
        left = limit.left(full_at, now)
        if left.calls == 0:
            assert limit.spent(full_at, now) is None
            assert limit.spent(full_at, now + left.seconds * SECOND_US) is not None
            assert left.seconds >= 1
            assert limit.spent(full_at, now + (left.seconds - 1) * SECOND_US) is None
        now += wait
        full_at, _ = called(limit, full_at, now, 1)


@given(limits, pauses)
def test_as_many_calls_pass_as_it_says_are_left(limit: Limit, waits: list[int]) -> None:
    full_at, now = 0, 0
    for wait in waits:
        now += wait
        left = limit.left(full_at, now)
        if left.calls < 100:
            assert called(limit, full_at, now, left.calls + 1)[1] == left.calls
        full_at, _ = called(limit, full_at, now, 1)


@given(st.integers(1, 50), st.integers(1, 60), pauses)
def test_no_span_lets_more_through_than_the_quota_and_what_it_regains_meanwhile(
    quota: int, window: int, waits: list[int]
) -> None:
    limit = Limit(quota, window)
    full_at, now, passed = 0, 0, 0
    for wait in waits:
        now += wait
        full_at, let_through = called(limit, full_at, now, 3)
        passed += let_through
        assert passed <= quota + quota * now // (window * SECOND_US)


def test_overrides_change_what_they_name_and_nothing_else() -> None:
    found, idle = overridden(" api=6000/60, writes=0,, reports=5/60 ")
    assert found == {**DEFAULTS, "api": Limit(6000, 60), "writes": None}
    assert idle == ["reports"]
    assert overridden("") == (DEFAULTS, [])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("api", "'api' is no limit; write calls and seconds as in api=6000/60, or writes=0 to switch it off"),
        ("api=", "'api=' is no limit"),
        ("api=10", "'api=10' is no limit"),
        ("api=-1/60", "'api=-1/60' is no limit"),
        ("api=1.5/60", "'api=1.5/60' is no limit"),
        ("api=٣/60", "'api=٣/60' is no limit"),
        ("api=0/60", "api needs 1 to 1000000000 calls; api=0 switches it off"),
        ("api=9999999999/60", "api needs 1 to 1000000000 calls"),
        ("api=10/0", "api needs a window of 1 to 86400 seconds"),
        ("api=10/90000", "api needs a window of 1 to 86400 seconds"),
        ("api=10/60,api=0", "api is there twice"),
        ("apis=10/60", "there is no policy 'apis'; there are api, writes, incidents, ip, ping"),
    ],
)
def test_a_bad_override_is_told_with_the_cure(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(told)}"):
        overridden(text)


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/v1/monitors", ("api",)),
        ("GET", "/v1/incidents", ("api",)),
        ("POST", "/v1/monitors", ("api", "writes")),
        ("DELETE", "/v1/monitors/mon_1", ("api", "writes")),
        ("POST", "/v1/incidents", ("incidents",)),
        ("PATCH", "/v1/incidents/inc_1", ("incidents",)),
        ("POST", "/v1/incidents/inc_1/notes", ("incidents",)),
        ("POST", "/v1/incidentsx", ("api", "writes")),
    ],
)
def test_writing_incidents_spends_from_a_limit_of_its_own(method: str, path: str, expected: tuple[str, ...]) -> None:
    assert policies_of(method, path) == expected
