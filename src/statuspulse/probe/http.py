"""The HTTP check: one request, redirects followed by hand, every hop through the guard."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from time import monotonic_ns

from statuspulse.domain.evidence import Mask
from statuspulse.domain.failure import Failure, FailureClass
from statuspulse.domain.result import Observation, Phases
from statuspulse.domain.specs.http import HttpSpec
from statuspulse.domain.times import DAY
from statuspulse.egress.deadline import Deadline
from statuspulse.egress.decoding import decoded
from statuspulse.egress.gate import Gate
from statuspulse.egress.policy import Purpose
from statuspulse.egress.transfer import Exchange
from statuspulse.egress.urls import Url, parse_url, redirected
from statuspulse.probe.assertions import Answer, judge
from statuspulse.probe.http_evidence import Hop, evidence_of
from statuspulse.probe.http_request import Outgoing, secrets_of
from statuspulse.probe.timers import phases_of

_PARSED_URLS = 20_000


class HttpCheck:
    """Runs HTTP specifications through one gate; `now` tells how long certificates still last."""

    def __init__(self, gate: Gate, now: Callable[[], int]) -> None:
        self._gate = gate
        self._now = now
        self._parse = lru_cache(_PARSED_URLS)(parse_url)

    async def run(self, spec: HttpSpec, *, timeout_ms: int) -> Observation:
        deadline = Deadline.after(timeout_ms)
        outgoing = Outgoing.of(spec)
        hops: list[Hop] = []
        begun = monotonic_ns()
        earlier: Phases | None = None
        spent_us = resolve_us = 0
        try:
            url = self._parse(spec.url)
            request = None if outgoing is None else outgoing.request(url)
        except ValueError as error:
            return Observation(failure=Failure.of(FailureClass.PROBE_ERROR, f"assertion_invalid: {error}"))
        while True:
            if url.ip is not None:
                located = self._gate.guard.judge(url.ip, url.port, Purpose.CHECK_HTTP, spec.ip_version)
            else:
                asked = monotonic_ns()
                located = await self._gate.locate(url.host, url.port, Purpose.CHECK_HTTP, deadline, spec.ip_version)
                resolve_us = (monotonic_ns() - asked) // 1000
            if isinstance(located, Failure):
                refused = _at_hop(spec, hops, url, located)
                return _unlocated(spec, hops, refused, earlier, resolve_us=resolve_us, spent_us=spent_us)
            exchange = await self._gate.fetch(
                url if outgoing is None else outgoing.dialled(url),
                located,
                deadline,
                limit=spec.max_body_bytes,
                follows=spec.follow_redirects,
                request=request,
            )
            phases = phases_of(exchange.times, secure=url.scheme == "https", dns_us=resolve_us)
            hops.append(Hop(url, located, exchange, phases))
            seen = _observation(exchange, phases, earlier, latency_us=spent_us + resolve_us + exchange.times.total)
            if exchange.location is None:
                failure = exchange.failure or _mismatch(exchange.status, spec.expected_status)
                if failure is None and spec.assertions:
                    failure = self._judged(spec, exchange, seen)
                return seen if failure is None else _failed(spec, hops, seen, failure)
            onward = _next(spec, url, exchange, len(hops))
            if isinstance(onward, Failure):
                return _failed(spec, hops, seen, onward)
            if outgoing is not None:
                outgoing = outgoing.redirected(exchange.status, url, onward)
                request = outgoing.request(onward)
            url, earlier = onward, seen.phases
            spent_us, resolve_us = (monotonic_ns() - begun) // 1000, 0

    def _judged(self, spec: HttpSpec, exchange: Exchange, seen: Observation) -> Failure | None:
        """What the assertions say of an answer with an expected status."""
        body = _body(spec, exchange)
        if isinstance(body, Failure):
            return body
        end = None if exchange.certificate is None else exchange.certificate.not_after
        answer = Answer(
            status=exchange.status or 0,
            headers=exchange.headers(),
            body=body,
            latency_us=seen.latency_us or 0,
            days_left=None if end is None else (end - self._now()) // DAY,
        )
        return judge(spec.assertions, answer, Mask(secrets_of(spec)))


def _observation(exchange: Exchange, phases: Phases, earlier: Phases | None, *, latency_us: int) -> Observation:
    return Observation(
        failure=exchange.failure,
        latency_us=latency_us,
        phases=phases if earlier is None else _sum(earlier, phases),
        status_code=exchange.status,
        bytes_read=exchange.received,
        ip=exchange.ip,
        certificate=exchange.certificate,
        truncated=exchange.truncated,
    )


def _failed(spec: HttpSpec, hops: list[Hop], seen: Observation, failure: Failure) -> Observation:
    return replace(seen, failure=failure, evidence=evidence_of(spec, hops, failure))


def _at_hop(spec: HttpSpec, hops: list[Hop], url: Url, failure: Failure) -> Failure:
    """Where a redirect leads to what the policy forbids, which one and whither; path and query may hold secrets."""
    if not hops or failure.kind is not FailureClass.BLOCKED_BY_POLICY:
        return failure
    whither = Mask(secrets_of(spec)).over(url.origin)
    return Failure.of(failure.kind, f"redirect {len(hops)} leads to {whither}, and {failure.detail}")


def _unlocated(
    spec: HttpSpec, hops: list[Hop], failure: Failure, earlier: Phases | None, *, resolve_us: int, spent_us: int
) -> Observation:
    """Nothing was dialled this time; after a redirect there is something to show all the same."""
    phases = Phases(dns_us=resolve_us)
    return Observation(
        failure=failure,
        latency_us=spent_us + resolve_us,
        phases=phases if earlier is None else _sum(earlier, phases),
        evidence=evidence_of(spec, hops, failure) if hops else None,
    )


def _body(spec: HttpSpec, exchange: Exchange) -> bytes | bytearray | Failure:
    """The whole body, its coding undone; empty if no rule asks for it."""
    if exchange.body is None:
        return b""
    if exchange.truncated:
        text = f"the body is larger than {spec.max_body_bytes} bytes, so that no rule on it can be judged"
        return Failure(FailureClass.BODY_TOO_LARGE, text)
    codings = [value for name, value in exchange.headers() if name.lower() == "content-encoding"]
    return decoded(exchange.body, ", ".join(codings), spec.max_body_bytes)


def _next(spec: HttpSpec, url: Url, exchange: Exchange, redirects: int) -> Url | Failure:
    """Where a redirect leads, or why it is not followed."""
    if redirects > spec.max_redirects:
        return Failure(FailureClass.REDIRECT_ERROR, f"more than {spec.max_redirects} redirects")
    if not exchange.location:
        return Failure(FailureClass.REDIRECT_ERROR, f"status {exchange.status} without a Location")
    try:
        return redirected(url, exchange.location)
    except ValueError as error:
        return Failure.of(FailureClass.REDIRECT_ERROR, f"status {exchange.status} with a bad Location: {error}")


def _mismatch(status: int | None, expected: tuple[tuple[int, int], ...]) -> Failure | None:
    for low, high in expected:
        if status is not None and low <= status <= high:
            return None
    wanted = " or ".join(_range_text(low, high) for low, high in expected)
    return Failure(FailureClass.STATUS_MISMATCH, f"got {status}, expected {wanted}")


def _range_text(low: int, high: int) -> str:
    if low == high:
        return str(low)
    if low % 100 == 0 and high == low + 99:
        return f"{low // 100}xx"
    return f"{low}-{high}"


def _sum(earlier: Phases, latest: Phases) -> Phases:
    """Over redirects each phase is the sum of the hops'."""
    return Phases(
        dns_us=_plus(earlier.dns_us, latest.dns_us),
        connect_us=_plus(earlier.connect_us, latest.connect_us),
        tls_us=_plus(earlier.tls_us, latest.tls_us),
        ttfb_us=_plus(earlier.ttfb_us, latest.ttfb_us),
        transfer_us=_plus(earlier.transfer_us, latest.transfer_us),
    )


def _plus(one: int | None, other: int | None) -> int | None:
    if one is None or other is None:
        return one if other is None else other
    return one + other
