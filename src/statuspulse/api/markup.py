"""HTML made of values: whatever is not markup already is escaped, so that no page can forget it."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from typing import TypeAlias

_WITHOUT_END = frozenset({"meta", "link", "input", "br", "hr"})
_CODE = re.compile(r"`([^`]+)`")


class Html(str):
    """Text that is markup. Joined with plain text it is plain text again, and so escaped twice rather than never."""

    __slots__ = ()


Child: TypeAlias = "str | Iterable[Child] | None"


def tag(name: str, /, *children: Child, **attributes: str | bool | None) -> Html:
    """An element. `class_` is the attribute class, `data_x` is data-x; False and None leave an attribute out."""
    start = f"<{name}{''.join(_attribute(key, value) for key, value in attributes.items())}>"
    return Html(start) if name in _WITHOUT_END else Html(f"{start}{joined(*children)}</{name}>")


def joined(*children: Child) -> Html:
    """Several things one after the other; None is nothing."""
    return Html("".join(_child(child) for child in children))


def prose(text: str) -> Html:
    """Text in which `what stands between backticks` is code."""
    parts = _CODE.split(text)
    return joined(*(tag("code", part) if place % 2 else part for place, part in enumerate(parts)))


def _child(child: Child) -> str:
    if child is None:
        return ""
    if isinstance(child, Html):
        return child
    return html.escape(child, quote=False) if isinstance(child, str) else "".join(_child(one) for one in child)


def _attribute(key: str, value: str | bool | None) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{html.escape(value)}"'
