"""What the resources have in common."""

from __future__ import annotations

from statuspulse.client.asynchronous.caller import AsyncCaller


class AsyncResource:
    """Some calls of the API that belong together."""

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller
