"""Keeps the parts of a process at work: one that fails unexpectedly is told of and begun again, the others go on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from statuspulse.metrics import Metrics

log = structlog.get_logger(__name__)

_SHORTEST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 30.0
# A part that has worked for so long begins with the shortest pause again.
_WORKED_WELL_SECONDS = 60.0


async def tend(part: str, run: Callable[[], Awaitable[None]], metrics: Metrics) -> None:
    """Runs `run` until it returns or this is cancelled. After an error it begins again in 1 s, later in up to 30 s."""
    failures = metrics.part_failures.labels(part)
    loop, pause = asyncio.get_running_loop(), _SHORTEST_PAUSE_SECONDS
    while True:
        begun = loop.time()
        try:
            await run()
        except Exception:
            # Whatever it is, it is a fault of ours: that of one part must not end the watch over everything.
            failures.inc()
            log.exception("serve.part_failed", part=part)
        else:
            return
        pause = _SHORTEST_PAUSE_SECONDS if loop.time() - begun >= _WORKED_WELL_SECONDS else pause
        await asyncio.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
