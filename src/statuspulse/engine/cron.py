"""Moments by cron lines in a time zone, as Debian's cron takes them through changes of the clock."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from statuspulse.domain.times import SECOND, from_datetime, to_datetime

# A clock may be a little fast: a ping so shortly before a moment is that moment's.
_EARLY = 10 * SECOND
_FIELDS = 5


class CronError(ValueError):
    """The line is no cron line, or one that never comes true; the text says which, and goes on from its name."""


@dataclass(frozen=True, slots=True)
class Cron:
    """A line of five fields in a zone. What the clock skips in spring comes at once behind the gap.

    What it shows twice in autumn comes the first time only, unless minute or hour begin with a star.
    """

    line: str
    zone: ZoneInfo

    @classmethod
    def of(cls, line: str, timezone: str) -> Cron:
        """Raises CronError for the line; the zone is one that exists."""
        if len(line.split()) != _FIELDS:
            raise CronError('needs five fields: minute, hour, day of month, month, day of week, such as "0 2 * * *"')
        try:
            found = cls(line, ZoneInfo(timezone))
            found.after_ping(0)
        except CronSimError as error:
            words = str(error)
            raise CronError(f"cannot be read: {words[:1].lower()}{words[1:]}") from None
        return found

    def after_ping(self, at: int) -> int:
        return self._next(at + _EARLY)

    def following(self, expected_at: int, after: int) -> int:
        return expected_at if expected_at > after else self._next(after)

    def _next(self, after: int) -> int:
        # Where the clock shows an hour twice, the line's own next may be the first of two, which is over.
        for at in self._moments(after):
            if at > after:
                return at
        raise CronError("never comes true")

    def _moments(self, after: int) -> Iterator[int]:
        for moment in CronSim(self.line, to_datetime(after).astimezone(self.zone)):
            yield from_datetime(moment)
