"""One file of the spool: numbered records with a checksum each, appended and never changed."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from struct import Struct
from typing import NamedTuple

# Size and checksum, then what the checksum covers: `seq`, the instant (ms), and behind the head the content.
_OUTER = Struct("<II")
_INNER = Struct("<Qq")
_HEAD_BYTES = _OUTER.size + _INNER.size
_SUFFIX = ".spool"


class Record(NamedTuple):
    """What a probe has to tell, made at an instant (ms), under its number."""

    seq: int
    at: int
    content: bytes


@dataclass(slots=True)
class Segment:
    """A file of records. `first` and `last` are the ends of the newest row without holes; last < first if it is empty.

    Holes are numbers that were committed before they were written, so what lies before one is of no interest.
    `oldest_at` and `newest_at` bound the instants of all records (ms); both are 0 if it is empty.
    """

    path: Path
    first: int
    last: int
    size: int = 0
    oldest_at: int = 0
    newest_at: int = 0

    @classmethod
    def create(cls, folder: Path, first: int) -> Segment:
        """An empty one, whose name outlives a power cut."""
        path = folder / f"{first:020d}{_SUFFIX}"
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600))
        sync_folder(folder)
        return cls(path, first, first - 1)

    @classmethod
    def recover(cls, path: Path) -> Segment:
        """Reads what an earlier run has left; a torn or damaged tail is cut off."""
        first = int(path.name.removesuffix(_SUFFIX))
        found = cls(path, first, first - 1)
        content = path.read_bytes()
        for record in _walk(content):
            if record.seq != found.last + 1:
                found.first = record.seq
            found._count([record])
        if found.size < len(content):
            os.truncate(path, found.size)
        return found

    def append(self, records: list[Record]) -> None:
        """Durable on return. OSError: the file is as it was before."""
        data = b"".join(map(_frame, records))
        fd = os.open(self.path, os.O_WRONLY | os.O_CLOEXEC)
        try:
            _write_all(fd, data, self.size)
            os.fsync(fd)
        except OSError:
            os.ftruncate(fd, self.size)
            raise
        finally:
            os.close(fd)
        self._count(records)

    def read(self) -> list[Record]:
        """All its records."""
        return list(_walk(self.path.read_bytes()[: self.size]))

    def _count(self, records: list[Record]) -> None:
        self.oldest_at = self.oldest_at or records[0].at
        self.newest_at = max(self.newest_at, records[-1].at)
        self.last = records[-1].seq
        self.size += sum(map(framed_size, records))


def segments_in(folder: Path) -> list[Path]:
    """The files of a spool, oldest first."""
    return sorted(path for path in folder.iterdir() if path.name.endswith(_SUFFIX) and path.stem.isdigit())


def write_whole(path: Path, records: list[Record]) -> None:
    """Puts a file of these records in place of what was there; a cut leaves the one or the other. OSError: the old."""
    if not records:
        path.unlink(missing_ok=True)
        sync_folder(path.parent)
        return
    fresh = path.with_suffix(".part")
    with fresh.open("wb") as file:
        file.write(b"".join(map(_frame, records)))
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    sync_folder(path.parent)


def read_whole(path: Path) -> list[Record]:
    """The records of such a file; none if there is none."""
    try:
        return list(_walk(path.read_bytes()))
    except OSError:
        return []


def framed_size(record: Record) -> int:
    """Bytes that a record takes on disk."""
    return _HEAD_BYTES + len(record.content)


def sync_folder(folder: Path) -> None:
    """Makes names that were added or removed durable."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _frame(record: Record) -> bytes:
    body = _INNER.pack(record.seq, record.at) + record.content
    return _OUTER.pack(len(record.content), zlib.crc32(body)) + body


def _walk(data: bytes) -> Iterator[Record]:
    """The whole records up to the first that is not."""
    start = 0
    while start + _HEAD_BYTES <= len(data):
        size, checksum = _OUTER.unpack_from(data, start)
        end = start + _HEAD_BYTES + size
        body = data[start + _OUTER.size : end]
        if end > len(data) or zlib.crc32(body) != checksum:
            return
        seq, at = _INNER.unpack_from(body)
        yield Record(seq, at, body[_INNER.size :])
        start = end


def _write_all(fd: int, data: bytes, offset: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(fd, view, offset)
        view = view[written:]
        offset += written
