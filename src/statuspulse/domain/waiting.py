"""What keeps people from hearing of an open incident for a while: a maintenance window, and quiet hours; pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from statuspulse.domain.escalation import Escalation, route_timers
from statuspulse.domain.hold import Freeze


def frozen(escalation: Escalation, window_id: str, until: int, now: int) -> Escalation:
    """A maintenance window begins: until it ends nothing is due, and no delay that still runs goes on.

    Where one holds it already, this one, or another end, takes its place.
    """
    before = escalation.freeze
    if before is None:
        return replace(escalation, freeze=Freeze(window_id=window_id, since=now, until=until, from_at=now))
    return replace(escalation, freeze=replace(before, window_id=window_id, until=until))


def released(escalation: Escalation, now: int) -> Escalation:
    """The window is over: a delay that still ran when it began has as much left as it had then.

    An instant on the wall, as the end of quiet hours or of a snooze, is where it was.
    """
    if escalation.freeze is None:
        return escalation
    begun_at = escalation.freeze.from_at
    lasted = max(0, now - begun_at)

    def later(at: int) -> int:
        return at + lasted if at > begun_at else at

    def or_none(at: int | None) -> int | None:
        return None if at is None else later(at)

    return replace(
        escalation,
        progress=replace(escalation.progress, next_at=or_none(escalation.progress.next_at)),
        repeating=tuple(replace(one, due_at=later(one.due_at)) for one in escalation.repeating),
        reach_at=or_none(escalation.reach_at),
        ack_expires_at=escalation.ack_expires_at if escalation.snoozed else or_none(escalation.ack_expires_at),
        auto_resolve_at=or_none(escalation.auto_resolve_at),
        freeze=None,
    )


def up_to(escalation: Escalation, now: int) -> Escalation:
    """The same where a window holds it, counted up to now: what somebody begins in it has waited for nothing of it."""
    freeze = escalation.freeze
    return escalation if freeze is None else replace(released(escalation, now), freeze=replace(freeze, from_at=now))


def as_planned(escalation: Escalation) -> Escalation:
    """With the times that hold behind the window that holds it, where that ends as it is planned."""
    return escalation if escalation.freeze is None else released(escalation, escalation.freeze.until)


def next_step_at(escalation: Escalation) -> int | None:
    """When the next step is taken (ms), as far as that is known: what it depends on ends nobody knows when."""
    return None if escalation.hold is not None else as_planned(escalation).progress.next_at


@dataclass(frozen=True, slots=True)
class Quiet:
    """Channels that have not heard yet, because they hear nothing before this instant (ms)."""

    channels: tuple[str, ...]
    until: int


def quiet(escalation: Escalation) -> list[Quiet]:
    """Whom quiet hours keep from hearing for the first time, the first end first."""
    ends: dict[int, list[str]] = {}
    planned = as_planned(escalation)
    for one, timer in zip(planned.repeating, route_timers(planned), strict=True):
        if one.place.repeat == 0 and timer.due_at > one.due_at:
            ends.setdefault(timer.due_at, []).extend(escalation.routes[one.place.step]["notify"])
    return [Quiet(tuple(dict.fromkeys(ends[end])), end) for end in sorted(ends)]


def quiet_until(escalation: Escalation) -> int | None:
    """When the first of all is told (ms), where nobody has heard yet and that one waits for quiet hours."""
    is_told = bool(escalation.heard) or escalation.progress.upcoming is not None
    waiting = [] if is_told else quiet(escalation)
    first = min((timer.due_at for timer in route_timers(as_planned(escalation))), default=None)
    return first if waiting and waiting[0].until == first else None
