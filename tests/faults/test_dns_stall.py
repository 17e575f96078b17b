"""Names that nobody answers for, or that get absurd answers, hold up no other name."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import pytest

from statuspulse.protocol.documents import Item
from tests.faults.conftest import Record
from tests.faults.fleet import fleet, kind_of, kinds, missed_slots, p99
from tests.faults.names import NamesTarget
from tests.probe.control_plane import ControlPlane, a_monitor
from tests.targets import HttpTarget


@dataclass(frozen=True)
class Form:
    good: int
    silent: int
    others: int  # of each other manner
    interval_seconds: int
    seconds: float
    # In the short form the machine may have other work.
    lag_ms: float
    late_ms: float
    missed_share: float


SHORT = Form(good=20, silent=20, others=3, interval_seconds=4, seconds=6, lag_ms=2000, late_ms=1000, missed_share=0.2)
LONG = Form(
    good=200, silent=200, others=50, interval_seconds=10, seconds=120, lag_ms=500, late_ms=250, missed_share=0.005
)
_OTHERS = ("servfail", "cut", "many", "circle")
_LOOKUP_MS = 2000
_TIMEOUT_MS = 3500
_MOST_QUESTIONS = 64


@pytest.mark.parametrize(
    "form",
    [
        pytest.param(SHORT, id="short"),
        pytest.param(LONG, id="long", marks=[pytest.mark.faults, pytest.mark.timeout(300)]),
    ],
)
def test_sick_names_harm_no_good_one(form: Form, tmp_path: Path, record: Record) -> None:
    counts = {"good": form.good, "silent": form.silent, **dict.fromkeys(_OTHERS, form.others)}
    with (
        HttpTarget() as target,
        NamesTarget() as names,
        ControlPlane() as plane,
        fleet(tmp_path, plane, names.address) as probes,
    ):
        plane.assign(
            *(
                a_monitor(
                    f"mon_{manner}{number:05d}",
                    f"http://{manner}-{number}.test:{target.port}/",
                    interval_seconds=form.interval_seconds,
                    timeout_ms=_TIMEOUT_MS,
                )
                for manner, count in counts.items()
                for number in range(count)
            )
        )
        probes.start()
        probes.watch(form.interval_seconds)
        threads = probes.threads()
        probes.watch(form.seconds)
        more_threads = probes.threads() - threads
        probes.stop()
        results = plane.results
    of = {manner: [item for item in results if item.monitor_id.startswith(f"mon_{manner}")] for manner in counts}
    lag_p99 = p99([item.lag_ms for item in of["good"]])
    ends = [item.latency_ms or 0.0 for item in of["silent"] if kind_of(item) == "dns_error"]
    open_at_once = _most_open(names)
    record(
        kinds={manner: dict(kinds(items)) for manner, items in of.items()},
        lag_p99_ms=lag_p99,
        silent_ends_ms=(round(min(ends)), round(max(ends))),
        open_at_once=open_at_once,
        more_threads=more_threads,
    )
    assert kinds(of["good"]).keys() <= {"ok", "self_stall"}
    assert missed_slots(of["good"], form.interval_seconds * 1000) <= form.missed_share * len(of["good"])
    assert lag_p99 <= form.lag_ms
    assert kinds(of["silent"]).keys() <= {"dns_error", "self_stall"}
    assert {_detail(item) for item in of["silent"] if kind_of(item) == "dns_error"} == {"timeout"}
    # One that joins a question which is under way already is told sooner that nobody answers.
    assert abs(median(ends) - _LOOKUP_MS) <= form.late_ms
    assert max(ends) <= _LOOKUP_MS + form.late_ms
    for manner in ("servfail", "cut", "circle"):
        assert kinds(of[manner]).keys() <= {"dns_error", "self_stall"}
    # The first of very many addresses is as good as a single one, whether or not anybody listens there.
    assert kinds(of["many"]).keys() <= {"ok", "connect_refused", "dns_error", "self_stall"}
    assert open_at_once <= _MOST_QUESTIONS
    assert more_threads <= 2


def _detail(item: Item) -> str:
    assert item.failure is not None
    return item.failure.detail.partition(":")[0]


def _most_open(names: NamesTarget) -> int:
    """How many lookups of silent names were under way at once, from the first question to the last, as they were seen.

    What is asked after the two seconds of a lookup, by c-ares of its own accord, is nobody's lookup any more.
    """
    changes: Counter[float] = Counter()
    for name, asked in names.asked_at.items():
        if not name.startswith("silent"):
            continue
        begun = last = asked[0]
        for at in [*asked[1:], float("inf")]:
            if at - begun > 2 * _LOOKUP_MS / 1000:
                changes[begun] += 1
                changes[last] -= 1
                begun = last = at
            elif at - begun < _LOOKUP_MS / 1000:
                last = at
    running = most = 0
    for _, change in sorted(changes.items()):
        running += change
        most = max(most, running)
    return most
