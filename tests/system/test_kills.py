"""kill -9 at any instant: nothing is doubled, no outage is lost, messages are owed once, and the hole is unknown."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from tests.delivery.receiver import Receiver, Trick
from tests.system.herd import INTERVAL, Herd, unseen_ms
from tests.system.server import Server, eventually, now_ms, server
from tests.targets import HttpTarget

pytestmark = pytest.mark.alone

_FIRST_CHECK_MS = 3000
# A fresh interpreter takes longer than this to begin with anything, what an old one still does is over by then.
_OLD_PROBE_MS = 250
# How much longer than the bare loading of the program the whole may take, where the machine has other things to do.
_LOADINGS = 3
_HOLD_SECONDS = 6.0
_CALM_SECONDS = 60.0
# Less than the lease under which the killed process held it.
_AT_ONCE_SECONDS = 10.0


@dataclass
class Weather:
    """Breaks and heals half of the herd in turn, each for a while and until it was noticed, whatever is killed."""

    herd: Herd
    monitor_ids: list[str]
    outages: int = 0

    def __post_init__(self) -> None:
        self._calm = threading.Event()
        self._thread = threading.Thread(target=self._run, name="weather")

    def begin(self) -> None:
        self._thread.start()

    def calm_down(self) -> None:
        """Ends the outage that is on as it would have ended anyway."""
        self._calm.set()
        self._thread.join(2 * _CALM_SECONDS)

    def _run(self) -> None:
        while not self._calm.is_set():
            for monitor_id in self.monitor_ids:
                self.herd.ruin(monitor_id)
            self.outages += 1
            self._hold("down")
            for monitor_id in self.monitor_ids:
                self.herd.heal(monitor_id)
            self._hold("up")

    def _hold(self, state: str) -> None:
        self._calm.wait(_HOLD_SECONDS)
        eventually(
            lambda: {self.herd.states()[monitor_id] for monitor_id in self.monitor_ids} == {state}, _CALM_SECONDS
        )


@contextmanager
def _world(folder: Path) -> Iterator[tuple[Herd, Receiver]]:
    with (
        Receiver() as slack,
        HttpTarget() as target,
        server(folder, SLACK_BASE_URL=slack.url, FLAP_DAMPING="off") as served,
    ):
        served.is_installed = True
        served.start()
        yield Herd(served, target), slack


def _kill_control(served: Server) -> int:
    """Ends the control plane and starts another; answers when that one was started (ms)."""
    served.kill()
    assert _integrity(served) == "ok"
    return served.start().begun_at


def _kill_probe(served: Server) -> int:
    """Ends the probe, which serve starts again by itself; answers when it ended (ms)."""
    killed = eventually(lambda: served.probe_pid)
    os.kill(killed, signal.SIGKILL)
    at = now_ms()
    eventually(lambda: served.probe_pid not in {0, killed})
    return at


def _integrity(served: Server) -> str:
    return str(served.value("PRAGMA integrity_check"))


def _is_quiet(served: Server) -> bool:
    return bool(served.value("SELECT count(*) FROM outbox WHERE state = 'pending'") == 0)


def _unknown_ms(served: Server) -> dict[str, int]:
    """What the sums of the status call unknown, without the time before the first verdict."""
    found: dict[str, int] = {}
    cursor = ""
    while True:
        page = served.get(f"/status?limit=100&window=1h{cursor}")
        for status in page["data"]:
            pending = served.value(
                "SELECT end_at - start_at FROM state_intervals JOIN monitors ON key = monitor_key "
                "WHERE id = ? AND state_intervals.state = 'pending'",
                status["monitor_id"],
            )
            found[status["monitor_id"]] = round(status["metrics"]["unknown_seconds"] * 1000) - pending
        if not page["has_more"]:
            return found
        cursor = f"&cursor={page['next_cursor']}"


def _holes(herd: Herd) -> dict[str, int]:
    return {monitor_id: unseen_ms(seen) for monitor_id, seen in herd.results().items()}


def _loading_ms() -> int:
    """How long this machine takes just now to load the program and do nothing."""
    begun = now_ms()
    subprocess.run([sys.executable, "-c", "import statuspulse.cli.serve"], check=True)
    return now_ms() - begun


def _plight(served: Server) -> list[object]:
    """What there is to see of a server that does not do its work."""
    return [served.run.popen.poll(), served.probe_pid, served.probe_pids, *(run.complained for run in served.runs)]


def _unwatched_ms(herd: Herd, kill: Callable[[Server], int]) -> int:
    """Kills; answers how long (ms) nothing was checked then, which is not for long."""
    allowed = max(_FIRST_CHECK_MS, _LOADINGS * _loading_ms())
    killed_at = now_ms()
    begun_at = kill(herd.served)
    first_at = eventually(partial(herd.first_start_after, begun_at + _OLD_PROBE_MS), told=partial(_plight, herd.served))
    assert first_at - begun_at <= allowed
    return first_at - killed_at


def _assert_every_outage_is_told_once(served: Server, stormy: list[str], outages: int) -> None:
    """What is owed: one message per change and destination, in order, all of it delivered."""
    owed = served.rows(
        "SELECT group_concat(action), group_concat(DISTINCT state), count(DISTINCT event_id) FROM "
        "(SELECT * FROM outbox ORDER BY incident_id, destination, seq) GROUP BY incident_id, destination"
    )
    messages = ",".join(["trigger", "resolve"] * outages)
    assert owed == [(messages, "delivered", 2 * outages)] * len(stormy)
    assert served.rows("SELECT state, count(*) FROM incidents GROUP BY state") == [("resolved", len(stormy))]


def _assert_order_at_the_receiver(slack: Receiver, herd: Herd, outages: int, kills: int) -> None:
    """A kill between sending and storing makes a copy, of which the receiver knows no better.

    What is more than a chat is told in a minute comes as the lines of a digest.
    """
    for hook in herd.hooks.values():
        arrived = [word for body in slack.bodies(hook) for word in _words(body)]
        assert [word for word, _ in groupby(arrived)] == ["DOWN", "UP"] * outages
        assert len(slack.bodies(hook)) <= 2 * outages + kills


def _words(body: dict[str, Any]) -> list[str]:
    """How a message begins, or each line of a digest."""
    lines = [body["text"]]
    if lines[0].startswith("DIGEST: "):
        lines = [line for block in body["attachments"][0]["blocks"] for line in _lines(block)]
    return [line.split(":")[0] for line in lines if line.startswith(("DOWN: ", "UP: "))]


def _lines(block: dict[str, Any]) -> list[str]:
    return list(block["text"]["text"].splitlines()) if "text" in block else []


@pytest.mark.parametrize("kill", [_kill_control, _kill_probe])
@pytest.mark.parametrize(
    ("size", "kills", "shortest"),
    [(40, 1, 4.0), pytest.param(200, 5, 10.0, marks=[pytest.mark.faults, pytest.mark.timeout(600)])],
)
def test_kills_lose_nothing_and_invent_nothing(
    tmp_path: Path, size: int, kills: int, shortest: float, kill: Callable[[Server], int]
) -> None:
    with _world(tmp_path) as (herd, slack):
        served = herd.served
        steady = herd.grow(size // 2, with_hooks=False)
        stormy = herd.grow(size // 2, with_hooks=True)
        herd.await_all_up()
        weather = Weather(herd, stormy)
        weather.begin()
        try:
            unwatched = 0
            for _ in range(kills):
                time.sleep(shortest + random.uniform(0, _HOLD_SECONDS / 2))
                unwatched += _unwatched_ms(herd, kill)
        finally:
            weather.calm_down()
        outages = weather.outages
        eventually(lambda: set(herd.states().values()) == {"up"}, _CALM_SECONDS, herd.states)
        eventually(lambda: _is_quiet(served), _CALM_SECONDS)

        told = {monitor_id: ["up"] for monitor_id in steady}
        told |= {monitor_id: ["up", *["down", "up"] * outages] for monitor_id in stormy}
        assert herd.transitions() == told
        _assert_every_outage_is_told_once(served, stormy, outages)
        _assert_order_at_the_receiver(slack, herd, outages, kills)

        eventually(lambda: _unknown_ms(served) == _holes(herd))
        assert abs(max(_holes(herd).values()) - unwatched) <= 2 * kills * INTERVAL
        assert served.stop() == 0
        assert _integrity(served) == "ok"
        assert "Traceback" not in "".join(run.complained for run in served.runs)


def test_a_message_that_was_in_hand_goes_out_again_at_once(tmp_path: Path) -> None:
    with _world(tmp_path) as (herd, slack):
        [monitor_id] = herd.grow(1, with_hooks=True)
        herd.await_all_up()
        slack.scripts[herd.hooks[monitor_id]] = [Trick.HANG]
        herd.ruin(monitor_id)
        eventually(lambda: slack.arrivals)
        _kill_control(herd.served)
        eventually(lambda: len(slack.arrivals) == 2, _AT_ONCE_SECONDS)
        first, second = slack.texts()
        assert first == second
        eventually(lambda: _is_quiet(herd.served))
