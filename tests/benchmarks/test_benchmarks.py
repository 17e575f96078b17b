from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import prometheus
from benchmarks.options import parsed
from benchmarks.processes import descendants
from benchmarks.report import table
from tests.system.server import eventually

CHECKOUT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "benchmarks"]
SHORT = ["--rate", "20", "--seconds", "1"]


def test_a_short_run_prints_its_tables_and_writes_the_same_figures(tmp_path: Path) -> None:
    names = ["http_checks", "https_checks", "dns_checks"]
    document = tmp_path / "figures.json"

    ran = subprocess.run(
        [*COMMAND, *names, *SHORT, "--warm-up", "0", "--json", document],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=100,
        check=True,
    )

    measured = json.loads(document.read_text())
    assert list(measured["benchmarks"]) == names
    assert {"processor", "kernel", "python", "libcurl", "sqlite"} <= measured["machine"].keys()
    assert "20 HTTP checks a second for 1 s" in ran.stdout
    for figures in measured["benchmarks"].values():
        assert f"{figures['cpu_us']:,.0f} µs" in ran.stdout
        # A machine with much other work may be too slow for one or the other.
        assert figures["not_ok"] < figures["checks"]
        assert figures["bare_failed"] < figures["bare_checks"]
        assert figures["cpu_us"] > 0
        assert figures["bare_cpu_us"] > 0


@pytest.mark.faults
def test_a_short_run_reads_what_was_written(tmp_path: Path) -> None:
    document = tmp_path / "figures.json"

    subprocess.run(
        [*COMMAND, "status_reads", *SHORT, "--warm-up", "0", "--json", document],
        cwd=CHECKOUT,
        capture_output=True,
        timeout=100,
        check=True,
    )

    reads = json.loads(document.read_text())["benchmarks"]["status_reads"]
    assert reads["reads"] > 0
    assert 0 < reads["status_p50_ms"] <= reads["status_p99_ms"]
    assert 0 < reads["result_bytes"] < reads["bytes_per_check"]


def test_a_benchmark_that_does_not_exist_is_refused_with_the_names_of_those_that_do() -> None:
    ran = subprocess.run(
        [*COMMAND, "http_checks", "smtp_checks"], cwd=CHECKOUT, capture_output=True, text=True, timeout=60, check=False
    )

    assert ran.returncode == 2
    assert "there is no benchmark 'smtp_checks'; there are http_checks, https_checks, dns_checks" in ran.stderr


def test_a_machine_without_prometheus_gets_a_line_that_says_so(tmp_path: Path) -> None:
    report = prometheus.run(parsed(["prometheus"], ["--prometheus-bin", str(tmp_path)]))

    assert "prometheus and prometheus-blackbox-exporter are not installed: left out" in table(report)


def test_a_run_that_is_ended_leaves_no_process_behind() -> None:
    command = [*COMMAND, "http_checks", *SHORT, "--warm-up", "60"]
    with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.DEVNULL) as run:
        try:
            eventually(lambda: len(descendants(run.pid)) == 3, seconds=60)  # target, server and its probe
            started = descendants(run.pid)
        finally:
            run.terminate()
    assert run.returncode == 1
    assert not any(map(_is_running, started))


def _is_running(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


@pytest.mark.faults
def test_a_short_run_counts_calls(tmp_path: Path) -> None:
    document = tmp_path / "figures.json"

    subprocess.run(
        [*COMMAND, "api_throughput", *SHORT, "--monitors", "100", "--json", document],
        cwd=CHECKOUT,
        capture_output=True,
        timeout=100,
        check=True,
    )

    calls = json.loads(document.read_text())["benchmarks"]["api_throughput"]
    assert calls["refused"] == 0
    assert calls["create_per_second"] > 0
    assert 0 < calls["status_per_core"] < calls["healthz_per_core"]
