"""The loop on virtual time: jumps where nothing is ready, stands still while a thread works."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable

import pytest
from sqlalchemy import Connection, func, select

from statuspulse.domain.times import DAY, HOUR, SECOND
from statuspulse.storage.database import Database
from statuspulse.storage.schema import regions
from tests.virtual_time import START, StuckError, VirtualTimeLoop

pytestmark = pytest.mark.virtual_time


async def test_a_week_passes_in_no_time(now: Callable[[], int]) -> None:
    began = time.monotonic()
    await asyncio.sleep(7 * DAY / SECOND)
    assert now() == START + 7 * DAY
    assert time.monotonic() - began < 5


async def test_timers_run_in_their_order_and_at_their_time(now: Callable[[], int]) -> None:
    seen: list[tuple[str, int]] = []

    async def tick(name: str, every: float) -> None:
        while True:
            await asyncio.sleep(every)
            seen.append((name, now() - START))

    async def both() -> None:
        async with asyncio.timeout(7), asyncio.TaskGroup() as tasks:
            tasks.create_task(tick("two", 2), name="two")
            tasks.create_task(tick("three", 3), name="three")

    with pytest.raises(TimeoutError):
        await both()
    assert sorted(seen, key=lambda entry: entry[1]) == seen
    assert sorted(seen) == [("three", 3000), ("three", 6000), ("two", 2000), ("two", 4000), ("two", 6000)]
    assert now() - START == 7000


async def test_ten_thousand_ticks_do_not_drift(now: Callable[[], int]) -> None:
    loop = asyncio.get_running_loop()
    for number in range(1, 10_001):
        await asyncio.sleep(0.1)
        assert now() - START == number * 100
    assert loop.time() == pytest.approx(1000, abs=1e-6)


async def test_time_stands_still_while_a_write_is_under_way(sqlite_database: Database, now: Callable[[], int]) -> None:
    """An hour's timer waits in the same loop: it must not go off while the database thread works."""
    moments: list[int] = []

    def slow(connection: Connection) -> int:
        threading.Event().wait(0.05)
        return connection.scalar(select(func.count()).select_from(regions)) or 0

    async def work() -> None:
        for _ in range(3):
            await sqlite_database.write(slow)
            moments.append(now() - START)
            await sqlite_database.read(slow)
            moments.append(now() - START)
            await asyncio.sleep(1)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(asyncio.sleep(HOUR / SECOND), name="waiting")
        tasks.create_task(work(), name="working")
    assert moments == [0, 0, 1000, 1000, 2000, 2000]
    assert now() - START == HOUR


async def test_time_stands_still_for_other_threads_too(now: Callable[[], int]) -> None:
    async def wait() -> None:
        await asyncio.to_thread(threading.Event().wait, 0.05)
        assert now() == START

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(asyncio.sleep(1), name="waiting")
        tasks.create_task(wait(), name="working")


async def test_a_work_that_is_cancelled_lets_time_go_on(sqlite_database: Database, now: Callable[[], int]) -> None:
    release = threading.Event()
    sqlite_database.submit(lambda _: release.wait(20))

    async with asyncio.TaskGroup() as tasks:
        writing = tasks.create_task(sqlite_database.write(lambda _: None), name="writing")
        await asyncio.sleep(0)
        writing.cancel()
    await asyncio.sleep(60)
    assert now() - START == 60 * SECOND
    release.set()


def test_waiting_for_what_never_comes_is_told_at_once() -> None:
    loop = VirtualTimeLoop()
    never = loop.create_future()
    with pytest.raises(StuckError):
        loop.run_until_complete(never)
    never.cancel()
    loop.close()


async def test_the_marker_chooses_the_loop() -> None:
    assert isinstance(asyncio.get_running_loop(), VirtualTimeLoop)


def test_time_can_be_held_for_what_the_loop_cannot_see() -> None:
    """Two ends of a connection in one loop: nothing is ready for a moment while the kernel carries the bytes."""
    loop = VirtualTimeLoop()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readline())
        writer.close()
        await writer.wait_closed()

    async def talk() -> bytes:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        async with server, asyncio.timeout(1):
            with loop.standing_still():
                reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
                writer.write(b"hello\n")
                line = await reader.readline()
                writer.close()
                await writer.wait_closed()
        return line

    assert loop.run_until_complete(talk()) == b"hello\n"
    assert loop.time() == 0
    loop.close()
