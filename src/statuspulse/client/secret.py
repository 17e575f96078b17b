"""A text that never shows itself: repr, str and format are masked, only `reveal` gives it back."""

from __future__ import annotations


class Secret:
    """A token or a key; printed by accident it is `***`."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "Secret('***')"

    def __str__(self) -> str:
        return "***"
