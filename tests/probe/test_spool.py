"""The spool on a real file system: what it keeps, what it drops, what it survives."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import resource
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from statuspulse.domain.failure import MissReason
from statuspulse.domain.result import Gap, Observation, Result, ResultKind
from statuspulse.domain.times import DAY, HOUR, SECOND, from_datetime
from statuspulse.probe.records import gap_record, result_record
from statuspulse.probe.segment import segments_in
from statuspulse.probe.spool import Bounds, Spool
from statuspulse.protocol.documents import Item

T = 1_800_000_000_000
ROOMY = Bounds()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "spool"


MONITOR = "mon_9x2k4p7q"


def a_result(number: int, monitor_id: str = MONITOR, kind: ResultKind = ResultKind.SCHEDULED) -> Result:
    """One whose size tells it from others; the monitor was due every second."""
    return Result(
        monitor_id=monitor_id,
        region="local",
        scheduled_at=T + number * SECOND,
        kind=kind,
        round=0,
        lag_us=0,
        observed_at=T,
        attempt=1,
        config_version=1,
        observation=Observation(bytes_read=number),
    )


def a_record(number: int) -> Callable[[int], bytes]:
    return lambda seq: result_record(seq, a_result(number))


def put(spool: Spool, *numbers: int, at: int = T) -> None:
    for number in numbers:
        spool.append(at, a_record(number))


def put_of(spool: Spool, monitor_id: str, *numbers: int, kind: ResultKind = ResultKind.SCHEDULED) -> None:
    for number in numbers:
        spool.append(T, lambda seq, number=number: result_record(seq, a_result(number, monitor_id, kind)))  # type: ignore[misc]


def put_gap(spool: Spool, first: int, last: int, reason: MissReason) -> None:
    start, end = T + first * SECOND, T + last * SECOND
    gap = Gap(monitor_id=MONITOR, region="local", from_at=start, to_at=end, count=last - first + 1, reason=reason)
    spool.append(T, lambda seq: gap_record(seq, gap))


async def items_of(spool: Spool) -> list[Item]:
    batch = await spool.batch(limit=1_000_000, limit_bytes=1 << 30)
    return [] if batch is None else [msgspec.msgpack.decode(record, type=Item) for record in batch.records]


async def shipped(spool: Spool) -> list[Item]:
    """Everything, batch after batch, each committed."""
    found: list[Item] = []
    while items := await items_of(spool):
        found += items
        await spool.commit(items[-1].seq)
    return found


def in_words(item: Item) -> tuple[str, int, int, int | None, str | None]:
    """A gap as (monitor, first second, last second, count, reason)."""
    assert item.from_at is not None
    assert item.to_at is not None
    first, last = ((from_datetime(at) - T) // SECOND for at in (item.from_at, item.to_at))
    return item.monitor_id, first, last, item.count, item.reason


async def lost(spool: Spool) -> list[tuple[str, int, int, int | None, str | None]]:
    """The gaps that would be shipped next."""
    return [in_words(item) for item in await items_of(spool) if item.kind == "gap"]


async def held(spool: Spool, *, limit: int = 1_000_000) -> list[tuple[int, int]]:
    """(seq, number) of what would be shipped next."""
    batch = await spool.batch(limit=limit, limit_bytes=1 << 30)
    if batch is None:
        return []
    items = [msgspec.msgpack.decode(record, type=Item) for record in batch.records]
    assert [item.seq for item in items] == list(range(batch.first, batch.first + len(items)))
    return [(item.seq, item.bytes) for item in items]


async def sure(folder: Path, *, committed: int = 0, bounds: Bounds = ROOMY) -> Spool:
    """A spool that has heard from the control plane."""
    spool = Spool(folder, bounds)
    await spool.commit(committed)
    return spool


async def test_records_come_back_in_order_with_rising_numbers(folder: Path) -> None:
    spool = await sure(folder)
    put(spool, 11, 12, 13)
    assert await held(spool) == [(1, 11), (2, 12), (3, 13)]
    assert spool.depth == 3
    assert spool.oldest_at == T


async def test_a_batch_is_bounded_in_number_and_in_bytes_but_never_empty(folder: Path) -> None:
    spool = await sure(folder)
    put(spool, 11, 12, 13)
    assert len(await held(spool, limit=2)) == 2
    size = len(a_record(11)(1))
    for limit_bytes, expected in ((1, 1), (2 * size, 2), (2 * size + 1, 2), (3 * size, 3)):
        batch = await spool.batch(limit=100, limit_bytes=limit_bytes)
        assert batch is not None
        assert len(batch.records) == expected


async def test_what_is_committed_is_forgotten(folder: Path) -> None:
    spool = await sure(folder)
    put(spool, 11, 12, 13)
    await spool.commit(2)
    assert await held(spool) == [(3, 13)]
    await spool.commit(1)
    assert await held(spool) == [(3, 13)]
    await spool.commit(3)
    assert await held(spool) == []
    assert spool.oldest_at is None


async def test_a_restart_goes_on_where_the_last_run_ended(folder: Path) -> None:
    spool = await sure(folder)
    put(spool, 11, 12)
    await spool.flush(T)
    again = await sure(folder)
    put(again, 13)
    assert await held(again, limit=2) == [(1, 11), (2, 12)]
    await again.commit(2)
    assert await held(again) == [(3, 13)]


async def test_what_was_not_flushed_is_not_there_after_a_restart(folder: Path) -> None:
    spool = await sure(folder)
    put(spool, 11)
    await spool.flush(T)
    put(spool, 12)
    again = Spool(folder, ROOMY)
    assert again.next_seq == 2


async def test_numbers_go_on_although_everything_was_committed(folder: Path) -> None:
    spool = await sure(folder)
    put(spool, 11, 12)
    await spool.flush(T)
    await spool.commit(2)
    await spool.flush(T)
    again = await sure(folder, committed=2)
    assert again.next_seq == 3
    assert again.depth == 0


@pytest.mark.parametrize("cut", [1, 5, 30])
async def test_a_torn_tail_is_cut_off(folder: Path, cut: int) -> None:
    spool = await sure(folder)
    put(spool, 11, 12, 13)
    await spool.flush(T)
    (file,) = segments_in(folder)
    os.truncate(file, file.stat().st_size - cut)
    again = await sure(folder)
    assert await held(again) == [(1, 11), (2, 12)]
    put(again, 14)
    await again.flush(T)
    third = await sure(folder)
    assert await held(third) == [(1, 11), (2, 12), (3, 14)]


async def test_a_damaged_record_ends_the_file(folder: Path) -> None:
    spool = await sure(folder)
    put(spool, 11, 12, 13)
    await spool.flush(T)
    (file,) = segments_in(folder)
    content = bytearray(file.read_bytes())
    content[len(content) * 2 // 3 - 3] ^= 1
    file.write_bytes(content)
    assert await held(await sure(folder)) == [(1, 11)]


async def test_zeros_that_a_power_cut_left_are_no_records(folder: Path) -> None:
    spool = await sure(folder)
    put(spool, 11)
    await spool.flush(T)
    (file,) = segments_in(folder)
    with file.open("ab") as tail:
        tail.write(bytes(4096))
    again = await sure(folder)
    assert await held(again) == [(1, 11)]


async def test_what_was_committed_before_it_was_written_leaves_no_trap(folder: Path) -> None:
    spool = await sure(folder)
    put(spool, 11)
    await spool.flush(T)
    put(spool, 12)
    await spool.commit(2)
    put(spool, 13)
    await spool.flush(T)
    again = await sure(folder, committed=2)
    assert await held(again) == [(3, 13)]


async def test_whole_segments_go_when_they_are_committed(folder: Path) -> None:
    spool = await sure(folder)
    for _ in range(40):
        put(spool, *range(1000))
        await spool.flush(T)
    assert len(segments_in(folder)) >= 3
    await spool.commit(39_999)
    await spool.flush(T)
    assert len(segments_in(folder)) == 1
    assert await held(spool) == [(40_000, 999)]


async def test_more_than_memory_holds_is_read_back_from_disk(folder: Path) -> None:
    spool = await sure(folder, bounds=Bounds(memory=10_000))
    for base in range(0, 30_000, 1000):
        put(spool, *range(base, base + 1000))
        await spool.flush(T)
    assert spool._memory_bytes <= 10_000
    seen: list[tuple[int, int]] = []
    while batch := await held(spool, limit=1000):
        seen += batch
        await spool.commit(batch[-1][0])
    assert seen == [(number + 1, number) for number in range(30_000)]
    assert spool.dropped_total == 0


async def test_a_full_spool_drops_the_oldest_counts_them_and_says_so(folder: Path) -> None:
    spool = await sure(folder, bounds=Bounds(disk=2 << 20, memory=1 << 20))
    for _ in range(60):
        put(spool, *range(1000))
        await spool.flush(T)
    on_disk = sum(file.stat().st_size for file in segments_in(folder))
    assert on_disk <= 2 << 20
    batch = await spool.batch(limit=10, limit_bytes=1 << 20)
    assert batch is not None
    assert batch.dropped_through == batch.first - 1
    # In place of all that is dropped stands one gap.
    assert spool.dropped_total == batch.first == 60_001 - spool.depth
    await spool.commit(batch.first)
    after = await spool.batch(limit=10, limit_bytes=1 << 20)
    assert after is not None
    assert after.dropped_through is None


async def test_what_is_older_than_a_day_is_dropped(folder: Path) -> None:
    spool = await sure(folder)
    put(spool, 11, 12, at=T)
    await spool.flush(T)
    await spool.flush(T + DAY)
    assert spool.depth == 2
    put(spool, 13, at=T + DAY + HOUR)
    await spool.flush(T + DAY + HOUR)
    assert await lost(spool) == [(MONITOR, 11, 12, 2, "spool_overflow")]
    assert (await held(spool))[1:] == [(3, 13)]
    assert spool.dropped_total == 2


async def test_what_is_dropped_is_told_per_monitor_ahead_of_what_is_left(folder: Path) -> None:
    spool = await sure(folder, bounds=Bounds(disk=40_000))
    for number in range(1, 101):
        put(spool, number)
        put_of(spool, "mon_22222222", *range(3 * number, 3 * number + 3))
        put_of(spool, "mon_33333333", number, kind=ResultKind.RECHECK)
        await spool.flush(T)
    first, second, *rest = await items_of(spool)
    ours, theirs = in_words(first), in_words(second)
    assert ours == (MONITOR, 1, ours[3], ours[3], "spool_overflow")
    assert theirs == ("mon_22222222", 3, theirs[2], theirs[2] - 2, "spool_overflow")
    assert "gap" not in {item.kind for item in rest}
    # Every slot is either told or in a gap, and a recheck is no slot.
    assert sum(item.monitor_id == MONITOR for item in rest) + (ours[3] or 0) == 100
    assert sum(item.monitor_id == "mon_22222222" for item in rest) + (theirs[3] or 0) == 300
    batch = await spool.batch(limit=1, limit_bytes=1)
    assert batch is not None
    assert batch.dropped_through == batch.first - 1 > 0
    assert spool.dropped_total == 500 - len(rest)


async def test_what_is_told_survives_a_restart_and_grows_after_it(folder: Path) -> None:
    bounds = Bounds(disk=8_000)
    spool = await sure(folder, bounds=bounds)
    for number in range(100):
        put(spool, number)
        await spool.flush(T)
    before = await lost(spool)
    spool = await sure(folder, bounds=bounds)
    assert await lost(spool) == before
    for number in range(100, 200):
        put(spool, number)
        await spool.flush(T)
    ((_, first, last, count, _),) = await lost(spool)
    kept = [number for _, number in (await held(spool))[1:]]
    assert (first, count) == (0, last + 1)
    assert kept == list(range(last + 1, 200))


async def test_what_was_committed_in_between_is_not_told_as_lost(folder: Path) -> None:
    spool = await sure(folder, bounds=Bounds(disk=8_000))
    for number in range(100):
        put(spool, number)
        await spool.flush(T)
    ((_, _, last, _, _),) = await lost(spool)
    await spool.commit(last + 11)  # the gap, and ten results behind it
    for number in range(100, 200):
        put(spool, number)
        await spool.flush(T)
    ((_, first, _, _, _),) = await lost(spool)
    assert first == last + 11


async def test_a_gap_that_is_dropped_keeps_its_reason(folder: Path) -> None:
    spool = await sure(folder, bounds=Bounds(disk=8_000))
    put_gap(spool, 0, 9, MissReason.OVERLOAD)
    for number in range(10, 100):
        put(spool, number)
        await spool.flush(T)
    overload, overflow = await lost(spool)
    assert overload == (MONITOR, 0, 9, 10, "overload")
    assert overflow[1:2] + overflow[4:] == (10, "spool_overflow")
    assert spool.dropped_total == overflow[3]


async def test_a_word_about_losses_is_forgotten_when_it_is_committed(folder: Path) -> None:
    spool = await sure(folder, bounds=Bounds(disk=8_000))
    for number in range(100):
        put(spool, number)
        await spool.flush(T)
    told = await items_of(spool)
    await spool.commit(told[0].seq)
    await spool.flush(T)
    again = await sure(folder, committed=told[0].seq)
    assert [item.seq for item in await shipped(again)] == [item.seq for item in told[1:]]


async def test_words_about_what_is_still_on_disk_after_a_crash_are_not_told_beside_it(folder: Path) -> None:
    """The run ended when the gap was on disk and what it is about was not deleted yet."""
    spool = await sure(folder, bounds=Bounds(disk=8_000))
    for number in range(40):
        put(spool, number)
        await spool.flush(T)
    old = {path: path.read_bytes() for path in segments_in(folder)}
    for number in range(40, 100):
        put(spool, number)
        await spool.flush(T)
    ((_, _, last, _, _),) = await lost(spool)
    for path, content in old.items():
        if int(path.stem) + 5 < last:
            path.write_bytes(content)
    again = await sure(folder, bounds=Bounds(disk=8_000))
    assert await shipped(again) == await items_of(spool)


async def test_a_lost_spool_goes_on_behind_what_is_committed(folder: Path) -> None:
    spool = Spool(folder, ROOMY)
    put(spool, 11, 12)
    await spool.flush(T)
    put(spool, 13)
    await spool.commit(500)
    assert await held(spool) == [(501, 11), (502, 12), (503, 13)]
    put(spool, 14)
    await spool.flush(T)
    again = await sure(folder, committed=501)
    assert await held(again) == [(502, 12), (503, 13), (504, 14)]


async def test_numbers_given_twice_are_noticed_although_some_of_them_are_behind(folder: Path) -> None:
    """The spool was lost, and offline more was made than had been committed before."""
    spool = Spool(folder, ROOMY)
    put(spool, *range(11, 21))
    await spool.flush(T)
    await spool.commit(3)
    assert await held(spool) == [(4 + place, 11 + place) for place in range(10)]


async def test_unsure_numbers_stay_unsure_over_a_restart(folder: Path) -> None:
    spool = Spool(folder, ROOMY)
    put(spool, 11, 12)
    await spool.flush(T)
    again = Spool(folder, ROOMY)
    put(again, 13)
    await again.commit(1)
    assert await held(again) == [(2, 11), (3, 12), (4, 13)]


async def test_sure_numbers_are_not_given_again(folder: Path) -> None:
    spool = await sure(folder)
    put(spool, 11, 12)
    await spool.flush(T)
    again = Spool(folder, ROOMY)
    await again.commit(1)
    assert await held(again) == [(2, 12)]


async def test_a_record_that_nobody_can_read_can_be_given_up(folder: Path) -> None:
    spool = await sure(folder)
    put(spool, 11, 12)
    spool.give_up_first()
    batch = await spool.batch(limit=10, limit_bytes=1000)
    assert batch is not None
    assert (batch.first, batch.dropped_through) == (2, 1)


@contextlib.contextmanager
def small_files() -> Iterator[None]:
    """No file may grow beyond 4 KiB: to whoever writes that is a full disk, the log of this run included."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)


def on_a_full_disk(test: Callable[[Path], Coroutine[Any, Any, None]]) -> Callable[[Path], Coroutine[Any, Any, None]]:
    """The limit ends with the test's own code: what is written about it afterwards has to find room."""

    @functools.wraps(test)
    async def limited(folder: Path) -> None:
        with small_files():
            await test(folder)

    return limited


@on_a_full_disk
async def test_a_full_disk_stops_nothing_and_loses_nothing_at_once(folder: Path) -> None:
    spool = await sure(folder)
    for base in range(0, 500, 50):
        put(spool, *range(base, base + 50))
        await spool.flush(T)
    assert await held(spool) == [(number + 1, number) for number in range(500)]
    assert spool.dropped_total == 0


@on_a_full_disk
async def test_a_refused_write_leaves_no_torn_tail(folder: Path) -> None:
    spool = await sure(folder)
    for base in range(0, 200, 20):
        put(spool, *range(base, base + 20))
        await spool.flush(T)
    (file,) = segments_in(folder)
    written = file.read_bytes()
    assert len(await held(await sure(folder))) % 20 == 0
    assert file.read_bytes() == written != b""


@on_a_full_disk
async def test_after_a_full_disk_everything_is_written(folder: Path) -> None:
    spool = await sure(folder)
    for base in range(0, 500, 50):
        put(spool, *range(base, base + 50))
        await spool.flush(T)
    resource.setrlimit(resource.RLIMIT_FSIZE, resource.getrlimit(resource.RLIMIT_FSIZE)[1:] * 2)
    await spool.flush(T)
    again = await sure(folder)
    assert await held(again) == [(number + 1, number) for number in range(500)]


@on_a_full_disk
async def test_a_full_disk_is_bounded_in_memory_and_the_loss_is_counted(folder: Path) -> None:
    spool = await sure(folder, bounds=Bounds(memory=20_000))
    for base in range(0, 2000, 50):
        put(spool, *range(base, base + 50))
        await spool.flush(T)
    assert spool._memory_bytes <= 20_000 + 50 * 200
    kept = await held(spool)
    assert kept[-1] == (2000, 1999)
    assert spool.dropped_total == 2001 - len(kept) > 0
    assert await lost(spool) == [(MONITOR, 0, 2000 - len(kept), 2001 - len(kept), "spool_overflow")]
    batch = await spool.batch(limit=1, limit_bytes=1000)
    assert batch is not None
    assert batch.dropped_through == kept[0][0] - 1


async def test_records_that_are_released_during_a_flush_are_no_trouble(folder: Path) -> None:
    spool = await sure(folder)
    put(spool, *range(2000))

    async def ship() -> None:
        while batch := await held(spool, limit=100):
            await spool.commit(batch[-1][0])
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(ship())
        for _ in range(5):
            await spool.flush(T)
    put(spool, 5)
    await spool.flush(T)
    again = await sure(folder, committed=2000)
    assert await held(again) == [(2001, 5)]


_WRITER = """
import asyncio, sys
from pathlib import Path
from typing import Any
from statuspulse.probe.spool import Bounds, Spool
from tests.probe.test_spool import T, put

async def main():
    spool = Spool(Path(sys.argv[1]), Bounds())
    await spool.commit(0)
    number = 0
    while True:
        put(spool, *range(number, number + 7))
        number += 7
        await spool.flush(T)
        print(number, flush=True)

asyncio.run(main())
"""


async def test_a_kill_loses_nothing_that_was_flushed(folder: Path) -> None:
    writer = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _WRITER, str(folder), stdout=asyncio.subprocess.PIPE
    )
    assert writer.stdout is not None
    flushed = 0
    while flushed < 210:
        flushed = int(await writer.stdout.readline())
    writer.kill()
    rest = await writer.stdout.read()
    flushed = max([flushed, *map(int, rest.split())])
    await writer.wait()
    records = await held(await sure(folder))
    assert records[:flushed] == [(number + 1, number) for number in range(flushed)]
