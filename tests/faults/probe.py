"""A probe in a process of its own, with clocks that a test can set.

`python -m tests.faults.probe SERVER FOLDER CLOCKS`; CLOCKS is a file of two numbers, the milliseconds by which the wall
clock and the monotonic clock are ahead. A name server may follow. PROBE_KEY holds a key that a real server knows,
SPOOL_BYTES how much its spool may hold.
"""

from __future__ import annotations

import asyncio
import mmap
import os
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from struct import Struct

from statuspulse.app import loop
from statuspulse.domain.secret import Secret
from statuspulse.egress.gate import Gate
from statuspulse.egress.policy import Policy
from statuspulse.probe import agent
from statuspulse.probe.agent import ProbeSettings
from statuspulse.probe.spool import Bounds
from tests.probe.control_plane import KEY

SHIFTS = Struct("<qq")


async def _run(settings: ProbeSettings, wall: Callable[[], int], monotonic: Callable[[], float]) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await agent.run(settings, wall=wall, monotonic=monotonic, stop=stop)


def main(server_url: str, folder: str, clocks: str, *nameservers: str) -> None:
    if nameservers:
        vars(agent)["Gate"] = partial(Gate, nameservers=nameservers)
    with Path(clocks).open("rb") as file:
        shifts = mmap.mmap(file.fileno(), SHIFTS.size, access=mmap.ACCESS_READ)
    settings = ProbeSettings(
        server_url=server_url,
        key=Secret(os.environ.get("PROBE_KEY", KEY)),
        data_dir=Path(folder),
        policy=Policy(),
        version="1",
        boot_id="boot_1",
        bounds=Bounds(disk=int(os.environ.get("SPOOL_BYTES", Bounds().disk))),
    )
    loop.run(
        _run(
            settings,
            lambda: time.time_ns() // 1_000_000 + SHIFTS.unpack_from(shifts)[0],
            lambda: time.monotonic() + SHIFTS.unpack_from(shifts)[1] / 1000,
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
