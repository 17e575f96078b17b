"""Content codings, undone within bounds: a small answer must not become a large one."""

from __future__ import annotations

import zlib

from statuspulse.domain.failure import Failure, FailureClass

OFFERED = b"Accept-Encoding: gzip, deflate"
_GZIP = frozenset({"gzip", "x-gzip"})
_WITH_GZIP_HEAD = 16 + zlib.MAX_WBITS
_RATIO = 100
_MEMBERS = 16


def decoded(coded: bytes | bytearray, coding: str, limit: int) -> bytes | bytearray | Failure:
    """The content behind a value of Content-Encoding, of at most `limit` bytes.

    Only one layer of gzip or deflate is undone: nothing else was offered. The coded bytes may be a quarter of the
    limit, and one of them may stand for a hundred.
    """
    name = coding.strip().lower()
    if name in {"", "identity"} or not coded:
        return coded
    if name not in _GZIP and name != "deflate":
        return Failure.of(FailureClass.PROTOCOL_ERROR, f"the answer is coded as {coding!r}, which was not asked for")
    if len(coded) * 4 > limit:
        return _too_large(f"the coded body is larger than {limit // 4} bytes, a quarter of the limit")
    try:
        content = _inflated(bytes(coded), _window(name, coded), min(limit, len(coded) * _RATIO))
    except zlib.error:
        return Failure(FailureClass.PROTOCOL_ERROR, f"the body is no valid {name}")
    if content is None:
        return _too_large(f"the body is larger than {limit} bytes or {_RATIO} times what was sent")
    return content


def readable(coded: bytes, coding: str, limit: int) -> bytes:
    """The beginning of the content for people to look at; what cannot be undone stays as it is."""
    name = coding.strip().lower()
    if name not in _GZIP and name != "deflate":
        return coded[:limit]
    try:
        return zlib.decompressobj(_window(name, coded)).decompress(coded, limit)
    except zlib.error:
        return coded[:limit]


def _window(name: str, coded: bytes | bytearray) -> int:
    """What zlib has to expect: `deflate` comes with a zlib head, as it should, or without one."""
    if name in _GZIP:
        return _WITH_GZIP_HEAD
    has_head = len(coded) > 1 and coded[0] & 0x0F == zlib.DEFLATED and (coded[0] << 8 | coded[1]) % 31 == 0
    return zlib.MAX_WBITS if has_head else -zlib.MAX_WBITS


def _inflated(coded: bytes, window: int, limit: int) -> bytes | None:
    """None if there is more than the limit; raises zlib.error for what is cut or broken."""
    content = b""
    for _ in range(_MEMBERS):
        stream = zlib.decompressobj(window)
        content += stream.decompress(coded, limit - len(content) + 1)
        if len(content) > limit:
            return None
        if not stream.eof:
            raise zlib.error("cut")
        coded = stream.unused_data
        if not coded:
            return content
    raise zlib.error("too many members")


def _too_large(text: str) -> Failure:
    return Failure(FailureClass.BODY_TOO_LARGE, text)
