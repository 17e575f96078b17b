"""Pings on their way into the database, and the watch over them, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from statuspulse.bus.local import LocalBus
from statuspulse.domain.heartbeat import Signal
from statuspulse.domain.throttle import DEFAULTS
from statuspulse.engine.heartbeat_watch import HeartbeatWatch
from statuspulse.engine.heartbeats import Ping, Taken
from statuspulse.engine.pings import Pings
from statuspulse.storage.database import Database, DatabaseUnavailableError
from tests.engine.job import Job, begin

pytestmark = pytest.mark.virtual_time


def signal_of(job: Job, at: int, signal: Signal = Signal.SUCCESS) -> Ping:
    return Ping(digest=job.digest, signal=signal, at=at)


async def test_the_watch_finds_a_late_job_by_itself(sqlite_database: Database, now: Callable[[], int]) -> None:
    job = Job.of(begin(sqlite_database), grace_seconds=5, period_seconds=20)
    bus = LocalBus()
    pings = Pings(sqlite_database, bus, limit=DEFAULTS["ping"], mutes_flapping=True, now=now)
    watch = HeartbeatWatch(sqlite_database, bus, mutes_flapping=True, now=now)
    async with asyncio.TaskGroup() as tasks:
        watching = tasks.create_task(watch.run())
        for _ in range(10):
            assert await pings.take(signal_of(job, now())) is Taken.COUNTED
            await asyncio.sleep(20)
            assert job.state == "up"
        await asyncio.sleep(4.5)
        assert job.state == "up"
        await asyncio.sleep(5)
        assert job.state == "down"
        assert await pings.take(signal_of(job, now())) is Taken.COUNTED
        assert job.state == "up"
        watching.cancel()


async def test_pings_that_come_together_are_told_each_its_own_outcome(
    sqlite_database: Database, now: Callable[[], int]
) -> None:
    world = begin(sqlite_database)
    live, resting = Job.of(world), Job.of(world)
    world.pause(resting.id, now())
    pings = Pings(sqlite_database, LocalBus(), limit=DEFAULTS["ping"], mutes_flapping=True, now=now)
    nobody = Ping(digest=b"nobody", signal=Signal.SUCCESS, at=now())
    told = await asyncio.gather(
        *(pings.take(ping) for _ in range(70) for ping in (signal_of(live, now()), nobody, signal_of(resting, now())))
    )
    assert told == [Taken.COUNTED, Taken.UNKNOWN, Taken.PAUSED] * 70
    assert len(live.told()) == 70


async def test_a_database_that_takes_nothing_is_told_to_everyone_who_waits(
    sqlite_database: Database, now: Callable[[], int]
) -> None:
    job = Job.of(begin(sqlite_database))
    pings, ping = (
        Pings(sqlite_database, LocalBus(), limit=DEFAULTS["ping"], mutes_flapping=True, now=now),
        signal_of(job, now()),
    )
    sqlite_database.close()
    told = await asyncio.gather(*(pings.take(ping) for _ in range(3)), return_exceptions=True)
    assert [type(one) for one in told] == [DatabaseUnavailableError] * 3


async def test_a_key_that_ended_is_looked_up_again(sqlite_database: Database, now: Callable[[], int]) -> None:
    world = begin(sqlite_database)
    job = Job.of(world)
    pings, ping = (
        Pings(sqlite_database, LocalBus(), limit=DEFAULTS["ping"], mutes_flapping=True, now=now),
        signal_of(job, now()),
    )
    assert await pings.is_key(ping.digest)
    world.delete(job.id, now())
    assert await pings.is_key(ping.digest)  # kept, and worth nothing
    assert await pings.take(ping) is Taken.UNKNOWN
    assert not await pings.is_key(ping.digest)


async def test_a_quota_is_a_burst_and_then_a_rate(sqlite_database: Database, now: Callable[[], int]) -> None:
    pings = Pings(sqlite_database, LocalBus(), limit=DEFAULTS["ping"], mutes_flapping=True, now=now)
    assert [pings.wait_seconds(b"one") for _ in range(61)] == [0] * 60 + [1]
    assert pings.wait_seconds(b"other") == 0
    await asyncio.sleep(1)
    assert [pings.wait_seconds(b"one") for _ in range(2)] == [0, 1]
    await asyncio.sleep(3600)
    assert [pings.wait_seconds(b"one") for _ in range(61)] == [0] * 60 + [1]
