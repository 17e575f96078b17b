"""A probe whose only link is cut and mended, and then a real outage; played inside a namespace.

`python -m tests.faults.blind CUT_SECONDS` prints what the probe told of each monitor while it saw, while it was cut off
and during the outage. Every address beyond the link is this host: one server is the target at a public and a private
address, another one the anchor.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, time_ns

import structlog

from statuspulse.domain.secret import Secret
from statuspulse.egress.endpoints import Endpoint
from statuspulse.egress.policy import Policy
from statuspulse.probe import agent
from statuspulse.probe.agent import ProbeSettings
from tests import targets
from tests.probe.control_plane import KEY, ControlPlane, a_monitor
from tests.system.server import eventually
from tests.targets import HttpTarget, Mood, TcpTarget, until

_PROJECT = Path(__file__).parents[2]
_SETUP = (
    "read -r _ && ip link set lo up && ip addr add 10.9.0.2/24 dev inner && ip link set inner up"
    ' && ip route add default via 10.9.0.1 && exec "$0" -m tests.faults.blind "$@"'
)


@contextlib.contextmanager
def _inside(port: int, anchor: int) -> Iterator[subprocess.Popen[str]]:
    """The probe in a namespace of its own at the other end of the link `outer`; each line it is sent lets it go on."""
    command = ["unshare", "--net", "--", "sh", "-c", _SETUP, sys.executable, "inside", str(port), str(anchor)]
    probe = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=_PROJECT, text=True, bufsize=1)
    try:
        eventually(lambda: _net(probe.pid) not in {"", _net(os.getpid())})
        _ip("link", "add", "name", "outer", "type", "veth", "peer", "name", "inner")
        _ip("link", "set", "dev", "inner", "netns", str(probe.pid))
        _ip("addr", "add", "10.9.0.1/24", "dev", "outer")
        _ip("link", "set", "dev", "outer", "up")
        assert probe.stdin is not None
        probe.stdin.write("go\n")
        yield probe
    finally:
        probe.kill()
        probe.wait()


def _net(pid: int) -> str:
    try:
        return str(Path(f"/proc/{pid}/ns/net").readlink())
    except OSError:
        return ""


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


def outside(cut_seconds: float) -> str:
    vars(targets)["HOST"] = "0.0.0.0"  # the namespace is closed
    with HttpTarget() as target, TcpTarget() as anchor, _inside(target.port, anchor.port) as probe:

        def step(word: str) -> None:
            assert probe.stdin is not None
            assert probe.stdout is not None
            probe.stdin.write("go\n")
            assert probe.stdout.readline().strip() == word

        step("sees")
        dialled = anchor.connections
        _ip("link", "set", "dev", "outer", "down")
        step("blind")
        time.sleep(cut_seconds)
        _ip("link", "set", "dev", "outer", "up")
        step("sees")
        target.mood = Mood.SILENT
        step("failed")
        assert probe.stdout is not None
        return json.dumps({"dialled_while_well": dialled, **json.loads(probe.stdout.read())})


async def inside(port: int, anchor: int) -> None:
    """Checks three monitors and says what it has come to; what is sent is read by a thread."""
    with ControlPlane() as plane, HttpTarget() as near, tempfile.TemporaryDirectory() as folder:
        plane.assign(
            a_monitor("mon_public00", f"http://8.8.8.8:{port}/"),
            a_monitor("mon_private0", f"http://10.9.0.1:{port}/"),
            a_monitor("mon_loopback", near.url),
        )
        settings = ProbeSettings(
            server_url=plane.url,
            key=Secret(KEY),
            data_dir=Path(folder),
            policy=Policy(),
            version="1",
            boot_id="boot_1",
            anchors=(Endpoint("9.9.9.9", anchor, is_address=True),),
        )
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            run = agent.run(settings, wall=lambda: time_ns() // 1_000_000, monotonic=monotonic, stop=stop)
            tasks.create_task(run)
            await until(lambda: len(plane.results) >= 9)
            told = {"well": _kinds(plane, 0)}
            await _go()
            _say("sees")
            begun = len(plane.items)
            await _go()  # the link is cut
            await until(lambda: set(_blind(plane)) == {"public", "private"})
            await until(lambda: len(plane.items) >= begun + 9)
            _say("blind")
            await _go()  # it is mended, a minute later or at once
            await until(lambda: _blind(plane) == [])
            seen_again = len(plane.items)
            await until(lambda: _ok(plane, seen_again) == set(plane.monitors))
            told["cut"] = _kinds(plane, begun)
            _say("sees")
            begun = len(plane.items)
            await _go()  # the target is silent
            await until(lambda: len(_failed(plane, begun)) == 2)
            told["outage"] = _kinds(plane, begun)
            _say("failed")
            stop.set()
        assert plane.violations == []
    sys.stdout.write(json.dumps(told))


async def _go() -> None:
    """The line that says that everything outside is as the next step wants it: patience begins then."""
    await asyncio.to_thread(sys.stdin.readline)


def _say(word: str) -> None:
    sys.stdout.write(word + "\n")
    sys.stdout.flush()


def _blind(plane: ControlPlane) -> list[str]:
    return plane.heartbeats[-1][1].blind


def _kinds(plane: ControlPlane, since: int) -> dict[str, dict[str, int]]:
    """How the results of each monitor ended."""
    found: dict[str, Counter[str]] = {monitor: Counter() for monitor in plane.monitors}
    for item in plane.items[since:]:
        if item.kind != "gap":
            found[item.monitor_id]["ok" if item.failure is None else item.failure.kind] += 1
    return {monitor: dict(kinds) for monitor, kinds in found.items()}


def _ok(plane: ControlPlane, since: int) -> set[str]:
    return {item.monitor_id for item in plane.items[since:] if item.ok}


def _failed(plane: ControlPlane, since: int) -> set[str]:
    return {item.monitor_id for item in plane.items[since:] if item.ok is False}


if __name__ == "__main__":
    if sys.argv[1] == "inside":
        structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
        asyncio.run(inside(int(sys.argv[2]), int(sys.argv[3])))
    else:
        sys.stdout.write(outside(float(sys.argv[1])))
