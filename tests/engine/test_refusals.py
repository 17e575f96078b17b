"""An operator sees what probes send and is refused, and a flood of it fills no log."""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any

from structlog.testing import capture_logs

from statuspulse.domain.times import MINUTE
from statuspulse.engine.refusals import Refusals
from statuspulse.metrics import Metrics
from tests.engine.world import START

FOREIGN = ("not_assigned", "the monitor is not checked from this region")
AHEAD = ("in_the_future", "the slot lies in the future")


@dataclass
class Clock:
    at: int = START

    def __call__(self) -> int:
        return self.at


def lines(logs: list[MutableMapping[str, Any]]) -> list[tuple[str, str, int, str]]:
    assert {line["event"] for line in logs} <= {"probe.refused"}
    return [(line["probe"], line["code"], line["count"], line["reason"]) for line in logs]


def test_each_reason_of_a_probe_is_a_line_a_minute_that_counts_the_others() -> None:
    metrics, clock = Metrics(), Clock()
    refusals = Refusals(metrics, clock)
    with capture_logs() as logs:
        refusals.note("prb_00000001", "eu-west", [FOREIGN, AHEAD, FOREIGN])
        for _ in range(1000):
            refusals.note("prb_00000001", "eu-west", [FOREIGN])
        refusals.note("prb_00000002", "us-east", [FOREIGN])
        clock.at += MINUTE
        refusals.note("prb_00000001", "eu-west", [FOREIGN])
    assert lines(logs) == [
        ("prb_00000001", *FOREIGN[:1], 2, FOREIGN[1]),
        ("prb_00000001", *AHEAD[:1], 1, AHEAD[1]),
        ("prb_00000002", *FOREIGN[:1], 1, FOREIGN[1]),
        ("prb_00000001", *FOREIGN[:1], 1001, FOREIGN[1]),
    ]
    told = metrics.text()
    series = 'statuspulse_probe_refusals_total{code="not_assigned",probe="prb_00000001",region="eu-west"} 1003.0'
    assert series in told
