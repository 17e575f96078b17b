"""A server whose disk is full for a while; played where a file system of its own may be mounted.

`python -m tests.faults.full_disk SECONDS` prints what became of it as JSON.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.system.far_probes import slots
from tests.system.server import Server, eventually, now_ms, server
from tests.targets import HttpTarget

_SIZE = "24m"
_MONITORS = 5


def fill(path: Path) -> None:
    """Writes until nothing fits any more."""
    with path.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1):
            with contextlib.suppress(OSError):
                while True:
                    file.write(b"x" * size)


def play(served: Server, target: HttpTarget, seconds: float) -> dict[str, Any]:
    served.start()
    ids = [served.create(name=f"Shop {n}", type="http", url=f"{target.url}/{n}") for n in range(_MONITORS)]
    eventually(lambda: all(served.status(one)["state"] == "up" for one in ids))
    filler = served.data_dir / "filler"
    fill(filler)
    full_at = now_ms()
    refused = eventually(lambda: _refused(served, target.url), seconds)
    time.sleep(max(0.0, seconds - (now_ms() - full_at) / 1000))
    read = served.call("GET", f"/status/{ids[0]}")
    filler.unlink()
    freed_at = now_ms()
    eventually(lambda: _refused(served, target.url) is None, 60)
    eventually(lambda: all(slots(served, one, freed_at) for one in ids), 60)
    # What the spool kept comes first and is read into history a moment later.
    with contextlib.suppress(AssertionError):
        eventually(lambda: all(_is_told(_lost(served, one)) for one in ids), 60)
    recovered = (now_ms() - freed_at) / 1000
    return {
        "alive": served.run.popen.poll() is None,
        "refused": refused,
        "read_status": read.status_code,
        "recovered_seconds": recovered,
        "states": sorted({state for (state,) in served.rows("SELECT state FROM transitions")}),
        "incidents": served.value("SELECT count(*) FROM incidents"),
        "lost": {one: _lost(served, one) for one in ids},
        "integrity": served.value("PRAGMA integrity_check"),
    }


def _refused(served: Server, url: str) -> str | None:
    """The code with which a write is refused; None where it is taken."""
    answer = served.call("POST", "/monitors", {"name": "Late", "type": "http", "url": url, "interval_seconds": 60})
    return None if answer.status_code == 201 else f"{answer.status_code} {answer.json()['error']['code']}"


def _lost(served: Server, monitor: str) -> dict[str, float]:
    """Seconds without a result, and those that history tells as unknown."""
    seen = [at for at, _ in slots(served, monitor)]
    window = f"from={_text(seen[0])}&to={_text(seen[-1])}"
    totals = served.get(f"/monitors/{monitor}/uptime?bucket=5m&{window}")["totals"]
    return {"slots": (seen[-1] - seen[0]) // 1000 + 1 - len(seen), "unknown_seconds": totals["unknown_seconds"]}


def _is_told(lost: dict[str, float]) -> bool:
    return abs(lost["unknown_seconds"] - lost["slots"]) <= 1


def _text(at: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at // 1000)) + f".{at % 1000:03d}Z"


def main(seconds: str) -> None:
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        data = folder / "data"
        data.mkdir(mode=0o700)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={_SIZE},mode=700", "tmpfs", str(data)], check=True)
        stack.callback(subprocess.run, ["umount", str(data)], check=True)
        target = stack.enter_context(HttpTarget())
        served = stack.enter_context(server(folder))
        told = play(served, target, float(seconds))
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main(*sys.argv[1:])
