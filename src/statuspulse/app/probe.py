"""`statuspulse probe`: checks for one region, wherever it runs."""

from __future__ import annotations

import asyncio
import secrets
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from statuspulse import __version__
from statuspulse.app import loop
from statuspulse.app.clock import now_ms
from statuspulse.app.signals import stop_on_signals
from statuspulse.domain.secret import Secret
from statuspulse.egress.endpoints import Endpoint
from statuspulse.egress.gate import Gate
from statuspulse.egress.http_client import HttpClient
from statuspulse.egress.policy import Policy
from statuspulse.probe import agent
from statuspulse.probe.agent import ProbeSettings
from statuspulse.probe.greeting import greet


def probe(
    *,
    server_url: str,
    key: Secret,
    folder: Path,
    policy: Policy,
    anchors: tuple[Endpoint, ...] | None,
    ends_with_stdin: bool,
) -> None:
    """Runs until it is asked to end; raises one-line errors for what hinders the start."""
    settings = ProbeSettings(
        server_url=server_url,
        key=key,
        data_dir=folder,
        policy=policy,
        version=__version__,
        boot_id=secrets.token_hex(8),
        anchors=anchors,
    )
    loop.run(_run(settings, ends_with_stdin=ends_with_stdin))


async def _run(settings: ProbeSettings, *, ends_with_stdin: bool) -> None:
    stop = stop_on_signals(tells=not ends_with_stdin)
    if ends_with_stdin:
        await _stop_with_stdin(stop.set)
    if not agent.has_assignments(settings):
        await _greet(settings)
    await agent.run(settings, wall=now_ms, monotonic=_since_boot, stop=stop)


async def _greet(settings: ProbeSettings) -> None:
    """A probe that has something to check does so whatever the server says; one that has not had better know why."""
    gate = Gate(settings.policy)
    try:
        await greet(HttpClient(gate), settings, now_ms())
    finally:
        gate.close()


# Monotonic seconds that go on while the machine sleeps, where there is such a clock.
_since_boot = partial(time.clock_gettime, getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


async def _stop_with_stdin(stop: Callable[[], None]) -> None:
    """The parent holds the other end and never writes: its end, by whatever means, is ours."""

    class Parent(asyncio.Protocol):
        def eof_received(self) -> None:  # a turn of the loop before the other
            stop()

        def connection_lost(self, _error: Exception | None) -> None:
            stop()

    await asyncio.get_running_loop().connect_read_pipe(Parent, sys.stdin)
