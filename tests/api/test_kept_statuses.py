"""A status that is asked for again at once is given again, and is never older than what is known."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from statuspulse.domain.failure import Failure, FailureClass
from statuspulse.domain.times import SECOND, to_text
from tests.api.server import NOW, READER, Api, running
from tests.api.test_status import a_monitor, see

REFUSED = Failure(FailureClass.CONNECT_REFUSED, "connection refused by 192.0.2.1:443")


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Api]:
    """An API whose clock a test may move."""
    with running(tmp_path) as started:
        yield started


def a_status(api: Api, monitor_id: str, query: str = "", **headers: str) -> dict[str, Any]:
    answer = api.call("GET", f"/v1/status/{monitor_id}{query}", token=READER, headers=headers)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_asked_again_within_a_second_it_is_the_same_but_for_the_call(alone: Api) -> None:
    monitor = a_monitor(alone)
    see(alone, monitor, NOW - 10 * SECOND)
    first = a_status(alone, monitor.id)

    alone.clock.at = NOW + SECOND - 1
    again = a_status(alone, monitor.id)

    assert again.pop("request_id") != first.pop("request_id")
    assert again == first
    assert again["generated_at"] == to_text(NOW)


def test_a_second_later_it_is_made_anew(alone: Api) -> None:
    monitor = a_monitor(alone)
    see(alone, monitor, NOW - 10 * SECOND)
    a_status(alone, monitor.id)

    alone.clock.at = NOW + SECOND

    assert a_status(alone, monitor.id)["generated_at"] == to_text(NOW + SECOND)


def test_a_clock_that_is_set_back_finds_nothing_kept(alone: Api) -> None:
    monitor = a_monitor(alone)
    a_status(alone, monitor.id)

    alone.clock.at = NOW - 1

    assert a_status(alone, monitor.id)["generated_at"] == to_text(NOW - 1)


def test_what_was_committed_before_it_was_asked_for_is_in_it(alone: Api) -> None:
    monitor = a_monitor(alone)
    see(alone, monitor, NOW - 20 * SECOND)
    assert a_status(alone, monitor.id)["failing_regions"] == []

    see(alone, monitor, NOW - 10 * SECOND, REFUSED)

    assert a_status(alone, monitor.id)["failing_regions"] == ["local"]


def test_what_people_change_is_in_it_at_once(alone: Api) -> None:
    monitor = a_monitor(alone)
    a_status(alone, monitor.id)

    changed = alone.call("PATCH", f"/v1/monitors/{monitor.id}/config", {"name": "Checkout"})
    assert changed.status_code == 200, changed.text

    assert a_status(alone, monitor.id)["name"] == "Checkout"


def test_other_questions_have_other_answers(alone: Api) -> None:
    monitor = a_monitor(alone)
    see(alone, monitor, NOW - 10 * SECOND)
    day = a_status(alone, monitor.id)

    hour = a_status(alone, monitor.id, "?window=1h")
    bare = a_status(alone, monitor.id, "?include=")

    assert (day["metrics"]["window"], hour["metrics"]["window"]) == ("24h", "1h")
    assert "regions" in day
    assert "regions" not in bare


def test_who_has_it_already_is_told_so_from_what_is_kept(alone: Api) -> None:
    monitor = a_monitor(alone)
    see(alone, monitor, NOW - 10 * SECOND)
    path = f"/v1/status/{monitor.id}"
    tag = alone.call("GET", path, token=READER).headers["ETag"]

    again = alone.call("GET", path, token=READER, headers={"If-None-Match": tag})

    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)


def test_the_begin_of_a_window_ends_what_is_kept(alone: Api) -> None:
    monitor = a_monitor(alone)
    see(alone, monitor, NOW - 10 * SECOND)
    window = {
        "name": "Disk",
        "monitors": {"ids": [monitor.id]},
        "starts_at": to_text(NOW + 300),
        "duration_seconds": 60,
    }
    made = alone.call("POST", "/v1/maintenance-windows", window)
    assert made.status_code == 201, made.text
    assert a_status(alone, monitor.id)["state"] == "up"

    alone.clock.at = NOW + 300

    assert a_status(alone, monitor.id)["state"] == "maintenance"
