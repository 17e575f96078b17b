"""Latency sketch: a log-bucket histogram with γ = 1.02 that merges exactly in any order."""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass, field
from itertools import accumulate

from statuspulse.domain import varints

_GAMMA = 1.02
_VERSION = 0x01
# The bytes that are a number by themselves.
_SHORT = bytes(range(0x80))
# ⌊1.02^i⌋ in integer arithmetic, the same on every machine. A check ends before entry 932 (100 s); runs of jobs that
# tell their start take longer, and the last entry lies beyond a week.
_BOUNDS = [102**index // 100**index for index in range(1372)]


def bucket_index(value_us: int) -> int:
    """The smallest i with ⌊1.02^i⌋ ≥ max(value, 1); values beyond the table share its last bucket."""
    return min(bisect_left(_BOUNDS, max(value_us, 1)), len(_BOUNDS) - 1)


def bucket_value(index: int) -> float:
    """The value (µs) that stands for a bucket: within 0.9901 % of everything in it."""
    return float(2 * _GAMMA**index / (_GAMMA + 1))


def bucket_bound(index: int) -> int:
    """The highest value (µs) in a bucket; 0 below the first. The last one of the table has no bound of its own."""
    return _BOUNDS[min(index, len(_BOUNDS) - 1)] if index >= 0 else 0


@dataclass(slots=True)
class Sketch:
    """Counts per bucket beside exact count, sum, minimum and maximum, all in µs."""

    buckets: dict[int, int] = field(default_factory=dict)
    count: int = 0
    total_us: int = 0
    min_us: int | None = None
    max_us: int | None = None

    def add(self, value_us: int) -> None:
        index = bucket_index(value_us)
        self.buckets[index] = self.buckets.get(index, 0) + 1
        self.count += 1
        self.total_us += value_us
        self.min_us = value_us if self.min_us is None else min(self.min_us, value_us)
        self.max_us = value_us if self.max_us is None else max(self.max_us, value_us)

    def merge(self, other: Sketch) -> None:
        """Adds the counts of the other sketch: any order and grouping gives the same bytes."""
        if self.buckets:
            for index, count in other.buckets.items():
                self.buckets[index] = self.buckets.get(index, 0) + count
        else:
            self.buckets = other.buckets.copy()
        self.count += other.count
        self.total_us += other.total_us
        if other.min_us is not None:
            self.min_us = other.min_us if self.min_us is None else min(self.min_us, other.min_us)
        if other.max_us is not None:
            self.max_us = other.max_us if self.max_us is None else max(self.max_us, other.max_us)

    def percentile(self, percent: float) -> float | None:
        """The nearest-rank percentile in µs, None without samples."""
        if self.count == 0 or self.min_us is None or self.max_us is None:
            return None
        rank = max(1, math.ceil(percent * self.count / 100))
        seen = 0
        for index in sorted(self.buckets):
            seen += self.buckets[index]
            if seen >= rank:
                return min(max(bucket_value(index), float(self.min_us)), float(self.max_us))
        raise AssertionError("the buckets hold fewer samples than the count says")

    def mean(self) -> float | None:
        """The exact mean in µs, None without samples."""
        return self.total_us / self.count if self.count else None

    def encode(self) -> bytes:
        """Version byte, number of buckets, then pairs of index difference and count, all varints, ascending."""
        out = bytearray([_VERSION])
        numbers = [len(self.buckets)]
        previous = 0
        for index in sorted(self.buckets):
            numbers += (index - previous, self.buckets[index])
            previous = index
        varints.append(out, numbers)
        return bytes(out)

    @classmethod
    def decode(cls, data: bytes, *, total_us: int, min_us: int | None, max_us: int | None) -> Sketch:
        """Reads `encode`'s bytes; the exact figures are kept beside them. Raises ValueError on other bytes."""
        if not data or data[0] != _VERSION:
            raise ValueError("not a latency sketch of version 1")
        length, *numbers = _varints(data[1:])
        if len(numbers) < 2 * length:
            raise ValueError("the latency sketch is cut short")
        if len(numbers) > 2 * length:
            raise ValueError("the latency sketch has trailing bytes")
        buckets = dict(zip(accumulate(numbers[::2]), numbers[1::2], strict=True))
        return cls(buckets, sum(buckets.values()), total_us, min_us, max_us)


def _varints(data: bytes) -> list[int]:
    """All numbers, those of one byte at once: a window merges hundreds of sketches, and nearly all of theirs are."""
    short_from = min(len(data.rstrip(_SHORT)) + 1, len(data))
    numbers: list[int] = []
    number = shift = 0
    for byte in data[:short_from]:
        if byte >= 0x80:
            number |= (byte & 0x7F) << shift
            shift += 7
        else:
            numbers.append(number | byte << shift)
            number = shift = 0
    numbers += data[short_from:]
    if shift or not numbers:
        raise ValueError("the latency sketch is cut short")
    return numbers
