"""What takes long to make and stays as it is: the first who asks has it made, and all others wait for that."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class MadeOnce(Generic[T]):
    """Whoever waits needs no thread for it, so that a crowd of first callers costs no more than one."""

    def __init__(self, make: Callable[[], Awaitable[T]]) -> None:
        self._make = make
        self._making = asyncio.Lock()
        self._made: T | None = None

    async def get(self) -> T:
        """Raises what making it raised; then the next one who asks has it made again."""
        if self._made is None:
            async with self._making:
                if self._made is None:
                    self._made = await self._make()
        return self._made
