"""A part of the process that fails begins again, and whoever looks sees that it did."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import pairwise

import pytest
from structlog.testing import capture_logs

from statuspulse.app.tending import tend
from statuspulse.metrics import Metrics

pytestmark = pytest.mark.virtual_time


async def test_it_begins_again_after_pauses_that_grow(now: Callable[[], int]) -> None:
    began: list[int] = []

    async def run() -> None:
        began.append(now())
        if len(began) < 8:
            raise KeyError(len(began))

    metrics = Metrics()
    with capture_logs() as logs:
        await tend("engine", run, metrics)
    assert [later - earlier for earlier, later in pairwise(began)] == [
        1000 * seconds for seconds in (1, 2, 4, 8, 16, 30, 30)
    ]
    assert [(line["event"], line["part"]) for line in logs] == [("serve.part_failed", "engine")] * 7
    assert 'statuspulse_part_failures_total{part="engine"} 7.0' in metrics.text()


async def test_one_that_worked_for_a_minute_begins_again_soon(now: Callable[[], int]) -> None:
    failed: list[int] = []
    began: list[int] = []

    async def run() -> None:
        began.append(now())
        await asyncio.sleep(60 if len(began) == 4 else 0)
        if len(began) == 6:
            return
        failed.append(now())
        raise KeyError(len(began))

    await tend("engine", run, Metrics())
    assert [again - failure for failure, again in zip(failed, began[1:], strict=True)] == [1000, 2000, 4000, 1000, 2000]


async def test_a_cancellation_ends_it() -> None:
    tended = asyncio.create_task(tend("engine", asyncio.Event().wait, Metrics()))  # type: ignore[arg-type]
    await asyncio.sleep(1)
    tended.cancel()
    with pytest.raises(asyncio.CancelledError):
        await tended
