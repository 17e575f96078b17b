"""Watches libcurl's sockets from an event loop, as cheaply as the platform allows."""

from __future__ import annotations

import asyncio
import contextlib
import select
import sys
from collections.abc import Callable
from typing import Protocol

import pycurl

# Tells libcurl that a socket is ready; returns libcurl's code and the number of running transfers.
Act = Callable[[int, int], tuple[int, int]]
# Called after a round of that with the number of running transfers.
Settle = Callable[[int], None]


class Readiness(Protocol):
    """Watches sockets level-triggered: a socket is reported until libcurl has dealt with it."""

    def on_socket(self, what: int, fd: int, multi: object, data: object) -> None:
        """libcurl's socket callback: from now on report this socket for `POLL_IN`, `POLL_OUT`, both or no more."""

    def flush(self) -> None:
        """Makes what was said take effect; called whenever libcurl has returned."""

    def close(self) -> None: ...


def readiness(loop: asyncio.AbstractEventLoop, act: Act, settle: Settle) -> Readiness:
    if sys.platform == "linux":
        return EpollReadiness(loop, act, settle)
    return LoopReadiness(loop, act, settle)


class LoopReadiness:
    """A reader and a writer of the loop for each socket: works everywhere."""

    def __init__(self, loop: asyncio.AbstractEventLoop, act: Act, settle: Settle) -> None:
        self._loop = loop
        self._act = act
        self._settle = settle
        self._interests: dict[int, int] = {}

    def on_socket(self, what: int, fd: int, _multi: object, _data: object) -> None:
        interest = 0 if what == pycurl.POLL_REMOVE else what
        before = self._interests.pop(fd, 0)
        if interest:
            self._interests[fd] = interest
        if interest & ~before & pycurl.POLL_IN:
            self._loop.add_reader(fd, self._on_ready, fd, pycurl.CSELECT_IN)
        elif before & ~interest & pycurl.POLL_IN:
            self._loop.remove_reader(fd)
        if interest & ~before & pycurl.POLL_OUT:
            self._loop.add_writer(fd, self._on_ready, fd, pycurl.CSELECT_OUT)
        elif before & ~interest & pycurl.POLL_OUT:
            self._loop.remove_writer(fd)

    def flush(self) -> None:
        """Everything has taken effect already."""

    def close(self) -> None:
        for fd in list(self._interests):
            self.on_socket(pycurl.POLL_REMOVE, fd, None, None)

    def _on_ready(self, fd: int, bits: int) -> None:
        _, running = self._act(fd, bits)
        self._settle(running)


if sys.platform == "linux":
    _EVENTS = {
        pycurl.POLL_NONE: 0,
        pycurl.POLL_IN: select.EPOLLIN,
        pycurl.POLL_OUT: select.EPOLLOUT,
        pycurl.POLL_INOUT: select.EPOLLIN | select.EPOLLOUT,
    }
    _READABLE = select.EPOLLIN | select.EPOLLHUP | select.EPOLLERR
    _WRITABLE = select.EPOLLOUT | select.EPOLLERR

    class EpollReadiness:
        """An epoll of our own inside the loop's.

        A check opens a socket of its own, and a loop spends more on making and ending a watcher for it than on using
        it: uvloop nine calls of epoll_ctl where this needs two (about 15 of 125 µs a check).

        A socket that libcurl is done with stays registered: nearly always it is closed at once, and with it goes the
        registration. One that lives on is taken out when it is reported for the first time.
        """

        def __init__(self, loop: asyncio.AbstractEventLoop, act: Act, settle: Settle) -> None:
            self._loop = loop
            self._act = act
            self._settle = settle
            self._epoll = select.epoll()
            self._changes: dict[int, int] = {}
            self._watched: set[int] = set()
            self._lasting: set[int] = set()
            loop.add_reader(self._epoll.fileno(), self._on_ready)

        def on_socket(self, what: int, fd: int, _multi: object, _data: object) -> None:
            self._changes[fd] = what

        def flush(self) -> None:
            if not self._changes:
                return
            for fd, what in self._changes.items():
                if what == pycurl.POLL_REMOVE:
                    self._watched.discard(fd)
                else:
                    self._register(fd, _EVENTS[what])
                    self._watched.add(fd)
            self._changes.clear()

        def close(self) -> None:
            self._loop.remove_reader(self._epoll.fileno())
            self._epoll.close()

        def _register(self, fd: int, events: int) -> None:
            try:
                if fd in self._watched or fd in self._lasting:
                    self._epoll.modify(fd, events)
                else:
                    self._epoll.register(fd, events)
            except FileExistsError:  # libcurl was done with it, but has not closed it, and may do so again
                self._lasting.add(fd)
                self._epoll.modify(fd, events)
            except FileNotFoundError:  # it was closed, and another socket has its number now
                self._lasting.discard(fd)
                self._epoll.register(fd, events)

        def _on_ready(self) -> None:
            running = sys.maxsize
            for fd, events in self._epoll.poll(0):
                if fd in self._watched:
                    readable = pycurl.CSELECT_IN if events & _READABLE else 0
                    _, running = self._act(fd, readable | (pycurl.CSELECT_OUT if events & _WRITABLE else 0))
                else:
                    with contextlib.suppress(OSError):
                        self._epoll.unregister(fd)
            self._settle(running)
