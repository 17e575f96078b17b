"""The HTTP check: one GET, redirects followed by hand, every hop through the guard (`ENGINE.md` 2.1)."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from time import monotonic_ns

from statuspulse.domain.failure import Failure, FailureClass
from statuspulse.domain.result import Observation, Phases
from statuspulse.domain.specs.http import HttpSpec
from statuspulse.egress.deadline import Deadline
from statuspulse.egress.gate import Gate
from statuspulse.egress.policy import Purpose
from statuspulse.egress.transfer import Exchange
from statuspulse.egress.urls import Url, parse_url, redirected

_PARSED_URLS = 20_000


class HttpCheck:
    """Runs HTTP specifications through one gate."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._parse = lru_cache(_PARSED_URLS)(parse_url)

    async def run(self, spec: HttpSpec, *, timeout_ms: int) -> Observation:
        deadline = Deadline.after(timeout_ms)
        try:
            url = self._parse(spec.url)
        except ValueError as error:
            return Observation(failure=Failure.of(FailureClass.PROBE_ERROR, f"assertion_invalid: {error}"))
        begun = monotonic_ns()
        earlier: Phases | None = None
        spent_us = resolve_us = redirects = 0
        while True:
            if url.ip is not None:
                located = self._gate.guard.judge(url.ip, url.port, Purpose.CHECK_HTTP)
            else:
                asked = monotonic_ns()
                located = await self._gate.locate(url.host, url.port, Purpose.CHECK_HTTP, deadline)
                resolve_us = (monotonic_ns() - asked) // 1000
            if isinstance(located, Failure):
                latest = Phases(dns_us=resolve_us)
                phases = latest if earlier is None else _sum(earlier, latest)
                return Observation(failure=located, latency_us=spent_us + resolve_us, phases=phases)
            exchange = await self._gate.fetch(
                url, located, deadline, limit=spec.max_body_bytes, follows=spec.follow_redirects
            )
            seen = _observation(spec, url, exchange, earlier=earlier, resolve_us=resolve_us, spent_us=spent_us)
            if exchange.location is None:
                return seen
            redirects += 1
            onward = _next(spec, url, exchange, redirects)
            if isinstance(onward, Failure):
                return replace(seen, failure=onward)
            url, earlier = onward, seen.phases
            spent_us, resolve_us = (monotonic_ns() - begun) // 1000, 0


def _observation(
    spec: HttpSpec, url: Url, exchange: Exchange, *, earlier: Phases | None, resolve_us: int, spent_us: int
) -> Observation:
    failure = exchange.failure
    if failure is None and exchange.location is None:
        failure = _mismatch(exchange.status, spec.expected_status)
    phases = _phases(exchange, url.scheme == "https", resolve_us)
    return Observation(
        failure=failure,
        latency_us=spent_us + resolve_us + exchange.times.total,
        phases=phases if earlier is None else _sum(earlier, phases),
        status_code=exchange.status,
        bytes_read=exchange.received,
        ip=exchange.ip,
        certificate=exchange.certificate,
        truncated=exchange.truncated,
    )


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


def _phases(exchange: Exchange, secure: bool, resolve_us: int) -> Phases:
    """libcurl's timers as durations. After a failure the rest belongs to the phase that failed."""
    times = exchange.times
    dns_us = resolve_us + times.name_lookup
    if not times.connect:
        return Phases(dns_us=dns_us, connect_us=times.total - times.name_lookup)
    connect_us = times.connect - times.name_lookup
    if secure and not times.tls:
        return Phases(dns_us=dns_us, connect_us=connect_us, tls_us=times.total - times.connect)
    tls_us = times.tls - times.connect if secure else None
    if not times.first_byte:
        sent = min(max(times.request, times.tls, times.connect), times.total)
        return Phases(dns_us=dns_us, connect_us=connect_us, tls_us=tls_us, ttfb_us=times.total - sent)
    return Phases(
        dns_us=dns_us,
        connect_us=connect_us,
        tls_us=tls_us,
        ttfb_us=times.first_byte - times.request,
        transfer_us=times.total - times.first_byte,
    )


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
