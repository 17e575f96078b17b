"""A receiver that plays Slack and can be scripted per hook."""

from __future__ import annotations

import asyncio
import json
import threading
from enum import Enum
from typing import Any

from tests.targets import HttpTarget, _read_request, http_answer, reset, until

OK = http_answer(200, b"ok", "Connection: close")


class Trick(Enum):
    """What a receiver does instead of answering."""

    HANG = "hang"
    RESET = "reset"


class Hold:
    """An answer that is kept back until somebody lets it go."""

    def __init__(self, answer: bytes = OK) -> None:
        self.answer = answer
        self._gone = threading.Event()

    def let_go(self) -> None:
        self._gone.set()

    @property
    def is_gone(self) -> bool:
        return self._gone.is_set()


Reply = bytes | Trick | Hold


class Receiver(HttpTarget):
    """Answers `ok`, unless a hook has a script: then its replies in turn, and `ok` when they are used up."""

    def __init__(self) -> None:
        super().__init__()
        self.scripts: dict[str, list[Reply]] = {}

    def texts(self, hook: str | None = None) -> list[str]:
        """What arrived, in order; only at the hook with the token if one is given."""
        return [json.loads(arrival.body)["text"] for arrival in self._at(hook)]

    def bodies(self, hook: str | None = None) -> list[Any]:
        return [json.loads(arrival.body) for arrival in self._at(hook)]

    def _at(self, hook: str | None) -> list[Any]:
        return [arrival for arrival in self.arrivals if hook is None or arrival.path.endswith(f"/{hook}")]

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        arrival = await _read_request(reader)
        if arrival is None:
            return
        script = self.scripts.get(arrival.path.rpartition("/")[2], [])
        reply = script.pop(0) if script else OK
        self.arrivals.append(arrival)
        if reply is Trick.HANG:
            await self._stay_silent(reader)
        elif reply is Trick.RESET:
            reset(writer)
        elif isinstance(reply, Hold):
            await until(lambda: reply.is_gone)
            writer.write(reply.answer)
        elif isinstance(reply, bytes):
            writer.write(reply)
