"""Paths into JSON, a small part of JSONPath: members, indexes and one `[*]`.

    path   = "$" step*
    step   = "." name | "['" text "']" | '["' text '"]' | "[" index "]" | "[*]"
    name   = a letter or "_", then letters, digits, "_" and "-"

An index counts from 0, or with a minus from the end. In a quoted text a backslash stands before a quote or a backslash.
There is no recursion and no filter: what a path costs is bounded by its length and the size of the document.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

_LONGEST = 512
_DIGITS = 9


class JsonPathError(ValueError):
    """The text goes on from the name of the member and does not quote the path."""


class Wildcard(Enum):
    """Every element of an array, every value of an object."""

    EACH = "*"


Step = str | int | Wildcard


@dataclass(frozen=True, slots=True)
class JsonPath:
    """A path that was read; `is_plural` says that it may lead to several values."""

    steps: tuple[Step, ...]

    @property
    def is_plural(self) -> bool:
        return Wildcard.EACH in self.steps

    def find(self, document: Any) -> list[Any]:
        """The values that the path leads to, in the order of the document; none if a step leads nowhere."""
        found = [document]
        for step in self.steps:
            found = [value for node in found for value in _below(node, step)]
        return found


def parse_path(text: str) -> JsonPath:
    """Reads a path; raises JsonPathError."""
    if len(text) > _LONGEST:
        raise JsonPathError(f"must have at most {_LONGEST} characters as a path")
    if not text.startswith("$"):
        raise JsonPathError("has to begin with $, as in $.status")
    steps = tuple(_Reader(text).steps())
    if steps.count(Wildcard.EACH) > 1:
        raise JsonPathError("takes only one [*]")
    return JsonPath(steps)


def _below(node: Any, step: Step) -> Iterable[Any]:
    if isinstance(step, str):
        return (node[step],) if isinstance(node, dict) and step in node else ()
    if isinstance(step, int):
        return (node[step],) if isinstance(node, list) and -len(node) <= step < len(node) else ()
    if isinstance(node, list):
        return node
    return node.values() if isinstance(node, dict) else ()


class _Reader:
    """Reads a path from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 1

    def steps(self) -> Iterator[Step]:
        while self._at < len(self._text):
            if self._text[self._at] == ".":
                self._at += 1
                yield self._name()
            elif self._text[self._at] == "[":
                self._at += 1
                yield self._bracketed()
            else:
                raise JsonPathError("may hold only .name, ['name'], [0] and [*] after the $")

    def _name(self) -> str:
        begin = self._at
        while self._at < len(self._text) and _is_of_a_name(self._text[self._at], first=self._at == begin):
            self._at += 1
        if self._at == begin:
            raise JsonPathError("has a dot without a name behind it; other names stand in brackets, as in ['a b']")
        return self._text[begin : self._at]

    def _bracketed(self) -> Step:
        if self._text[self._at : self._at + 1] in {"'", '"'}:
            step: Step = self._quoted()
        else:
            begin, self._at = self._at, self._end_of_bracket()
            step = _index(self._text[begin : self._at])
        if self._text[self._at : self._at + 1] != "]":
            raise JsonPathError("lacks a closing bracket")
        self._at += 1
        return step

    def _quoted(self) -> str:
        quote, characters = self._text[self._at], []
        self._at += 1
        while (character := self._text[self._at : self._at + 1]) != quote:
            if character == "\\":
                self._at += 1
                character = self._text[self._at : self._at + 1]
                if character not in {"'", '"', "\\"}:
                    raise JsonPathError("takes a backslash only before a quote or another backslash")
            if not character:
                raise JsonPathError("lacks a closing quote")
            characters.append(character)
            self._at += 1
        self._at += 1
        return "".join(characters)

    def _end_of_bracket(self) -> int:
        end = self._text.find("]", self._at)
        if end < 0:
            raise JsonPathError("lacks a closing bracket")
        return end


def _index(text: str) -> int | Wildcard:
    if text == "*":
        return Wildcard.EACH
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdecimal()) or len(digits) > _DIGITS:
        raise JsonPathError("takes an index, a quoted name or * in brackets; there are no filters and no slices")
    return int(text)


def _is_of_a_name(character: str, *, first: bool) -> bool:
    return character.isalpha() or character == "_" or (not first and (character.isdecimal() or character == "-"))
