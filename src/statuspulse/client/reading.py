"""From the body of a good answer to the type that describes it."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from statuspulse.client.answer import Answer
from statuspulse.client.errors import UnexpectedAnswerError
from statuspulse.client.replies import Reply
from statuspulse.client.secret import Secret

T = TypeVar("T", bound=Answer)


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """One page of a list, its items still as they came."""

    data: list[msgspec.Raw]
    has_more: bool = False
    next_cursor: str | None = None


def read(kind: type[T], reply: Reply) -> T:
    """Raises UnexpectedAnswerError for what is no such answer."""
    return _read(kind, reply.body, reply)


def read_page(reply: Reply) -> Page:
    try:
        return msgspec.json.decode(reply.body, type=Page)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _unexpected(reply, error) from None


def read_items(kind: type[T], page: Page, reply: Reply) -> list[T]:
    return [_read(kind, bytes(item), reply) for item in page.data]


def read_document(reply: Reply) -> dict[str, Any]:
    document = reply.document
    if document is None:
        raise _unexpected(reply, None)
    return document


def read_text(media_type: str, reply: Reply) -> str:
    """Raises UnexpectedAnswerError for anything of another type, such as the page of a proxy."""
    if reply.media_type != media_type:
        raise _unexpected(reply, None)
    try:
        return reply.body.decode()
    except UnicodeDecodeError as error:
        raise _unexpected(reply, error) from None


def _read(kind: type[T], content: bytes, reply: Reply) -> T:
    try:
        answer = msgspec.json.decode(content, type=kind, dec_hook=_decoded)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _unexpected(reply, error) from None
    answer.keep(content)
    return answer


def _decoded(kind: type, value: Any) -> Any:
    assert kind is Secret
    if not isinstance(value, str):
        raise TypeError("a secret has to be a text")
    return Secret(value)


def _unexpected(reply: Reply, error: Exception | None) -> UnexpectedAnswerError:
    """Says where it does not fit, and never what stood there."""
    why = "" if error is None else f": {error}"
    kind = reply.media_type or "something without a type"
    message = f"{reply.status} came with {kind} that this version does not understand{why}"
    return UnexpectedAnswerError(message, status=reply.status)
