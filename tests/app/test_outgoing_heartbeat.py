"""The dead man's switch with all that it speaks for: a real engine, dispatcher, API, probe and receiver."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

import pytest
from sqlalchemy import Connection, Table, func, select
from structlog.testing import capture_logs

from statuspulse.api.app import create_api
from statuspulse.app.connections import Bounds
from statuspulse.app.outgoing_heartbeat import OutgoingHeartbeat
from statuspulse.app.web_server import WebServer, base_url, bound, listen
from statuspulse.bus.bus import Topic
from statuspulse.bus.local import LocalBus
from statuspulse.delivery.canary import Canary
from statuspulse.delivery.dispatcher import Dispatcher
from statuspulse.domain.secret import Secret
from statuspulse.egress.gate import Gate
from statuspulse.egress.http_client import HttpClient
from statuspulse.egress.policy import Policy
from statuspulse.engine.canary_look import CanaryLook
from statuspulse.engine.engine import Engine
from statuspulse.engine.jobs import Jobs
from statuspulse.engine.liveness import Liveness
from statuspulse.metrics import Metrics
from statuspulse.probe import agent
from statuspulse.probe.agent import ProbeSettings
from statuspulse.probe.wheel import Wheel
from statuspulse.storage import schema
from statuspulse.storage.connect import sqlite_module, sqlite_url
from statuspulse.storage.database import Database
from statuspulse.storage.sealing import Keyring
from tests.api.parts import parts_of
from tests.api.server import make_tokens
from tests.targets import HttpTarget, Mood, until
from tests.targets import wall_ms as wall

# A canary gets so long; on a busy machine it needs a good part of a second.
_PERIOD = 4


@dataclass
class Instance:
    """Everything that watches, in this loop; `parts` are what a test lets stand still."""

    folder: Path
    database: Database
    metrics: Metrics
    heartbeat: OutgoingHeartbeat
    liveness: Liveness
    url: str
    probe_key: str
    parts: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    async def stand_still(self, part: str) -> None:
        self.parts[part].cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.parts[part]

    @asynccontextmanager
    async def probing(self) -> AsyncIterator[None]:
        stop = asyncio.Event()
        settings = ProbeSettings(
            server_url=self.url,
            key=Secret(self.probe_key),
            data_dir=self.folder / "probe",
            policy=Policy(),
            version="1.2.3",
            boot_id="boot_1",
        )
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(agent.run(settings, wall=wall, monotonic=monotonic, stop=stop))
            try:
                await until(lambda: self.liveness.online(wall()))
                yield
            finally:
                stop.set()

    def rows(self, table: Table) -> int:
        query = select(func.count()).select_from(table)
        return self.database.read_now(lambda connection: connection.scalar(query)) or 0

    async def beat(self) -> str | None:
        """None where it was sent, else the reason that the log tells."""
        with capture_logs() as lines:
            is_sent = await self.heartbeat.beat()
        told = [line["reason"] for line in lines if line["event"] == "outgoing_heartbeat.not_sent"]
        assert is_sent == (not told)
        return told[0] if told else None


@pytest.fixture
def receiver() -> Iterator[HttpTarget]:
    with HttpTarget() as started:
        yield started


@pytest.fixture
async def instance(tmp_path: Path, receiver: HttpTarget) -> AsyncIterator[Instance]:
    database, keyring = Database(sqlite_url(tmp_path / "statuspulse.db")), Keyring(b"k" * 32)
    bus, metrics, liveness = LocalBus(), Metrics(), Liveness()
    jobs, gate, stop = Jobs(bus), Gate(Policy()), asyncio.Event()

    def prepare(connection: Connection) -> str:
        schema.metadata.create_all(connection)
        return make_tokens(connection, keyring)

    probe_key = await database.write(prepare)
    parts = parts_of(database, keyring, bus, jobs, liveness, metrics, stop)
    server = WebServer(create_api(parts), Bounds())
    with bound("127.0.0.1", 0) as listening, contextlib.closing(gate):
        listen(listening)
        client, own_url = HttpClient(gate), f"{base_url(listening)}/healthz"
        canary = Canary(database, bus, client, url=own_url, now=wall)
        look = CanaryLook(jobs, liveness, url=own_url, regions=lambda: ["local"], now=wall)
        dispatcher = Dispatcher(
            database, keyring, bus, {}, metrics, now=wall, owner="one", random=lambda: 0.5, canary=canary.hand_over
        )
        engine = Engine(database, bus, jobs, liveness, metrics, mutes_flapping=True, now=wall)
        heartbeat = OutgoingHeartbeat(
            Secret(f"{receiver.url}/ping/key?from=us"),
            _PERIOD,
            [look.fly, canary.fly],
            client,
            metrics,
            now=wall,
            monotonic=monotonic,
        )
        started = Instance(tmp_path, database, metrics, heartbeat, liveness, base_url(listening), probe_key)
        async with asyncio.TaskGroup() as tasks:
            serving = tasks.create_task(server.run_on(listening))
            started.parts = {
                "engine": asyncio.create_task(engine.run()),
                "dispatcher": asyncio.create_task(dispatcher.run()),
            }
            yield started
            stop.set()
            jobs.close()
            bus.wake(Topic.CATALOG)
            server.should_exit = True
            await serving
            for part in started.parts:
                await started.stand_still(part)
    database.close()


async def test_it_is_sent_while_everything_works_and_leaves_nothing_behind(
    instance: Instance, receiver: HttpTarget
) -> None:
    async with instance.probing():
        assert [await instance.beat() for _ in range(3)] == [None] * 3
    assert [arrival.what for arrival in receiver.arrivals] == ["GET /ping/key?from=us HTTP/1.1"] * 3
    tables = (schema.outbox, schema.delivery_attempts, schema.results, schema.events)
    assert [instance.rows(table) for table in tables] == [1, 1, 0, 0]
    told = instance.metrics.text()
    assert 'statuspulse_outgoing_heartbeats_total{outcome="sent"} 3.0' in told
    assert "statuspulse_notifications_total{" not in told
    assert "ping/key" not in told + repr(instance.heartbeat)


async def test_it_is_silent_while_a_part_stands_still(instance: Instance, receiver: HttpTarget) -> None:
    """Each of them lives: the process does, and answers whoever asks whether it does."""
    assert await instance.beat() == "probe_silent"
    async with instance.probing():
        assert await instance.beat() is None
        await instance.stand_still("dispatcher")
        assert await instance.beat() == "message_stuck"
        await instance.stand_still("engine")
        assert await instance.beat() == "probe_silent"
    assert len(receiver.arrivals) == 1
    assert 'statuspulse_outgoing_heartbeats_total{outcome="withheld"} 3.0' in instance.metrics.text()


async def test_it_is_silent_while_the_database_takes_no_change(instance: Instance, receiver: HttpTarget) -> None:
    async with instance.probing():
        path = instance.folder / "statuspulse.db"
        with contextlib.closing(sqlite_module().connect(path, timeout=10, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            assert await instance.beat() is not None
            other.execute("ROLLBACK")
        assert receiver.arrivals == []

        async def sent() -> bool:
            return await instance.heartbeat.beat()

        while not await sent():  # what was put off is caught up with first
            pass


async def test_it_is_silent_while_a_probe_lives_whose_wheel_does_not_turn(
    instance: Instance, receiver: HttpTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its looks beside the schedule go on; what its heartbeat tells of the wheel is what counts."""
    monkeypatch.setattr(Wheel, "next_due", lambda _wheel: wall() - 60_000)
    async with instance.probing():
        assert await instance.beat() == "schedule_stands_still"
    assert receiver.arrivals == []


@pytest.mark.parametrize(("mood", "reason"), [(Mood.WRONG, "http_503"), (Mood.REFUSING, "connect_refused")])
async def test_what_is_not_taken_out_there_is_told_once_and_tried_again(
    instance: Instance, receiver: HttpTarget, mood: Mood, reason: str
) -> None:
    receiver.mood = mood
    async with instance.probing():
        assert await instance.beat() == reason
        with capture_logs() as lines:
            assert not await instance.heartbeat.beat()
        assert [line for line in lines if line["event"].startswith("outgoing_heartbeat")] == []
        receiver.mood = Mood.HEALTHY
        assert await instance.beat() is None
