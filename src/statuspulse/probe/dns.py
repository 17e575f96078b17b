"""The DNS check: one question to one name server, and rules on the answer (`ENGINE.md` 2.3)."""

from __future__ import annotations

import asyncio
from importlib import import_module
from time import monotonic_ns
from typing import TYPE_CHECKING, Any, NamedTuple

from statuspulse.domain.failure import Failure, FailureClass
from statuspulse.domain.result import Observation, Phases
from statuspulse.domain.specs.dns import DnsSpec
from statuspulse.egress.deadline import Deadline
from statuspulse.egress.dial import ask, connect
from statuspulse.egress.gate import Gate
from statuspulse.egress.guard import Located
from statuspulse.egress.literals import literal_address
from statuspulse.egress.policy import Purpose
from statuspulse.egress.urls import bracketed

if TYPE_CHECKING:
    from statuspulse.probe.dns_answer import Question, Reply

_PORT = 53


class _Server(NamedTuple):
    ip: str
    port: int
    purpose: Purpose

    @property
    def text(self) -> str:
        return f"{bracketed(self.ip)}:{self.port}"


class DnsCheck:
    """Runs DNS specifications through one gate."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._answers: Any = None

    async def run(self, spec: DnsSpec, *, timeout_ms: int) -> Observation:
        if self._answers is None:
            # Importing dnspython takes 0.2 s, which most probes never need and a running loop must not feel.
            self._answers = await asyncio.to_thread(import_module, "statuspulse.probe.dns_answer")
        deadline = Deadline.after(timeout_ms)
        try:
            server = self._server(spec)
            question: Question = self._answers.Question(spec)
        except ValueError as error:
            return Observation(failure=Failure.of(FailureClass.PROBE_ERROR, f"assertion_invalid: {error}"))
        located = self._gate.guard.judge(server.ip, server.port, server.purpose)
        if isinstance(located, Failure):
            return Observation(failure=located)
        begun = monotonic_ns()
        reply = await self._ask(server, located, question, deadline)
        spent_us = (monotonic_ns() - begun) // 1000
        return Observation(
            failure=reply if isinstance(reply, Failure) else question.judge(reply),
            latency_us=spent_us,
            phases=Phases(dns_us=spent_us),
            bytes_read=0 if isinstance(reply, Failure) else reply.size,
            ip=server.ip,
        )

    def _server(self, spec: DnsSpec) -> _Server:
        """Whom to ask; what this host asks itself was chosen by its operator."""
        text, purpose = spec.resolver, Purpose.CHECK_RESOLVER
        if text is None:
            text, purpose = self._gate.nameservers()[0], Purpose.CHECK_DNS
        host, port = _split(text)
        ip = literal_address(host)
        if ip is None:
            raise ValueError("the resolver has to be an address")
        return _Server(ip, port, purpose)

    async def _ask(self, server: _Server, located: Located, question: Question, deadline: Deadline) -> Reply | Failure:
        reply = await ask(server.ip, server.port, question.wire, question.read, deadline)
        if _is_cut_off(reply):
            reply = await self._ask_by_stream(server, located, question, deadline)
        if reply is None:
            detail = f"timeout: {server.text} did not answer within {deadline.timeout_ms} ms"
            return Failure(FailureClass.DNS_ERROR, detail)
        return reply

    async def _ask_by_stream(
        self, server: _Server, located: Located, question: Question, deadline: Deadline
    ) -> Reply | Failure | None:
        """The same over TCP; None means silence."""
        stream = await connect(located, server.port, deadline)
        if isinstance(stream, Failure):
            return None if stream.kind is FailureClass.CONNECT_TIMEOUT else stream
        try:
            await stream.send(len(question.wire).to_bytes(2, "big") + question.wire)
            size = int.from_bytes(await stream.receive_exactly(2), "big")
            reply = question.read(await stream.receive_exactly(size))
        except TimeoutError:
            return None
        except (EOFError, OSError):
            return Failure(FailureClass.PROTOCOL_ERROR, "the answer over TCP was cut short")
        finally:
            stream.close()
        if reply is None or _is_cut_off(reply):
            return Failure(FailureClass.PROTOCOL_ERROR, "the answer over TCP is none to the question")
        return reply


def _is_cut_off(reply: Reply | Failure | None) -> bool:
    return reply is not None and not isinstance(reply, Failure) and reply.message is None


def _split(resolver: str) -> tuple[str, int]:
    """`IP`, `IP:port`, `[v6]:port` or a bare IPv6 address."""
    host, separator, port = resolver.rpartition(":")
    if not separator or "]" in port or (":" in host and not host.startswith("[")):
        return resolver, _PORT
    if not port.isdecimal() or not 1 <= int(port) <= 65535:
        raise ValueError("the port of the resolver has to be between 1 and 65535")
    return host, int(port)
