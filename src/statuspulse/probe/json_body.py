"""Reads JSON from outside: how deep and how much of it there is, is known before anything is made of it."""

from __future__ import annotations

from typing import Any

import msgspec

_DEEPEST = 64
_MOST_VALUES = 100_000
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_SQUARE = bytes.maketrans(b"{}", b"[]")


class NoJsonError(ValueError):
    """The text says what is wrong, without the content."""


class TooMuchJsonError(ValueError):
    """There is more than is looked at; the text says of what."""


def parse_json(content: bytes | bytearray) -> Any:
    """The document; raises TooMuchJsonError above 64 levels or 100,000 values, NoJsonError for anything else."""
    content = bytes(content).removeprefix(_BYTE_ORDER_MARK)
    _check_size(_without_texts(content))
    try:
        return msgspec.json.decode(content)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise NoJsonError(f"the body is no JSON: {error}") from None


def _without_texts(content: bytes) -> bytes:
    """The structure alone: everything between quotes is left out."""
    if b"\\" in content:
        content = content.replace(b"\\\\", b"").replace(b'\\"', b"")
    # A value takes four quotes at most, with its name.
    if content.count(b'"') > 4 * _MOST_VALUES:
        raise TooMuchJsonError(f"the JSON has more than {_MOST_VALUES} values")
    return b"".join(content.split(b'"')[::2])


def _check_size(structure: bytes) -> None:
    if structure.count(b",") + structure.count(b"[") + structure.count(b"{") >= _MOST_VALUES:
        raise TooMuchJsonError(f"the JSON has more than {_MOST_VALUES} values")
    brackets = structure.translate(_SQUARE, _NO_BRACKETS)
    for _ in range(_DEEPEST):
        if not brackets:
            return
        brackets = brackets.replace(b"[]", b"")  # takes the innermost level away
    if b"[]" in brackets:
        raise TooMuchJsonError(f"the JSON is nested more than {_DEEPEST} levels deep")
    if brackets:
        raise NoJsonError("the body is no JSON: its brackets do not match")
