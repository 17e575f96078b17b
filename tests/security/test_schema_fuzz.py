"""Calls that a generator makes of the OpenAPI document, one by one and along its links.

Nothing that they do is answered by 5xx or by a status that the document does not tell of, and what was deleted is gone.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.api.server import STRANGER, Api, running
from tests.security.test_statuses import everything

PROGRAM = Path(sys.executable).with_name("schemathesis")
CHECKS = "not_a_server_error,status_code_conformance,use_after_free"
# The first two would end the token that everything else is called with. A stream lasts as long as its caller likes.
# Probes are called by a key of their own; what they send is fuzzed in tests of their protocol.
LEFT_OUT = ("revokeToken", "rotateToken", "streamEvents")
OF_PROBES = "/agent/.*"
SEED = "7"


def fuzz(api: Api, folder: Path, *, seconds: int, examples: int) -> dict[str, Any]:
    """Runs the generator for so long at most; what it says of itself. Its choices are the same every time."""
    named = everything(api)
    config = folder / "schemathesis.toml"
    config.write_text("[parameters]\n" + "".join(f'"path.{name}" = "{value}"\n' for name, value in named.items()))
    report = folder / "report.json"
    command = [
        str(PROGRAM),
        f"--config-file={config}",
        "run",
        f"{api.url}/v1/openapi.json",
        f"--url={api.url}/v1",
        f"--header=Authorization: Bearer {STRANGER}",
        f"--checks={CHECKS}",
        "--phases=coverage,fuzzing,stateful",
        f"--max-examples={examples}",
        f"--max-time={seconds}",
        f"--seed={SEED}",
        "--generation-deterministic",
        "--continue-on-failure",
        "--no-shrink",
        "--no-color",
        "--request-timeout=30",
        f"--exclude-path-regex={OF_PROBES}",
        *(f"--exclude-operation-id={name}" for name in LEFT_OUT),
        "--report=json",
        f"--report-json-path={report}",
    ]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=seconds + 90, check=False)
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-2000:]
    found: dict[str, Any] = json.loads(report.read_text())
    return found


def hold(api: Api, folder: Path, *, seconds: int, examples: int, calls: int) -> dict[str, Any]:
    found = fuzz(api, folder, seconds=seconds, examples=examples)
    assert api.call("GET", "/v1/me", token=STRANGER).status_code == 200
    assert found["test_cases"]["generated"] >= calls
    assert found["failures"] == found["errors"] == []
    return found


def test_no_call_that_the_document_lets_think_of_is_a_fault(tmp_path: Path) -> None:
    """How far it comes in its time says more of the machine than of the code."""
    with running(tmp_path, is_stopping=lambda: True) as api:
        # It is made when it is first asked for, and the tool waits for ten seconds and no longer.
        api.call("GET", "/v1/openapi.json", token=None)
        found = hold(api, tmp_path, seconds=20, examples=2, calls=50)
    assert found["operations"]["tested"] >= 20


@pytest.mark.faults
@pytest.mark.timeout(1200)
def test_none_is_in_a_quarter_of_an_hour(tmp_path: Path) -> None:
    with running(tmp_path, is_stopping=lambda: True) as api:
        found = hold(api, tmp_path, seconds=900, examples=100, calls=10_000)
    assert found["operations"]["tested"] == found["operations"]["selected"] >= 90
    assert {name for name, phase in found["phases"].items() if phase["status"] == "success"} >= {"coverage", "stateful"}
