"""Of three regions one loses its control plane or its own network, then two do: a healthy target is never down.

`tests/faults/test_regions.py` plays three of these in real network namespaces.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from statuspulse.domain.times import MINUTE, SECOND
from tests.simulation.scenario import REGIONS, Chances, ProbeFaults, Scenario, Target, Window
from tests.simulation.simulation import play
from tests.simulation.trace import Trace

SHORT = (range(4),)
LONG = tuple(range(first, first + 20) for first in range(0, 100, 20))
_CHANGE = re.compile(r"^ *([\d.]+)  Shop: (\w+) -> (\w+)$")
_QUIET = ProbeFaults(dead=(), cut=(), blind=(), mute=(), slow=(), spool_limit=500, stepped_at=None, step=0)
# A network as it is: now and then something is lost or comes twice.
_CHANCES = Chances(
    request_lost=0.02,
    answer_lost=0.02,
    repeated=0.05,
    recheck_lost=0.1,
    write_refused=0,
    killed_after_commit=0,
)


def trial(number: int) -> tuple[Scenario, Window]:
    """One probe is away for a minute, and later two of them for two and a half: then the window is that."""
    random = Random(f"cut {number}")
    one, two, _ = random.sample(REGIONS, 3)
    first = random.randrange(60, 120) * SECOND
    second = Window(first + 3 * MINUTE, first + 3 * MINUTE + 150 * SECOND)
    kind = random.choice(("cut", "blind", "dead"))
    faults = dict.fromkeys(REGIONS, _QUIET)
    for region, windows in ((one, (Window(first, first + MINUTE), second)), (two, (second,))):
        away: dict[str, Any] = {kind: windows}
        faults[region] = replace(_QUIET, **away)
    config = {
        "name": "Shop",
        "interval_seconds": random.choice((10, 20)),
        "timeout_ms": 5000,
        "regions": list(REGIONS),
        "region_strategy": "parallel",
        "failure_threshold": random.randint(1, 2),
        "recovery_threshold": 1,
        "quorum": "majority",
    }
    target = Target(config=config, outages=())
    scenario = Scenario(
        seed=number, targets=(target,), probes=faults, chances=_CHANCES, restarts=(), changes=(), has_windows=False
    )
    return scenario, second


def changes(trace: Trace) -> list[tuple[float, str, str]]:
    """(second, from, to) of every change of the monitor."""
    found = [_CHANGE.match(line) for line in trace.lines]
    return [(float(match[1]), match[2], match[3]) for match in found if match]


def assert_never_down(numbers: range, folder: Path) -> None:
    for number in numbers:
        scenario, blackout = trial(number)
        made = folder / str(number)
        made.mkdir()
        told = changes(play(scenario, made))
        assert [(before, after) for _, before, after in told] == [
            ("pending", "up"),
            ("up", "unknown"),
            ("unknown", "up"),
        ], number
        lost_at, seen_at = told[1][0] * SECOND, told[2][0] * SECOND
        # Nothing was decided for 90 s: since the last look before it, or as long as the votes of then still counted.
        last_look = blackout.start - scenario.targets[0].config["interval_seconds"] * SECOND
        assert last_look + 90 * SECOND <= lost_at <= blackout.end, number
        assert blackout.end <= seen_at <= blackout.end + 60 * SECOND, number


@pytest.mark.parametrize("numbers", SHORT, ids=str)
def test_one_and_then_two_of_three_probes_are_away_and_nothing_is_down(numbers: range, tmp_path: Path) -> None:
    assert_never_down(numbers, tmp_path)


@pytest.mark.faults
@pytest.mark.timeout(600)
@pytest.mark.parametrize("numbers", LONG, ids=str)
def test_in_a_hundred_trials_nothing_is_down(numbers: range, tmp_path: Path) -> None:
    assert_never_down(numbers, tmp_path)
