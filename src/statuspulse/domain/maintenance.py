"""Maintenance windows: when their occurrences are, and what holds where several overlap.

All instants are ms. What a window means for a monitor's uptime and its SLO is the union of its occurrences with `sla:
exclude`, as they really were: `union`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from statuspulse.domain.hours import instant_of
from statuspulse.domain.recurrence import Rule
from statuspulse.domain.times import DAY, SECOND, from_datetime, from_text, to_datetime, to_text

# Time as a stretch [start, end).
Stretch = tuple[int, int]

_UTC = "UTC"
_FIRST_REACH = 8 * DAY
_LOCAL = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}")


class Status(StrEnum):
    """What becomes of a window; the last two are for ever."""

    SCHEDULED = "scheduled"
    ACTIVE = "active"
    ENDED = "ended"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Switches:
    """What a window does while it is active: the second word of each of its four members or the first.

    `rests` pauses probing, `mutes` suppresses alerting, `excludes` takes the time out of SLO and uptime, `holds`
    freezes the escalation of incidents that are open already.
    """

    rests: bool = False
    mutes: bool = False
    excludes: bool = False
    holds: bool = False

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Switches:
        """Reads the four members, which have been checked."""
        return cls(
            rests=document["probing"] == "pause",
            mutes=document["alerting"] == "suppress",
            excludes=document["sla"] == "exclude",
            holds=document["open_incidents"] == "hold",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """One instance of a window. `planned` is where it began by the plan, which is its name among the others."""

    planned: int
    start: int
    end: int

    def holds_at(self, instant: int) -> bool:
        return self.start <= instant < self.end


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """When a window is. `begin` is what the wall of the zone shows at the first start.

    Nothing holds before `valid_from`, where a past was not asked for, nor from `valid_until` on, when a person ended
    it. `cut` are occurrences that a person ended, by where they began by the plan, and when.
    """

    begin: datetime
    zone: ZoneInfo
    duration: int
    rule: Rule | None = None
    skipped: frozenset[datetime] = frozenset()
    valid_from: int | None = None
    valid_until: int | None = None
    cut: Mapping[int, int] = field(default_factory=dict)

    @classmethod
    def of(cls, document: Mapping[str, Any], valid_until: int | None = None) -> Plan:
        """Reads a stored plan, which has been checked."""
        timezone, rule = document["timezone"], document["rrule"]
        return cls(
            begin=wall_of(document["starts_at"], timezone),
            zone=ZoneInfo(timezone or _UTC),
            duration=document["duration_seconds"] * SECOND,
            rule=None if rule is None else Rule.of(rule),
            skipped=frozenset(wall_of(one, timezone) for one in document["exdates"]),
            valid_from=document["valid_from"],
            valid_until=valid_until,
            cut={int(planned): end for planned, end in document["cut"].items()},
        )

    def occurrences(self, start: int, end: int, limit: int | None = None) -> list[Occurrence]:
        """Those that touch [start, end), ascending and never overlapping, up to `limit` of them."""
        found: list[Occurrence] = []
        for occurrence in self._from(start):
            if occurrence.start >= end or len(found) == limit:
                break
            found.append(occurrence)
        return found

    def current_or_next(self, now: int) -> Occurrence | None:
        """The occurrence that holds, else the first that will; None when none is left."""
        return next((one for one in self._from(now)), None)

    def following(self, occurrence: Occurrence) -> Occurrence | None:
        """The first one that begins behind this one, by the plan."""
        later = (one for one in self._from(occurrence.start) if one.planned > occurrence.planned)
        return next(later, None)

    def last_over(self, now: int) -> Occurrence | None:
        """The latest occurrence that has ended by now; None when none has."""
        first = from_datetime(instant_of(self.begin, self.zone))
        reach = _FIRST_REACH
        while True:  # further and further back, since a rule may be years old and mostly the last one is near
            over = [one for one in self.occurrences(max(now - reach, 0), now) if one.end <= now]
            if over:
                return over[-1]
            if now - reach <= first:
                return None
            reach *= 4

    def begins_at(self, walls: Sequence[datetime]) -> list[bool]:
        """Of each wall time whether an occurrence begins there that is not left out."""
        if self.rule is not None and self.rule.count is not None:
            known = {wall for wall, _ in self._starts(0)}
            return [wall in known for wall in walls]
        return [self._begins(wall) for wall in walls]

    def _begins(self, wall: datetime) -> bool:
        try:
            at = from_datetime(instant_of(wall, self.zone))
        except OverflowError:
            return False
        first = next(self._starts(at), None)
        return first is not None and first[0] == wall

    def wall_of(self, occurrence: Occurrence) -> datetime:
        """What the wall shows at its start by the plan: the form in which it is left out."""
        return next(wall for wall, at in self._starts(occurrence.planned) if at == occurrence.planned)

    def _from(self, since: int) -> Iterator[Occurrence]:
        """All that end behind the instant; one that reaches into the next ends where that begins."""
        before: int | None = None
        since = since if self.valid_from is None else max(since, self.valid_from)
        for _, at in self._starts(since - self.duration):
            if before is not None:
                yield from self._cut(before, at, since)
            before = at
        if before is not None:
            yield from self._cut(before, None, since)

    def _cut(self, planned: int, next_start: int | None, since: int) -> Iterator[Occurrence]:
        ends = [planned + self.duration, next_start, self.cut.get(planned), self.valid_until]
        end = min(end for end in ends if end is not None)
        start = planned if self.valid_from is None else max(planned, self.valid_from)
        if start < end and end > since:
            yield Occurrence(planned=planned, start=start, end=end)

    def _starts(self, since: int) -> Iterator[tuple[datetime, int]]:
        """(wall, instant) of what begins from the instant on, what is left out excepted."""
        for number, day in enumerate(self._days(since), start=1):
            wall = datetime.combine(day, self.begin.time())
            at = from_datetime(instant_of(wall, self.zone))
            if self._is_over(number, at) or (self.valid_until is not None and at >= self.valid_until):
                return
            if at >= since and wall not in self.skipped:
                yield wall, at

    def _days(self, since: int) -> Iterator[date]:
        first = self.begin.date()
        if self.rule is None:
            yield first
            return
        # No zone shows another date than a day beside that of UTC, and a gap moves a start by hours only.
        from_day = to_datetime(max(since, 0)).date() - timedelta(days=2)
        yield from self.rule.days(first, first if self.rule.count is not None else max(first, from_day))

    def _is_over(self, number: int, at: int) -> bool:
        """Occurrences that are left out count, too (RFC 5545, 3.8.5.1)."""
        rule = self.rule
        if rule is None:
            return False
        return (rule.count is not None and number > rule.count) or (rule.until is not None and at > rule.until)


def wall_of(text: str, timezone: str | None) -> datetime:
    """What the wall of the zone shows: local time such as 2026-12-06T02:00:00, or UTC of an instant without a zone.

    Raises ValueError.
    """
    if timezone is None:
        return to_datetime(from_text(text)).replace(tzinfo=None)
    if not _LOCAL.fullmatch(text):
        raise ValueError("a local time looks like 2026-12-06T02:00:00")
    return datetime.fromisoformat(text)


def text_of(wall: datetime, timezone: str | None) -> str:
    """The same as text, in the form that `wall_of` reads."""
    if timezone is None:
        return to_text(from_datetime(wall.replace(tzinfo=UTC)))
    return wall.isoformat(timespec="seconds")


def strictest(switches: Iterable[Switches]) -> Switches:
    """What holds where several windows do: of each switch the position that is stricter."""
    found = list(switches)
    return Switches(
        rests=any(one.rests for one in found),
        mutes=any(one.mutes for one in found),
        excludes=any(one.excludes for one in found),
        holds=any(one.holds for one in found),
    )


def union(stretches: Iterable[Stretch]) -> list[Stretch]:
    """The same time in disjoint stretches, ascending; those that touch are one."""
    joined: list[Stretch] = []
    for start, end in sorted(stretches):
        if start >= end:
            continue
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


def excluded(windows: Iterable[tuple[Plan, Switches]], start: int, end: int) -> list[Stretch]:
    """The time in [start, end) that windows with `sla: exclude` take out, disjoint and ascending."""
    found = [
        (max(one.start, start), min(one.end, end))
        for plan, switches in windows
        if switches.excludes
        for one in plan.occurrences(start, end)
    ]
    return union(found)


def covers(selector: Mapping[str, Any], monitor_id: str, tags: Sequence[str]) -> bool:
    """Whether a selector {ids}, {tags} or {all} means a monitor; one of its tags is enough."""
    if selector.get("all") or monitor_id in selector.get("ids", ()):
        return True
    return not set(selector.get("tags", ())).isdisjoint(tags)
