"""A world with PagerDuty on the other side."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from statuspulse.delivery.registry import providers
from statuspulse.delivery.vendors import Vendors
from statuspulse.egress.gate import Gate
from statuspulse.egress.policy import Policy
from statuspulse.storage.database import Database
from tests.emulators.pagerduty import PagerDuty
from tests.integrations.world import Clock, World

PUBLIC_URL = "https://status.acme.example"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pagerduty(clock: Clock) -> Iterator[PagerDuty]:
    with PagerDuty(clock.text) as emulator:
        yield emulator
        assert emulator.refused == []


@pytest.fixture
async def world(sqlite_database: Database, pagerduty: PagerDuty, clock: Clock) -> AsyncIterator[World]:
    gate = Gate(Policy.parse(probe_deny="", delivery_allow="127.0.0.0/8", operator_urls=()))
    vendors = Vendors(pagerduty=f"{pagerduty.url}/v2/enqueue", pagerduty_api=pagerduty.url)
    loop = asyncio.get_running_loop()
    found = providers(gate, public_url=PUBLIC_URL, vendors=vendors, clock=loop.time)
    yield World(sqlite_database, found, clock)
    gate.close()
