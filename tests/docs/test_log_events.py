"""`docs/operating.md` has a row for each event that the log may show, and no other."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_PAGE = _ROOT / "docs" / "operating.md"
_LEVELS = {"info": "info", "warning": "warning", "error": "error", "exception": "error"}
_ROW = re.compile(r"^\| `([a-z_]+\.[a-z_]+)` \| (\w+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)


def logged() -> Iterator[tuple[str, str]]:
    """(event, level) of every call of a module's `log`."""
    for path in sorted((_ROOT / "src" / "statuspulse").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(func=ast.Attribute(value=ast.Name(id="log"), attr=level), args=[first, *_]):
                    assert isinstance(first, ast.Constant), f"{path}:{node.lineno}: the event is no literal"
                    yield str(first.value), _LEVELS[level]
                case _:
                    pass


def documented() -> list[tuple[str, str]]:
    section = _PAGE.read_text().partition("## What the log says")[2].partition("\n## ")[0]
    return [(event, level) for event, level, _, _ in _ROW.findall(section)]


def test_each_event_of_the_log_has_a_row_and_each_row_an_event() -> None:
    rows, events = documented(), set(logged())
    assert len(events) > 50
    assert events - set(rows) == set(), "without a row in docs/operating.md"
    assert set(rows) - events == set(), "rows of events that there are not"


def test_the_rows_are_in_the_order_of_the_alphabet_and_each_event_has_one() -> None:
    events = [event for event, _ in documented()]
    assert events == sorted(set(events))


def test_what_logs_is_called_log() -> None:
    """Else the first test would not see it."""
    made = re.compile(r"^(\w+) = structlog\.get_logger\(", re.MULTILINE)
    names = {name for path in (_ROOT / "src").rglob("*.py") for name in made.findall(path.read_text())}
    assert names == {"log"}
