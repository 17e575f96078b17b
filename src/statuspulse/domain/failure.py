"""Why a check did not succeed: closed lists of failure classes and miss reasons."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

DETAIL_LIMIT = 500


class FailureClass(StrEnum):
    """Classes of failure; `is_void` tells the ones that are ours and so no verdict on the target."""

    DNS_ERROR = "dns_error"
    CONNECT_REFUSED = "connect_refused"
    CONNECT_TIMEOUT = "connect_timeout"
    CONNECT_ERROR = "connect_error"
    TLS_ERROR = "tls_error"
    TLS_EXPIRED = "tls_expired"
    TIMEOUT = "timeout"
    STATUS_MISMATCH = "status_mismatch"
    ASSERTION_FAILED = "assertion_failed"
    REDIRECT_ERROR = "redirect_error"
    PROTOCOL_ERROR = "protocol_error"
    BODY_TOO_LARGE = "body_too_large"
    HEARTBEAT_MISSED = "heartbeat_missed"
    HEARTBEAT_FAILED = "heartbeat_failed"
    BLOCKED_BY_POLICY = "blocked_by_policy"
    PROBE_BLIND = "probe_blind"
    SELF_STALL = "self_stall"
    PROBE_ERROR = "probe_error"

    @property
    def is_void(self) -> bool:
        """A void result moves no counter and no state."""
        return self in _VOID


_VOID = frozenset(
    {
        FailureClass.BLOCKED_BY_POLICY,
        FailureClass.PROBE_BLIND,
        FailureClass.SELF_STALL,
        FailureClass.PROBE_ERROR,
    }
)


class MissReason(StrEnum):
    """Why a slot was not run; a missed slot is a fact, never a result."""

    OVERLOAD = "overload"
    OVERRUN = "overrun"
    RESTART = "restart"
    CLOCK_STEP = "clock_step"
    SELF_STALL = "self_stall"
    PROBE_OFFLINE = "probe_offline"
    SPOOL_OVERFLOW = "spool_overflow"


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong, in a class for machines and one short text for people."""

    kind: FailureClass
    detail: str

    @classmethod
    def of(cls, kind: FailureClass, detail: str) -> Failure:
        """Cuts the text at its limit and replaces control characters: it comes from outside."""
        clean = "".join(char if char.isprintable() else " " for char in detail[:DETAIL_LIMIT])
        return cls(kind, clean)
