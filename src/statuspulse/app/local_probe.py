"""The probe of this host as a child process: it gets a core and a clock of its own, and ends with its parent."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from contextlib import suppress
from pathlib import Path

import structlog
from sqlalchemy import Connection

from statuspulse.catalog import setup
from statuspulse.data_dir import prepare, write_private
from statuspulse.domain.access import PROBE_KEY_PURPOSE
from statuspulse.domain.secret import Secret
from statuspulse.storage import probes
from statuspulse.storage.sealing import Keyring

log = structlog.get_logger(__name__)

FOLDER = "probe-local"

_KEY = "key"
_ENDS_WITHIN_SECONDS = 5
_SHORTEST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 10.0


def ensure_key(connection: Connection, keyring: Keyring, folder: Path, made: Secret | None, now: int) -> Secret:
    """The key that the child calls with: kept in its directory, made anew where it was lost or belongs to no probe."""
    path = folder / _KEY
    key = made or _kept(connection, keyring, path, now)
    if key is None:
        probe = probes.first_of_region(connection, setup.LOCAL_REGION)
        if probe is None:
            raise LookupError("the region of this host has no probe")
        key = setup.renew_probe_key(connection, keyring, probe.id, now)
    prepare(folder)
    write_private(path, key.reveal() + "\n")
    return key


def _kept(connection: Connection, keyring: Keyring, path: Path, now: int) -> Secret | None:
    """The key in the file, if it is one that a probe has."""
    try:
        key = Secret(path.read_text(encoding="ascii").strip())
    except (OSError, UnicodeDecodeError):
        return None
    digest = keyring.digest(PROBE_KEY_PURPOSE, key.reveal())
    return key if probes.by_digest(connection, digest, now) is not None else None


class LocalProbe:
    """Starts the child, and starts it again whenever it ends by itself."""

    def __init__(self, folder: Path, server_url: str) -> None:
        self._folder = folder
        self._server_url = server_url
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Returns once `stop` was called and the child has ended."""
        pause = _SHORTEST_PAUSE_SECONDS
        while not self._stopping.is_set():
            begun = asyncio.get_running_loop().time()
            child = await self._start()
            await self._watch(child)
            if self._stopping.is_set():
                return
            log.error("probe.ended", status=child.returncode)
            lived_well = asyncio.get_running_loop().time() - begun > _LONGEST_PAUSE_SECONDS
            pause = _SHORTEST_PAUSE_SECONDS if lived_well else min(pause * 2, _LONGEST_PAUSE_SECONDS)
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._stopping.wait()

    def stop(self) -> None:
        self._stopping.set()

    async def _start(self) -> Process:
        # Its standard input is a pipe that nobody writes to: it closes with this process, however this one ends.
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "statuspulse",
            "probe",
            "--server",
            self._server_url,
            "--data-dir",
            str(self._folder),
            "--key-file",
            str(self._folder / _KEY),
            "--end-with-stdin",
            stdin=PIPE,
            env={name: value for name, value in os.environ.items() if name not in _NOT_PASSED_ON},
            start_new_session=True,  # Ctrl-C on the terminal reaches the parent alone, which stops things in order
        )

    async def _watch(self, child: Process) -> None:
        ended = asyncio.ensure_future(child.wait())
        stopping = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait({ended, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not ended.done():
                child.terminate()
                await asyncio.wait({ended}, timeout=_ENDS_WITHIN_SECONDS)
        finally:
            stopping.cancel()
            if child.returncode is None and not ended.done():
                child.kill()
            await ended


_NOT_PASSED_ON = frozenset({"STATUSPULSE_BOOTSTRAP_TOKEN", "STATUSPULSE_TOKEN", "STATUSPULSE_DATA_DIR"})
