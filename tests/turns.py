"""Whose turn it is: a test that measures time runs beside one other at most, however many workers share the run.

What such a test uses leaves most of two cores idle; so the first worker goes on with whatever measures none.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, LOCK_SH, LOCK_UN, flock
from pathlib import Path

import pytest

ALONE = "alone"
_FOLDER = "turns"


class Turns:
    """Two locks that all workers know. One is the door, through which they go in the order in which they come."""

    def __init__(self, folder: Path, *, is_first: bool) -> None:
        self._door = folder / "door"
        self._room = folder / "room"
        self._is_first = is_first

    @contextmanager
    def taken(self, *, alone: bool) -> Iterator[None]:
        """Waits until nobody else is there but the first, or nobody who has to be alone."""
        if self._is_first and not alone:
            yield
            return
        with self._door.open("a") as door, self._room.open("a") as room:
            flock(door, LOCK_EX)
            flock(room, LOCK_EX if alone else LOCK_SH)
            flock(door, LOCK_UN)
            yield


def turns_of(config: pytest.Config) -> Turns | None:
    """The turns of a worker; None where one process runs everything."""
    given: dict[str, str] = getattr(config, "workerinput", {})
    return Turns(Path(given[_FOLDER]), is_first=given["workerid"] == "gw0") if _FOLDER in given else None


class Host:
    """What the process that has the workers does for them."""

    def __init__(self) -> None:
        self._folder = tempfile.mkdtemp(prefix="statuspulse-turns-")

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: pytest.Config) -> None:
        """Tells a worker where the locks are, before it starts."""
        node.workerinput[_FOLDER] = self._folder  # type: ignore[attr-defined] # xdist's node has it

    def pytest_unconfigure(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
