"""How busy a probe is, as its heartbeat tells it."""

from __future__ import annotations

from collections.abc import Callable
from time import process_time

from statuspulse.probe.pulse import Pulse
from statuspulse.probe.runner import Runner
from statuspulse.probe.wheel import Wheel
from statuspulse.protocol.documents import Load


class LoadMeter:
    """Sums up what happened since the last look."""

    def __init__(
        self, *, wheel: Wheel, runner: Runner, pulse: Pulse, now: Callable[[], int], monotonic: Callable[[], float]
    ) -> None:
        self._wheel = wheel
        self._runner = runner
        self._pulse = pulse
        self._now = now
        self._monotonic = monotonic
        self._looked_at = monotonic()
        self._cpu_seconds = process_time()

    def take(self) -> Load:
        now, cpu_seconds = self._monotonic(), process_time()
        elapsed = max(now - self._looked_at, 0.001)
        due_at = self._wheel.next_due()
        load = Load(
            due=self._wheel.waiting(),
            in_flight=self._runner.in_flight,
            lag_p99_ms=_p99(self._runner.lags_us) / 1000,
            loop_lag_p99_ms=round(_p99(self._pulse.lags) * 1000, 1),
            overdue_ms=0 if due_at is None else max(0, self._now() - due_at),
            cpu_pct=round((cpu_seconds - self._cpu_seconds) / elapsed * 100, 1),
        )
        self._runner.lags_us.clear()
        self._pulse.lags.clear()
        self._looked_at, self._cpu_seconds = now, cpu_seconds
        return load


def _p99(samples: list[int] | list[float]) -> float:
    """The nearest rank; 0 without samples."""
    return sorted(samples)[-1 - len(samples) // 100] if samples else 0.0
