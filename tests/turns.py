"""Whose turn it is: a test that measures time runs beside few others, however many workers share the run.

What such a test uses leaves most of two cores idle; so two of them run at a time, and one worker goes on with whatever
measures none.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from fcntl import LOCK_EX, LOCK_NB, LOCK_SH, LOCK_UN, flock
from functools import cache
from pathlib import Path
from time import sleep
from typing import IO, TypeVar

import pytest

ALONE = "alone"
_FOLDER = "turns"
_PLACES = 2
_LOOK_SECONDS = 0.05

T = TypeVar("T")


class Turns:
    """Locks that all workers know: a door, through which they go in the order in which they come, a room that is shared
    by those who measure nothing, and as many places as there may be tests that do. Only one of both kinds has any.
    """

    def __init__(self, folder: Path) -> None:
        self._door = folder / "door"
        self._room = folder / "room"
        self._places = [folder / f"place-{number}" for number in range(_PLACES)]
        self._pass = (folder / "pass").open("a")  # whoever has it keeps it until the process ends

    @contextmanager
    def taken(self, *, alone: bool) -> Iterator[None]:
        """Waits until nobody else is there but who has the pass, or nobody who measures time."""
        if not alone and _is_had(self._pass):
            yield
            return
        with ExitStack() as held:
            with self._door.open("a") as door:
                flock(door, LOCK_EX)
                held.enter_context(self._place_alone() if alone else self._place_in_the_room())
            yield

    @contextmanager
    def _place_alone(self) -> Iterator[None]:
        with self._room.open("a") as room, ExitStack() as opened:
            places = [opened.enter_context(place.open("a")) for place in self._places]
            flock(room, LOCK_EX)
            while not any(_is_had(place) for place in places):
                sleep(_LOOK_SECONDS)
            flock(room, LOCK_UN)
            yield

    @contextmanager
    def _place_in_the_room(self) -> Iterator[None]:
        with self._room.open("a") as room:
            with ExitStack() as opened:
                for place in self._places:
                    flock(opened.enter_context(place.open("a")), LOCK_EX)
                flock(room, LOCK_SH)
            yield


def with_heads(items: Sequence[T], heads: Sequence[T], workers: int) -> list[T]:
    """`items` in as many stretches as there are workers, all but the first with some of `heads` before it.

    The workers begin with a stretch each, as xdist's `worksteal` deals them out. So those that are measured run beside
    each other, and nobody waits for their end but who has finished with them.
    """
    ordered: list[T] = []
    rest, size = list(items), len(items) + len(heads)
    for worker in range(workers):
        own = list(heads[worker - 1 :: workers - 1]) if worker else []
        count = (size - len(ordered)) // (workers - worker) - len(own)
        ordered += own + rest[:count]
        rest = rest[count:]
    return ordered


def _is_had(place: IO[str]) -> bool:
    with suppress(BlockingIOError):
        flock(place, LOCK_EX | LOCK_NB)
        return True
    return False


@cache
def _turns_in(folder: str) -> Turns:
    return Turns(Path(folder))


def turns_of(config: pytest.Config) -> Turns | None:
    """The turns of a worker; None where one process runs everything."""
    given: dict[str, str] = getattr(config, "workerinput", {})
    return _turns_in(given[_FOLDER]) if _FOLDER in given else None


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
