"""When an issue may be created: Jira knows no keys of idempotency, so nothing is created that may exist; pure.

A creation whose outcome nobody told us of is looked for by its label. Jira's index follows its writes within seconds
or minutes (developer.atlassian.com, "Search and reconcile"), so "not found" is believed only once it has had its time.
"""

from __future__ import annotations

from statuspulse.domain.times import MINUTE
from statuspulse.egress.http_client import Answer, Unreachable, UnreachableKind

SETTLING = 5 * MINUTE
# Nothing was sent, so nothing was made of it.
_UNSENT = frozenset({UnreachableKind.DNS, UnreachableKind.TLS, UnreachableKind.BLOCKED_BY_POLICY})
_REQUEST_TIMEOUT = 408


def may_create(begun_at: int | None, now: int) -> bool:
    """Whether an issue that was looked for and not found may be created; `begun_at` is of a creation in doubt."""
    return begun_at is None or now - begun_at >= SETTLING


def is_in_doubt(answer: Answer | Unreachable) -> bool:
    """Whether the issue may exist although nobody said so. A gateway's 504 comes after Jira's own commit."""
    if isinstance(answer, Unreachable):
        return answer.kind not in _UNSENT
    return answer.status >= 500 or answer.status == _REQUEST_TIMEOUT
