"""A result as people and programs read it, wherever it is shown."""

from __future__ import annotations

from typing import Any

from statuspulse.domain.result import Certificate, Observation, Phases, Result
from statuspulse.domain.times import DAY, to_text


def result_members(result: Result) -> dict[str, Any]:
    """The members that a result has by itself; those that say whose it is are added by whoever knows."""
    seen = result.observation
    return {
        "kind": result.kind.value,
        "scheduled_at": to_text(result.scheduled_at),
        "lag_ms": _ms(result.lag_us),
        "region": result.region,
        "observed_at": to_text(result.observed_at),
        "ok": _ok(seen),
        "attempt": result.attempt,
        "status_code": seen.status_code,
        "latency_ms": _ms(seen.latency_us),
        "timings_ms": timings_members(seen.phases),
        "bytes": seen.bytes_read,
        "ip": seen.ip,
        "tls": None if seen.certificate is None else _tls(seen.certificate, result.observed_at),
        "failure": None if seen.failure is None else {"class": seen.failure.kind.value, "detail": seen.failure.detail},
        "evidence": seen.evidence,
    }


def timings_members(phases: Phases) -> dict[str, float | None]:
    """Milliseconds per phase; null where a phase was not reached or does not exist."""
    return {
        "dns": _ms(phases.dns_us),
        "connect": _ms(phases.connect_us),
        "tls": _ms(phases.tls_us),
        "ttfb": _ms(phases.ttfb_us),
        "transfer": _ms(phases.transfer_us),
    }


def days_left(certificate: Certificate, now: int) -> int:
    """Whole days until the first certificate of the chain ends; negative after that."""
    return (certificate.not_after - now) // DAY


def _ok(seen: Observation) -> bool | None:
    """True, false, or null for no verdict."""
    if seen.failure is None:
        return True
    return None if seen.failure.kind.is_void else False


def _tls(certificate: Certificate, now: int) -> dict[str, Any]:
    return {
        "not_after": to_text(certificate.not_after),
        "days_left": days_left(certificate, now),
        "version": certificate.tls_version,
    }


def _ms(us: int | None) -> float | None:
    return None if us is None else round(us / 1000, 1)
