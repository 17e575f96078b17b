"""Room that is kept free by being taken: given up when the disk is full, so that somebody can still be told of it."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

SIZE = 4 * 1024 * 1024
_BLOCK = bytes(64 * 1024)


class Ballast:
    """A file of real blocks beside the database. All methods wait for the disk; none raises."""

    def __init__(self, path: Path, size: int = SIZE) -> None:
        self._path = path
        self._size = size

    def take(self) -> bool:
        """Makes the file where it is not there, if as much again stays free; answers whether it is there."""
        try:
            if self._path.exists() and self._path.stat().st_size == self._size:
                return True
            if self._free() < 2 * self._size:
                return False
            with open(self._path, "wb", opener=_for_its_owner) as file:
                file.writelines(_BLOCK for _ in range(self._size // len(_BLOCK)))
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            self.give()
            return False
        return True

    def is_needed(self) -> bool:
        """Whether so little is free that the next changes may find no room: SQLite lives on what it has for a while."""
        try:
            return self._free() < self._size // 4
        except OSError:
            return False

    def _free(self) -> int:
        found = os.statvfs(self._path.parent)
        return found.f_bavail * found.f_frsize

    def give(self) -> None:
        """Takes the file away."""
        with suppress(OSError):
            self._path.unlink(missing_ok=True)


def _for_its_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
