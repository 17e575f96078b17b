"""The one task that turns the wheel: sleeps until something is due, and notices when time did not pass as it should."""

from __future__ import annotations

import asyncio

from statuspulse.domain.failure import MissReason
from statuspulse.probe.clock import Clock
from statuspulse.probe.high_water import HighWater
from statuspulse.probe.pulse import Pulse
from statuspulse.probe.wheel import Wheel

_TICK_MS = 100
# What comes due within this time starts together: a wake-up costs as much as starting a few checks.
_TOGETHER_MS = 5


class Ticker:
    """Wakes every 100 ms, and in between when a slot is due."""

    def __init__(self, *, wheel: Wheel, clock: Clock, pulse: Pulse, high_water: HighWater) -> None:
        self._wheel = wheel
        self._clock = clock
        self._pulse = pulse
        self._high_water = high_water
        self._ticked_at = 0

    async def run(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            wait_ms = self._turn()
            self._pulse.expect(wait_ms / 1000)
            await asyncio.sleep(wait_ms / 1000)

    def _turn(self) -> int:
        """Does what is due; how long (ms) nothing will be."""
        was_still = self._pulse.beat()
        step = self._clock.observe()
        now_us = self._clock.now_us()
        now = now_us // 1000
        if was_still:
            self._wheel.skip(now, MissReason.SELF_STALL)
        elif step is not None:
            self._wheel.skip(now, MissReason.CLOCK_STEP)
        self._wheel.turn(now_us)
        if now - self._ticked_at >= _TICK_MS or step is not None:
            self._ticked_at = now
            self._high_water.store(self._clock)
        due = self._wheel.next_due()
        return _TICK_MS if due is None else min(max(due - self._clock.now(), _TOGETHER_MS), _TICK_MS)
