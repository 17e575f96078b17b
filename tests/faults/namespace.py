"""A network of its own in which every address there is belongs to this host, so that no packet goes unseen."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

_PROJECT = Path(__file__).parents[2]
_SETUP = "ip link set lo up && ip route add local 0.0.0.0/0 dev lo && ip -6 route add local ::/0 dev lo && exec "
_UNSHARE = ["unshare", "--net", "--map-root-user", "--"]


def enclosed(scene: str, *words: str) -> Any:
    """What a scene of `tests.faults.enclosed` tells, played in the namespace. Skips where there are none."""
    return played("tests.faults.enclosed", scene, *words)


def played(module: str, *words: str) -> Any:
    """What a module tells as JSON, run in the namespace. Skips where there are none."""
    if not shutil.which("unshare") or not shutil.which("ip"):
        pytest.skip("network namespaces need the programs unshare and ip")
    allowed = subprocess.run([*_UNSHARE, "sh", "-c", _SETUP + "true"], capture_output=True, text=True, check=False)
    if allowed.returncode:
        pytest.skip(f"this host allows no network namespace: {allowed.stderr.strip()}")
    command = [sys.executable, "-m", module, *words]
    done = subprocess.run(
        [*_UNSHARE, "sh", "-c", _SETUP + '"$@"', "sh", *command],
        cwd=_PROJECT,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
