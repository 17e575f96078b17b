"""Lets go of monitors that another probe of the region has won, a while after it was told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from statuspulse.probe.sharing import Sharing
from statuspulse.probe.wheel import Wheel

# Both look meanwhile, and the second copy of a slot changes nothing; a slot that nobody ran would be missed.
HANDOVER_SECONDS = 5.0


class Handover:
    """Calls `release` with every monitor on the wheel that has been another probe's for so long."""

    def __init__(self, *, wheel: Wheel, release: Callable[[str], None]) -> None:
        self._wheel = wheel
        self._release = release
        self._sharing = Sharing()
        self._lost: dict[str, float] = {}
        self._some = asyncio.Event()

    def share(self, sharing: Sharing) -> None:
        """Who has what from now on. What comes onto the wheel while nothing changes here is ours."""
        if (sharing.probe_id, sharing.members) == (self._sharing.probe_id, self._sharing.members):
            return
        self._sharing = sharing
        now = asyncio.get_running_loop().time()
        lost = [] if sharing.is_alone else [one for one in self._wheel.monitor_ids() if not sharing.has(one)]
        self._lost = {monitor_id: self._lost.get(monitor_id, now) for monitor_id in lost}
        if lost:
            self._some.set()

    async def run(self) -> None:
        """Works until it is cancelled."""
        while True:
            await self._some.wait()
            until = min(self._lost.values(), default=0.0) + HANDOVER_SECONDS
            await asyncio.sleep(max(0.0, until - asyncio.get_running_loop().time()))
            self._let_go()

    def _let_go(self) -> None:
        latest = asyncio.get_running_loop().time() - HANDOVER_SECONDS
        gone = [monitor_id for monitor_id, lost_at in self._lost.items() if lost_at <= latest]
        for monitor_id in gone:
            del self._lost[monitor_id]
            self._release(monitor_id)
        if not self._lost:
            self._some.clear()
