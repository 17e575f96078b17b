"""How the process ends: in order when it is asked to, at once when it is asked twice, and never half."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.server import Server, eventually, server
from tests.targets import HttpTarget, Mood

_STOP_SECONDS = 15.0
_AT_ONCE_SECONDS = 4.0


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Server]:
    with server(tmp_path) as served:
        yield served


def _is_closed_cleanly(served: Server) -> bool:
    """A database that was closed has no write-ahead log beside it any more."""
    return not list(served.data_dir.glob("statuspulse.db-*"))


def _ends_after_another(served: Server) -> bool:
    """Asks again: a signal that comes before the first was taken note of is the same to the process."""
    served.run.popen.send_signal(signal.SIGTERM)
    return served.run.popen.poll() is not None


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_everything_in_order_within_five_seconds(served: Server, number: signal.Signals) -> None:
    with HttpTarget() as target:
        served.start()
        monitor_id = served.create(name="Shop", type="http", url=target.url)
        eventually(lambda: served.status(monitor_id)["state"] == "up")
        begun = time.monotonic()
        served.run.popen.send_signal(number)
        assert served.ends() == 0
    assert time.monotonic() - begun < _STOP_SECONDS
    assert served.probe_pids == []
    assert _is_closed_cleanly(served)
    assert "Traceback" not in served.run.complained
    lines = [json.loads(line) for line in served.run.complained.splitlines()]
    (stopping,) = [line for line in lines if line["event"] == "process.stopping"]
    assert (stopping["signal"], stopping["level"]) == (number.name, "info")
    assert lines[-1] == stopping


def test_checks_under_way_do_not_hold_up_the_end(served: Server) -> None:
    with HttpTarget(mood=Mood.SILENT) as target:
        served.start()
        served.create(name="Shop", type="http", url=target.url, interval_seconds=60, timeout_ms=60_000)
        eventually(lambda: target.arrivals)
        begun = time.monotonic()
        assert served.stop() == 0
        assert time.monotonic() - begun < _STOP_SECONDS
    assert served.probe_pids == []
    assert served.value("SELECT count(*) FROM results") == 0


def test_what_was_seen_until_the_end_is_stored(served: Server) -> None:
    with HttpTarget() as target:
        served.start()
        served.create(name="Shop", type="http", url=target.url)
        eventually(lambda: len(target.arrivals) >= 4)
        assert served.stop() == 0
        arrived = len(target.arrivals)
    assert served.value("SELECT count(*) FROM results") == arrived


def test_a_second_signal_ends_the_process_where_it_stands(served: Server) -> None:
    with HttpTarget(mood=Mood.SILENT) as target:
        served.start()
        served.create(name="Shop", type="http", url=target.url, interval_seconds=60, timeout_ms=60_000)
        eventually(lambda: target.arrivals)
        probe_pid = served.probe_pid
        os.kill(probe_pid, signal.SIGSTOP)  # so that the first signal cannot be all that ends it
        try:
            begun = time.monotonic()
            eventually(lambda: _ends_after_another(served))
            assert served.ends() == 1
            assert time.monotonic() - begun < _AT_ONCE_SECONDS
        finally:
            os.kill(probe_pid, signal.SIGCONT)
        eventually(lambda: not served.probe_pids)
    told = [json.loads(line)["event"] for line in served.run.complained.splitlines()]
    assert told.count("process.stopping") == 1
    assert told[-1] == "process.stopping"


def test_starts_and_ends_leave_nothing_behind(served: Server) -> None:
    for _ in range(2):
        served.start()
        eventually(lambda: served.probe_pid)
        assert served.stop() == 0
        assert served.probe_pids == []
        assert _is_closed_cleanly(served)
    assert served.command("admin", "seed", "--file", "-", sent=b'{"team":{"name":"A","slug":"a"}}').returncode == 0
