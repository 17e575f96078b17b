"""Whom a probe asks whether its own network works: anchors, the gateway, the resolver. Each dial is judged."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from statuspulse.domain.failure import Failure, FailureClass
from statuspulse.domain.specs.dns import DnsProtocol, DnsSpec, RecordType
from statuspulse.egress.deadline import Deadline
from statuspulse.egress.dial import connect
from statuspulse.egress.endpoints import Endpoint, parse_endpoint
from statuspulse.egress.gate import Gate
from statuspulse.egress.policy import Purpose
from statuspulse.probe.name_server import NameServers, Server
from statuspulse.probe.witness import Domain, Hearing, domain_of_address

ROUTES = Path("/proc/net/route")

_DNS_PORT = 53
_ANSWER_MS = 2000
# The next one is asked only if those before were not quick: most rounds cost one question.
_APART_SECONDS = 0.25
_ROOT_ZONE = DnsSpec(host=".", record_type=RecordType.NS)


@dataclass(frozen=True, slots=True)
class _Witness:
    where: Endpoint
    purpose: Purpose
    # What a name server has to answer: the resolver has to know the zone, of others any answer but "I cannot" does.
    must_know: bool = False


class Anchors:
    """Asks witnesses of a domain. `named` are the anchors; port 53 is asked for the root zone, others are connected to.

    `routes` stands in for the table of this host. A gateway is kept once it was seen: a lost link takes its route away.
    """

    def __init__(self, gate: Gate, named: tuple[Endpoint, ...], *, routes: Path = ROUTES) -> None:
        self._gate = gate
        self._servers = NameServers(gate)
        self._named = named
        self._routes = routes
        self._gateways: tuple[str, ...] = ()
        self._messages: Any = None

    async def ask(self, domain: Domain) -> Hearing:
        """Asks one after the other, a quarter of a second apart, until somebody answers."""
        witnesses = list(self._witnesses(domain))
        if not witnesses:
            return Hearing.NOBODY
        if self._messages is None:
            # Importing dnspython takes 0.2 s, which a running loop must not feel.
            self._messages = await asyncio.to_thread(import_module, "statuspulse.probe.dns_answer")
        is_heard = False
        async with asyncio.TaskGroup() as group:
            pending = {
                group.create_task(self._listen(witness, number * _APART_SECONDS), name=witness.where.text)
                for number, witness in enumerate(witnesses)
            }
            while pending and not is_heard:
                done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
                is_heard = any(task.result() for task in done)
            for task in pending:
                task.cancel()
        return Hearing.HEARD if is_heard else Hearing.SILENCE

    async def _listen(self, witness: _Witness, delay_seconds: float) -> bool:
        await asyncio.sleep(delay_seconds)
        return await self._answers(witness)

    async def _answers(self, witness: _Witness) -> bool:
        deadline, where = Deadline.after(_ANSWER_MS), witness.where
        if where.port == _DNS_PORT:
            return await self._knows_the_root(witness, deadline)
        located = self._gate.guard.judge(where.host, where.port, witness.purpose)
        if isinstance(located, Failure):
            return False
        outcome = await connect(located, where.port, deadline)
        if isinstance(outcome, Failure):
            return outcome.kind is FailureClass.CONNECT_REFUSED
        outcome.close()
        return True

    async def _knows_the_root(self, witness: _Witness, deadline: Deadline) -> bool:
        server = Server(witness.where, DnsProtocol.UDP, witness.purpose)
        told = await self._servers.ask(server, self._messages.Question(_ROOT_ZONE), deadline)
        if isinstance(told.reply, Failure):
            return told.reply.kind is FailureClass.CONNECT_REFUSED and not witness.must_know
        rcode: str = self._messages.rcode(told.reply)
        return rcode == "NOERROR" or (rcode != "SERVFAIL" and not witness.must_know)

    def _witnesses(self, domain: Domain) -> Iterator[_Witness]:
        resolvers = [parse_endpoint(ip, _DNS_PORT) for ip in self._gate.nameservers()]
        if domain is Domain.NAMES:
            yield from (_Witness(where, Purpose.CHECK_DNS, must_know=True) for where in resolvers)
            return
        if domain is Domain.PRIVATE:
            near = [where for where in resolvers if domain_of_address(where.host) is Domain.PRIVATE]
            yield from (_Witness(parse_endpoint(ip, _DNS_PORT), Purpose.CHECK_DNS) for ip in self._known_gateways())
            yield from (_Witness(where, Purpose.CHECK_DNS) for where in near)
        # The way to them leads through the private network, too.
        yield from (_Witness(where, Purpose.CONTROL) for where in self._named)

    def _known_gateways(self) -> tuple[str, ...]:
        found = tuple(_gateways(self._routes))
        if found:
            self._gateways = found
        return self._gateways


def _gateways(table: Path) -> Iterator[str]:
    """The routers of the default routes over IPv4 (proc(5), /proc/net/route), in the byte order of the host."""
    try:
        lines = table.read_text("ascii", errors="replace").splitlines()[1:]
    except OSError:
        return
    for line in lines:
        _, destination, gateway, *_ = [*line.split(), "", "", ""]
        if destination == "00000000" and gateway not in {"", "00000000"}:
            yield str(IPv4Address(bytes.fromhex(gateway)[::-1]))
