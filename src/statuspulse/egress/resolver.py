"""Names to addresses: the hosts file, then c-ares, with a cache, a bound on open questions and a deadline."""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pycares

from statuspulse.domain.failure import Failure, FailureClass
from statuspulse.egress.addresses import parse_address
from statuspulse.egress.hosts import Hosts
from statuspulse.egress.literals import canonical

LIMIT_SECONDS = 2.0
_IN_FLIGHT = 64
_ADDRESSES = 16
_ALIASES = 8
_NEGATIVE_SECONDS = 5.0
_LONGEST_SECONDS = 3600.0
_REMEMBERED = 20_000
# Reading thousands of records takes c-ares and us a tenth of a second, in which no check runs: such an answer is kept,
# whatever its TTL says, so that nobody slows a probe down with it.
_ABSURD_RECORDS = 256
_ABSURD_SECONDS = 600.0
# c-ares waits this long for a first answer (less once it knows a server as quick) and longer at each further try, so
# that its tries fill the two seconds: a slow recursion is not yet a dead name.
_FIRST_TRY_SECONDS = 0.5
_TRIES = 4
_TICK_SECONDS = 0.1
# Never asked; see `_forget`.
_SPARE_SERVER = "127.0.0.1:1"

_REASONS: dict[int, str] = {
    pycares.errno.ARES_ENOTFOUND: "nxdomain: {name} does not exist",
    pycares.errno.ARES_ENODATA: "no_address: {name} has no address",
    pycares.errno.ARES_ETIMEOUT: "timeout: no name server answered about {name}",
    pycares.errno.ARES_EBADNAME: "nxdomain: {name} is no valid name",
}


@dataclass(frozen=True, slots=True)
class Resolution:
    """The addresses of a name, the one to dial first."""

    name: str
    addresses: tuple[str, ...]


Outcome = Resolution | Failure

_CROWDED = Failure(FailureClass.PROBE_ERROR, "internal: too many names are being looked up")
_CLOSED = Failure(FailureClass.PROBE_ERROR, "internal: the resolver is closed")


@dataclass(frozen=True, slots=True)
class _Remembered:
    outcome: Outcome
    until: float


@dataclass(slots=True)
class _Question:
    name: str
    asked_at: float
    answer: asyncio.Future[Outcome]
    sent: bool = False
    sent_at: float = 0.0
    is_given_up: bool = False

    def settle(self, outcome: Outcome) -> None:
        if not self.answer.done():
            self.answer.set_result(outcome)


class Resolver:
    """One c-ares channel for life, driven by the running loop. Names are absolute: no search domain is appended.

    `nameservers` is asked before each question and gives `address` or `address:port`.
    """

    def __init__(self, *, nameservers: Callable[[], tuple[str, ...]], hosts: Hosts) -> None:
        self._loop = asyncio.get_running_loop()
        self._nameservers = nameservers
        self._hosts = hosts
        self._cache: dict[str, _Remembered] = {}
        self._questions: dict[str, _Question] = {}
        self._waiting: deque[_Question] = deque()
        self._under_way: deque[_Question] = deque()
        self._open = 0
        self._unanswered = 0
        self._readable: set[int] = set()
        self._writable: set[int] = set()
        self._tick: asyncio.TimerHandle | None = None
        self._closed = False
        self._channel = pycares.Channel(
            flags=pycares.ARES_FLAG_NOSEARCH | pycares.ARES_FLAG_EDNS,
            timeout=_FIRST_TRY_SECONDS,
            tries=_TRIES,
            sock_state_cb=self._watch,
        )

    async def resolve(self, name: str, timeout_seconds: float) -> Outcome:
        """The addresses of a name, or why there are none: detail `nxdomain`, `servfail`, `timeout` or `no_address`."""
        local = self._hosts.lookup(name)
        if local:
            return Resolution(name, local)
        known = self._cache.get(name)
        if known is not None and known.until > self._loop.time():
            return known.outcome
        question = self._questions.get(name) or self._ask(name)
        limit = min(LIMIT_SECONDS, timeout_seconds)
        # Not wait_for: the question goes on for others who ask the same.
        await asyncio.wait((question.answer,), timeout=limit)
        if question.answer.done():
            return question.answer.result()
        if not question.sent:
            return _CROWDED
        return Failure.of(FailureClass.DNS_ERROR, f"timeout: no answer about {name} within {limit:.1f} s")

    def close(self) -> None:
        """Ends every question. c-ares takes itself down in a thread of its own, which must not meet the loop."""
        self._closed = True
        for fd in self._readable:
            self._loop.remove_reader(fd)
        for fd in self._writable:
            self._loop.remove_writer(fd)
        if self._tick is not None:
            self._tick.cancel()
        for question in self._questions.values():
            question.settle(_CLOSED)
        self._channel.cancel()
        self._channel.close()

    def _ask(self, name: str) -> _Question:
        question = _Question(name, self._loop.time(), self._loop.create_future())
        self._questions[name] = question
        if self._open < _IN_FLIGHT:
            self._send(question)
        else:
            self._waiting.append(question)
        return question

    def _send(self, question: _Question) -> None:
        self._forget()
        question.sent = True
        question.sent_at = self._loop.time()
        self._open += 1
        self._unanswered += 1
        self._under_way.append(question)
        self._channel.getaddrinfo(
            question.name,
            None,
            type=socket.SOCK_STREAM,
            callback=lambda result, status: self._answered(question, result, status),
        )
        if self._unanswered and self._tick is None:
            self._tick = self._loop.call_later(_TICK_SECONDS, self._on_tick)

    def _forget(self) -> None:
        """Empties the cache inside c-ares, which only a change of its servers does.

        It keeps an empty answer for up to an hour, although the name may have recovered long before, and offers no
        switch. Ours knows better: positive answers by their TTL, negative ones for a few seconds.
        """
        servers = self._nameservers()
        self._channel.servers = [*servers, _SPARE_SERVER]
        self._channel.servers = servers

    def _answered(self, question: _Question, result: Any, status: int | None) -> None:
        if self._closed:
            return
        self._unanswered -= 1
        self._leave(question)
        outcome, seconds = _outcome(question.name, result, status)
        if seconds > 0:
            self._remember(question.name, outcome, seconds)
        question.settle(outcome)
        self._send_waiting()

    def _leave(self, question: _Question) -> None:
        """Its place is free, and who asks the same from now on asks anew."""
        if not question.is_given_up:
            question.is_given_up = True
            self._open -= 1
            del self._questions[question.name]

    def _give_up_old_ones(self) -> None:
        """c-ares goes on with a question after everybody has stopped waiting; that must not cost others their place."""
        expired = self._loop.time() - LIMIT_SECONDS
        while self._under_way and (self._under_way[0].answer.done() or self._under_way[0].sent_at < expired):
            self._leave(self._under_way.popleft())
        self._send_waiting()

    def _send_waiting(self) -> None:
        expired = self._loop.time() - LIMIT_SECONDS
        while self._waiting and self._open < _IN_FLIGHT:
            question = self._waiting.popleft()
            if question.asked_at < expired:
                question.settle(_CROWDED)
                del self._questions[question.name]
            else:
                self._send(question)

    def _remember(self, name: str, outcome: Outcome, seconds: float) -> None:
        if len(self._cache) >= _REMEMBERED:
            self._cache.clear()
        self._cache[name] = _Remembered(outcome, self._loop.time() + min(seconds, _LONGEST_SECONDS))

    def _watch(self, fd: int, readable: bool, writable: bool) -> None:
        if self._closed:
            return
        if readable and fd not in self._readable:
            self._readable.add(fd)
            self._loop.add_reader(fd, self._channel.process_read_fd, fd)
        elif not readable and fd in self._readable:
            self._readable.discard(fd)
            self._loop.remove_reader(fd)
        if writable and fd not in self._writable:
            self._writable.add(fd)
            self._loop.add_writer(fd, self._channel.process_write_fd, fd)
        elif not writable and fd in self._writable:
            self._writable.discard(fd)
            self._loop.remove_writer(fd)

    def _on_tick(self) -> None:
        """c-ares repeats and gives up only when it is called."""
        self._tick = None
        self._channel.process_fd(pycares.ARES_SOCKET_BAD, pycares.ARES_SOCKET_BAD)
        self._give_up_old_ones()
        if self._unanswered and self._tick is None:
            self._tick = self._loop.call_later(_TICK_SECONDS, self._on_tick)


def _outcome(name: str, result: Any, status: int | None) -> tuple[Outcome, float]:
    """What c-ares found, and for how many seconds that may be remembered."""
    if status is not None:
        text = _REASONS.get(status, "servfail: the name server could not answer about {name}").format(name=name)
        answered = status != pycares.errno.ARES_ETIMEOUT
        return Failure.of(FailureClass.DNS_ERROR, text), _NEGATIVE_SECONDS if answered else 0.0
    at_least = _ABSURD_SECONDS if len(result.nodes) + len(result.cnames) > _ABSURD_RECORDS else 0.0
    if len(result.cnames) > _ALIASES:
        text = f"servfail: {name} has more than {_ALIASES} aliases"
        return Failure.of(FailureClass.DNS_ERROR, text), max(_NEGATIVE_SECONDS, at_least)
    ttl = min(record.ttl for record in (*result.nodes, *result.cnames))
    texts = dict.fromkeys(_text(node.addr[0]) for node in result.nodes[:_ADDRESSES])
    return Resolution(name, tuple(texts)), max(float(ttl), at_least)


def _text(address: str | bytes) -> str:
    return canonical(parse_address(address.decode("ascii") if isinstance(address, bytes) else address))
