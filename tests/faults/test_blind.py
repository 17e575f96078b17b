"""A probe that loses its own network sees no outage, says that it is blind, and sees a real one afterwards."""

from __future__ import annotations

import pytest

from tests.faults.conftest import Record
from tests.faults.namespace import played


@pytest.mark.parametrize(
    "cut_seconds",
    [
        pytest.param("0", id="short"),  # as long as it takes to be blind
        pytest.param("60", id="long", marks=[pytest.mark.faults, pytest.mark.timeout(300)]),
    ],
)
def test_a_cut_link_is_told_as_blindness_and_an_outage_as_an_outage(cut_seconds: str, record: Record) -> None:
    told = played("tests.faults.blind", cut_seconds)
    record(**told)
    assert told["dialled_while_well"] == 0
    assert all(_verdicts(kinds) == {"ok"} for kinds in told["well"].values())
    assert _verdicts(told["cut"]["mon_loopback"]) == {"ok"}
    for monitor in ("mon_public00", "mon_private0"):
        assert _verdicts(told["cut"][monitor]) == {"ok", "probe_blind"}
        assert "timeout" in told["outage"][monitor]
        assert _verdicts(told["outage"][monitor]) <= {"ok", "timeout"}
    assert _verdicts(told["outage"]["mon_loopback"]) <= {"ok"}


def _verdicts(kinds: dict[str, int]) -> set[str]:
    """How results ended; where others keep the machine busy, some say that our own process stood still: no verdict."""
    return kinds.keys() - {"self_stall"}
