"""When to try a call again, and how long to wait before: pure decisions."""

from __future__ import annotations

from dataclasses import dataclass

from statuspulse.client.refusals import refusal_of, retry_after
from statuspulse.client.replies import Fault, Reply

# Too many calls, too busy or starting, and a proxy without a server behind it.
_PASSING = frozenset({429, 502, 503, 504})
_IN_WORK = "idempotency_in_progress"
_LONGEST_EXPONENT = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Retries:
    """How often and how patiently. Every call may be repeated: a POST carries a key under which it is done once.

    The wait before attempt n + 1 is drawn from up to `first_seconds` · 2ⁿ⁻¹ and never longer than `longest_seconds`;
    a Retry-After is kept to and lengthened by up to a tenth, so that clients do not all come back at once.
    """

    attempts: int = 5
    first_seconds: float = 0.2
    longest_seconds: float = 8.0


def wait_before_next(outcome: Reply | Fault, *, attempt: int, draw: float, retries: Retries) -> float | None:
    """Seconds to wait after this attempt, the first is 1; None when another would not help. `draw` is in [0, 1)."""
    if attempt >= retries.attempts or not _may_pass(outcome):
        return None
    asked = retry_after(outcome) if isinstance(outcome, Reply) else None
    if asked is not None:
        return asked * (1 + draw / 10)
    doubled: float = retries.first_seconds * 2.0 ** min(attempt - 1, _LONGEST_EXPONENT)
    return min(retries.longest_seconds, doubled) * draw


def _may_pass(outcome: Reply | Fault) -> bool:
    if isinstance(outcome, Fault):
        return outcome.heals
    if outcome.status in _PASSING:
        return True
    told = refusal_of(outcome) if outcome.status == 409 else None
    return told is not None and told.code == _IN_WORK
