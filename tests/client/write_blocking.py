"""Writes `statuspulse/client/blocking` from `asynchronous`: `python -m tests.client.write_blocking`.

The transport alone is different. Each call of the API is so written down once, and a test holds the files against this.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tests.client.write_answers import formatted

_CLIENT = Path(__file__).parents[2] / "src" / "statuspulse" / "client"
# What differs between the two.
_OWN = frozenset({"__init__.py", "transport.py"})
_CHANGES = (
    (r"\basync (def|for|with) ", r"\1 "),
    (r"\bawait ", ""),
    (r"\b__a(enter|exit)__", r"__\1__"),
    (r"\baclose\b", "close"),
    (r"\bAsync([A-Z]\w+)", r"\1"),
    (r"\basynchronous\b", "blocking"),
)
_NOTE = "# Written from `asynchronous/{name}` by `python -m tests.client.write_blocking`.\n"


def files() -> Iterator[tuple[Path, str]]:
    """Each file, and the text that it has to hold."""
    folder = _CLIENT / "asynchronous"
    for path in sorted(folder.rglob("*.py")):
        name = path.relative_to(folder)
        if str(name) in _OWN:
            continue
        text = path.read_text()
        for pattern, replacement in _CHANGES:
            text = re.sub(pattern, replacement, text)
        yield _CLIENT / "blocking" / name, formatted(_NOTE.format(name=name) + text)


if __name__ == "__main__":
    for path, text in files():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
