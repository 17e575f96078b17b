"""libcurl's multi interface on the running event loop: many transfers, no thread, no polling."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import NamedTuple

import pycurl

from statuspulse.egress.readiness import readiness
from statuspulse.egress.received import bytes_received

Landed = tuple[int, str]

_SWEEP_SECONDS = 0.1
# While libcurl always finds more to read, what it reads is looked at this often.
_FLOOD_SECONDS = 0.02


class _Flight(NamedTuple):
    landed: asyncio.Future[Landed]
    kill_at: float
    most_bytes: int | None


class CurlLoop:
    """Drives easy handles by socket actions on the loop it was made in."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._flights: dict[pycurl.Curl, _Flight] = {}
        self._kicked = False
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._sweep: asyncio.TimerHandle | None = None
        self._swept_at = 0.0
        self._closed = False
        self._multi = pycurl.CurlMulti()
        self._act = self._multi.socket_action
        self._readiness = readiness(self._loop, self._act, self._settle)
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._readiness.on_socket)

    def perform(self, handle: pycurl.Curl, kill_at: float, most_bytes: int | None = None) -> asyncio.Future[Landed]:
        """Starts a transfer; its end is libcurl's code (0 is success) and words.

        The time-out of the handle itself ends it in time; what libcurl has not ended by `kill_at` (monotonic clock) is
        taken away from it and reads as timed out. So is one whose connection takes in more than `most_bytes`: what is
        no content, such as the extensions of chunks, libcurl reads without end. Whoever stops waiting has to call
        `abandon`.
        """
        landed: asyncio.Future[Landed] = self._loop.create_future()
        self._flights[handle] = _Flight(landed, kill_at, most_bytes)
        if self._sweep is None:
            self._sweep = self._loop.call_later(_SWEEP_SECONDS, self._on_sweep)
        self._multi.add_handle(handle)
        self._kick()
        return landed

    def abandon(self, handle: pycurl.Curl) -> None:
        """Takes a transfer away from libcurl, if it has not ended; the handle is free again."""
        if self._flights.pop(handle, None) is not None:
            self._multi.remove_handle(handle)
            self._readiness.flush()

    def close(self) -> None:
        """Takes every transfer away; what waits for one reads that it was aborted."""
        self._closed = True
        for handle in list(self._flights):
            self._end(handle, pycurl.E_ABORTED_BY_CALLBACK, "closed")
        for timer in (self._timer, self._sweep):
            if timer is not None:
                timer.cancel()
        self._multi.close()
        self._readiness.close()

    def _kick(self) -> None:
        """Lets libcurl begin what was added. Once for all of a turn of the loop: in a row they cost less."""
        if not self._kicked:
            self._kicked = True
            self._loop.call_soon(self._on_kick)

    def _on_kick(self) -> None:
        self._kicked = False
        if not self._closed:
            self._act_on_time()

    def _on_timer(self) -> None:
        self._timer = None
        self._act_on_time()

    def _act_on_time(self) -> None:
        _, running = self._act(pycurl.SOCKET_TIMEOUT, 0)
        self._settle(running)

    def _settle(self, running: int) -> None:
        """After libcurl has acted: hands out what has ended and sees to it that libcurl is called again in time."""
        self._readiness.flush()
        if running < len(self._flights):
            _, done, failed = self._multi.info_read()
            for handle in done:
                self._end(handle, 0, "")
            for handle, code, text in failed:
                self._end(handle, code, text)
            self._readiness.flush()
        wait_ms = self._multi.timeout()
        if wait_ms == 0:
            if self._loop.time() - self._swept_at > _FLOOD_SECONDS:
                self._end_unwanted()
            self._kick()
        elif wait_ms > 0:
            self._set_timer(self._loop.time() + wait_ms / 1000)

    def _set_timer(self, due: float) -> None:
        """A timer that is too early stays: calling libcurl in vain is cheaper than a new one for each transfer."""
        if self._timer is not None:
            if self._timer_at <= due:
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(due, self._on_timer)
        self._timer_at = due

    def _end(self, handle: pycurl.Curl, code: int, text: str) -> None:
        landed = self._flights.pop(handle).landed
        self._multi.remove_handle(handle)
        if not landed.done():
            landed.set_result((code, text))

    def _on_sweep(self) -> None:
        self._end_unwanted()
        self._sweep = self._loop.call_later(_SWEEP_SECONDS, self._on_sweep) if self._flights else None

    def _end_unwanted(self) -> None:
        """Ends what is too late or takes in too much."""
        self._swept_at = self._loop.time()
        now = monotonic()
        for handle, (_, kill_at, most_bytes) in list(self._flights.items()):
            if kill_at <= now:
                self._end(handle, pycurl.E_OPERATION_TIMEDOUT, "killed after its deadline")
            elif most_bytes is not None and self._received(handle) > most_bytes:
                self._end(handle, pycurl.E_FILESIZE_EXCEEDED, "the answer is much larger than its content")
        self._readiness.flush()

    def _received(self, handle: pycurl.Curl) -> int:
        fd = handle.getinfo(pycurl.ACTIVESOCKET)
        return 0 if fd == pycurl.SOCKET_BAD else bytes_received(fd)
