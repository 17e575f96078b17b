"""A configuration changes while everything runs: no check is skipped, none is doubled, no state moves."""

from __future__ import annotations

import time
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.system.herd import INTERVAL, Herd, Seen, missing_slots
from tests.system.server import Server, eventually, now_ms, server
from tests.targets import HttpTarget

_IN_FORCE_MS = 1000


def _put(served: Server, monitor_id: str, **members: Any) -> tuple[int, int]:
    """Changes the configuration; answers the new version and when the answer was there."""
    answer = served.call("PUT", f"/monitors/{monitor_id}/config", members)
    assert answer.status_code == 200, answer.text
    return answer.json()["config_version"], now_ms()


def _expected_status(number: int) -> object:
    return (200, ["2xx"], [200, 201])[number % 3]


def _fails_in_a_row(served: Server, streak: int) -> bool:
    return bool(served.value("SELECT fail_streak FROM standings") >= streak)


def _is_in_force(seen: list[Seen], version: int, since: int) -> bool:
    """Whether a check under the version has come in time, and none under an older one began too late."""
    first = min((one.observed_at for one in seen if one.config_version >= version), default=None)
    last_old = max((one.started_at for one in seen if one.config_version < version), default=0)
    return first is not None and first <= since + _IN_FORCE_MS + INTERVAL and last_old <= since + _IN_FORCE_MS


@pytest.mark.alone
@pytest.mark.parametrize(
    ("size", "edits"), [(50, 40), pytest.param(200, 100, marks=[pytest.mark.faults, pytest.mark.timeout(300)])]
)
def test_edits_under_load_skip_no_slot_and_move_no_state(tmp_path: Path, size: int, edits: int) -> None:
    with HttpTarget() as target, server(tmp_path) as served:
        served.start()
        herd = Herd(served, target)
        herd.grow(size, with_hooks=False)
        herd.await_all_up()
        states = "SELECT id, state, state_seq, health FROM monitor_states JOIN monitors ON key = monitor_key"
        before = served.rows(states)

        made: list[tuple[str, int, int]] = []
        begun = time.monotonic()
        for number in range(edits):
            monitor_id = herd.ids[number * 7 % size]
            version, answered_at = _put(
                served, monitor_id, timeout_ms=600 + number, expected_status=_expected_status(number)
            )
            made.append((monitor_id, version, answered_at))
            time.sleep(max(0.0, begun + (number + 1) * 0.1 - time.monotonic()))  # the load: ten edits in a second

        newest = {monitor_id: version for monitor_id, version, _ in made}
        eventually(
            lambda: all(
                sum(one.config_version == version for one in herd.results()[monitor_id]) >= 3
                for monitor_id, version in newest.items()
            )
        )
        assert served.rows(states) == before
        assert served.stop() == 0

        results = herd.results()
        assert {monitor_id: missing_slots(monitor_id, results[monitor_id]) for monitor_id in herd.ids} == {
            monitor_id: [] for monitor_id in herd.ids
        }
        arrived = Counter(arrival.path for arrival in target.arrivals)
        assert arrived == {herd.path(monitor_id): len(results[monitor_id]) for monitor_id in herd.ids}
        late = [edit for edit in made if not _is_in_force(results[edit[0]], *edit[1:])]
        assert late == []
        assert served.rows("SELECT DISTINCT standing, ok_streak, fail_streak FROM standings") == [("passing", 2, 0)]


def test_edits_that_leave_target_and_rules_alone_keep_the_streak(tmp_path: Path) -> None:
    with HttpTarget() as target, server(tmp_path) as served:
        served.start()
        herd = Herd(served, target)
        [monitor_id] = herd.grow(1, with_hooks=False, failure_threshold=8)
        herd.await_all_up()
        herd.ruin(monitor_id)
        for streak in range(1, 7):
            eventually(partial(_fails_in_a_row, served, streak))
            _put(served, monitor_id, timeout_ms=600 + streak)
        eventually(lambda: herd.states() == {monitor_id: "down"})

        decided = served.value("SELECT changed_at FROM transitions WHERE health = 'down'")
        failed = [one for one in herd.results()[monitor_id] if not one.is_ok]
        assert len({one.config_version for one in failed}) >= 6
        assert served.value("SELECT first_observed_at FROM transitions WHERE health = 'down'") == failed[0].scheduled_at
        assert sum(one.observed_at <= decided for one in failed) == 8
