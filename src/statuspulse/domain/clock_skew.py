"""How far the clock of a probe is from ours, and which instant it means by what it says (`API.md` D.10)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from statuspulse.domain.times import SECOND

# A smaller difference is left as it is, and a larger one that moves by less is taken for the same.
_TOLERATED = 5 * SECOND
_STEADY = SECOND
# A message that is under way for long makes a clock look late and never early, so the earliest of some is believed.
_SAMPLES = 3
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
    """What is known of a probe's clock. Its eras are few: results may have waited in the spool since an earlier one."""

    eras: tuple[Era, ...] = (Era(0, 0),)
    samples: tuple[int, ...] = ()
    heard_at: int = 0

    @property
    def skew(self) -> int:
        """Milliseconds by which it is ahead now; 0 up to 5 s."""
        return self.eras[-1].skew

    @property
    def measured(self) -> int | None:
        """The difference as it was measured last; None before."""
        return max(self.samples, default=None)

    def heard(self, said: int, now: int) -> ProbeClock:
        """A message that was sent at `said` by the probe's clock has come."""
        samples = (*self.samples[1 - _SAMPLES :], said - now)
        measured = max(samples)
        skew = measured if abs(measured) > _TOLERATED else 0
        eras = self.eras
        if not _is_same(skew, self.skew):
            # What came up to the last message was recorded by the former clock.
            eras = (*eras[1 - _KEPT_ERAS :], Era(self.heard_at, skew)) if self.heard_at else (Era(0, skew),)
        return replace(self, eras=eras, samples=samples, heard_at=now)

    def restarted(self) -> ProbeClock:
        """The probe is another process now, whose clock may be behind the former one's."""
        return replace(self, samples=())

    def true_time(self, said: int, now: int) -> int:
        """The instant that the probe calls `said`, which is not later than now."""
        for era in reversed(self.eras):
            if era.since <= said - era.skew <= now + _AHEAD:
                return said - era.skew
        return said - self.skew


def _is_same(skew: int, other: int) -> bool:
    return skew == other or (skew != 0 and other != 0 and abs(skew - other) <= _STEADY)
