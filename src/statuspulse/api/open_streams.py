"""What all streams of events share: how many may be open, and how far the log has grown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from statuspulse.api.errors import ApiError
from statuspulse.storage import events
from statuspulse.storage.database import Database

# A page of the dashboard has one.
STREAMS_PER_TOKEN = 10
# Each looks after its token twice a second, and may hold some hundred kB that its reader does not take.
_STREAMS = 256
_RETRY_SECONDS = 5
_LIFETIME_SECONDS = 0.4


class OpenStreams:
    """Counts the streams that are open, by token."""

    def __init__(self) -> None:
        self._open: Counter[str] = Counter()

    def check_room(self, token_id: str) -> None:
        """Raises 429 where the token has its share, 503 where all of them are taken."""
        if self._open[token_id] >= STREAMS_PER_TOKEN:
            message = f"This token has {STREAMS_PER_TOKEN} streams open; close one of them first."
            raise ApiError(
                "concurrency_limited", message, retry_after_seconds=_RETRY_SECONDS, violated_policies=["streams"]
            )
        if self._open.total() >= _STREAMS:
            message = "Too many streams are open at the moment; try again."
            raise ApiError("overloaded", message, retry_after_seconds=_RETRY_SECONDS)

    @contextmanager
    def opened(self, token_id: str) -> Iterator[None]:
        """Counts one that is; raises as `check_room` does, for others may have been opened since it was asked."""
        self.check_room(token_id)
        self._open[token_id] += 1
        try:
            yield
        finally:
            self._open[token_id] -= 1
            if not self._open[token_id]:
                del self._open[token_id]


class Newest:
    """The number of the last event, looked up once for all streams that were woken together."""

    def __init__(self, database: Database, *, monotonic: Callable[[], float]) -> None:
        self._database = database
        self._monotonic = monotonic
        self._seen = -1
        self._read_at = 0.0
        self._number = 0

    async def number(self, seen: int) -> int:
        """As it is now or was at the wake-up that is counted as `seen`, or later; half a second old at most."""
        read_at = self._monotonic()
        if seen != self._seen or read_at - self._read_at >= _LIFETIME_SECONDS:
            self._number = await self._database.glance(events.last_number)
            self._seen, self._read_at = seen, read_at
        return self._number
