"""One probe per data directory: two would give the same numbers to different results."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

_PATIENCE_SECONDS = 2.0
_AGAIN_SECONDS = 0.05


class FolderInUseError(Exception):
    """Another probe works in this directory."""


async def claimed(folder: Path) -> contextlib.AbstractContextManager[None]:
    """Holds the directory until the context ends, or the process.

    Waits up to 2 s for a probe that is just ending, as after the end of the process that had started it.
    """
    fd = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    attempts = int(_PATIENCE_SECONDS / _AGAIN_SECONDS)
    for _ in range(attempts):
        if _lock(fd):
            return _closing(fd)
        await asyncio.sleep(_AGAIN_SECONDS)
    os.close(fd)
    raise FolderInUseError(f"another probe works in {folder}")


def _lock(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextlib.contextmanager
def _closing(fd: int) -> Iterator[None]:
    try:
        yield
    finally:
        os.close(fd)
