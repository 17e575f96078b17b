"""When an issue may be created: Jira knows no keys of idempotency, so nothing is created that may exist; pure.

A creation whose outcome nobody told us of is looked for by its label. Jira's index follows its writes within seconds
or minutes (developer.atlassian.com, "Search and reconcile"), so "not found" is believed only once it has had its time.
"""

from __future__ import annotations

from collections.abc import Iterable

from statuspulse.delivery.channel import INTERNAL
from statuspulse.delivery.provider import Tried
from statuspulse.domain.times import MINUTE
from statuspulse.egress.http_client import Answer, Unreachable, UnreachableKind

# The fifth attempt is made so long after the fourth at least (`domain/backoff.py`): it finds the issue or creates it.
SETTLING = 4 * MINUTE

# The issue may exist, and nobody said so.
UNANSWERED = "creation_unanswered"
# It was looked for in vain, and it is too early to believe that.
AWAITED = "creation_awaited"

# Nothing was sent, so nothing was made of it.
_UNSENT = frozenset({UnreachableKind.DNS, UnreachableKind.TLS, UnreachableKind.BLOCKED_BY_POLICY})
_REQUEST_TIMEOUT = 408


def may_create(tried: Iterable[Tried], now: int) -> bool:
    """Whether an issue that was looked for and not found may be created: none can have been made a moment ago.

    A try of which nobody wrote down what came of it may have made one, and so may one that a defect of ours ended.
    """
    doubtful = [one.at for one in tried if one.error in {UNANSWERED, None} or one.error.startswith(INTERNAL)]
    return not doubtful or now - max(doubtful) >= SETTLING


def is_in_doubt(answer: Answer | Unreachable) -> bool:
    """Whether the issue may exist although nobody said so. A gateway's 504 comes after Jira's own commit."""
    if isinstance(answer, Unreachable):
        return answer.kind not in _UNSENT
    return answer.status >= 500 or answer.status == _REQUEST_TIMEOUT
