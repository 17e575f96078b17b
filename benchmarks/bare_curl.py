"""The baseline: libcurl alone, one process, fresh connections at a steady pace, nothing scheduled, kept or judged."""

from __future__ import annotations

import argparse
import json
import select
import time
from dataclasses import dataclass
from itertools import cycle

import pycurl

from benchmarks.processes import first_line, running

_TOGETHER_SECONDS = 0.005
_TIMEOUT_MS = 500
_WARM_UP_SECONDS = 1.0
_EVENTS = {
    pycurl.POLL_NONE: 0,
    pycurl.POLL_IN: select.EPOLLIN,
    pycurl.POLL_OUT: select.EPOLLOUT,
    pycurl.POLL_INOUT: select.EPOLLIN | select.EPOLLOUT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bare:
    """What the loop did in the time that was measured."""

    done: int
    failed: int
    cpu_seconds: float


def measure(urls: list[str], *, rate: int, seconds: int) -> Bare:
    """Runs the loop in a process of its own."""
    with running(["benchmarks.bare_curl", *urls, "--rate", str(rate), "--seconds", str(seconds)]) as process:
        return Bare(**json.loads(first_line(process)))


class _Loop:
    """Socket actions over epoll: the cheapest way that libcurl knows."""

    def __init__(self, urls: list[str], rate: int) -> None:
        self._urls = cycle(urls)
        self._rate = rate
        self._epoll = select.epoll()
        self._watched: set[int] = set()
        self._idle: list[pycurl.Curl] = []
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._on_socket)
        self.done = 0
        self.failed = 0

    def run(self, seconds: float) -> None:
        """Starts what is due every 5 ms."""
        begun = time.monotonic()
        started = 0
        while (elapsed := time.monotonic() - begun) < seconds:
            for _ in range(int(elapsed * self._rate) - started):
                self._start()
                started += 1
            self._multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)
            self._collect()
            self._wait(begun + elapsed + _TOGETHER_SECONDS)

    def _wait(self, until: float) -> None:
        while (rest := until - time.monotonic()) > 0:
            for fd, events in self._epoll.poll(rest):
                readable = pycurl.CSELECT_IN if events & ~select.EPOLLOUT else 0
                self._multi.socket_action(fd, readable | (pycurl.CSELECT_OUT if events & select.EPOLLOUT else 0))
            self._collect()

    def _start(self) -> None:
        handle = self._idle.pop() if self._idle else self._handle()
        handle.setopt(pycurl.URL, next(self._urls))
        self._multi.add_handle(handle)

    def _handle(self) -> pycurl.Curl:
        handle = pycurl.Curl()
        handle.setopt(pycurl.FRESH_CONNECT, 1)
        handle.setopt(pycurl.FORBID_REUSE, 1)
        handle.setopt(pycurl.NOSIGNAL, 1)
        handle.setopt(pycurl.PROXY, "")
        handle.setopt(pycurl.TIMEOUT_MS, _TIMEOUT_MS)
        handle.setopt(pycurl.WRITEFUNCTION, len)
        return handle

    def _collect(self) -> None:
        _, done, failed = self._multi.info_read()
        for handle in (*done, *(handle for handle, _, _ in failed)):
            self._multi.remove_handle(handle)
            self._idle.append(handle)
        self.done += len(done)
        self.failed += len(failed)

    def _on_socket(self, what: int, fd: int, _multi: object, _data: object) -> None:
        if what == pycurl.POLL_REMOVE:
            self._watched.discard(fd)
            self._epoll.unregister(fd)
        elif fd in self._watched:
            self._epoll.modify(fd, _EVENTS[what])
        else:
            self._watched.add(fd)
            self._epoll.register(fd, _EVENTS[what])


def _main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("urls", nargs="+")
    parser.add_argument("--rate", type=int, required=True)
    parser.add_argument("--seconds", type=int, required=True)
    options = parser.parse_args()
    loop = _Loop(options.urls, options.rate)
    loop.run(_WARM_UP_SECONDS)
    done, failed, cpu = loop.done, loop.failed, time.process_time()
    loop.run(options.seconds)
    figures = {"done": loop.done - done, "failed": loop.failed - failed, "cpu_seconds": time.process_time() - cpu}
    print(json.dumps(figures))


if __name__ == "__main__":
    _main()
