"""A world with three regions, for tests of what several of them see; others make their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.world import REGIONS, START, World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    begun = World.begin(tmp_path)
    for slug in REGIONS:
        begun.region(slug, START)
    yield begun
    begun.database.close()
