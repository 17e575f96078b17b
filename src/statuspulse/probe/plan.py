"""An assigned monitor made ready to run, and one slot of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from statuspulse.domain.monitor import MonitorType, Retry
from statuspulse.domain.result import ResultKind
from statuspulse.domain.schedule import Grid, Strategy
from statuspulse.domain.specs.registry import Spec
from statuspulse.domain.times import SECOND
from statuspulse.probe.check import Check
from statuspulse.probe.places import Claim
from statuspulse.protocol.conversion import spec_of
from statuspulse.protocol.documents import AssignedMonitor


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is run for a monitor, and when. `team_id` is empty for a look beside the schedule, which takes no place."""

    monitor_id: str
    team_id: str
    region: str
    config_version: int
    grid: Grid
    spec: Spec
    check: Check[Any]
    timeout_ms: int
    retry: Retry

    @classmethod
    def of(cls, assigned: AssignedMonitor, region: str, checks: Mapping[MonitorType, Check[Any]]) -> Plan:
        """Raises ValueError or ValidationError for what this probe cannot run, as a type that it does not know."""
        interval = assigned.interval_seconds * SECOND
        return cls(
            monitor_id=assigned.monitor_id,
            team_id=assigned.team_id,
            region=region,
            config_version=assigned.config_version,
            grid=Grid.of(
                assigned.monitor_id,
                interval,
                assigned.region_index,
                assigned.region_count,
                Strategy(assigned.region_strategy),
            ),
            spec=spec_of(assigned.type, assigned.spec),
            check=checks[MonitorType(assigned.type)],
            timeout_ms=assigned.timeout_ms,
            retry=Retry(count=assigned.retry.count, delay_ms=assigned.retry.delay_ms),
        )


@dataclass(slots=True, eq=False)
class Slot:
    """One slot that has begun. `next_at` is when the next one is due; instants in ms.

    `claim` is the place that it holds, none for a look beside the schedule; `seen_at` is what its check has dialled.
    """

    plan: Plan
    scheduled_at: int
    kind: ResultKind
    lag_us: int
    next_at: int
    claim: Claim[Any] | None = None
    seen_at: str | None = None
