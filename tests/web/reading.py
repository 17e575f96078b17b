"""Pages as a test reads them: what they link to, the anchors they have, and the texts of their parts."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

_WITHOUT_END = {"meta", "link", "input", "br", "hr", "wbr"}


@dataclass
class Read(HTMLParser):
    """One page; `blocks` has the text of every `pre`, `marks` every element with its attributes."""

    links: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    blocks: list[str] = field(default_factory=list)
    marks: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    text: str = ""
    _open: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        self.marks.append((tag, told))
        self.links += [value for name, value in told.items() if name in {"href", "src"} and value is not None]
        self.ids += [value for name, value in told.items() if name == "id" and value is not None]
        if tag == "pre":
            self.blocks.append("")
        if tag not in _WITHOUT_END:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data
        if "pre" in self._open:
            self.blocks[-1] += data


def read(content: str) -> Read:
    """The page; raises AssertionError where its elements are not nested."""
    found = Read()
    found.feed(content)
    found.close()
    assert not found._open
    return found
