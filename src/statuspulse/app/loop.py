"""The event loop of a process, and what of its memory is searched for cycles."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

# By then what lasts as long as the process has been made: it is not searched any more.
_MADE_AFTER_SECONDS = 10.0


def run(main: Coroutine[Any, Any, T]) -> T:
    """Runs a coroutine on uvloop where it exists, else on the standard loop."""
    factory: Callable[[], asyncio.AbstractEventLoop] | None = None
    if sys.platform != "win32":
        import uvloop  # noqa: PLC0415 - absent on Windows

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.get_loop().call_later(_MADE_AFTER_SECONDS, gc.freeze)
        return runner.run(main)
