"""Request headers that change what a call does: preconditions and preferences."""

from __future__ import annotations

import re

from starlette.requests import HTTPConnection

from statuspulse.api.errors import ApiError

# RFC 9110, 8.8.3; empty elements of a list count for nothing (5.6.1.2).
_TAG = r'(?:W/)?"([\x21\x23-\x7e\x80-\xff]*)"'
_TAGS = re.compile(rf"[ \t,]*(?:{_TAG}[ \t]*(?:,[ \t,]*|$))+")
_ANY = "*"


def etag(version: int | str) -> str:
    return f'"{version}"'


def if_match(request: HTTPConnection) -> frozenset[str] | None:
    """The versions that the caller accepts, `*` for any; None when he sets no condition.

    Raises 400 for what is no list of entity tags: taken for a version it would fail, and no repetition would help.
    """
    values = request.headers.getlist("if-match")
    if not values:
        return None
    text = ",".join(values).strip()
    if text == _ANY:
        return frozenset({_ANY})
    if _TAGS.fullmatch(text) is None:
        message = 'If-Match must be *, or hold versions in double quotes as ETag shows them, such as "3".'
        raise ApiError("invalid_header", message, param="If-Match")
    return frozenset(re.findall(_TAG, text))


def none_match(request: HTTPConnection, version: int | str) -> bool:
    """Whether the caller has this version already."""
    return bool(known_versions(request) & {_ANY, str(version)})


def known_versions(request: HTTPConnection) -> frozenset[str]:
    """The versions that the caller has already.

    Weak and strong tags are alike here and above: proxies that compress weaken them, and ours are version numbers.
    """
    tags = ",".join(request.headers.getlist("if-none-match")).split(",")
    return frozenset(tag.strip().removeprefix("W/").strip('"') for tag in tags)


def wants_strictness(request: HTTPConnection) -> bool:
    """`Prefer: handling=strict` (RFC 7240)."""
    preferences = ",".join(request.headers.getlist("prefer")).replace(" ", "").lower().split(",")
    return any(preference.partition(";")[0] in {"handling=strict", 'handling="strict"'} for preference in preferences)
