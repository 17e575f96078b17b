"""How a process is asked to end."""

from __future__ import annotations

import asyncio
import os
import signal

import structlog

log = structlog.get_logger(__name__)


def stop_on_signals(*, tells: bool = True) -> asyncio.Event:
    """Set by the first SIGTERM or SIGINT; the second one ends the process where it stands.

    `tells` says that the first one is logged: of a server and its probe one line is enough.
    """
    stop = asyncio.Event()

    def on_signal(number: signal.Signals) -> None:
        if stop.is_set():
            os._exit(1)
        stop.set()
        if tells:
            log.info("process.stopping", signal=number.name, hint="a second one leaves at once")

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, on_signal, number)
    return stop
