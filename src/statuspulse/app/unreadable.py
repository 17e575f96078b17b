"""What the HTTP server cannot read is refused in the envelope of every other answer."""

from __future__ import annotations

import re
from http import HTTPStatus

import httptools
import msgspec

from statuspulse.api.envelope import JSON
from statuspulse.api.errors import ApiError, ErrorPlace, error_document
from statuspulse.domain.ids import new_ulid

METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE"
# RFC 9110, 5.6.2 and RFC 9112, 3: a token, the target and the version.
_REQUEST_LINE = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64} \S+ HTTP/1\.[01]\r?\n")
_TLS_HANDSHAKE = b"\x16\x03"


def too_long(limit: int) -> ApiError:
    """For a head, which is all that comes before the body, of more than so many bytes."""
    return ApiError("head_too_large", f"Address and headers of a call may have at most {limit} bytes.")


def refusal_of(error: BaseException | None, received: bytes) -> ApiError:
    """`error` is what the parser raised, `received` what it was given last."""
    if received.startswith(_TLS_HANDSHAKE):
        return ApiError("invalid_request", "This port speaks HTTP and no TLS: use http://, or the proxy.")
    if isinstance(error, httptools.HttpParserInvalidMethodError) and _REQUEST_LINE.match(received):
        message = f"No path takes this method; there are {METHODS}, in capital letters."
        return ApiError("method_not_allowed", message, headers={"Allow": METHODS})
    return ApiError("invalid_request", "What was received is no HTTP/1.1 call, or a malformed one.")


def written(error: ApiError, public_url: str, now: int) -> bytes:
    """The whole answer to what nobody could read; the connection ends with it."""
    request_id = new_ulid("req", now)
    place = ErrorPlace(request_id=request_id, instance="/", docs_url=f"{public_url}/docs")
    body = msgspec.json.encode(error_document(error, place))
    headers = {
        "Content-Type": JSON,
        "Content-Length": str(len(body)),
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "Request-Id": request_id,
        "Connection": "close",
        **error.headers,
    }
    status = HTTPStatus(error.kind.status)
    lines = [f"HTTP/1.1 {status.value} {status.phrase}", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
