"""Looking at a target from this process: the checks of a probe, without a server and without a database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass

from statuspulse.app.clock import now_ms
from statuspulse.domain.monitor import MonitorType
from statuspulse.domain.result import Result, ResultKind
from statuspulse.domain.specs.registry import Spec
from statuspulse.egress.gate import Gate
from statuspulse.egress.policy import Policy
from statuspulse.probe.check import checks

_PAUSE_SECONDS = 1.0
_REGION = "local"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What is looked at; `address` is what people call it."""

    address: str
    type: MonitorType
    spec: Spec


async def looks(target: Target, policy: Policy, *, timeout_ms: int, count: int) -> AsyncIterator[Result]:
    """So many looks, a second apart; one that fails is not tried again."""
    with closing(Gate(policy)) as gate:
        check = checks(gate, now_ms)[target.type]
        for number in range(count):
            if number:
                await asyncio.sleep(_PAUSE_SECONDS)
            begun_at = now_ms()
            seen = await check.run(target.spec, timeout_ms=timeout_ms)
            yield Result(
                monitor_id="",
                region=_REGION,
                scheduled_at=begun_at,
                kind=ResultKind.MANUAL,
                round=0,
                lag_us=0,
                observed_at=now_ms(),
                attempt=1,
                config_version=0,
                observation=seen,
            )
