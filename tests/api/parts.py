"""What the API is made of where a test runs it in its own loop, beside parts that it holds in its hands."""

from __future__ import annotations

import asyncio
from time import monotonic

from statuspulse.api.dependencies import CheckOutcome, Dependencies
from statuspulse.api.overload import PLACES
from statuspulse.bus.bus import Topic
from statuspulse.bus.local import LocalBus
from statuspulse.egress.policy import Policy
from statuspulse.engine.jobs import Jobs
from statuspulse.engine.liveness import Liveness
from statuspulse.metrics import Metrics
from statuspulse.storage.database import Database
from statuspulse.storage.sealing import Keyring
from tests.api.server import PUBLIC_URL
from tests.targets import wall_ms


def parts_of(
    database: Database,
    keyring: Keyring,
    bus: LocalBus,
    jobs: Jobs,
    liveness: Liveness,
    metrics: Metrics,
    stop: asyncio.Event,
) -> Dependencies:
    """Without limits of rate; it is stopping once `stop` is set."""
    return Dependencies(
        database=database,
        keyring=keyring,
        policy=Policy(),
        now=wall_ms,
        monotonic=monotonic,
        public_url=PUBLIC_URL,
        trusted_proxies=(),
        min_interval_seconds=1,
        wake=lambda: bus.wake(Topic.CATALOG),
        checks={"database": _holds},
        series=_series,
        bus=bus,
        jobs=jobs,
        liveness=liveness,
        metrics=metrics,
        is_stopping=stop.is_set,
        rate_limits={},
        places=PLACES,
        mutes_flapping=True,
        is_read_only=lambda: False,
    )


async def _holds() -> CheckOutcome:
    return CheckOutcome(ok=True, value=None)


async def _series(_team: str | None) -> str:
    return ""
