"""The spool: everything this probe has to tell and the control plane has not committed yet, on disk and bounded."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import structlog

from statuspulse.domain.times import DAY, HOUR
from statuspulse.probe.losses import Loss, losses_in, told
from statuspulse.probe.records import renumbered
from statuspulse.probe.segment import Record, Segment, framed_size, read_whole, segments_in, sync_folder, write_whole

log = structlog.get_logger(__name__)

_KEPT_FOR = DAY
_SEGMENT_BYTES = 1 << 20
_UNSURE_FILE = "unsure"
_LOST_FILE = "lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Bytes on disk, and bytes in memory: of records that are on disk, too, and of those that a full disk refuses."""

    disk: int = 64 << 20
    memory: int = 8 << 20


class Batch(NamedTuple):
    """Records in a row, the first with the number `first`; what lies before it and was not committed is dropped."""

    first: int
    records: list[bytes]
    dropped_through: int | None


class Spool:
    """Records numbered by one `seq` after the other. What is too much or too old is dropped from the front.

    In place of what was dropped stand gaps, one per monitor, which say so (`losses.py`): they are shipped first.

    Records are in memory at once and on disk after `flush`. A disk that refuses them stops nothing: they stay in
    memory, and there, too, the oldest go first.

    Numbers that were given away by an earlier run may not be on disk: committed before they were written, or lost. So
    the numbers of this run are unsure until the control plane has said how far it is (`commit`).
    """

    def __init__(self, folder: Path, bounds: Bounds) -> None:
        """Takes up what an earlier run has left; OSError if the folder cannot be used."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self._bounds = bounds
        self.dropped_total = 0
        self._segment_bytes = min(_SEGMENT_BYTES, bounds.disk // 8)
        self._doomed: list[Path] = []
        self._segments: list[Segment] = []
        self._lost: deque[Record] = deque()
        self._is_lost_written = True
        self._recover()
        self.next_seq, self._front = self._ends()
        self._unsure_from: int | None = _unsure_from(folder / _UNSURE_FILE, self.next_seq)
        self._memory: deque[Record] = deque()
        self._memory_first = self.next_seq
        self._memory_bytes = 0
        self._written_through = self.next_seq - 1
        self._dropped_through: int | None = None
        self._is_refused = False
        self._disk = asyncio.Lock()
        self._cached: tuple[Segment, list[Record]] | None = None

    @property
    def is_sure(self) -> bool:
        """Whether the numbers are those that the control plane expects; before that nothing may be shipped."""
        return self._unsure_from is None

    @property
    def depth(self) -> int:
        """How many records are not committed yet."""
        return self.next_seq - self._front

    @property
    def oldest_at(self) -> int | None:
        """When the oldest of them was made; of one that is on disk alone, the earliest that it can be."""
        if not self.depth:
            return None
        if self._lost:
            return self._lost[0].at
        if self._front >= self._memory_first:
            return self._memory[self._front - self._memory_first].at
        return self._segments[0].oldest_at

    @property
    def is_dirty(self) -> bool:
        """Whether `flush` has something to do."""
        return self._written_through < self.next_seq - 1 or bool(self._doomed)

    def append(self, at: int, make: Callable[[int], bytes]) -> None:
        """Takes a record made at an instant; `make` is given its number."""
        record = Record(self.next_seq, at, make(self.next_seq))
        self.next_seq += 1
        self._memory.append(record)
        self._memory_bytes += framed_size(record)

    async def batch(self, *, limit: int, limit_bytes: int) -> Batch | None:
        """The oldest records, at least one; None if there are none."""
        while self.depth:
            first = self._front
            records = await self._from(first, limit)
            if records and first == self._front:
                return Batch(first, _cut(records, limit_bytes), self._dropped_through)
        return None

    async def commit(self, through: int) -> None:
        """The control plane has committed everything up to a number: forgets it.

        If it knows numbers that this run has given away a second time, what is unsure goes on behind them: it would be
        taken for what is committed already.
        """
        if self._unsure_from is not None or through >= self.next_seq:
            async with self._disk:
                unsure_from = self._front if self._unsure_from is None else self._unsure_from
                if through >= min(unsure_from, self.next_seq):
                    await self._renumber(unsure_from, through)
                if self._unsure_from is not None:
                    self._doomed.append(self._folder / _UNSURE_FILE)
                    self._unsure_from = None
        self._release(through)

    async def flush(self, now: int) -> None:
        """Makes what is new durable, and what is forgotten disappear. Never raises for a disk that refuses."""
        async with self._disk:
            await self._write()
            await self._drop_excess(now)
            await self._write_lost()
            if self._doomed:
                await self._write()

    def give_up_first(self) -> None:
        """Drops the oldest record, which the control plane cannot read; it might not read words about it either."""
        self._dropped_through = self._front
        self._move_front(self._front + 1)
        self._count_dropped(1)

    def _recover(self) -> None:
        """Keeps the newest row without holes; what lies before a hole was committed."""
        for path in segments_in(self._folder):
            segment = Segment.recover(path)
            if self._segments and segment.first != self._segments[-1].last + 1:
                self._doomed += [older.path for older in self._segments]
                self._segments = []
            self._segments.append(segment)
        lost = read_whole(self._folder / _LOST_FILE)
        if not lost:
            return
        # A run that ended between writing it and deleting what it is about.
        while self._segments and self._segments[0].last <= lost[-1].seq:
            self._doomed.append(self._segments.pop(0).path)
        if not self._segments or self._segments[0].first == lost[-1].seq + 1:
            self._lost = deque(lost)
        else:
            self._is_lost_written = False

    def _ends(self) -> tuple[int, int]:
        """The next number, and the first that is not committed, as they stand on disk."""
        firsts = [self._lost[0].seq] if self._lost else [segment.first for segment in self._segments]
        last = self._segments[-1].last if self._segments else self._lost[-1].seq if self._lost else 0
        return last + 1, min(firsts, default=1)

    async def _from(self, first: int, limit: int) -> list[Record]:
        """Records from a number on; none if they cannot be read, and then the front has moved."""
        if self._lost and first <= self._lost[-1].seq:
            start = first - self._lost[0].seq
            words = list(islice(self._lost, start, start + limit))
            return words if len(words) == limit else words + await self._from(words[-1].seq + 1, limit - len(words))
        if first >= self._memory_first:
            start = first - self._memory_first
            return list(islice(self._memory, start, start + limit))
        segment = next(segment for segment in self._segments if first <= segment.last)
        records = await self._read(segment)
        place = next((place for place, record in enumerate(records) if record.seq == first), len(records))
        if place == len(records) and segment in self._segments and first == self._front:
            self._drop_segments_through(segment)
        return records[place : place + limit]

    async def _read(self, segment: Segment) -> list[Record]:
        if self._cached is None or self._cached[0] is not segment or self._cached[1][-1].seq < segment.last:
            records = await asyncio.to_thread(_read, segment)
            if not records:
                return []
            self._cached = (segment, records)
        return self._cached[1]

    def _release(self, through: int) -> None:
        if self._dropped_through is not None and through >= self._dropped_through:
            self._dropped_through = None
        if through < self._front:
            return
        self._move_front(through + 1)
        while len(self._segments) > 1 and self._segments[0].last < self._front:
            self._doomed.append(self._segments.pop(0).path)

    def _move_front(self, front: int) -> None:
        self._front = front
        while self._lost and self._lost[0].seq < front:
            self._lost.popleft()
            self._is_lost_written = False
        while self._memory and self._memory_first < front:
            self._forget_first_in_memory()
        self._memory_first = max(self._memory_first, front)
        self._written_through = max(self._written_through, front - 1)

    def _forget_first_in_memory(self) -> None:
        self._memory_bytes -= framed_size(self._memory.popleft())
        self._memory_first += 1

    def _drop_through(self, through: int, losses: Sequence[Loss] = ()) -> None:
        """Drops what lies up to there, and puts the gaps that it leaves in its place; what is no loss is not known."""
        numbers = through + 1 - self._front
        if numbers <= 0:
            return
        words = losses_in(self._lost)
        dropped = [loss for loss in losses if loss.seq >= self._front]
        self._move_front(through + 1)
        self._lost = deque(told([*words, *dropped], through))
        self._is_lost_written = False
        self._front -= len(self._lost)
        self._dropped_through = self._front - 1
        self._count_dropped(numbers - len(words) - sum(not loss.is_result for loss in dropped))

    def _count_dropped(self, results: int) -> None:
        self.dropped_total += results
        log.warning("probe.results_dropped", count=results, total=self.dropped_total)

    async def _drop_first_segment(self) -> None:
        segment = self._segments[0]
        losses = await asyncio.to_thread(_losses, segment)
        if segment in self._segments:  # and was not committed meanwhile
            self._drop_segments_through(segment, losses)

    def _drop_segments_through(self, last: Segment, losses: Sequence[Loss] = ()) -> None:
        end = self._segments.index(last) + 1
        self._doomed += [segment.path for segment in self._segments[:end]]
        del self._segments[:end]
        self._drop_through(last.last, losses)

    async def _drop_excess(self, now: int) -> None:
        while self._segments and self._segments[0].size and self._segments[0].newest_at < now - _KEPT_FOR:
            await self._drop_first_segment()
        while self._segments and sum(segment.size for segment in self._segments) > self._bounds.disk:
            await self._drop_first_segment()
        self._trim_memory()
        if self._memory_bytes <= self._bounds.memory:
            return
        if self._segments:  # the oldest are on disk, and to delete them makes space there
            await self._drop_first_segment()
            return
        dropped = _within(self._memory, self._memory_bytes - self._bounds.memory)
        self._drop_through(dropped[-1].seq, losses_in(dropped))

    def _trim_memory(self) -> None:
        while self._memory_bytes > self._bounds.memory and self._memory_first <= self._written_through:
            self._forget_first_in_memory()

    async def _write_lost(self) -> None:
        """The words about what is dropped are on disk before it goes, where the disk takes them."""
        if self._is_lost_written:
            return
        lost = list(self._lost)
        try:
            await asyncio.to_thread(write_whole, self._folder / _LOST_FILE, lost)
        except OSError as error:
            log.warning("probe.spool_refused", error=str(error))
        else:
            self._is_lost_written = list(self._lost) == lost

    async def _write(self) -> None:
        while self.is_dirty:
            if not await self._write_some():
                break

    async def _write_some(self) -> bool:
        """Writes what fits into a segment, and deletes; false if the disk refuses to write."""
        first = self._written_through + 1
        records = _within(islice(self._memory, first - self._memory_first, None), self._segment_bytes)
        newest = self._segments[-1] if self._segments else None
        active = newest if newest is not None and _takes(newest, records, self._segment_bytes) else None
        doomed, self._doomed = self._doomed, []
        kept = {segment.path for segment in self._segments}
        try:
            stored = await asyncio.to_thread(_store, self._folder, active, first, records, doomed, kept)
        except OSError as error:
            if not self._is_refused:
                log.warning("probe.spool_refused", error=str(error))
            self._is_refused = True
            return False
        self._is_refused = False
        if stored is not active:
            self._segments.append(stored)
        self._written_through = max(self._written_through, first + len(records) - 1)
        return True

    async def _renumber(self, unsure_from: int, through: int) -> None:
        """Gives everything from a number on new numbers behind `through`; what is before it is committed."""
        records = list(self._lost)
        for segment in self._segments:
            records += [record for record in await asyncio.to_thread(_read, segment) if record.seq >= unsure_from]
        records += [record for record in self._memory if record.seq > self._written_through]
        if records:
            log.warning("probe.results_renumbered", count=len(records), first=through + 1)
        self._doomed += [segment.path for segment in self._segments]
        self._segments = []
        self._lost, self._is_lost_written = deque(), False
        self._memory = deque(
            Record(seq, record.at, renumbered(record.content, seq))
            for seq, record in enumerate(records, start=through + 1)
        )
        self._memory_bytes = sum(map(framed_size, self._memory))
        self._memory_first = self._front = through + 1
        self._written_through = through
        self._dropped_through = None
        self.next_seq = through + 1 + len(records)


def _unsure_from(path: Path, next_seq: int) -> int:
    """The first number that no answer of the control plane has confirmed, kept over restarts without an answer."""
    try:
        return min(int(path.read_text()), next_seq)
    except (OSError, ValueError):
        pass
    try:
        path.write_text(str(next_seq))
    except OSError as error:
        log.warning("probe.spool_refused", error=str(error))
    return next_seq


def _takes(segment: Segment, records: list[Record], limit: int) -> bool:
    """Whether the records may go into it: what is in one file is dropped together, so it spans an hour at most."""
    if not segment.size or not records:
        return True
    return segment.size < limit and records[0].at - segment.oldest_at < HOUR


def _store(
    folder: Path,
    active: Segment | None,
    first: int,
    records: list[Record],
    doomed: list[Path],
    kept: set[Path],
) -> Segment:
    """Runs in a thread. What is new is there before what is old goes; but that goes anyway, a full disk needs it."""
    path = folder if active is None else active.path
    try:
        segment = Segment.create(folder, first) if active is None else active
        path = segment.path
        if records:
            segment.append(records)
    finally:
        _delete(folder, [old for old in doomed if old not in kept and old != path])
    return segment


def _delete(folder: Path, paths: list[Path]) -> None:
    """A file that stays behind for whatever reason is found and judged again at the next start."""
    if paths:
        with contextlib.suppress(OSError):
            for path in paths:
                path.unlink(missing_ok=True)
            sync_folder(folder)


def _losses(segment: Segment) -> list[Loss]:
    """Runs in a thread: what dropping it means."""
    return losses_in(_read(segment))


def _read(segment: Segment) -> list[Record]:
    """Its records, none if the disk does not give them."""
    try:
        return segment.read()
    except OSError as error:
        log.warning("probe.spool_unreadable", error=str(error))
        return []


def _within(records: Iterable[Record], limit_bytes: int) -> list[Record]:
    taken = []
    for record in records:
        taken.append(record)
        limit_bytes -= framed_size(record)
        if limit_bytes <= 0:
            break
    return taken


def _cut(records: list[Record], limit_bytes: int) -> list[bytes]:
    """The contents, as many as the limit allows, but one at least."""
    contents: list[bytes] = []
    for record in records:
        limit_bytes -= len(record.content)
        if limit_bytes < 0 and contents:
            break
        contents.append(record.content)
    return contents
