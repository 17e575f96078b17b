"""Three regions, each a network of its own behind a link that can be cut; played inside a namespace.

`python -m tests.faults.regions CUT_SECONDS CUT…`: for each CUT, cuts the links of so many regions for so long and mends
them, and prints what the control plane had to say as JSON. Every region has its own target, so that a link carries
nothing but the agent protocol.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.system.server import Server, eventually, now_ms, server

_REGIONS = ("eu", "us", "ap")
_PROJECT = Path(__file__).parents[2]
_UNKNOWN_AFTER_SECONDS = 100.0


@dataclass
class Region:
    """A namespace with a probe and its target; `link` is our end of the way there."""

    name: str
    link: str

    def cut(self) -> None:
        _ip("link", "set", "dev", self.link, "down")

    def mend(self) -> None:
        _ip("link", "set", "dev", self.link, "up")


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


@contextlib.contextmanager
def region(served: Server, number: int, folder: Path) -> Iterator[Region]:
    """Sets up the network, the target and the probe of a region; ends them all."""
    name, link, inner = _REGIONS[number], f"out{number}", f"in{number}"
    made = served.call("POST", "/probes", {"name": name, "region": name}).json()
    clocks = folder / f"clocks-{name}"
    clocks.write_bytes(bytes(16))
    url = f"http://10.9.{number}.1:{served.url.rpartition(':')[2]}"
    probe = ["-m", "tests.faults.probe", url, str(folder / name), str(clocks)]
    script = (
        f"read -r _ && ip link set lo up && ip addr add 10.9.{number}.2/24 dev {inner} && ip link set {inner} up;"
        f' "$0" -m http.server --bind 127.0.0.1 8000 >/dev/null 2>&1 & exec "$0" {" ".join(probe)}'
    )
    with (folder / f"log-{name}").open("wb") as log:
        inside = subprocess.Popen(
            ["unshare", "--net", "--", "sh", "-c", script, sys.executable],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            cwd=_PROJECT,
            env={**os.environ, "PROBE_KEY": made["key"]},
            start_new_session=True,
        )
    try:
        eventually(lambda: _net(inside.pid) != _net(os.getpid()))
        _ip("link", "add", "name", link, "type", "veth", "peer", "name", inner)
        _ip("link", "set", "dev", inner, "netns", str(inside.pid))
        _ip("addr", "add", f"10.9.{number}.1/24", "dev", link)
        _ip("link", "set", "dev", link, "up")
        assert inside.stdin is not None
        inside.stdin.write(b"go\n")
        inside.stdin.close()
        yield Region(name, link)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(inside.pid, 9)
        inside.wait()


def _net(pid: int) -> str:
    try:
        return str(Path(f"/proc/{pid}/ns/net").readlink())
    except OSError:
        return _net(os.getpid())


def play(served: Server, regions: list[Region], cut_seconds: float, cuts: list[int]) -> dict[str, Any]:
    monitor = served.create(name="Shop", type="http", url="http://127.0.0.1:8000/", regions=list(_REGIONS))
    eventually(lambda: served.status(monitor)["state"] == "up" and _count(served) >= 6, 30.0)
    rounds = [_round(served, monitor, regions, cut, cut_seconds) for cut in cuts]
    return {
        "rounds": rounds,
        "incidents": served.value("SELECT count(*) FROM incidents"),
        "failed": served.value("SELECT count(*) FROM results WHERE verdict = 1"),
    }


def _round(served: Server, monitor: str, regions: list[Region], cut: int, cut_seconds: float) -> dict[str, list[str]]:
    begun_at, before = now_ms(), len(_transitions(served))
    for one in regions[:cut]:
        one.cut()
    time.sleep(cut_seconds)
    if cut > len(regions) // 2:
        # Nobody is told that it is up by then; the row follows when the engine comes round.
        eventually(lambda: served.status(monitor)["state"] == "unknown", _UNKNOWN_AFTER_SECONDS)
        eventually(lambda: _transitions(served)[before:], _UNKNOWN_AFTER_SECONDS)
    probes = [probe for probe in served.get("/probes")["data"] if probe["region"] in _REGIONS]
    offline = [probe["region"] for probe in probes if probe["status"] == "offline"]
    during = _transitions(served)[before:]
    for one in regions[:cut]:
        one.mend()
    mended_at = now_ms()
    eventually(lambda: _is_complete(served, begun_at, mended_at), 60.0)
    eventually(lambda: served.status(monitor)["state"] == "up", 30.0)
    return {"during": during, "after": _transitions(served)[before + len(during) :], "offline": offline}


def _count(served: Server) -> int:
    count: int = served.value("SELECT count(*) FROM results WHERE kind = 0")
    return count


def _transitions(served: Server) -> list[str]:
    return [state for (state,) in served.rows("SELECT state FROM transitions ORDER BY state_seq")]


def _is_complete(served: Server, begun_at: int, ended_at: int) -> bool:
    """Whether every region has told of every second of the time, whoever could hear it then."""
    told = "SELECT count(*) FROM results WHERE kind = 0 AND scheduled_at BETWEEN ? AND ? GROUP BY region_key"
    counts = [count for (count,) in served.rows(told, begun_at, ended_at)]
    return len(counts) == len(_REGIONS) and min(counts) >= (ended_at - begun_at) // 1000 - 1


def main(cut_seconds: str, *cuts: str) -> None:
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        served = stack.enter_context(server(folder, LISTEN="0.0.0.0:0"))
        served.start("--no-probe")
        regions = [stack.enter_context(region(served, number, folder)) for number in range(len(_REGIONS))]
        told = play(served, regions, float(cut_seconds), [int(cut) for cut in cuts])
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main(*sys.argv[1:])
