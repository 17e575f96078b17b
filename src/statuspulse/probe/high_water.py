"""The instant up to which this probe has lived, on disk, so that a restart lives no slot twice."""

from __future__ import annotations

import os
from pathlib import Path

import structlog

from statuspulse.domain.times import SECOND
from statuspulse.probe.clock import Clock

log = structlog.get_logger(__name__)

_DIGITS = 20


class HighWater:
    """A file with one number of fixed width, overwritten in place: that needs no space on a full disk."""

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        text = os.pread(self._fd, _DIGITS, 0)
        self.lived_until: int | None = int(text) if text.isdigit() and len(text) == _DIGITS else None
        self._is_failing = False

    def store(self, clock: Clock) -> None:
        """To be called every 100 ms. A restart of the machine takes longer than what the disk may lose."""
        # A wall that was set back shows old instants again after a restart; the reserve covers the time to the next
        # call. Otherwise the wall itself goes on from here.
        at = clock.now() + (SECOND if clock.is_ahead else 0)
        try:
            os.pwrite(self._fd, b"%020d" % at, 0)
        except OSError as error:
            if not self._is_failing:
                log.warning("probe.clock_not_stored", error=str(error))
            self._is_failing = True
        else:
            self._is_failing = False

    def close(self) -> None:
        os.close(self._fd)
