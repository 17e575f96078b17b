"""The standard health check of gRPC on the wire (gRPC over HTTP/2; grpc.health.v1.Health/Check)."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import unquote

from statuspulse.domain.failure import Failure, FailureClass
from statuspulse.egress.h2_client import H2Answer

PATH = "/grpc.health.v1.Health/Check"
CONTENT_TYPE = "application/grpc"
# An answer has seven bytes; what is longer has fields of a later version, or is none.
ANSWER_LIMIT = 4096

_PREFIX_BYTES = 5
_SERVICE_TAG = b"\x0a"  # field 1, length-delimited
_STATUS_FIELD = 1
_SERVING = 1
_STATUSES = {0: "UNKNOWN", 1: "SERVING", 2: "NOT_SERVING", 3: "SERVICE_UNKNOWN"}
_VARINT, _DELIMITED = 0, 2
_FIXED_BYTES = {1: 8, 5: 4}
_LONGEST_VARINT = 10
_LONGEST_CODE = 5
_DEADLINE_EXCEEDED = 4
_CODES = (
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
)
_NO_MESSAGE = Failure(FailureClass.PROTOCOL_ERROR, "the answer holds no message of the health check")


def request_frame(service: str) -> bytes:
    """The request as one uncompressed message with its length before it."""
    name = service.encode()
    message = _SERVICE_TAG + _varint(len(name)) + name if name else b""
    return b"\0" + len(message).to_bytes(4, "big") + message


def judge(answer: H2Answer) -> Failure | None:
    """What is wrong with an answer that came whole."""
    code = _code(answer)
    if isinstance(code, Failure):
        return code
    if code != 0:
        return _refusal(code, answer.fields.get("grpc-message", ""))
    try:
        status = _status(_message(answer.body))
    except ValueError:
        return _NO_MESSAGE
    if status == _SERVING:
        return None
    return Failure(FailureClass.STATUS_MISMATCH, f"got {_STATUSES.get(status, status)}, expected SERVING")


def _code(answer: H2Answer) -> int | Failure:
    content_type = answer.fields.get("content-type", "")
    if not content_type.startswith(CONTENT_TYPE):
        detail = f"the answer is no gRPC: status {answer.exchange.status}, content type {content_type or 'none'}"
        return Failure.of(FailureClass.PROTOCOL_ERROR, detail)
    code = answer.fields.get("grpc-status", "")
    if code.isascii() and code.isdecimal() and len(code) <= _LONGEST_CODE:
        return int(code)
    return Failure(FailureClass.PROTOCOL_ERROR, "the answer ends without a grpc-status")


def _refusal(code: int, message: str) -> Failure:
    name = _CODES[code] if code < len(_CODES) else "unknown code"
    text = unquote(message)  # percent-encoded UTF-8; what is none becomes replacement characters
    detail = f"grpc-status {code} ({name})" + (f": {text}" if text else "")
    # The deadline that it exceeded is the one that we sent along.
    kind = FailureClass.TIMEOUT if code == _DEADLINE_EXCEEDED else FailureClass.STATUS_MISMATCH
    return Failure.of(kind, detail)


def _message(body: bytes) -> bytes:
    """The one message of an answer; ValueError if it is not one, or compressed, which we did not offer."""
    message = body[_PREFIX_BYTES:]
    if len(body) < _PREFIX_BYTES or body[0] != 0 or int.from_bytes(body[1:_PREFIX_BYTES], "big") != len(message):
        raise ValueError
    return message


def _status(message: bytes) -> int:
    """The serving status; of several the last counts, and none at all is 0, as in every message of protobuf."""
    status = 0
    for field, kind, value in _fields(message):
        if field == _STATUS_FIELD and kind == _VARINT:
            status = value
    return status


def _fields(message: bytes) -> Iterator[tuple[int, int, int]]:
    """Number, wire type and value or length of each field; ValueError if the message is cut or malformed."""
    place = 0
    while place < len(message):
        tag, place = _read_varint(message, place)
        kind, value = tag & 7, 0
        if kind in {_VARINT, _DELIMITED}:
            value, place = _read_varint(message, place)
        elif kind not in _FIXED_BYTES:
            raise ValueError
        place += value if kind == _DELIMITED else _FIXED_BYTES.get(kind, 0)
        if place > len(message):
            raise ValueError
        yield tag >> 3, kind, value


def _read_varint(data: bytes, place: int) -> tuple[int, int]:
    value = 0
    for count, byte in enumerate(data[place : place + _LONGEST_VARINT]):
        value |= (byte & 0x7F) << (7 * count)
        if byte < 0x80:
            return value, place + count + 1
    raise ValueError


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)
