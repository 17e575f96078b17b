"""Replays: the rules of live decisions over stored results, and nothing where too few regions saw."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from statuspulse.domain.health import Health, Rules, State
from statuspulse.domain.replay import Observed, replayed
from statuspulse.domain.result import Verdict
from statuspulse.domain.times import SECOND
from statuspulse.domain.uptime import Interval

RULES = Rules(interval=10 * SECOND, timeout=SECOND, failure_threshold=2, recovery_threshold=2, quorum="majority")
STEP = RULES.interval


def seen(text: str, *, region: int = 1, first: int = 0) -> list[Observed]:
    """One verdict for each slot: `o` good, `x` failed, a blank none."""
    verdicts = {"o": Verdict.OK, "x": Verdict.FAILED}
    return [
        Observed(at=(first + place) * STEP, region=region, verdict=verdicts[letter])
        for place, letter in enumerate(text)
        if letter != " "
    ]


def story(observed: list[Observed], health: Health, regions: tuple[int, ...] = (1,)) -> str:
    """What held in each slot: `u` up, `d` down, `g` degraded, a blank unknown."""
    found = replayed(observed, regions, RULES, health=health, since=0)
    letters = {State.UP: "u", State.DOWN: "d", State.DEGRADED: "g"}
    last = max(interval.end for interval in found) if found else 0
    assert all(interval.start % STEP == interval.end % STEP == 0 for interval in found)
    return "".join(
        next((letters[one.state] for one in found if one.start <= at < one.end), " ") for at in range(0, last, STEP)
    )


@pytest.mark.parametrize(
    ("results", "before", "expected"),
    [
        ("ooxxoo", Health.UNKNOWN, "uudduu"),
        ("oxoxo", Health.UP, "uuuuu"),
        ("oxxx", Health.DOWN, "dddd"),
        ("xo", Health.DOWN, "dd"),
        ("xoo", Health.DOWN, "duu"),
        ("xo", Health.UP, "uu"),
        ("xx", Health.UNKNOWN, "dd"),
        ("x", Health.UNKNOWN, ""),
        ("o  x", Health.UP, "u  u"),
        ("xx  oo", Health.UP, "dd  uu"),
        ("xx            o", Health.UP, "dd            u"),
        ("oo            x", Health.UP, "uu"),
    ],
)
def test_results_of_one_region_decide_as_they_would_have(results: str, before: Health, expected: str) -> None:
    assert story(seen(results), before) == expected


def test_half_of_the_regions_have_to_have_seen() -> None:
    regions = (1, 2, 3)
    both = [*seen("oooo", region=1), *seen(" oo ", region=2)]
    assert story(both, Health.UP, regions) == " uu"
    assert story(seen("oooo"), Health.UP, regions) == ""
    assert story([*seen("oooo", region=1), *seen("oooo", region=3)], Health.UP, regions) == "uuuu"


def test_less_than_the_quorum_is_degraded() -> None:
    regions = (1, 2, 3)
    observed = [*seen("ooxxoo", region=1), *seen("oooooo", region=2), *seen("oooooo", region=3)]
    assert story(observed, Health.UNKNOWN, regions) == "uugguu"


def test_the_order_in_which_results_are_given_does_not_matter() -> None:
    chance = random.Random(3)
    regions = (1, 2, 3)
    observed = [one for region in regions for one in seen("".join(chance.choices("oox ", k=60)), region=region)]
    expected = replayed(observed, regions, RULES, health=Health.UP, since=0)
    assert len(expected) > 5
    for _ in range(10):
        chance.shuffle(observed)
        assert replayed(observed, regions, RULES, health=Health.UP, since=0) == expected


def test_nothing_seen_is_nothing_told() -> None:
    assert replayed([], (1,), RULES, health=Health.UP, since=0) == []
    assert replayed(seen("o"), (1,), RULES, health=Health.UP, since=0) == [Interval(start=0, end=STEP, state=State.UP)]


def test_where_regions_take_turns_each_sees_for_all() -> None:
    turning = replace(RULES, every=3)
    observed = [one for region in (1, 2, 3) for one in seen("o" + "  o" * 3, region=region, first=region)]
    found = replayed(observed, (1, 2, 3), turning, health=Health.UP, since=0)
    assert found == [Interval(start=STEP, end=13 * STEP, state=State.UP)]
