"""What the machine did during a test that failed.

A clock that was set, or a crowd of processes, explains what the code does not.
"""

from __future__ import annotations

import os
import time
from collections.abc import Generator

import pytest

# Reading two clocks one after the other takes longer than this only where the process stood still in between.
_STEP_SECONDS = 0.2
_BEGUN = pytest.StashKey[float]()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    item.stash[_BEGUN] = _offset()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        told = [f"load {' '.join(f'{load:.1f}' for load in os.getloadavg())}"]
        step = _offset() - item.stash.get(_BEGUN, _offset())
        if abs(step) > _STEP_SECONDS:
            told.append(f"the wall clock was set by {step:+.1f} s since the test began")
        report.sections.append(("the machine", "; ".join(told)))
    return report


def _offset() -> float:
    return time.time() - time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
