"""Between the documents of the agent protocol and the values of the domain; the only place that knows both."""

from __future__ import annotations

from typing import Any

import msgspec

from statuspulse.domain.evidence import LIMIT as EVIDENCE_LIMIT
from statuspulse.domain.failure import Failure, FailureClass, MissReason
from statuspulse.domain.monitor import MonitorType
from statuspulse.domain.result import Certificate, Gap, Observation, Phases, Result, ResultKind
from statuspulse.domain.specs.registry import SPECS, Spec
from statuspulse.domain.times import DAY, from_datetime, to_datetime
from statuspulse.protocol.documents import FailureDocument, Item, TimingsDocument, TlsDocument

_KINDS = {kind.value: kind for kind in ResultKind}
_FAILURES = {kind.value: kind for kind in FailureClass}
_REASONS = {reason.value: reason for reason in MissReason}


class InvalidItemError(ValueError):
    """A result that cannot be read; the text names what is wrong with it."""


def spec_document(spec: Spec) -> dict[str, Any]:
    """The members of the type as they travel in an assignment."""
    document: dict[str, Any] = msgspec.to_builtins(spec)
    return document


def spec_of(monitor_type: str, document: dict[str, Any]) -> Spec:
    """Reads an assignment's members; raises ValueError for a type that this probe does not know."""
    return msgspec.convert(document, SPECS[MonitorType(monitor_type)])


def item_of(seq: int, result: Result, job_id: str | None = None) -> Item:
    """The document of a result; the region and the probe are those of the key that ships it."""
    seen = result.observation
    failure, certificate = seen.failure, seen.certificate
    return Item(
        seq=seq,
        kind=result.kind.value,
        monitor_id=result.monitor_id,
        round=result.round,
        scheduled_at=to_datetime(result.scheduled_at),
        lag_ms=result.lag_us / 1000,
        observed_at=to_datetime(result.observed_at),
        ok=None if failure is not None and failure.kind.is_void else failure is None,
        attempt=result.attempt,
        status_code=seen.status_code,
        latency_ms=_ms(seen.latency_us),
        timings_ms=_timings(seen.phases),
        bytes=seen.bytes_read,
        ip=seen.ip,
        tls=None
        if certificate is None
        else TlsDocument(
            not_after=to_datetime(certificate.not_after),
            days_left=(certificate.not_after - result.observed_at) // DAY,
            version=certificate.tls_version,
        ),
        failure=None if failure is None else FailureDocument(kind=failure.kind.value, detail=failure.detail),
        config_version=result.config_version,
        truncated=seen.truncated,
        job_id=job_id,
        evidence=seen.evidence,
    )


def gap_item(seq: int, gap: Gap) -> Item:
    return Item(
        seq=seq,
        kind="gap",
        monitor_id=gap.monitor_id,
        from_at=to_datetime(gap.from_at),
        to_at=to_datetime(gap.to_at),
        count=gap.count,
        reason=gap.reason.value,
    )


def result_of(item: Item, region: str) -> Result:
    """The value of a result document; raises InvalidItemError."""
    if item.scheduled_at is None or item.observed_at is None:
        raise InvalidItemError("scheduled_at and observed_at are required")
    if item.region not in (None, region):
        raise InvalidItemError("the region is not that of the probe's key")
    if item.scheduled_at.tzinfo is None or item.observed_at.tzinfo is None:
        raise InvalidItemError("a time needs an offset")
    if min(filter(None, _numbers(item)), default=0) < 0:
        raise InvalidItemError("attempt, status_code, bytes and timings_ms may not be negative")
    return Result(
        monitor_id=item.monitor_id,
        region=region,
        scheduled_at=from_datetime(item.scheduled_at),
        kind=_KINDS[item.kind],
        round=item.round,
        lag_us=_us(item.lag_ms) or 0,
        observed_at=from_datetime(item.observed_at),
        attempt=item.attempt,
        config_version=item.config_version,
        observation=_observation(item),
    )


def gap_of(item: Item, region: str) -> Gap:
    """The value of a gap document; raises InvalidItemError."""
    if item.from_at is None or item.to_at is None or item.count is None or item.count < 1:
        raise InvalidItemError("from, to and a positive count are required")
    if item.from_at.tzinfo is None or item.to_at.tzinfo is None or item.to_at < item.from_at:
        raise InvalidItemError("from and to need an offset, and to may not be earlier")
    if item.reason not in _REASONS:
        raise InvalidItemError("the reason is unknown")
    return Gap(
        monitor_id=item.monitor_id,
        region=region,
        from_at=from_datetime(item.from_at),
        to_at=from_datetime(item.to_at),
        count=item.count,
        reason=_REASONS[item.reason],
    )


def _observation(item: Item) -> Observation:
    return Observation(
        failure=_failure(item),
        latency_us=_us(item.latency_ms),
        phases=Phases() if item.timings_ms is None else _phases(item.timings_ms),
        status_code=item.status_code,
        bytes_read=item.bytes,
        ip=item.ip,
        certificate=None
        if item.tls is None
        else Certificate(not_after=from_datetime(item.tls.not_after), tls_version=item.tls.version),
        truncated=item.truncated,
        evidence=_evidence(item),
    )


def _phases(timings: TimingsDocument) -> Phases:
    return Phases(
        dns_us=_us(timings.dns),
        connect_us=_us(timings.connect),
        tls_us=_us(timings.tls),
        ttfb_us=_us(timings.ttfb),
        transfer_us=_us(timings.transfer),
    )


def _evidence(item: Item) -> dict[str, Any] | None:
    """A result is worth more than its evidence: too much of that does not spoil it."""
    if item.evidence is None or len(msgspec.json.encode(item.evidence)) > EVIDENCE_LIMIT:
        return None
    return item.evidence


def _failure(item: Item) -> Failure | None:
    if item.failure is None:
        if item.ok is not True:
            raise InvalidItemError("a result that is not ok needs its failure")
        return None
    kind = _FAILURES.get(item.failure.kind)
    if kind is None or item.ok is not (None if kind.is_void else False):
        raise InvalidItemError("ok and the failure class disagree")
    return Failure.of(kind, item.failure.detail)


def _timings(phases: Phases) -> TimingsDocument:
    return TimingsDocument(
        dns=_ms(phases.dns_us),
        connect=_ms(phases.connect_us),
        tls=_ms(phases.tls_us),
        ttfb=_ms(phases.ttfb_us),
        transfer=_ms(phases.transfer_us),
    )


def _ms(us: int | None) -> float | None:
    return None if us is None else us / 1000


def _numbers(item: Item) -> tuple[float | None, ...]:
    """What may not be negative, where it is there."""
    timings = () if item.timings_ms is None else msgspec.structs.astuple(item.timings_ms)
    return (item.attempt, item.bytes, item.status_code, *timings)


def _us(ms: float | None) -> int | None:
    return None if ms is None else round(ms * 1000)
