"""What fault tests measure goes into a JSON file of each test and onto the screen."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

Record = Callable[..., None]
_RECORDED = pytest.StashKey[list[str]]()


@pytest.fixture
def record(request: pytest.FixtureRequest, tmp_path: Path) -> Record:
    """Takes figures by name; each test may call it once."""

    def write(**figures: object) -> None:
        path = tmp_path / "figures.json"
        path.write_text(json.dumps({"test": request.node.nodeid, **figures}, indent=1))
        text = ", ".join(f"{name} {value}" for name, value in figures.items())
        request.config.stash.setdefault(_RECORDED, []).append(f"{request.node.name}: {text} ({path})")

    return write


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    lines = config.stash.get(_RECORDED, [])
    if lines:
        terminalreporter.section("figures of the fault tests")
        for line in lines:
            terminalreporter.write_line(line)
