"""When good answers come so late that the monitor is degraded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

ROUNDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """The latency (µs) of one good scheduled check, and the round that it belongs to."""

    round: int
    latency_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Slowness:
    """Latencies against their limit: `begins` makes a monitor degraded, while it `lasts` it stays so.

    `lasted` says the same of the moment before the newest result.
    """

    begins: bool = False
    lasts: bool = False
    lasted: bool = False


NOT_SLOW = Slowness()


def newest_rounds(samples: Sequence[Sample]) -> list[Sample]:
    """Those of the last rounds that count, in their order."""
    if not samples:
        return []
    newest = max(sample.round for sample in samples)
    return [sample for sample in samples if sample.round > newest - ROUNDS]


def slowness(before: Sequence[Sample], after: Sequence[Sample], limit_us: int | None, threshold: int) -> Slowness:
    """What the samples before and after a result say.

    It begins with the 95th percentile above the limit and as many samples above it as failures would be needed (no
    more than there are rounds), and lasts as long as the percentile is above.
    """
    if limit_us is None:
        return NOT_SLOW
    above = sum(sample.latency_us > limit_us for sample in after)
    lasts = _p95(after) > limit_us
    return Slowness(begins=lasts and above >= min(threshold, ROUNDS), lasts=lasts, lasted=_p95(before) > limit_us)


def _p95(samples: Sequence[Sample]) -> int:
    """By nearest rank; 0 without samples."""
    if not samples:
        return 0
    ordered = sorted(sample.latency_us for sample in samples)
    return ordered[ceil(95 * len(ordered) / 100) - 1]
