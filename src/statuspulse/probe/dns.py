"""The DNS check: one question to one name server, and rules on the answer."""

from __future__ import annotations

import asyncio
from importlib import import_module
from time import monotonic_ns
from typing import TYPE_CHECKING, Any

from statuspulse.domain.failure import Failure, FailureClass
from statuspulse.domain.result import Observation, Phases
from statuspulse.domain.specs.dns import DnsProtocol, DnsSpec, SoaSerial
from statuspulse.egress.deadline import Deadline
from statuspulse.egress.endpoints import parse_endpoint
from statuspulse.egress.gate import Gate
from statuspulse.egress.policy import Purpose
from statuspulse.egress.urls import parse_url
from statuspulse.probe.name_server import NameServers, Server

if TYPE_CHECKING:
    from statuspulse.probe.dns_answer import Question

_PORT = 53
_DOT_PORT = 853


class DnsCheck:
    """Runs DNS specifications through one gate."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._servers = NameServers(gate)
        self._answers: Any = None

    async def run(self, spec: DnsSpec, *, timeout_ms: int) -> Observation:
        if self._answers is None:
            # Importing dnspython takes 0.2 s, which most probes never need and a running loop must not feel.
            self._answers = await asyncio.to_thread(import_module, "statuspulse.probe.dns_answer")
        deadline = Deadline.after(timeout_ms)
        try:
            server = self._server(spec)
            others = _others(spec)
            question: Question = self._answers.Question(spec)
        except ValueError as error:
            return Observation(failure=Failure.of(FailureClass.PROBE_ERROR, f"assertion_invalid: {error}"))
        begun = monotonic_ns()
        told = await self._servers.ask(server, question, deadline)
        reply = told.reply
        spent_us = (monotonic_ns() - begun) // 1000
        failure = reply if isinstance(reply, Failure) else question.judge(reply)
        if failure is None and spec.soa_serial is not None:
            failure = await self._compare(others, spec.soa_serial, question, deadline)
        return Observation(
            failure=failure,
            latency_us=spent_us,
            phases=Phases(dns_us=spent_us),
            bytes_read=0 if isinstance(reply, Failure) else reply.size,
            ip=told.ip,
            certificate=told.certificate,
        )

    def _server(self, spec: DnsSpec) -> Server:
        """Whom to ask; what this host asks itself was chosen by its operator."""
        text, protocol = spec.resolver, spec.protocol
        if text is None:
            if protocol in {DnsProtocol.DOT, DnsProtocol.DOH}:
                raise ValueError(f"{protocol} needs a resolver")
            return Server(parse_endpoint(self._gate.nameservers()[0], _PORT), protocol, Purpose.CHECK_DNS)
        if protocol is DnsProtocol.DOH:
            url = parse_url(text)
            if url.scheme != "https":
                raise ValueError("the resolver has to be an https URL")
            return Server(url, protocol, Purpose.CHECK_RESOLVER)
        where = parse_endpoint(text, _DOT_PORT if protocol is DnsProtocol.DOT else _PORT)
        if protocol is not DnsProtocol.DOT and not where.is_address:
            raise ValueError("the resolver has to be an address")
        return Server(where, protocol, Purpose.CHECK_RESOLVER)

    async def _compare(
        self, servers: tuple[Server, ...], rule: SoaSerial, question: Question, deadline: Deadline
    ) -> Failure | None:
        """Asks all servers at once; the first of the list that cannot tell decides."""
        async with asyncio.TaskGroup() as group:
            asked = [
                group.create_task(self._serial(server, rule, question, deadline), name=f"soa {server.text}")
                for server in servers
            ]
        serials = {}
        for server, task in zip(servers, asked, strict=True):
            found = task.result()
            if isinstance(found, Failure):
                return found
            serials[server.text] = found
        if len(set(serials.values())) <= 1:
            return None
        told = ", ".join(f"{serial} on {server}" for server, serial in serials.items())
        return Failure.of(FailureClass.ASSERTION_FAILED, f"serials differ: {told}")

    async def _serial(self, server: Server, rule: SoaSerial, question: Question, deadline: Deadline) -> int | Failure:
        reply = (await self._servers.ask(server, question, deadline)).reply
        if isinstance(reply, Failure):
            return reply
        serial = question.serial(reply)
        low: Failure | None = self._answers.low_serial(serial, rule.at_least or 0, f"the answer of {server.text}")
        if low is not None:
            return low
        assert serial is not None
        return serial


def _others(spec: DnsSpec) -> tuple[Server, ...]:
    """The servers whose serials are compared. They are asked in clear: few authoritative servers speak otherwise."""
    names = () if spec.soa_serial is None else spec.soa_serial.equal_on
    protocol = DnsProtocol.TCP if spec.protocol is DnsProtocol.TCP else DnsProtocol.UDP
    return tuple(Server(parse_endpoint(name, _PORT), protocol, Purpose.CHECK_RESOLVER) for name in names)
