"""The HTTP client of deliveries and of a probe's link: guarded like every dial, bounded, no redirects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from statuspulse.domain.failure import Failure, FailureClass
from statuspulse.egress.deadline import Deadline
from statuspulse.egress.gate import Gate
from statuspulse.egress.guard import Located
from statuspulse.egress.policy import Purpose
from statuspulse.egress.request import Request, header_lines
from statuspulse.egress.transfer import Exchange, Transfer
from statuspulse.egress.urls import Url, parse_url


class UnreachableKind(StrEnum):
    """Why there is no answer."""

    DNS = "dns"
    CONNECT = "connect"
    REFUSED = "connect_refused"
    TLS = "tls"
    TIMEOUT = "timeout"
    BLOCKED_BY_POLICY = "blocked_by_policy"
    PROTOCOL = "protocol"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a server said; any status. Names of headers are in lower case, of equal ones the last counts."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    elapsed_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreachable:
    """No answer, and why. The text holds neither path nor query nor anything that was sent."""

    kind: UnreachableKind
    text: str


_KINDS = {
    FailureClass.DNS_ERROR: UnreachableKind.DNS,
    FailureClass.CONNECT_REFUSED: UnreachableKind.REFUSED,
    FailureClass.TLS_ERROR: UnreachableKind.TLS,
    FailureClass.TLS_EXPIRED: UnreachableKind.TLS,
    FailureClass.CONNECT_TIMEOUT: UnreachableKind.TIMEOUT,
    FailureClass.TIMEOUT: UnreachableKind.TIMEOUT,
    FailureClass.BLOCKED_BY_POLICY: UnreachableKind.BLOCKED_BY_POLICY,
    FailureClass.PROTOCOL_ERROR: UnreachableKind.PROTOCOL,
}


class HttpClient:
    """Sends one request at a time through a gate; many may be under way."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    async def request(
        self,
        *,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None,
        purpose: Purpose,
        timeout_s: float,
        max_bytes: int,
    ) -> Answer | Unreachable:
        """The answer, its body cut at `max_bytes`; `timeout_s` covers everything from the name to the last byte.

        Connections are kept for `control` only: a probe talks to its server several times a second.
        """
        deadline = Deadline.after(int(timeout_s * 1000))
        try:
            target = parse_url(url)
            outgoing = _outgoing(method, headers, body)
        except ValueError as error:
            return Unreachable(kind=UnreachableKind.PROTOCOL, text=str(error))
        if target.ip is not None:
            located = self._gate.guard.judge(target.ip, target.port, purpose)
        else:
            located = await self._gate.locate(target.host, target.port, purpose, deadline)
        if isinstance(located, Failure):
            return _unreachable(located)
        call = _Call(target, outgoing, max_bytes, keep=purpose is Purpose.CONTROL)
        transfer = self._gate.take_transfer()
        try:
            return await self._send(transfer, call, located, deadline)
        finally:
            self._gate.give_back(transfer, renew=True)

    async def _send(
        self, transfer: Transfer, call: _Call, located: Located, deadline: Deadline
    ) -> Answer | Unreachable:
        def prepare(ip: str) -> None:
            call.prepare(transfer, ip, located.purpose, deadline)

        exchange = await self._gate.attempt(transfer, located, deadline, prepare)
        if exchange.failure is not None:
            return _unreachable(exchange.failure)
        return _answer(exchange)


@dataclass(frozen=True, slots=True)
class _Call:
    url: Url
    request: Request
    max_bytes: int
    keep: bool

    def prepare(self, transfer: Transfer, ip: str, purpose: Purpose, deadline: Deadline) -> None:
        """Points the transfer at an address."""
        transfer.prepare(self.url, ip, purpose, deadline=deadline, limit=self.max_bytes, follows=False)
        transfer.dress(self.request)
        if self.keep:
            transfer.keep_connection()


def _outgoing(method: str, headers: Mapping[str, str], body: bytes | None) -> Request:
    """ValueError for a header, or a method, that would smuggle in another."""
    if not method.isalpha():
        raise ValueError("the method holds characters that methods may not hold")
    return Request(method=method, lines=header_lines(headers.items()), body=body, collects=True)


def _answer(exchange: Exchange) -> Answer:
    assert exchange.status is not None
    return Answer(
        status=exchange.status,
        headers={name.lower(): value for name, value in exchange.headers()},
        body=bytes(exchange.body or b""),
        elapsed_ms=exchange.times.total // 1000,
    )


def _unreachable(failure: Failure) -> Unreachable:
    """Faults of ours count as no connection: to a receiver it is all the same, and the attempt is repeated."""
    return Unreachable(kind=_KINDS.get(failure.kind, UnreachableKind.CONNECT), text=failure.detail)
