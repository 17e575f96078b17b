# Written from `asynchronous/caller.py` by `python -m tests.client.write_blocking`.
"""Makes calls and reads their answers; what the resources are built on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from statuspulse.client import calls, reading
from statuspulse.client.answer import Answer
from statuspulse.client.blocking.transport import Transport
from statuspulse.client.calls import Call
from statuspulse.client.conversation import Patience, conversation
from statuspulse.client.errors import NotFoundError
from statuspulse.client.replies import Reply

T = TypeVar("T", bound=Answer)


class Caller:
    """One transport and the patience with which it is used."""

    def __init__(self, transport: Transport, patience: Patience) -> None:
        self._transport = transport
        self._patience = patience

    def reply(self, call: Call) -> Reply:
        return self._transport.run(conversation(call, self._patience))

    def answer(self, kind: type[T], call: Call) -> T:
        return reading.read(kind, self.reply(call))

    def text(self, media_type: str, call: Call) -> str:
        """What is answered as something else than JSON."""
        return reading.read_text(media_type, self.reply(call))

    def each(self, kind: type[T], path: str, query: Mapping[str, Any]) -> Iterator[T]:
        """The items of a list, page after page as they are wanted."""
        cursor = None
        while True:
            reply = self.reply(calls.get(path, {**query, "cursor": cursor}))
            page = reading.read_page(reply)
            yield from reading.read_items(kind, page, reply)
            if not page.has_more or page.next_cursor is None:
                return
            cursor = page.next_cursor

    def delete(self, path: str, *, if_match: int | None = None) -> None:
        """Deletes; what is gone when the call is repeated after silence was deleted by it, or by somebody else."""
        try:
            self.reply(calls.delete(path, if_match=if_match))
        except NotFoundError as error:
            if not error.after_silence:
                raise
