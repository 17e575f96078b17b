"""How results reach the engine and how parts wake each other; the wire behind it may be this process or NATS."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from statuspulse.protocol.documents import Receipt, Results


class Topic(StrEnum):
    """What somebody may wait for; a wake-up is a hint, the rows are the truth."""

    CATALOG = "catalog"
    OUTBOX = "outbox"
    INBOUND = "inbound"


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What one probe has shipped in one call."""

    probe_key: int
    probe_id: str
    region_key: int
    region: str
    results: Results


class Bus(Protocol):
    """Obligations: batches of one probe arrive in the order in which they were published; a batch that was answered
    with a receipt is committed; a wake-up that comes while nobody waits is kept for the next who does.
    """

    async def publish(self, batch: Batch) -> Receipt | None:
        """Hands the batch to the engine and waits for its commit; None when that takes too long."""

    def batches(self) -> AsyncIterator[tuple[Batch, Reply]]:
        """The engine's side: every batch with the means to answer it."""

    def wake(self, topic: Topic) -> None:
        """Wakes everyone who waits for the topic; may be called from any thread."""

    def count(self, topic: Topic) -> int:
        """How often the topic was woken; taken before the rows are read, it lets `wait` miss nothing."""

    async def wait(self, topic: Topic, seen: int, timeout: float) -> int:  # noqa: ASYNC109 - a poll that may end empty
        """Returns the topic's count once it differs from `seen`, or after `timeout` seconds."""


class Reply(Protocol):
    """Answers one batch."""

    def __call__(self, receipt: Receipt | None) -> None:
        """The receipt, or None when the batch could not be committed and has to be sent again."""
