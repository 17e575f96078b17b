"""The seam between the dispatcher and the kinds of receiver: what a channel owes, and what may come of a delivery."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from statuspulse.domain.backoff import RetryAfter
from statuspulse.domain.message import Message
from statuspulse.domain.secret import Secret

# The bounds of one delivery (`RELIABILITY.md` 2 and 5).
ATTEMPT_SECONDS = 15.0
ANSWER_BYTES = 65536
# How the word for a defect of our own begins.
INTERNAL = "internal: "


@dataclass(frozen=True, slots=True)
class Delivered:
    """The receiver has it."""

    status: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """The receiver has not taken it, or has not said so, and may yet. `error` is a word of ours or one we know."""

    error: str
    status: int | None = None
    retry_after: RetryAfter | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The receiver will not take it, however often it is asked. `error` is a word of ours or one we know."""

    error: str
    status: int | None = None


Outcome = Delivered | Retry | Refused


class Channel(Protocol):
    """One kind of receiver. It hands a message over once and tells what came of it.

    It never raises, except when it is cancelled: a sick receiver is an outcome. It has returned after ATTEMPT_SECONDS,
    has read ANSWER_BYTES of an answer at most and followed no redirect, and leaves nothing behind: no connection, no
    task, no timer. It may run many times at once. It keeps no state of a message: the same one handed over again is
    the same one to the receiver, by `key` where that can tell copies apart. `address` is a secret, and so is any URL
    made of it: neither shows in an outcome or a log line, nor does any text of the receiver that we do not know.
    """

    @property
    def spacing_ms(self) -> int:
        """The least time between two messages to one address, 0 for none."""

    @property
    def groups(self) -> bool:
        """Whether a storm is told to it in one message; where machines listen each message counts."""

    async def hand_over(self, address: Secret, message: Message, *, key: str) -> Outcome:
        """Sends the message to the address that `ChannelUrl.canonical` spells."""
