"""One question to one name server, over each of the ways there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from statuspulse.domain.failure import Failure, FailureClass
from statuspulse.domain.result import Certificate
from statuspulse.domain.specs.dns import DnsProtocol
from statuspulse.egress.deadline import Deadline
from statuspulse.egress.dial import Stream, ask, connect
from statuspulse.egress.doh import post_message
from statuspulse.egress.endpoints import Endpoint
from statuspulse.egress.gate import Gate
from statuspulse.egress.guard import Located
from statuspulse.egress.policy import Purpose
from statuspulse.egress.tls import TlsBrokenError
from statuspulse.egress.urls import Url

if TYPE_CHECKING:
    from statuspulse.probe.dns_answer import Question, Reply

_SILENT = frozenset({FailureClass.CONNECT_TIMEOUT, FailureClass.TIMEOUT})


class Server(NamedTuple):
    """Whom to ask, how, and by whose choice; `where` is a URL over DoH and nothing else."""

    where: Endpoint | Url
    protocol: DnsProtocol
    purpose: Purpose

    @property
    def text(self) -> str:
        return self.where.origin if isinstance(self.where, Url) else self.where.text


class Told(NamedTuple):
    """What came of a question. `ip` is set once something was dialled."""

    reply: Reply | Failure
    ip: str | None = None
    certificate: Certificate | None = None


class NameServers:
    """Asks through one gate. Silence, however it comes about, is a dns_error."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    async def ask(self, server: Server, question: Question, deadline: Deadline) -> Told:
        where = server.where
        is_address = where.ip is not None if isinstance(where, Url) else where.is_address
        if is_address:
            located = self._gate.guard.judge(where.host, where.port, server.purpose)
        else:
            located = await self._gate.locate(where.host, where.port, server.purpose, deadline)
        if isinstance(located, Failure):
            return Told(located)
        if isinstance(where, Url):
            told = await self._by_https(where, located, question, deadline)
        elif server.protocol is DnsProtocol.UDP:
            told = await self._by_datagram(where, located, question, deadline)
        else:
            is_secure = server.protocol is DnsProtocol.DOT
            told = await self._by_stream(where, located, question, deadline, is_secure=is_secure)
        if isinstance(told.reply, Failure) and told.reply.kind in _SILENT:
            detail = f"timeout: {server.text} did not answer within {deadline.timeout_ms} ms"
            return told._replace(reply=Failure(FailureClass.DNS_ERROR, detail))
        return told

    async def _by_datagram(self, where: Endpoint, located: Located, question: Question, deadline: Deadline) -> Told:
        reply = await ask(located.first, where.port, question.wire, question.read, deadline)
        if reply is None:
            return Told(_silence(deadline), located.first)
        if not isinstance(reply, Failure) and reply.message is None:  # cut off
            return await self._by_stream(where, located, question, deadline, is_secure=False)
        return Told(reply, located.first)

    async def _by_stream(
        self, where: Endpoint, located: Located, question: Question, deadline: Deadline, *, is_secure: bool
    ) -> Told:
        stream = await connect(located, where.port, deadline)
        if isinstance(stream, Failure):
            return Told(stream, located.first)
        try:
            if is_secure:
                refusal = await stream.start_tls(self._gate.tls, where.host, verify=True)
                if refusal is not None:
                    return Told(refusal, stream.ip, stream.certificate)
            return Told(await _exchange(stream, question, deadline), stream.ip, stream.certificate)
        finally:
            stream.close()

    async def _by_https(self, url: Url, located: Located, question: Question, deadline: Deadline) -> Told:
        exchange, message = await post_message(self._gate, url, located, question.wire, deadline)
        reply: Reply | Failure | None = exchange.failure
        if reply is None and exchange.status != 200:
            reply = Failure(FailureClass.STATUS_MISMATCH, f"the resolver answered with HTTP status {exchange.status}")
        if reply is None and message is not None:
            reply = question.read(message)
        return Told(_whole(reply, "HTTPS"), exchange.ip, exchange.certificate)


async def _exchange(stream: Stream, question: Question, deadline: Deadline) -> Reply | Failure:
    """A question and its answer, each behind its length (RFC 1035, 4.2.2)."""
    try:
        await stream.send(len(question.wire).to_bytes(2, "big") + question.wire)
        size = int.from_bytes(await stream.receive_exactly(2), "big")
        return _whole(question.read(await stream.receive_exactly(size)), "TCP")
    except TimeoutError:
        return _silence(deadline)
    except TlsBrokenError as error:
        return error.failure
    except (EOFError, OSError):
        return Failure(FailureClass.PROTOCOL_ERROR, "the answer over TCP was cut short")


def _whole(reply: Reply | Failure | None, way: str) -> Reply | Failure:
    """Over a stream there is one answer, and it is never cut off."""
    if reply is None or (not isinstance(reply, Failure) and reply.message is None):
        return Failure(FailureClass.PROTOCOL_ERROR, f"the answer over {way} is none to the question")
    return reply


def _silence(deadline: Deadline) -> Failure:
    return Failure(FailureClass.TIMEOUT, f"no answer within {deadline.timeout_ms} ms")
