"""A world in which incidents are open, channels exist and a receiver listens."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from statuspulse.delivery.registry import channels
from statuspulse.delivery.vendors import Vendors
from statuspulse.egress.gate import Gate
from statuspulse.egress.policy import Policy
from statuspulse.storage.database import Database
from tests.delivery.receiver import Receiver
from tests.delivery.world import Clock, World
from tests.targets import until

PUBLIC_URL = "https://status.acme.example"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as made:
        yield made


@pytest.fixture
async def world(database: Database, receiver: Receiver) -> AsyncIterator[World]:
    gate = Gate(Policy.parse(probe_deny="", delivery_allow="127.0.0.0/8", operator_urls=()))
    vendors = Vendors(slack=receiver.url)
    clock = Clock()
    yield World(database, receiver, channels(gate, public_url=PUBLIC_URL, now=clock, vendors=vendors), clock)
    gate.close()
    # A read whose caller was cancelled ends in its thread.
    await until(lambda: "Current Checked out connections: 0" in database.engines.reader.pool.status())
