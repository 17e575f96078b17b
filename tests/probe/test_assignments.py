"""The assigned set: snapshots, deltas, and what a restart finds."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from statuspulse.probe.assignments import AssignedSet
from statuspulse.protocol.documents import AssignedMonitor, Assignments
from tests.probe.control_plane import a_monitor

URL = "http://127.0.0.1/"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "assignments"


def an_answer(
    version: int, *monitors: AssignedMonitor, base: int | None = None, removed: tuple[str, ...] = ()
) -> Assignments:
    return Assignments(
        version=version,
        base=base,
        region="local",
        probe_id="prb_2d4f6h8j",
        monitors=list(monitors),
        removed=list(removed),
        policy=["metadata"],
        heartbeat_seconds=5,
        server_time=datetime.now(UTC),
        committed_through=0,
    )


ONE, TWO = a_monitor("mon_00000001", URL), a_monitor("mon_00000002", URL)
ONE_EDITED = a_monitor("mon_00000001", URL, config_version=2)


async def test_a_snapshot_replaces_everything_and_tells_what_changed(path: Path) -> None:
    assigned = AssignedSet(path)
    await assigned.adopt(an_answer(1, ONE))
    change = await assigned.adopt(an_answer(2, ONE, TWO))
    assert change is not None
    assert (change.changed, change.removed) == ([TWO], [])
    change = await assigned.adopt(an_answer(3, ONE_EDITED))
    assert change is not None
    assert (change.changed, change.removed) == ([ONE_EDITED], ["mon_00000002"])
    assert assigned.version == 3


async def test_a_delta_adds_changes_and_removes(path: Path) -> None:
    assigned = AssignedSet(path)
    await assigned.adopt(an_answer(1, ONE, TWO))
    change = await assigned.adopt(an_answer(2, ONE_EDITED, base=1, removed=("mon_00000002",)))
    assert change is not None
    assert (change.changed, change.removed) == ([ONE_EDITED], ["mon_00000002"])
    assert assigned.monitors == {"mon_00000001": ONE_EDITED}


async def test_a_delta_on_another_version_changes_nothing_and_asks_for_a_snapshot(path: Path) -> None:
    assigned = AssignedSet(path)
    await assigned.adopt(an_answer(1, ONE))
    assert await assigned.adopt(an_answer(9, TWO, base=8)) is None
    assert assigned.version is None
    assert assigned.monitors == {"mon_00000001": ONE}


async def test_a_restart_finds_what_was_adopted(path: Path) -> None:
    await AssignedSet(path).adopt(an_answer(7, ONE, TWO))
    again = AssignedSet(path)
    kept = again.loaded()
    assert kept is not None
    assert (again.version, kept.region, kept.policy, kept.changed) == (7, "local", ["metadata"], [ONE, TWO])


async def test_what_is_stored_is_for_our_eyes_only(path: Path) -> None:
    await AssignedSet(path).adopt(an_answer(7, ONE))
    assert os.stat(path).st_mode & 0o777 == 0o600  # noqa: PTH116 - Path.stat counts as blocking


def test_nothing_to_load_is_no_error(path: Path) -> None:
    assert AssignedSet(path).loaded() is None


@pytest.mark.parametrize("content", [b"", b"\x00", b"\x81\xa1x\x01"])
def test_a_damaged_file_is_as_none(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    damaged = AssignedSet(path)
    assert damaged.loaded() is None
    assert damaged.version is None


async def test_a_disk_that_refuses_does_not_keep_monitors_from_being_checked(path: Path) -> None:
    path.with_suffix(".new").mkdir()
    assigned = AssignedSet(path)
    assert await assigned.adopt(an_answer(1, ONE)) is not None
    assert assigned.monitors == {"mon_00000001": ONE}


async def test_the_digest_is_that_of_the_set_however_it_came_about(tmp_path: Path) -> None:
    grown, at_once = AssignedSet(tmp_path / "grown"), AssignedSet(tmp_path / "at-once")
    assert grown.digest == "0" * 16
    await grown.adopt(an_answer(1, ONE))
    before = grown.digest
    await grown.adopt(an_answer(2, TWO, base=1))
    await grown.adopt(an_answer(3, ONE_EDITED, base=2))
    await at_once.adopt(an_answer(9, TWO, ONE_EDITED))
    assert before != grown.digest == at_once.digest
    await grown.adopt(an_answer(4, ONE, base=3, removed=("mon_00000002",)))
    assert grown.digest == before
    assert AssignedSet(tmp_path / "grown").digest == before
