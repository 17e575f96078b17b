"""Batches that the engine itself fails at: one result that it cannot work with must not hold up all behind it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import msgspec

from statuspulse.bus.bus import Batch
from statuspulse.protocol.documents import Receipt

# What fails by chance, or beside another process, has gone well by then.
_ATTEMPTS = 3


class Stumbles:
    """How often the batch that a probe sends just now has failed; a probe sends one at a time until it is committed."""

    def __init__(self) -> None:
        self._failed: dict[str, tuple[int, int]] = {}

    def note(self, batch: Batch) -> None:
        """It failed once more."""
        first = _first(batch)
        known, times = self._failed.get(batch.probe_id, (first, 0))
        self._failed[batch.probe_id] = (first, times + 1 if known == first else 1)

    def forget(self, batch: Batch) -> None:
        """It went well."""
        self._failed.pop(batch.probe_id, None)

    def is_hopeless(self, batch: Batch) -> bool:
        """Whether it has failed so often that each item is to be tried by itself."""
        first, times = self._failed.get(batch.probe_id, (0, 0))
        return bool(batch.results.results) and first == _first(batch) and times >= _ATTEMPTS


def singles(batch: Batch) -> Iterator[Batch]:
    """Its items in their order, each as a batch of its own."""
    for item in batch.results.results:
        yield replace(batch, results=msgspec.structs.replace(batch.results, results=[item]))


def joined(receipts: Sequence[Receipt]) -> Receipt:
    """What a batch brought whose items were committed one after the other; there is one at least."""
    return Receipt(
        accepted=sum(receipt.accepted for receipt in receipts),
        duplicates=sum(receipt.duplicates for receipt in receipts),
        rejected=[rejection for receipt in receipts for rejection in receipt.rejected],
        committed_through=receipts[-1].committed_through,
    )


def _first(batch: Batch) -> int:
    items = batch.results.results
    return items[0].seq if items else 0
