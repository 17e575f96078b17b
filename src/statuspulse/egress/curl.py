"""libcurl's multi interface on the running event loop: many transfers, no thread, no polling."""

from __future__ import annotations

import asyncio
from time import monotonic

import pycurl

from statuspulse.egress.readiness import readiness

Landed = tuple[int, str]

_SWEEP_SECONDS = 0.1


class CurlLoop:
    """Drives easy handles by socket actions on the loop it was made in."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._flights: dict[pycurl.Curl, tuple[asyncio.Future[Landed], float]] = {}
        self._kicked = False
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._sweep: asyncio.TimerHandle | None = None
        self._closed = False
        self._multi = pycurl.CurlMulti()
        self._act = self._multi.socket_action
        self._readiness = readiness(self._loop, self._act, self._settle)
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._readiness.on_socket)

    def perform(self, handle: pycurl.Curl, kill_at: float) -> asyncio.Future[Landed]:
        """Starts a transfer; its end is libcurl's code (0 is success) and words.

        The time-out of the handle itself ends it in time; what libcurl has not ended by `kill_at` (monotonic clock) is
        taken away from it and reads as timed out. Whoever stops waiting has to call `abandon`.
        """
        landed: asyncio.Future[Landed] = self._loop.create_future()
        self._flights[handle] = (landed, kill_at)
        if self._sweep is None:
            self._sweep = self._loop.call_later(_SWEEP_SECONDS, self._kill_late_ones)
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
        landed, _ = self._flights.pop(handle)
        self._multi.remove_handle(handle)
        if not landed.done():
            landed.set_result((code, text))

    def _kill_late_ones(self) -> None:
        now = monotonic()
        late = [handle for handle, (_, kill_at) in self._flights.items() if kill_at <= now]
        for handle in late:
            self._end(handle, pycurl.E_OPERATION_TIMEDOUT, "killed after its deadline")
        self._readiness.flush()
        self._sweep = self._loop.call_later(_SWEEP_SECONDS, self._kill_late_ones) if self._flights else None
