"""Makes calls and reads their answers; what the resources are built on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any, TypeVar

from statuspulse.client import calls, reading
from statuspulse.client.answer import Answer
from statuspulse.client.asynchronous.transport import AsyncTransport
from statuspulse.client.calls import Call
from statuspulse.client.conversation import Patience, conversation
from statuspulse.client.errors import NotFoundError
from statuspulse.client.replies import Reply

T = TypeVar("T", bound=Answer)


class AsyncCaller:
    """One transport and the patience with which it is used."""

    def __init__(self, transport: AsyncTransport, patience: Patience) -> None:
        self._transport = transport
        self._patience = patience

    async def reply(self, call: Call) -> Reply:
        return await self._transport.run(conversation(call, self._patience))

    async def answer(self, kind: type[T], call: Call) -> T:
        return reading.read(kind, await self.reply(call))

    async def text(self, media_type: str, call: Call) -> str:
        """What is answered as something else than JSON."""
        return reading.read_text(media_type, await self.reply(call))

    async def each(self, kind: type[T], path: str, query: Mapping[str, Any]) -> AsyncIterator[T]:
        """The items of a list, page after page as they are wanted."""
        cursor = None
        while True:
            reply = await self.reply(calls.get(path, {**query, "cursor": cursor}))
            page = reading.read_page(reply)
            for item in reading.read_items(kind, page, reply):
                yield item
            if not page.has_more or page.next_cursor is None:
                return
            cursor = page.next_cursor

    async def delete(self, path: str, *, if_match: int | None = None) -> None:
        """Deletes; what is gone when the call is repeated after silence was deleted by it, or by somebody else."""
        try:
            await self.reply(calls.delete(path, if_match=if_match))
        except NotFoundError as error:
            if not error.after_silence:
                raise
