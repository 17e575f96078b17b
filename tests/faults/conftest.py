"""What fault tests measure goes into a JSON file of each test and onto the screen."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.turns import ALONE

Record = Callable[..., None]
_RECORDED = "figures"


@pytest.fixture
def record(request: pytest.FixtureRequest, tmp_path: Path) -> Record:
    """Takes figures by name; each test may call it once."""

    def write(**figures: object) -> None:
        path = tmp_path / "figures.json"
        path.write_text(json.dumps({"test": request.node.nodeid, **figures}, indent=1))
        text = ", ".join(f"{name} {value}" for name, value in figures.items())
        request.node.user_properties.append((_RECORDED, f"{request.node.name}: {text} ({path})"))

    return write


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [report for outcome in ("passed", "failed") for report in terminalreporter.getreports(outcome)]
    lines = [text for report in reports for name, text in report.user_properties if name == _RECORDED]
    if lines:
        terminalreporter.section("figures of the fault tests")
        for line in lines:
            terminalreporter.write_line(line)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """They measure how long something takes, or load the machine for it; where a packet goes needs no time."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent) and item.path.name != "test_addresses.py":
            item.add_marker(ALONE)
