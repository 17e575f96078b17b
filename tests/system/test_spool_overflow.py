"""A control plane that stays away for longer than the spool lasts: what was dropped is told, and was not up."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

from statuspulse.domain.times import SECOND, to_text
from tests.system.far_probes import slots
from tests.system.server import Server, eventually, now_ms, server
from tests.targets import HttpTarget

_PROJECT = Path(__file__).parents[2]
_SPOOL_BYTES = 4_000


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def overflow(served: Server) -> tuple[int, int, int] | None:
    """(first slot, last slot, how many) of the one gap that a full spool has left."""
    found = served.rows("SELECT from_at, to_at, count FROM gap_records WHERE reason = 'spool_overflow'")
    assert len(found) <= 1
    return found[0] if found else None


def test_what_a_full_spool_drops_is_a_gap_with_its_reason_and_time_that_is_unknown(tmp_path: Path) -> None:
    clocks, log = tmp_path / "clocks", tmp_path / "log"
    clocks.write_bytes(bytes(16))
    with HttpTarget() as target, server(tmp_path, LISTEN=f"127.0.0.1:{free_port()}") as served:
        served.start("--no-probe")
        made = served.call("POST", "/probes", {"name": "far", "region": "eu"}).json()
        monitor = served.create(name="Shop", type="http", url=target.url, regions=["eu"])
        command = [sys.executable, "-m", "tests.faults.probe", served.url, str(tmp_path / "far"), str(clocks)]
        environment = {**os.environ, "PROBE_KEY": made["key"], "SPOOL_BYTES": str(_SPOOL_BYTES)}
        with log.open("wb") as out:
            probe = subprocess.Popen(command, cwd=_PROJECT, env=environment, stdout=out, stderr=out)
        try:
            eventually(lambda: len(slots(served, monitor)) >= 3)
            served.kill()
            eventually(lambda: log.read_text().count("probe.results_dropped") >= 4, 90, told=log.read_text)
            served.start("--no-probe")
            back_at = now_ms()
            eventually(lambda: slots(served, monitor, back_at) and overflow(served), 60, told=log.read_text)
        finally:
            probe.terminate()
            assert probe.wait(20) == 0
        told = overflow(served)
        assert told is not None
        first, last, count = told
        due = [at for at, _ in slots(served, monitor)]
        missing = sorted(set(range(due[0], due[-1], SECOND)) - set(due))
        assert missing == list(range(first, last + 1, SECOND))
        assert count == len(missing) >= 8
        window = f"from={to_text(first)}&to={to_text(last + SECOND)}"
        totals = served.get(f"/monitors/{monitor}/uptime?bucket=5m&{window}")["totals"]
        assert totals["unknown_seconds"] == count
        explained = served.get(f"/monitors/{monitor}/explain")
        assert explained["missed"][0] == {
            "region": "eu",
            "from_at": to_text(first),
            "to_at": to_text(last),
            "count": count,
            "reason": "spool_overflow",
        }
        assert any(f"eu last missed {count} checks" in sentence for sentence in explained["sentences"])
        assert served.value("SELECT count(*) FROM incidents") == 0
