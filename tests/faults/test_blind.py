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
    assert all(kinds.keys() == {"ok"} for kinds in told["well"].values())
    assert told["cut"]["mon_loopback"].keys() == {"ok"}
    for monitor in ("mon_public00", "mon_private0"):
        assert told["cut"][monitor].keys() == {"ok", "probe_blind"}
        assert "timeout" in told["outage"][monitor]
        assert told["outage"][monitor].keys() <= {"ok", "timeout"}
    assert told["outage"]["mon_loopback"].keys() <= {"ok"}
