"""Results as documents of `API.md` D.2."""

from __future__ import annotations

from typing import Any

from statuspulse.domain.ids import result_id
from statuspulse.domain.result import Certificate, Phases, Result, Verdict
from statuspulse.domain.times import DAY, to_text
from statuspulse.storage.history import Seen

_OK = {Verdict.OK: True, Verdict.FAILED: False, Verdict.VOID: None}


def result_document(seen: Seen) -> dict[str, Any]:
    result, looked = seen.result, seen.result.observation
    return {
        "object": "result",
        "id": result_id(result.monitor_id, result.region, result.scheduled_at),
        "monitor_id": result.monitor_id,
        "round": result.round,
        "kind": result.kind.value,
        "scheduled_at": to_text(result.scheduled_at),
        "lag_ms": _ms(result.lag_us),
        "region": result.region,
        "probe_id": seen.probe_id,
        "observed_at": to_text(result.observed_at),
        "ok": _OK[result.verdict],
        "attempt": result.attempt,
        "status_code": looked.status_code,
        "latency_ms": _ms(looked.latency_us),
        "timings_ms": _timings(looked.phases),
        "bytes": looked.bytes_read,
        "ip": looked.ip,
        "tls": None if looked.certificate is None else _tls(looked.certificate, result),
        "failure": None
        if looked.failure is None
        else {"class": looked.failure.kind.value, "detail": looked.failure.detail},
        "config_version": result.config_version,
        "in_maintenance": False,
        "evidence": looked.evidence,
    }


def _timings(phases: Phases) -> dict[str, float | None]:
    return {
        "dns": _ms(phases.dns_us),
        "connect": _ms(phases.connect_us),
        "tls": _ms(phases.tls_us),
        "ttfb": _ms(phases.ttfb_us),
        "transfer": _ms(phases.transfer_us),
    }


def _tls(certificate: Certificate, result: Result) -> dict[str, Any]:
    return {
        "not_after": to_text(certificate.not_after),
        "days_left": (certificate.not_after - result.observed_at) // DAY,
        "version": certificate.tls_version,
    }


def _ms(us: int | None) -> float | None:
    return None if us is None else round(us / 1000, 1)
