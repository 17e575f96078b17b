"""A full disk stops neither checks nor reads, calls nothing down, and what was lost is unknown."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.faults.conftest import Record

_PROJECT = Path(__file__).parents[2]
_UNSHARE = ["unshare", "--mount", "--map-root-user", "--"]


def played(seconds: str) -> Any:
    """Skips where no file system may be mounted."""
    if not shutil.which("unshare"):
        pytest.skip("a mount namespace needs the program unshare")
    trial = [*_UNSHARE, "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    allowed = subprocess.run(trial, capture_output=True, text=True, check=False)
    if allowed.returncode:
        pytest.skip(f"this host allows no mount namespace: {allowed.stderr.strip()}")
    done = subprocess.run(
        [*_UNSHARE, sys.executable, "-m", "tests.faults.full_disk", seconds],
        cwd=_PROJECT,
        capture_output=True,
        text=True,
        check=False,
        timeout=500,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    "seconds",
    [
        pytest.param("12", id="short", marks=pytest.mark.faults),
        pytest.param("180", id="long", marks=[pytest.mark.faults, pytest.mark.timeout(600)]),
    ],
)
def test_a_full_disk_is_no_outage(seconds: str, record: Record) -> None:
    told = played(seconds)
    record(**told)
    assert told["alive"]
    assert told["refused"] == "503 read_only"
    assert told["read_status"] == 200
    assert told["recovered_seconds"] <= 30
    assert set(told["states"]) <= {"up", "unknown"}
    assert told["incidents"] == 0
    assert told["integrity"] == "ok"
    for lost in told["lost"].values():
        assert lost["unknown_seconds"] == pytest.approx(lost["slots"], abs=1)
