"""Tables for terminals: columns as wide as they need to be, and no wider than the window."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

_GAP = 2
_NARROWEST = 8
_COLOURS = {
    "up": "green", "degraded": "yellow", "down": "red", "unknown": "magenta", "maintenance": "blue", "paused": "cyan",
    "triggered": "red", "acknowledged": "yellow", "resolved": "green", "online": "green", "offline": "red",
}  # fmt: skip

Paint = Callable[[str, str], str]


@dataclass(frozen=True, slots=True)
class Column:
    """One column; one that may shrink gives up its width first, one of figures is flush right."""

    title: str
    shrinks: bool = False
    is_figure: bool = False


def table(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int | None, paint: Paint) -> list[str]:
    """The lines. `width` None cuts nothing, for output that programs read; `paint` colours words of state."""
    widths = _widths(columns, rows, width)
    rows = [[_printable(text) for text in row] for row in rows]
    lines = [_line(columns, [column.title for column in columns], widths, _plain)]
    return lines + [_line(columns, row, widths, paint) for row in rows]


def pairs(items: Sequence[tuple[str, str]], paint: Paint) -> list[str]:
    """Names and values, one below the other."""
    items = [(_printable(name), _printable(value)) for name, value in items]
    longest = max((_cells(name) for name, _ in items), default=0)
    return [f"{_padded(name, longest)}  {_painted(value, value, paint)}".rstrip() for name, value in items]


def colour_of(word: str) -> str | None:
    return _COLOURS.get(word)


def _printable(text: str) -> str:
    """In one line, and nothing in it that a terminal would obey: texts come from targets and from people."""
    return "".join(sign if sign.isprintable() else " " for sign in text)


def _plain(text: str, _: str) -> str:
    return text


def _widths(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int | None) -> list[int]:
    """Takes a cell at a time from the widest of the columns that may shrink."""
    widths = [
        max(_cells(text) for text in (column.title, *(row[at] for row in rows))) for at, column in enumerate(columns)
    ]
    spare = None if width is None else width - _GAP * (len(columns) - 1) - sum(widths)
    able = [at for at, column in enumerate(columns) if column.shrinks]
    while spare is not None and spare < 0 and able:
        widest = max(able, key=lambda at: widths[at])
        if widths[widest] <= _NARROWEST:
            break
        widths[widest] -= 1
        spare += 1
    return widths


def _line(columns: Sequence[Column], row: Sequence[str], widths: Sequence[int], paint: Paint) -> str:
    cells = []
    for column, text, width in zip(columns, row, widths, strict=True):
        shown = _padded(_shortened(text, width), width, to_the_right=column.is_figure)
        cells.append(_painted(text, shown, paint))
    return (" " * _GAP).join(cells).rstrip()


def _painted(word: str, shown: str, paint: Paint) -> str:
    colour = colour_of(word)
    return shown if colour is None else paint(shown, colour)


def _shortened(text: str, width: int) -> str:
    if _cells(text) <= width:
        return text
    while _cells(text) > width - 1:
        text = text[:-1]
    return text + "…"


def _padded(text: str, width: int, *, to_the_right: bool = False) -> str:
    space = " " * (width - _cells(text))
    return space + text if to_the_right else text + space


def _cells(text: str) -> int:
    """How many places of a terminal a text takes: wide characters two, combining ones none."""
    return sum(
        0 if unicodedata.combining(sign) else 2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text
    )
