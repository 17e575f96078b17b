"""Which sockets are reported to libcurl, and when, with sockets of our own."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator

import pycurl
import pytest

from statuspulse.egress.readiness import EpollReadiness, LoopReadiness, Readiness, readiness

IN, OUT, BOTH, GONE = pycurl.POLL_IN, pycurl.POLL_OUT, pycurl.POLL_INOUT, pycurl.POLL_REMOVE


def _settle(running: int) -> None:
    """Nothing is under way."""


def _act(fd: int, bits: int) -> tuple[int, int]:
    return 0, 0


class Watching:
    """A readiness and what it reported."""

    def __init__(self, kind: type[EpollReadiness | LoopReadiness]) -> None:
        self.reports: list[tuple[int, int]] = []
        self.subject: Readiness = kind(asyncio.get_running_loop(), self._act, _settle)

    def say(self, what: int, fd: int) -> None:
        self.subject.on_socket(what, fd, None, None)
        self.subject.flush()

    async def reported(self) -> set[tuple[int, int]]:
        self.reports.clear()
        for _ in range(4):
            await asyncio.sleep(0)
        await asyncio.sleep(0.01)
        return set(self.reports)

    def _act(self, fd: int, bits: int) -> tuple[int, int]:
        self.reports.append((fd, bits))
        return 0, 0


@pytest.fixture(params=[EpollReadiness, LoopReadiness])
async def watching(request: pytest.FixtureRequest) -> AsyncIterator[Watching]:
    made = Watching(request.param)
    yield made
    made.subject.close()


async def test_interest_is_what_was_said_last(watching: Watching) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        fd = ours.fileno()
        watching.say(OUT, fd)
        assert await watching.reported() == {(fd, pycurl.CSELECT_OUT)}
        watching.say(IN, fd)
        assert await watching.reported() == set()
        theirs.send(b"x")
        assert await watching.reported() == {(fd, pycurl.CSELECT_IN)}
        watching.say(BOTH, fd)
        bits = {bit for _, reported in await watching.reported() for bit in (1, 2) if reported & bit}
        assert bits == {pycurl.CSELECT_IN, pycurl.CSELECT_OUT}
        watching.say(GONE, fd)
        assert await watching.reported() == set()


async def test_a_socket_that_lives_on_may_come_back(watching: Watching) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        for _ in range(3):
            watching.say(OUT, ours.fileno())
            assert await watching.reported()
            watching.say(GONE, ours.fileno())
            assert await watching.reported() == set()
        watching.say(IN, ours.fileno())
        watching.say(GONE, ours.fileno())
        theirs.send(b"x")
        assert await watching.reported() == set()
        watching.say(IN, ours.fileno())
        assert await watching.reported() == {(ours.fileno(), pycurl.CSELECT_IN)}


async def test_another_socket_may_take_the_number_of_a_closed_one(watching: Watching) -> None:
    for _ in range(3):
        ours, theirs = socket.socketpair()
        with ours, theirs:
            # Lives on once, so that its number is remembered as one that does.
            watching.say(OUT, ours.fileno())
            watching.say(GONE, ours.fileno())
            watching.say(OUT, ours.fileno())
            assert await watching.reported() == {(ours.fileno(), pycurl.CSELECT_OUT)}
            watching.say(GONE, ours.fileno())


async def test_a_number_may_change_hands_in_one_turn_of_libcurl() -> None:
    watching = Watching(EpollReadiness)
    one, two = socket.socketpair()
    three, four = socket.socketpair()
    with two, three, four:
        fd = one.fileno()
        watching.say(OUT, fd)
        watching.subject.on_socket(GONE, fd, None, None)
        one.close()
        os.dup2(three.fileno(), fd)
        watching.subject.on_socket(OUT, fd, None, None)
        watching.subject.flush()
        assert await watching.reported() == {(fd, pycurl.CSELECT_OUT)}
        os.close(fd)
    watching.subject.close()


async def test_closing_a_readiness_ends_its_reports() -> None:
    watching = Watching(LoopReadiness)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        watching.say(OUT, ours.fileno())
        watching.subject.close()
        assert await watching.reported() == set()


async def test_each_platform_has_one(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.get_running_loop()
    here = readiness(loop, _act, _settle)
    monkeypatch.setattr(sys, "platform", "darwin")
    there = readiness(loop, _act, _settle)
    assert (type(here), type(there)) == (EpollReadiness, LoopReadiness)
    here.close()
    there.close()
