"""Reads JSON without the liberties that parsers take: what two parsers could read differently is refused."""

from __future__ import annotations

import json
import unicodedata
from typing import Any, NoReturn

DEEPEST_NESTING = 20
# Above this a float no longer tells neighbouring integers apart.
_EXACT_INTEGERS = 1 << 53
_BYTE_ORDER_MARK = "\ufeff"


class InvalidJsonError(ValueError):
    """Not the JSON that we take; the text says why and never what stood there."""


def parse(raw: bytes) -> Any:
    """The value, strings in NFC and integral floats as integers.

    Refuses duplicate keys, NaN and Infinity, invalid UTF-8, lone surrogates, NUL and deep nesting.
    """
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidJsonError(f"it is not UTF-8 at byte {error.start}") from None
    if not text.strip():
        raise InvalidJsonError("it is empty")
    if text.startswith(_BYTE_ORDER_MARK):
        raise InvalidJsonError("it begins with a byte order mark (EF BB BF); save it as UTF-8 without one")
    try:
        value = json.loads(
            text, parse_constant=_refuse_constant, parse_float=_number, object_pairs_hook=_object_without_duplicates
        )
    except json.JSONDecodeError as error:
        raise InvalidJsonError(f"{error.msg} at line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise InvalidJsonError(_too_deep()) from None
    except InvalidJsonError:
        raise
    except ValueError:
        raise InvalidJsonError("a number has too many digits") from None
    return _clean(value, 1)


def _refuse_constant(_name: str) -> NoReturn:
    raise InvalidJsonError("NaN and Infinity are no JSON numbers")


def _number(text: str) -> int | float:
    number = float(text)
    if number in {float("inf"), float("-inf")}:
        raise InvalidJsonError("a number is too large")
    return int(number) if number.is_integer() and abs(number) <= _EXACT_INTEGERS else number


def _object_without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = {_text(name): value for name, value in pairs}
    if len(members) < len(pairs):
        raise InvalidJsonError("an object has the same key twice")
    return members


def _clean(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        return _text(value)
    if not isinstance(value, dict | list):
        return value
    if depth > DEEPEST_NESTING:
        raise InvalidJsonError(_too_deep())
    if isinstance(value, dict):
        return {name: _clean(member, depth + 1) for name, member in value.items()}
    return [_clean(item, depth + 1) for item in value]


def _text(text: str) -> str:
    if "\0" in text:
        raise InvalidJsonError("a string holds NUL")
    if any("\ud800" <= char <= "\udfff" for char in text):
        raise InvalidJsonError("a string holds half of a surrogate pair")
    return unicodedata.normalize("NFC", text)


def _too_deep() -> str:
    return f"it is nested deeper than {DEEPEST_NESTING} levels"
