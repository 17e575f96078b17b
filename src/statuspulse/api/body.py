"""Takes a request's body in: how large it may be and what it may be made of."""

from __future__ import annotations

from collections.abc import Collection
from email.message import Message
from typing import Any

from starlette.requests import HTTPConnection, Request

from statuspulse.api import strict_json
from statuspulse.api.errors import ApiError

BODY_LIMIT = 256 * 1024
JSON_TYPES = frozenset({"application/json"})
PATCH_TYPES = JSON_TYPES | {"application/merge-patch+json"}

# The server has refused what does not fit into 64 bits; zeros in front may be more than Python reads.
_MOST_DIGITS = 20
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


async def read_body(request: Request, limit: int) -> bytes:
    """The whole body; raises 413 as soon as it is too large, chunked ones included."""
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared[-_MOST_DIGITS:]) > limit:
        raise _too_large(limit)
    if request.method not in _WITH_BODY:
        return b""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise _too_large(limit)
    return bytes(body)


def check_media_type(request: HTTPConnection, allowed: Collection[str]) -> None:
    """Raises 415 for anything that is not one of the types in UTF-8, and for what is packed."""
    if request.headers.get("content-encoding", "identity").strip().lower() not in {"", "identity"}:
        raise ApiError(
            "unsupported_media_type", "Send the body as it is, without Content-Encoding.", param="Content-Encoding"
        )
    header = Message()
    header["content-type"] = request.headers.get("content-type", "")
    charset = header.get_param("charset", "utf-8")
    if header.get_content_type() not in allowed or str(charset).lower() not in {"utf-8", "utf8"}:
        raise ApiError(
            "unsupported_media_type",
            f"Content-Type must be {' or '.join(sorted(allowed))} in UTF-8.",
            param="Content-Type",
        )


def parse_json(raw: bytes) -> Any:
    """The value of a body; raises 400."""
    try:
        return strict_json.parse(raw)
    except strict_json.InvalidJsonError as error:
        raise ApiError("invalid_json", f"The body is not valid JSON: {error}.") from None


def _too_large(limit: int) -> ApiError:
    return ApiError("payload_too_large", f"The body may have at most {limit} bytes.")
