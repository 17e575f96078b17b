from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from asyncio.subprocess import DEVNULL
from pathlib import Path

import pytest

from benchmarks.processes import descendants
from tests.targets import until

pytestmark = pytest.mark.alone

COMMAND = [sys.executable, "-m", "benchmarks", "--rate", "20", "--seconds", "1"]
CHECKOUT = Path(__file__).parents[2]


def test_a_short_run_prints_its_table_and_writes_the_same_figures(tmp_path: Path) -> None:
    document = tmp_path / "figures.json"

    ran = subprocess.run(
        [*COMMAND, "--warm-up", "1", "--json", document],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )

    measured = json.loads(document.read_text())
    figures = measured["benchmarks"]["http_checks"]
    assert "20 HTTP checks a second for 1 s" in ran.stdout
    assert f"{figures['cpu_us']:,.0f} µs" in ran.stdout
    assert figures["checks"] > 0
    assert figures["not_ok"] == 0
    assert figures["cpu_us"] > 0
    assert figures["bare_cpu_us"] > 0
    reads = measured["benchmarks"]["status_reads"]
    assert "Reading the status of 20 monitors with 30 days of history" in ran.stdout
    assert reads["reads"] > 0
    assert 0 < reads["status_p50_ms"] <= reads["status_p99_ms"]
    assert 0 < reads["result_bytes"] < reads["bytes_per_check"]
    assert {"processor", "kernel", "python", "libcurl", "sqlite"} <= measured["machine"].keys()


async def test_a_run_that_is_ended_leaves_no_process_behind() -> None:
    run = await asyncio.create_subprocess_exec(*COMMAND, "--warm-up", "30", cwd=CHECKOUT, stdout=DEVNULL)
    try:
        await until(lambda: len(descendants(run.pid)) == 3)  # target, server and its probe
        started = descendants(run.pid)
    finally:
        run.terminate()
        status = await run.wait()
    assert status == 1
    assert not any(map(_is_running, started))


def _is_running(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()
