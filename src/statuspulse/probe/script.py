"""The script of a TCP check: steps in their order, each of which has to hold."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from time import monotonic_ns

from statuspulse.domain.failure import Failure, FailureClass
from statuspulse.domain.specs.tcp import Starttls, Step
from statuspulse.egress.dial import Stream
from statuspulse.egress.faults import own_fault
from statuspulse.egress.tls import TlsBrokenError
from statuspulse.probe.conversation import BANNER_BYTES, READ_LIMIT, Conversation, shown
from statuspulse.probe.pattern import compiled
from statuspulse.probe.starttls import RefusedError, ask_for_tls

_SHOWN_BYTES = 100
# What begins the handshake on the stream of the script.
Shake = Callable[[], Awaitable[Failure | None]]


def compile_patterns(steps: tuple[Step, ...]) -> None:
    """Sees to it that no pattern fails later; ValueError says what is wrong with the first that would."""
    for step in steps:
        if step.regex and step.expect is not None:
            compiled(step.expect)


class Script:
    """Runs the steps of one check over one stream; `timeout_ms` is only for the words.

    After it `talk` tells what was received, and `tls_us` how long a handshake took, None if there was none.
    """

    def __init__(self, stream: Stream, shake: Shake, timeout_ms: int) -> None:
        self.talk = Conversation(stream)
        self.tls_us: int | None = None
        self._ip = stream.ip
        self._shake = shake
        self._timeout_ms = timeout_ms

    async def run(self, steps: tuple[Step, ...]) -> Failure | None:
        """The failure of the first step that does not hold, with what the server said at first."""
        for number, step in enumerate(steps, 1):
            failure = await self._step(step)
            if failure is not None:
                place = f"step {number}: " if len(steps) > 1 else ""
                return Failure.of(failure.kind, f"{place}{failure.detail}{self._banner(failure)}")
        return None

    def _banner(self, failure: Failure) -> str:
        banner = shown(self.talk.banner)
        if failure.kind.is_void or not self.talk.banner or banner in failure.detail:
            return ""
        return f"; the server began with {banner}"

    async def _step(self, step: Step) -> Failure | None:
        try:
            if step.send is not None:
                await self.talk.send(step.send.encode())
            if step.expect is not None:
                return await self._expect(step.expect, regex=step.regex)
            return None if step.starttls is None else await self._starttls(step.starttls)
        except TimeoutError:
            return Failure(FailureClass.TIMEOUT, f"the data was not taken within {self._timeout_ms} ms")
        except TlsBrokenError as error:
            return error.failure
        except OSError as error:
            return own_fault(error.errno or 0, self._ip) or _closed("")

    async def _expect(self, wanted: str, *, regex: bool) -> Failure | None:
        before = self.talk.received
        text = f"expected {shown(wanted.encode()[:_SHOWN_BYTES])}"
        while True:
            said = self.talk.unread
            end = _end_of_match(wanted, said, regex=regex)
            if end is not None:
                self.talk.take(end)
                return None
            answered = self.talk.received > before
            # The whole of a first answer is the banner, which is shown longer than others.
            limit = BANNER_BYTES if len(said) == self.talk.received else _SHOWN_BYTES
            wrong = Failure(FailureClass.ASSERTION_FAILED, f"{text}, got {shown(said[:limit])}")
            if len(said) >= READ_LIMIT:
                return wrong
            try:
                await self.talk.more()
            except TimeoutError:
                silence = Failure(FailureClass.TIMEOUT, f"no answer within {self._timeout_ms} ms, {text}")
                return wrong if answered else silence
            except EOFError:
                return wrong if answered else _closed(f", {text}")

    async def _starttls(self, kind: Starttls) -> Failure | None:
        try:
            await ask_for_tls(kind, self.talk)
        except RefusedError as refusal:
            return Failure(FailureClass.ASSERTION_FAILED, str(refusal))
        except ValueError as error:
            return Failure(FailureClass.PROTOCOL_ERROR, f"the answer to STARTTLS is not that of {kind}: {error}")
        except EOFError:
            return _closed(" before TLS began")
        except TimeoutError:
            return Failure(FailureClass.TIMEOUT, f"no answer to STARTTLS within {self._timeout_ms} ms")
        self.talk.forget()
        begun = monotonic_ns()
        failure = await self._shake()
        self.tls_us = (monotonic_ns() - begun) // 1000
        return failure


def _end_of_match(wanted: str, said: bytes, *, regex: bool) -> int | None:
    if regex:
        match = compiled(wanted).search(said)
        return None if match is None else int(match.end())
    sought = wanted.encode()
    at = said.find(sought)
    return None if at < 0 else at + len(sought)


def _closed(where: str) -> Failure:
    return Failure(FailureClass.PROTOCOL_ERROR, f"the connection was closed{where}")
