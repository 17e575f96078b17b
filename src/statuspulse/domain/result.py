"""What one slot found: the observation of an attempt, and the result with its identity."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from statuspulse.domain.failure import Failure, MissReason


class ResultKind(StrEnum):
    """Why the check ran; only scheduled ones feed percentiles and `checks_total`."""

    SCHEDULED = "scheduled"
    RECHECK = "recheck"
    FIRST = "first"
    MANUAL = "manual"


class Verdict(StrEnum):
    """What a result says of the target; in the API `ok` is true, false or null."""

    OK = "ok"
    FAILED = "failed"
    VOID = "void"


@dataclass(frozen=True, slots=True, kw_only=True)
class Phases:
    """Durations in µs of the phases of one attempt; None where a phase was not reached or does not exist."""

    dns_us: int | None = None
    connect_us: int | None = None
    tls_us: int | None = None
    ttfb_us: int | None = None
    transfer_us: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """The peer's certificate as it was seen: `not_after` is the earliest end in the chain (ms)."""

    not_after: int
    tls_version: str | None = None
    cipher: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """The outcome of one attempt. `failure is None` means ok; a void failure means no verdict.

    `evidence` is what a failed attempt leaves for people to look at, in the form of JSON and without secrets.
    """

    failure: Failure | None = None
    latency_us: int | None = None
    phases: Phases = field(default_factory=Phases)
    status_code: int | None = None
    bytes_read: int = 0
    ip: str | None = None
    certificate: Certificate | None = None
    truncated: bool = False
    evidence: dict[str, Any] | None = None

    @property
    def verdict(self) -> Verdict:
        if self.failure is None:
            return Verdict.OK
        return Verdict.VOID if self.failure.kind.is_void else Verdict.FAILED


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One slot's result; (monitor_id, region, scheduled_at) is its identity. Instants in ms, durations in µs."""

    monitor_id: str
    region: str
    scheduled_at: int
    kind: ResultKind
    round: int
    lag_us: int
    observed_at: int
    attempt: int
    config_version: int
    observation: Observation

    @property
    def verdict(self) -> Verdict:
        return self.observation.verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A run of missed slots of one monitor in one region, both ends included (ms)."""

    monitor_id: str
    region: str
    from_at: int
    to_at: int
    count: int
    reason: MissReason
