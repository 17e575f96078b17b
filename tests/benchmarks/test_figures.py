from __future__ import annotations

import dns.message
import pytest

from benchmarks.big_start import busiest_second
from benchmarks.highest_rate import climbed, highest
from benchmarks.load import Load, Window, slots_within
from benchmarks.name_server import NAME, answer
from benchmarks.report import Figure, Report, table

WINDOW = Window(start=10_000, end=20_000, control_seconds=1.0, probe_seconds=3.0, resident=0, proportional=0)


def a_load(*, lag_ms: int = 5, late: int = 0, missed: int = 0, lost: int = 0, not_ok: int = 0) -> Load:
    """Of 100 slots that are due, so many are late by 200 ms, missed or lost."""
    done = 100 - missed - lost
    return Load(
        window=WINDOW,
        checks=done,
        due=100,
        lags_us=[lag_ms * 1000] * (done - late) + [200_000] * late,
        latencies_us=[700] * done,
        not_ok=not_ok,
        missed=missed,
    )


def test_the_steps_end_at_the_first_rate_that_is_not_sustained() -> None:
    came_of = {1000: a_load(), 2000: a_load(late=1), 3000: a_load(late=2), 4000: a_load()}

    steps = climbed(came_of, came_of.__getitem__)

    assert [rate for rate, _ in steps] == [1000, 2000, 3000]
    assert highest(steps) == 2000


@pytest.mark.parametrize("spoiled", ["missed", "lost", "not_ok"])
def test_one_slot_that_is_missed_or_lost_or_not_ok_spoils_a_rate(spoiled: str) -> None:
    assert highest([(1000, a_load(**{spoiled: 1}))]) == 0


def test_the_cpu_of_a_check_is_that_of_both_processes_shared_among_all_checks() -> None:
    load = a_load()

    assert (load.probe_us, load.control_us, load.cpu_us) == (30_000, 10_000, 40_000)


def test_a_slot_with_neither_result_nor_gap_is_lost() -> None:
    assert a_load(missed=3, lost=2).lost == 2


def test_only_the_slots_of_a_gap_that_lie_in_the_window_count() -> None:
    assert slots_within(8_500, 12_500, 1000, WINDOW) == 3
    assert slots_within(19_000, 21_000, 1000, WINDOW) == 1
    assert slots_within(0, 9_000, 1000, WINDOW) == 0


def test_the_busiest_second_is_that_with_most_starts() -> None:
    assert busiest_second([0, 999, 1000, 1001, 1999, 2000]) == 3
    assert busiest_second([]) == 0


def test_a_table_says_which_figures_miss_their_bounds() -> None:
    figures = [
        Figure(name="a", told="cost", value=301, unit="µs", bound=300),
        Figure(name="b", told="rate", value=2000, unit="/s", floor=3000),
        Figure(name="c", told="memory", value=12),
    ]

    lines = table(Report(name="any", title="Any", figures=figures, remarks=["a remark"])).splitlines()

    assert [line.split() for line in lines] == [
        ["Any"],
        ["cost", "301", "µs", "ABOVE", "300"],
        ["rate", "2,000", "/s", "BELOW", "3,000"],
        ["memory", "12"],
        ["a", "remark"],
    ]


def test_the_name_server_answers_the_question_that_it_was_asked() -> None:
    question = dns.message.make_query(NAME, "A", use_edns=0)

    reply = dns.message.from_wire(answer(question.to_wire()))

    assert question.is_response(reply)
    assert [str(record) for record in reply.answer] == [f"{NAME}. 60 IN A 192.0.2.1"]
