"""Plans of monitors for tests of the probe: a test names only what matters to it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from statuspulse.domain.monitor import Retry
from statuspulse.domain.result import Observation
from statuspulse.domain.schedule import Grid
from statuspulse.domain.specs.registry import Spec
from statuspulse.domain.specs.tcp import TcpSpec
from statuspulse.probe.plan import Plan


@dataclass
class ScriptedCheck:
    """A check that sees what it is told to see; the last observation stays. While `gate` is shut it does not end."""

    script: list[Observation] = field(default_factory=lambda: [Observation()])
    gate: asyncio.Event | None = None
    runs: int = 0

    async def run(self, _spec: Any, *, timeout_ms: int) -> Observation:
        del timeout_ms
        self.runs += 1
        if self.gate is not None:
            await self.gate.wait()
        return self.script.pop(0) if len(self.script) > 1 else self.script[0]


def a_plan(
    monitor_id: str = "mon_9x2k4p7q",
    *,
    interval: int = 10_000,
    region_index: int = 0,
    region_count: int = 1,
    config_version: int = 1,
    check: ScriptedCheck | None = None,
    timeout_ms: int = 1000,
    retry: Retry | None = None,
    spec: Spec | None = None,
) -> Plan:
    return Plan(
        monitor_id=monitor_id,
        team_id="team_a1b2c3d4",
        region="local",
        config_version=config_version,
        grid=Grid.of(monitor_id, interval, region_index, region_count),
        spec=spec or TcpSpec(host="127.0.0.1", port=1),
        check=check or ScriptedCheck(),
        timeout_ms=timeout_ms,
        retry=retry or Retry(count=0),
    )
