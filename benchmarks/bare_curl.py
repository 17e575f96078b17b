"""The baseline of HTTP: libcurl alone, fresh connections at a steady pace, nothing scheduled, kept or judged."""

from __future__ import annotations

import select
import time
from collections.abc import Sequence
from itertools import cycle
from pathlib import Path

import pycurl

from benchmarks import bare
from benchmarks.bare import Bare

_TIMEOUT_MS = 500
_EVENTS = {
    pycurl.POLL_NONE: 0,
    pycurl.POLL_IN: select.EPOLLIN,
    pycurl.POLL_OUT: select.EPOLLOUT,
    pycurl.POLL_INOUT: select.EPOLLIN | select.EPOLLOUT,
}


def measured(urls: Sequence[str], *, rate: int, seconds: int, ca_file: Path | None = None) -> Bare:
    """Runs the loop in a process of its own; `ca_file` holds what it trusts behind https."""
    trusted = () if ca_file is None else ("--ca-file", str(ca_file))
    return bare.measured("benchmarks.bare_curl", *urls, *trusted, rate=rate, seconds=seconds)


class _Requests:
    """Socket actions over epoll: the cheapest way that libcurl knows."""

    def __init__(self, urls: Sequence[str], ca_file: str | None) -> None:
        self._urls = cycle(urls)
        self._ca_file = ca_file
        self._epoll = select.epoll()
        self._watched: set[int] = set()
        self._idle: list[pycurl.Curl] = []
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._on_socket)
        self.done = 0
        self.failed = 0

    def start(self, count: int) -> None:
        for _ in range(count):
            handle = self._idle.pop() if self._idle else self._handle()
            handle.setopt(pycurl.URL, next(self._urls))
            self._multi.add_handle(handle)
        self._multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)
        self._collect()

    def wait(self, until: float) -> None:
        while (rest := until - time.monotonic()) > 0:
            for fd, events in self._epoll.poll(rest):
                readable = pycurl.CSELECT_IN if events & ~select.EPOLLOUT else 0
                self._multi.socket_action(fd, readable | (pycurl.CSELECT_OUT if events & select.EPOLLOUT else 0))
            self._collect()

    def _handle(self) -> pycurl.Curl:
        handle = pycurl.Curl()
        handle.setopt(pycurl.FRESH_CONNECT, 1)
        handle.setopt(pycurl.FORBID_REUSE, 1)
        handle.setopt(pycurl.NOSIGNAL, 1)
        handle.setopt(pycurl.PROXY, "")
        handle.setopt(pycurl.TIMEOUT_MS, _TIMEOUT_MS)
        handle.setopt(pycurl.WRITEFUNCTION, len)
        if self._ca_file is not None:
            handle.setopt(pycurl.CAINFO, self._ca_file)
            handle.setopt(pycurl.SSL_SESSIONID_CACHE, 0)  # a handshake for each, as a check makes
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
    parser = bare.parser()
    parser.add_argument("urls", nargs="+")
    parser.add_argument("--ca-file")
    options = parser.parse_args()
    bare.tell(_Requests(options.urls, options.ca_file), rate=options.rate, seconds=options.seconds)


if __name__ == "__main__":
    _main()
