"""What all answers have in common."""

from __future__ import annotations

from typing import Any

import msgspec


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A part of an answer. Members that this version does not know are left aside."""


class SoftProblem(Part, frozen=True, kw_only=True):
    """A warning beside a good answer."""

    code: str
    message: str
    param: str | None = None


class Answer(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """An answer of the API, or an item of a list, which comes without these three."""

    request_id: str = ""
    message: str = ""
    warnings: tuple[SoftProblem, ...] = ()

    def keep(self, content: bytes) -> None:
        """Keeps the answer as it came, beside the members."""
        self.__dict__["content"] = content

    @property
    def document(self) -> dict[str, Any]:
        """The answer as it came, with the members that this version does not know."""
        document: dict[str, Any] = msgspec.json.decode(self.__dict__["content"])
        return document
