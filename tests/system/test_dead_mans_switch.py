"""Somebody outside hears from us as long as we watch, and nothing any more when we do not."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

from tests.system.server import eventually, now_ms, server
from tests.system.test_locked_database import locked
from tests.targets import HttpTarget

_PERIOD = 2
_PATIENCE_SECONDS = 40.0


def _goes_on(receiver: HttpTarget) -> bool:
    """Two more beats come, so that none of them was under way before."""
    seen = len(receiver.arrivals)
    return eventually(lambda: len(receiver.arrivals) >= seen + 2, _PATIENCE_SECONDS)


def _falls_silent(receiver: HttpTarget, since: int) -> bool:
    """Nothing for more than two periods; what came later than one period after the fault would be a lie."""
    quiet = 3 * _PERIOD * 1000
    eventually(lambda: now_ms() - max(receiver.arrivals[-1].wall_ms, since) > quiet, _PATIENCE_SECONDS)
    return receiver.arrivals[-1].wall_ms <= since + 2 * _PERIOD * 1000


def test_it_is_silent_when_a_part_stands_still_and_speaks_again(tmp_path: Path) -> None:
    with (
        HttpTarget() as receiver,
        server(tmp_path, HEARTBEAT_URL=f"{receiver.url}/ping/our-key", HEARTBEAT_SECONDS=str(_PERIOD)) as served,
    ):
        served.start()
        assert _goes_on(receiver)
        assert {arrival.path for arrival in receiver.arrivals} == {"/ping/our-key"}
        gaps = [
            later.wall_ms - one.wall_ms for one, later in zip(receiver.arrivals, receiver.arrivals[1:], strict=False)
        ]
        assert min(gaps) > _PERIOD * 1000 / 2

        os.kill(served.probe_pid, signal.SIGSTOP)
        try:
            assert _falls_silent(receiver, now_ms())
        finally:
            os.kill(served.probe_pid, signal.SIGCONT)
        assert _goes_on(receiver)

        with contextlib.ExitStack() as stack:
            stack.enter_context(locked(served))
            assert _falls_silent(receiver, now_ms())
        assert _goes_on(receiver)

        assert served.value("SELECT count(*) FROM outbox") == 1
        assert "our-key" not in served.run.complained
        served.kill()
        assert _falls_silent(receiver, now_ms())
