"""Figures of a load: what a check costs beside its baseline, whether checks ran on time, and memory."""

from __future__ import annotations

from benchmarks.bare import Bare
from benchmarks.load import Load, micros, rank, ratio
from benchmarks.report import Figure

LATEST_MS = 100
_MIB = 1 << 20


def of(load: Load, bare: Bare, *, baseline: str, most_cpu_us: float | None = None) -> list[Figure]:
    """All of them, the ratio first."""
    return [*costs(load, bare, baseline, most_cpu_us), *quality(load), *memory(load)]


def costs(load: Load, bare: Bare, baseline: str, most_cpu_us: float | None) -> list[Figure]:
    bare_us = micros(bare.cpu_seconds, bare.done)
    return [
        Figure(
            name="ratio_to_bare",
            told=f"CPU of all processes per check, to {baseline} alone",
            value=ratio(load.cpu_us, bare_us),
            unit="×",
            digits=2,
        ),
        Figure(name="cpu_us", told="CPU of all processes per check", value=load.cpu_us, unit="µs", bound=most_cpu_us),
        Figure(name="probe_cpu_us", told="  of it the probe", value=load.probe_us, unit="µs"),
        Figure(name="control_cpu_us", told="  of it the control plane", value=load.control_us, unit="µs"),
        Figure(name="bare_cpu_us", told=f"CPU per check of {baseline} alone", value=bare_us, unit="µs"),
        Figure(name="bare_checks", told="  checks done there", value=bare.done + bare.failed),
        Figure(name="bare_failed", told="  of them failed", value=bare.failed, bound=0),
    ]


def quality(load: Load) -> list[Figure]:
    return [
        Figure(name="lag_p50_ms", told="lateness, p50", value=load.lag_ms(50), unit="ms", digits=1),
        Figure(name="lag_p99_ms", told="lateness, p99", value=load.lag_ms(99), unit="ms", digits=1, bound=LATEST_MS),
        Figure(name="lag_max_ms", told="lateness, worst", value=load.lag_ms(100), unit="ms", digits=1),
        Figure(
            name="latency_p50_ms",
            told="latency of the target as it was measured, p50",
            value=rank(load.latencies_us, 50) / 1000,
            unit="ms",
            digits=1,
        ),
        Figure(name="checks", told="checks done", value=load.checks),
        Figure(name="not_ok", told="  of them not ok", value=load.not_ok, bound=0),
        Figure(name="missed", told="slots missed", value=load.missed, bound=0),
        Figure(name="lost", told="slots without any word", value=load.lost, bound=0),
    ]


def memory(load: Load) -> list[Figure]:
    return [
        Figure(
            name="resident_mib",
            told="memory of all processes (RSS)",
            value=load.window.resident / _MIB,
            unit="MiB",
            bound=300,
        ),
        Figure(
            name="proportional_mib",
            told="  shared pages counted once (PSS)",
            value=load.window.proportional / _MIB,
            unit="MiB",
        ),
    ]
