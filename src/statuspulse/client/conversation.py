"""One call from its first attempt to its end, without input and output: what to do next, and what came of it.

The transport drives it: it sends and waits as it is told, and gives back what it got.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass

from statuspulse.client.calls import Call
from statuspulse.client.errors import UnreachableError
from statuspulse.client.refusals import refused
from statuspulse.client.replies import Fault, Reply
from statuspulse.client.retries import Retries, wait_before_next

_NOT_MODIFIED = 304


@dataclass(frozen=True, slots=True)
class Send:
    """Try the call; give back its outcome within `seconds`."""

    call: Call
    seconds: float


@dataclass(frozen=True, slots=True)
class Wait:
    """Do nothing for so long; give back None."""

    seconds: float


Conversation = Generator[Send | Wait, Reply | Fault | None, Reply]


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How a client waits: for one attempt, for a call with all its attempts, and between them."""

    attempt_seconds: float
    call_seconds: float
    retries: Retries
    monotonic: Callable[[], float]
    draw: Callable[[], float]


def conversation(call: Call, patience: Patience) -> Conversation:
    """Returns the good answer; raises the error of the last attempt when no other would help or fit.

    A wait that would outlast the call is not begun: the error comes at once, with `retry_after_seconds`.
    """
    usual = patience.attempt_seconds if call.seconds is None else call.seconds
    ends_at = patience.monotonic() + max(patience.call_seconds, usual)
    attempt, silences = 1, 0
    while True:
        outcome = yield Send(call, min(usual, ends_at - patience.monotonic()))
        assert outcome is not None
        if isinstance(outcome, Reply) and (outcome.status < 300 or outcome.status == _NOT_MODIFIED):
            return outcome
        wait = wait_before_next(outcome, attempt=attempt, draw=patience.draw(), retries=patience.retries)
        if wait is None or patience.monotonic() + wait >= ends_at:
            raise _error(outcome, attempt, silences)
        silences += isinstance(outcome, Fault) and outcome.may_have_arrived
        attempt += 1
        yield Wait(wait)


def _error(outcome: Reply | Fault, attempt: int, silences: int) -> Exception:
    if isinstance(outcome, Reply):
        return refused(outcome, after_silence=silences > 0)
    tries = "" if attempt == 1 else f", tried {attempt} times"
    return UnreachableError(f"{outcome.text}{tries}", may_be_done=silences > 0 or outcome.may_have_arrived)
