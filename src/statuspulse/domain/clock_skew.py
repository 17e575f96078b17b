"""How far the clock of a probe is from ours, and which instant it means by what it says."""

from __future__ import annotations

from dataclasses import dataclass, replace

from statuspulse.domain.times import SECOND

# A smaller difference is left as it is, and a larger one that moves by less is taken for the same.
_TOLERATED = 5 * SECOND
_STEADY = SECOND
# A message that is under way for long, or waits while we stand still, makes a clock look late and never early. So an
# early clock is believed at once, and a late one when nothing has contradicted it for so long.
_LATE_FOR = 20 * SECOND
_KEPT_ERAS = 16
# As far ahead an instant may lie that is no mistake of the era it is read in.
_AHEAD = 30 * SECOND


@dataclass(frozen=True, slots=True)
class Era:
    """For what was recorded after `since` (ms, our clock) the probe's clock was `skew` ms ahead."""

    since: int
    skew: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeClock:
    """What is known of a probe's clock. Its eras are few: results may have waited in the spool since an earlier one.

    `measured` is the last difference that was believed. The clock looks late since `late_since`, and before that it was
    heard at `late_after`.
    """

    eras: tuple[Era, ...] = (Era(0, 0),)
    measured: int | None = None
    heard_at: int = 0
    late_since: int | None = None
    late_after: int = 0

    @property
    def skew(self) -> int:
        """Milliseconds by which it is ahead now; 0 up to 5 s."""
        return self.eras[-1].skew

    def heard(self, said: int, now: int) -> ProbeClock:
        """A message that was sent at `said` by the probe's clock has come."""
        sample = said - now
        skew = sample if abs(sample) > _TOLERATED else 0
        if _is_same(skew, self.skew):
            return replace(self, measured=sample, heard_at=now, late_since=None)
        if skew > self.skew:
            # What came up to the last message was recorded by the former clock.
            return self._with(Era(self.heard_at, skew), sample, now)
        if self.late_since is None:
            return replace(self, heard_at=now, late_since=now, late_after=self.heard_at)
        if now - self.late_since < _LATE_FOR:
            return replace(self, heard_at=now)
        return self._with(Era(self.late_after, skew), sample, now)

    def _with(self, era: Era, sample: int, now: int) -> ProbeClock:
        eras = (*self.eras[1 - _KEPT_ERAS :], era) if self.heard_at else (era,)
        return replace(self, eras=eras, measured=sample, heard_at=now, late_since=None)

    def true_time(self, said: int, now: int) -> int:
        """The instant that the probe calls `said`, which is not later than now."""
        for era in reversed(self.eras):
            if era.since <= said - era.skew <= now + _AHEAD:
                return said - era.skew
        return said - self.skew


def _is_same(skew: int, other: int) -> bool:
    return skew == other or (skew != 0 and other != 0 and abs(skew - other) <= _STEADY)
