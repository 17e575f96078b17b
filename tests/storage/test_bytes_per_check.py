"""What a check takes on disk, key and share of rollups included: 70 bytes at most on SQLite at 30 s."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import past
from statuspulse.domain.times import DAY
from statuspulse.storage.connect import sqlite_url
from statuspulse.storage.database import Database
from statuspulse.storage.schema import metadata
from tests.contracts.ground import lay

_BOUND = 70


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "statuspulse.db"
    database = Database(sqlite_url(file))
    database.submit(metadata.create_all).result(20)
    lay(database)
    database.close()
    return file


def test_a_check_takes_seventy_bytes_at_most(path: Path) -> None:
    disk = past.write(path, 1_800_000_000_000 // DAY * DAY + DAY // 2)
    assert 30 < disk.result_bytes + disk.rollup_bytes <= _BOUND
