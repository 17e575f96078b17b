"""Scenes that are played inside the namespace of `tests.faults.namespace`; each prints what it saw as JSON."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import sys
import threading
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from statuspulse.app import loop
from statuspulse.domain.failure import FailureClass
from statuspulse.domain.specs.dns import DnsSpec
from statuspulse.domain.specs.http import HttpSpec
from statuspulse.domain.specs.tcp import TcpSpec
from statuspulse.egress.addresses import AddressClass
from statuspulse.egress.gate import Gate
from statuspulse.egress.http_client import HttpClient, Unreachable
from statuspulse.egress.literals import literal_address
from statuspulse.egress.policy import FLOOR, Policy, Purpose
from statuspulse.probe.dns import DnsCheck
from statuspulse.probe.http import HttpCheck
from statuspulse.probe.tcp import TcpCheck
from tests.egress.test_addresses import MATRIX
from tests.targets import DnsTarget, http_answer, wall_ms

PORT = 8080
PUBLIC = "8.8.8.8"
# Our own database, as the process knows it; it lies on a public address, so that only its protection protects it.
DATABASE = ("8.8.4.4", 5432)
_MAIL_PORTS = (25, 465, 587)
_WATCHED = {PORT, DATABASE[1], *_MAIL_PORTS}
_TIMEOUT_MS = 2000
_TOGETHER = 50
_DELIVERIES = tuple(purpose for purpose in Purpose if purpose.startswith("delivery."))
_TCP, _UDP = 6, 17
BLOCKED = str(FailureClass.BLOCKED_BY_POLICY)

# What was wanted, of whom, for what, and what came of it.
Try = Callable[[], Awaitable[tuple[str, str]]]


def policy(name: str) -> Policy:
    deny = {"default": "", "strict": "private,loopback,mail"}[name]
    parsed = Policy.parse(probe_deny=deny, delivery_allow="", operator_urls=())
    return Policy(probe_deny=parsed.probe_deny, protected=frozenset({DATABASE}))


@dataclass
class Sniffer:
    """Counts what is sent to the watched ports of any address, as the kernel sees it."""

    packets: Counter[str] = field(default_factory=Counter)

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3))
        sock.bind(("lo", 0))
        sock.settimeout(0.1)
        ended = threading.Event()
        thread = threading.Thread(target=self._listen, args=(sock, ended))
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
            sock.close()

    def _listen(self, sock: socket.socket, ended: threading.Event) -> None:
        while not ended.is_set():
            with contextlib.suppress(TimeoutError):
                packet, (_, _, direction, *_) = sock.recvfrom(65535)
                if direction == socket.PACKET_OUTGOING:
                    self._count(packet)

    def _count(self, packet: bytes) -> None:
        if packet[0] >> 4 == 4:
            protocol, behind, destination = packet[9], 4 * (packet[0] & 15), packet[16:20]
        else:
            protocol, behind, destination = packet[6], 40, packet[24:40]
        port = int.from_bytes(packet[behind + 2 : behind + 4], "big")
        if protocol in (_TCP, _UDP) and port in _WATCHED:
            family = socket.AF_INET if len(destination) == 4 else socket.AF_INET6
            self.packets[socket.inet_ntop(family, destination)] += 1

    async def settled(self) -> Counter[str]:
        """What was sent up to now."""
        await asyncio.sleep(0.3)
        seen, self.packets = self.packets, Counter()
        return seen


class Stage:
    """A server on every address, a name server that only the gate knows, and the checks and deliveries of a policy."""

    def __init__(self, gate: Gate, names: DnsTarget, sniffer: Sniffer) -> None:
        self.names = names
        self.sniffer = sniffer
        self.redirects: dict[str, bytes] = {}
        self.requests = 0
        self._http = HttpCheck(gate, wall_ms)
        self._tcp = TcpCheck(gate)
        self._dns = DnsCheck(gate)
        self._client = HttpClient(gate)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, EOFError):
            head = await reader.readuntil(b"\r\n\r\n")
            self.requests += 1
            location = self.redirects.get(head.split(b" ")[1].decode())
            answer = http_answer(200)
            if location is not None:
                answer = b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + location + b"\r\n\r\n"
            writer.write(answer)
            await writer.drain()
        writer.close()

    async def http(self, host: str, port: int = PORT, path: str = "/", hops: int = 5) -> tuple[str, str]:
        spec = HttpSpec(url=f"http://{host}:{port}{path}", max_redirects=hops)
        seen = await self._http.run(spec, timeout_ms=_TIMEOUT_MS)
        return ("ok", "") if seen.failure is None else (str(seen.failure.kind), seen.failure.detail)

    async def tcp(self, host: str, port: int = PORT) -> tuple[str, str]:
        seen = await self._tcp.run(TcpSpec(host=host.strip("[]"), port=port), timeout_ms=_TIMEOUT_MS)
        return ("ok", "") if seen.failure is None else (str(seen.failure.kind), seen.failure.detail)

    async def resolver(self, host: str) -> tuple[str, str]:
        spec = DnsSpec(host="a.test", resolver=f"{host}:{PORT}")
        seen = await self._dns.run(spec, timeout_ms=_TIMEOUT_MS)
        assert seen.failure is not None
        return str(seen.failure.kind), seen.failure.detail

    async def hook(self, host: str) -> tuple[str, str]:
        return await self.deliver(host, Purpose.DELIVERY_WEBHOOK)

    async def deliver(self, host: str, purpose: Purpose, port: int = PORT) -> tuple[str, str]:
        answer = await self._client.request(
            method="POST",
            url=f"http://{host}:{port}/",
            headers={},
            body=b"{}",
            purpose=purpose,
            timeout_s=_TIMEOUT_MS / 1000,
            max_bytes=100,
        )
        return (str(answer.kind), answer.text) if isinstance(answer, Unreachable) else ("ok", "")


@contextlib.asynccontextmanager
async def stage(policy_name: str) -> AsyncIterator[Stage]:
    sniffer = Sniffer()
    with DnsTarget() as names, sniffer.listening():
        gate = Gate(policy(policy_name), nameservers=(names.address,))
        made = Stage(gate, names, sniffer)
        servers = [
            await asyncio.start_server(made.serve, host, port, backlog=1024)
            for port in _WATCHED
            for host in ("0.0.0.0", "::")
        ]
        try:
            yield made
        finally:
            for server in servers:
                server.close()
            gate.close()


async def matrix(policy_name: str) -> dict[str, Any]:
    """Every spelling for every purpose: first all that is denied, which must send nothing, then all that is allowed."""
    async with stage(policy_name) as playing:
        denied, allowed = _sorted(playing, policy(policy_name))
        refused = await _play(denied)
        packets = await playing.sniffer.settled()
        asked_for_literals = len(playing.names.asked)
        named = await _play(_names_of_denied(playing))
        packets += await playing.sniffer.settled()
        served = await _play(allowed)
        reached = await playing.sniffer.settled()
        return {
            "denied_tries": len(denied),
            "denied_names": len(named),
            "not_blocked": [name for name, (kind, _) in {**refused, **named}.items() if kind != BLOCKED],
            "texts": sorted({text for _, text in [*refused.values(), *named.values()]}),
            "packets_at_denied": dict(packets),
            "questions_about_literals": asked_for_literals,
            "allowed_tries": len(allowed),
            "not_served": {name: kind for name, (kind, _) in served.items() if kind != _wanted(name)},
            "not_reached": sorted(_addresses(allowed) - reached.keys()),
        }


async def rebinding(count: str) -> dict[str, Any]:
    """Names that change their mind, contradict themselves or lead astray; nothing may arrive at a denied address."""
    async with stage("strict") as playing:
        names, rounds = playing.names, int(count)
        names.script("flip.test", "A", *((PUBLIC,), ("10.0.0.1",)) * rounds, ttl=0)
        names.records("mixed.test", "A", PUBLIC, "10.0.0.1", ttl=0)
        names.records("six.test", "A", PUBLIC, ttl=0)
        names.records("six.test", "AAAA", "fd00::1", ttl=0)
        names.alias("chain.test", "link.test", ttl=0)
        names.alias("link.test", "end.test", ttl=0)
        names.records("end.test", "A", "169.254.169.254", ttl=0)
        playing.redirects["/hop"] = f"http://hop.test:{PORT}/".encode()
        outcomes: dict[str, Counter[str]] = {name: Counter() for name in ("flip", "mixed", "six", "chain", "hop")}
        for _ in range(rounds):
            for name in ("flip", "mixed", "six", "chain"):
                outcomes[name][(await playing.http(f"{name}.test"))[0]] += 1
                outcomes[name][(await playing.hook(f"{name}.test"))[0]] += 1
            names.script("hop.test", "A", (PUBLIC,), ("10.0.0.1",), ttl=0)
            outcomes["hop"][(await playing.http("hop.test", path="/hop"))[0]] += 1
        packets = await playing.sniffer.settled()
        return {
            "outcomes": {name: dict(seen) for name, seen in outcomes.items()},
            "at_denied": {ip: seen for ip, seen in packets.items() if ip != PUBLIC},
            "at_allowed": packets[PUBLIC],
        }


async def redirects(hops: str) -> dict[str, Any]:
    """Redirects to every denied spelling, to other schemes, in circles and without end."""
    async with stage("strict") as playing:
        hosts = [_bracketed(host) for host, found in MATRIX.items() if found is not AddressClass.PUBLIC]
        locations = {f"//{host}:{PORT}/" for host in hosts}
        denied = {f"/{number}": where for number, where in enumerate(sorted(locations))}
        schemes = ["file:///etc/passwd", "gopher://8.8.8.8:70/x", "ftp://8.8.8.8/", "data:,x", "dict://8.8.8.8:1/"]
        strange = {f"/s{number}": where for number, where in enumerate([*schemes, "\\\\127.0.0.1\\x", "http://@:1/"])}
        for path, where in (denied | strange).items():
            absolute = path.endswith(("1", "3", "5", "7", "9")) and where.startswith("//")
            playing.redirects[path] = (f"http:{where}" if absolute else where).encode()
        playing.redirects |= {f"/hops/{number}": f"/hops/{number + 1}".encode() for number in range(40)}
        playing.redirects["/circle"] = b"/circle"
        refused = await _play([(path, _http_at(playing, path)) for path in denied])
        failed = await _play([(path, _http_at(playing, path)) for path in strange])
        packets = await playing.sniffer.settled()
        playing.requests = 0
        endless = [(await playing.http(PUBLIC, path=path, hops=int(hops)))[0] for path in ("/hops/0", "/circle")]
        return {
            "tries": len(denied),
            "not_blocked": {denied[path]: kind for path, (kind, _) in refused.items() if kind != BLOCKED},
            "strange": {strange[path]: kind for path, (kind, _) in failed.items()},
            "at_denied": {ip: seen for ip, seen in packets.items() if ip != PUBLIC},
            "endless": endless,
            "requests": playing.requests,
        }


def _http_at(playing: Stage, path: str) -> Try:
    return lambda: playing.http(PUBLIC, path=path)


def _sorted(playing: Stage, rules: Policy) -> tuple[list[tuple[str, Try]], list[tuple[str, Try]]]:
    """What is denied and what is allowed, each under a name."""
    denied: list[tuple[str, Try]] = []
    allowed: list[tuple[str, Try]] = []
    for host, found in MATRIX.items():
        bracketed = _bracketed(host)
        checks = denied if found in rules.probe_deny | FLOOR else allowed
        checks += [
            (f"http {host}", lambda host=bracketed: playing.http(host)),  # type: ignore[misc]
            (f"tcp {host}", lambda host=bracketed: playing.tcp(host)),  # type: ignore[misc]
            (f"resolver {host}", lambda host=bracketed: playing.resolver(host)),  # type: ignore[misc]
        ]
        deliveries = allowed if found is AddressClass.PUBLIC else denied
        deliveries += [
            (f"{each} {host}", lambda host=bracketed, each=each: playing.deliver(host, each))  # type: ignore[misc]
            for each in _DELIVERIES
        ]
    denied += [(f"database {host}", _tcp_at(playing, host, DATABASE[1])) for host in (DATABASE[0], "::ffff:8.8.4.4")]
    mail = denied if AddressClass.MAIL in rules.probe_deny else allowed
    mail += [(f"mail {port} {PUBLIC}", _tcp_at(playing, PUBLIC, port)) for port in _MAIL_PORTS]
    return denied, allowed


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


def _tcp_at(playing: Stage, host: str, port: int) -> Try:
    return lambda: playing.tcp(host, port)


def _names_of_denied(playing: Stage) -> list[tuple[str, Try]]:
    """Names that lead to the addresses that nobody may reach."""
    tries: list[tuple[str, Try]] = []
    for number, (host, found) in enumerate(MATRIX.items()):
        if found in FLOOR:
            ip = literal_address(host)
            assert ip is not None
            name = f"n{number}.nip.test"
            playing.names.records(name, "AAAA" if ":" in ip else "A", ip, ttl=0)
            tries.append((f"http {name}", lambda name=name: playing.http(name)))  # type: ignore[misc]
            tries.append((f"tcp {name}", lambda name=name: playing.tcp(name)))  # type: ignore[misc]
            tries.append((f"hook {name}", lambda name=name: playing.hook(name)))  # type: ignore[misc]
    return tries


def _wanted(name: str) -> str:
    """Nobody listens for datagrams, so that a resolver check is refused: it has been there."""
    return str(FailureClass.CONNECT_REFUSED) if name.startswith("resolver ") else "ok"


def _addresses(tries: Iterable[tuple[str, Try]]) -> set[str]:
    """As they stand in packets: a mapped address travels as the IPv4 address that it is."""
    hosts = (name.rpartition(" ")[2] for name, _ in tries)
    found = {ip for host in hosts if (ip := literal_address(host)) is not None}
    return {ip.removeprefix("::ffff:") if "." in ip else ip for ip in found}


async def _play(tries: list[tuple[str, Try]]) -> dict[str, tuple[str, str]]:
    """Runs them, many at a time."""
    places = asyncio.Semaphore(_TOGETHER)
    outcomes: dict[str, tuple[str, str]] = {}

    async def one(name: str, attempt: Try) -> None:
        async with places:
            outcomes[name] = await attempt()

    async with asyncio.TaskGroup() as tasks:
        for name, attempt in tries:
            tasks.create_task(one(name, attempt))
    return outcomes


if __name__ == "__main__":
    scene = {"matrix": matrix, "rebinding": rebinding, "redirects": redirects}[sys.argv[1]]
    sys.stdout.write(json.dumps(loop.run(scene(*sys.argv[2:]))))
