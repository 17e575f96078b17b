"""The loop of a process, and how often its memory is searched."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from statuspulse.app import loop


@pytest.fixture(autouse=True)
def _thresholds() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


def test_a_process_searches_its_memory_less_often_than_python_would() -> None:
    async def seen() -> tuple[int, int, int]:
        return gc.get_threshold()

    usual = gc.get_threshold()
    assert all(ours > theirs for ours, theirs in zip(loop.run(seen()), usual, strict=True))
