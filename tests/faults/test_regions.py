"""Regions whose links are cut: nobody believes in an outage, and what was seen meanwhile arrives."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.faults.conftest import Record
from tests.faults.namespace import played

SHORT = ("4", "1")
# A cut of two regions lasts until the monitor is unknown, a minute and a half at least.
LONG = ("60", "1", "2")


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(SHORT, id="short"),
        pytest.param(LONG, id="long", marks=[pytest.mark.faults, pytest.mark.timeout(600)]),
    ],
)
def test_a_cut_link_is_no_outage_and_loses_no_result(words: Sequence[str], record: Record) -> None:
    seconds, *cuts = words
    told = played("tests.faults.regions", seconds, *cuts)
    record(**told)
    assert (told["incidents"], told["failed"]) == (0, 0)
    for cut, seen in zip(cuts, told["rounds"], strict=True):
        majority = int(cut) < 2
        assert seen["during"] == ([] if majority else ["unknown"])
        assert seen["after"] == ([] if majority else ["up"])
        assert len(seen["offline"]) == (int(cut) if float(seconds) > 20 else 0)
