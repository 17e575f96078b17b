"""Calls of the API as values: method, path, query, body and headers, ready to be sent more than once."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

# So many items of a list are asked for at once.
PAGE = 100
_JSON = ("Content-Type", "application/json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call; `path` begins with `/v1`, `seconds` is how long one attempt may take, None for the client's usual."""

    method: str
    path: str
    body: bytes | None = None
    headers: tuple[tuple[str, str], ...] = ()
    seconds: float | None = None


def path_of(*segments: str) -> str:
    """`/v1/…` of these segments. Raises ValueError for an empty one, which would name another resource."""
    for segment in segments:
        if not segment:
            raise ValueError("an id in the path of a call is empty")
    # A dot alone would be taken for a step within the path.
    quoted = [quote(segment, safe="") if segment.strip(".") else segment.replace(".", "%2E") for segment in segments]
    return "/".join(["/v1", *quoted])


def get(path: str, query: Mapping[str, Any] | None = None) -> Call:
    return Call(method="GET", path=_with_query(path, query))


def post(
    path: str, body: Mapping[str, Any] | None = None, *, key: str | None = None, seconds: float | None = None
) -> Call:
    """A POST that may be sent again: under a key of the caller's, or one of its own."""
    headers = (("Idempotency-Key", uuid.uuid4().hex if key is None else _printable("idempotency_key", key)),)
    return _with_body("POST", path, body, headers, seconds)


def put(
    path: str, body: Mapping[str, Any], *, query: Mapping[str, Any] | None = None, if_match: int | None = None
) -> Call:
    return _with_body("PUT", _with_query(path, query), body, _precondition(if_match), None)


def patch(
    path: str, body: Mapping[str, Any], *, query: Mapping[str, Any] | None = None, if_match: int | None = None
) -> Call:
    return _with_body("PATCH", _with_query(path, query), body, _precondition(if_match), None)


def delete(path: str, *, if_match: int | None = None) -> Call:
    return Call(method="DELETE", path=path, headers=_precondition(if_match))


def given(**members: Any) -> dict[str, Any]:
    """Those that are not None."""
    return {name: value for name, value in members.items() if value is not None}


def listed(values: str | Sequence[str] | None) -> str | None:
    """Several words of one query parameter, as the API takes them: with commas between."""
    return values if values is None or isinstance(values, str) else ",".join(values)


def list_of(values: Sequence[str]) -> tuple[str, ...]:
    """Words of a parameter that may stand several times; a text alone is one word."""
    return (values,) if isinstance(values, str) else tuple(values)


def _with_body(
    method: str,
    path: str,
    body: Mapping[str, Any] | None,
    headers: tuple[tuple[str, str], ...],
    seconds: float | None,
) -> Call:
    if body is None:
        return Call(method=method, path=path, headers=headers, seconds=seconds)
    content = msgspec.json.encode(body)
    return Call(method=method, path=path, body=content, headers=(*headers, _JSON), seconds=seconds)


def _precondition(version: int | None) -> tuple[tuple[str, str], ...]:
    return () if version is None else (("If-Match", f'"{version}"'),)


def _with_query(path: str, query: Mapping[str, Any] | None) -> str:
    pairs = [
        (name, _text(value))
        for name, values in (query or {}).items()
        for value in (values if isinstance(values, list | tuple) else [values])
        if value is not None
    ]
    return f"{path}?{urlencode(pairs)}" if pairs else path


def _text(value: Any) -> str:
    """Raises ValueError for a time without zone: nobody could say which instant it is."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("a time in a call needs a time zone")
        return value.isoformat()
    return str(value)


def _printable(name: str, text: str) -> str:
    if not text or not text.isascii() or not text.isprintable():
        raise ValueError(f"{name} has to be printable ASCII")
    return text
