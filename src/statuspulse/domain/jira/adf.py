"""Rich text as Jira's third API wants it: the Atlassian Document Format, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

# A node of the format; `content` nests them.
Node = dict[str, Any]

_LONGEST_TEXT = 30_000


def document(*blocks: Node) -> Node:
    """The whole text. Without a block it would be refused, so it has an empty paragraph then."""
    return {"type": "doc", "version": 1, "content": list(blocks) or [{"type": "paragraph", "content": []}]}


def paragraph(text: str) -> Node:
    """Plain text of people; their line ends stay, their markup is none."""
    return {"type": "paragraph", "content": list(_lines(_printable(text)[:_LONGEST_TEXT]))}


def facts(pairs: Iterable[tuple[str, str]]) -> Node:
    """Names in bold with their texts, a line each."""
    content: list[Node] = []
    for name, text in pairs:
        if content:
            content.append({"type": "hardBreak"})
        content.append({"type": "text", "text": f"{name}: ", "marks": [{"type": "strong"}]})
        content += _lines(_printable(text))
    return {"type": "paragraph", "content": content}


def links(pairs: Iterable[tuple[str, str]]) -> Node:
    """Labels that lead to URLs, a line each."""
    content: list[Node] = []
    for label, url in pairs:
        if content:
            content.append({"type": "hardBreak"})
        content.append({"type": "text", "text": label, "marks": [{"type": "link", "attrs": {"href": url}}]})
    return {"type": "paragraph", "content": content}


def text_of(value: object) -> str:
    """What a text of Jira's says in plain words: a string of the second API, or a document of the third."""
    if isinstance(value, str):
        return value.strip()
    blocks = value.get("content") if isinstance(value, Mapping) else None
    if not isinstance(blocks, list):
        return ""
    return "\n".join(said for block in blocks if (said := "".join(_said(block)).strip()))


def _lines(text: str) -> Iterable[Node]:
    """Text nodes may not be empty, nor hold line ends."""
    lines = text.split("\n")
    for line, following in pairwise([*lines, None]):
        if line:
            yield {"type": "text", "text": line}
        if following is not None:
            yield {"type": "hardBreak"}


def _printable(text: str) -> str:
    """Control characters make a document invalid."""
    return "".join(char if char.isprintable() or char == "\n" else " " for char in text.replace("\r\n", "\n"))


def _said(node: object) -> Iterable[str]:
    if not isinstance(node, Mapping):
        return
    match node.get("type"):
        case "text":
            yield str(node.get("text", ""))
        case "hardBreak":
            yield "\n"
        case "mention" | "emoji" | "status":
            attributes = node.get("attrs")
            yield str(attributes.get("text", "")) if isinstance(attributes, Mapping) else ""
        case _:
            pass
    inner = node.get("content")
    for child in inner if isinstance(inner, list) else ():
        yield from _said(child)
        if isinstance(child, Mapping) and child.get("type") in {"paragraph", "listItem"}:
            yield "\n"
