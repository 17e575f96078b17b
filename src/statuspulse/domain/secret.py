"""A text that never shows itself: repr, str and format are masked, only `reveal` gives it back."""

from __future__ import annotations

MASK = "***"


class Secret:
    """Wraps a secret text so that logs, errors and documents cannot print it by accident."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return f"Secret({MASK!r})"

    def __str__(self) -> str:
        return MASK

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)
