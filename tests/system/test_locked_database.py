"""Somebody else holds the write lock of the database: that is our own fault, and no outage of any target."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from statuspulse.domain.times import SECOND
from statuspulse.storage.connect import sqlite_module
from tests.system.far_probes import slots
from tests.system.server import Server, eventually, now_ms, server
from tests.targets import HttpTarget

_MONITORS = 5


@contextlib.contextmanager
def locked(served: Server) -> Iterator[None]:
    path = served.data_dir / "statuspulse.db"
    with contextlib.closing(sqlite_module().connect(path, timeout=10, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


@pytest.mark.parametrize(
    "seconds",
    [
        pytest.param(12, id="short"),
        pytest.param(60, id="long", marks=[pytest.mark.faults, pytest.mark.timeout(300)]),
    ],
)
def test_a_write_lock_that_is_held_by_another_is_no_outage(tmp_path: Path, seconds: int) -> None:
    with HttpTarget() as target, server(tmp_path) as served:
        served.start()
        ids = [served.create(name=f"Shop {n}", type="http", url=f"{target.url}/{n}") for n in range(_MONITORS)]
        eventually(lambda: all(served.status(one)["state"] == "up" for one in ids))
        with locked(served):
            locked_at = now_ms()
            time.sleep(seconds)
            # Who only reads is served, from what was committed.
            assert all(served.status(one)["state"] == "up" for one in ids)
            assert max(at for one in ids for at, _ in slots(served, one)) < locked_at + 2 * SECOND
        freed_at = now_ms()
        eventually(lambda: all(slots(served, one, freed_at) for one in ids), 30, told=lambda: served.run.complained)
        told = served.rows("SELECT DISTINCT state FROM transitions")
        assert {state for (state,) in told} <= {"up", "unknown"}
        assert served.value("SELECT count(*) FROM incidents") == 0
        for one in ids:
            # What was seen meanwhile waited in the spool: nothing is lost, however late it came.
            seen = [at for at, _ in slots(served, one, locked_at - 3 * SECOND)]
            missed = set(range(seen[0], seen[-1], SECOND)) - set(seen)
            explained = served.get(f"/monitors/{one}/explain")["missed"]
            assert len(missed) == sum(gap["count"] for gap in explained)
