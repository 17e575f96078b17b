"""The TLS check: a handshake, and how long the certificates last."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from statuspulse.domain.failure import Failure, FailureClass
from statuspulse.domain.result import Certificate, Observation, Phases
from statuspulse.domain.specs.tls import TlsSpec
from statuspulse.domain.times import DAY, to_text
from statuspulse.egress.deadline import Deadline
from statuspulse.egress.gate import Gate
from statuspulse.egress.handshake import Terms, shake_hands
from statuspulse.egress.policy import Purpose
from statuspulse.egress.urls import Url, bracketed, parse_url
from statuspulse.probe.target import find
from statuspulse.probe.timers import phases_of


class TlsCheck:
    """Runs TLS specifications through one gate; `now` in ms is what the ends of certificates are held against."""

    def __init__(self, gate: Gate, now: Callable[[], int]) -> None:
        self._gate = gate
        self._now = now

    async def run(self, spec: TlsSpec, *, timeout_ms: int) -> Observation:
        deadline = Deadline.after(timeout_ms)
        try:
            url = _url(spec)
            target = await find(self._gate, spec.host, spec.port, Purpose.CHECK_TCP, deadline)
        except ValueError as error:
            return Observation(failure=Failure.of(FailureClass.PROBE_ERROR, f"assertion_invalid: {error}"))
        if isinstance(target.located, Failure):
            phases = Phases(dns_us=target.dns_us)
            return Observation(failure=target.located, latency_us=target.dns_us, phases=phases)
        terms = Terms(verify=spec.verify, min_version=spec.min_version)
        exchange = await shake_hands(self._gate, url, target.located, deadline, terms)
        failure = exchange.failure
        if failure is None:
            failure = _lateness(exchange.certificate, self._now(), spec.min_days_left)
        phases = phases_of(exchange.times, secure=True, dns_us=target.dns_us)
        return Observation(
            failure=failure,
            latency_us=target.dns_us + exchange.times.total,
            phases=replace(phases, ttfb_us=None),
            ip=exchange.ip,
            certificate=exchange.certificate,
        )


def _url(spec: TlsSpec) -> Url:
    """The host of it is the name that is asked for and verified; what is dialled is told apart from it."""
    name = spec.server_name or spec.host
    return parse_url(f"https://{bracketed(name.strip('[]'))}:{spec.port}/")


def _lateness(certificate: Certificate | None, now: int, min_days_left: int) -> Failure | None:
    if certificate is None:
        return Failure(FailureClass.TLS_ERROR, "the server showed no certificate with an end")
    if certificate.not_after <= now:
        day = to_text(certificate.not_after)[:10]
        return Failure(FailureClass.TLS_EXPIRED, f"a certificate of the chain expired on {day}")
    days_left = (certificate.not_after - now) // DAY
    if days_left >= min_days_left:
        return None
    detail = f"{_days(days_left)} left until a certificate of the chain ends, expected at least {min_days_left}"
    return Failure(FailureClass.ASSERTION_FAILED, detail)


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"
