"""A world in which incidents are open, channels exist and a receiver listens."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from statuspulse.delivery.registry import channels
from statuspulse.egress.gate import Gate
from statuspulse.egress.http_client import HttpClient
from statuspulse.egress.policy import Policy
from statuspulse.storage.database import Database
from tests.delivery.receiver import Receiver
from tests.delivery.world import World
from tests.targets import until


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as made:
        yield made


@pytest.fixture
async def world(database: Database, receiver: Receiver) -> AsyncIterator[World]:
    gate = Gate(Policy.parse(probe_deny="", delivery_allow="127.0.0.0/8", operator_urls=()))
    kinds = channels(HttpClient(gate), slack_base_url=receiver.url)
    yield World(database, receiver, kinds)
    gate.close()
    # A read whose caller was cancelled ends in its thread.
    await until(lambda: "Current Checked out connections: 0" in database.engines.reader.pool.status())
