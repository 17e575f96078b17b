"""How often something may be done: so many units per window, as a rate with bursts (GCRA; `API.md` B.7)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """`units` per `window` (ms); all of them may come at once."""

    units: int
    window: int

    def spend(self, empty_at: int, now: int) -> tuple[int, int]:
        """Spends one unit: (when the quota will be full again, how long (ms) to wait instead).

        `empty_at` is the first of the two as it was answered before, 0 in the beginning. Where there is to be waited,
        nothing was spent.
        """
        full_at = max(empty_at, now) + self.window // self.units
        wait = full_at - now - self.window
        return (empty_at, wait) if wait > 0 else (full_at, 0)
