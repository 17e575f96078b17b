"""The plan of a maintenance window as it is checked, and what is said of it where it does not mean what it says."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from statuspulse.catalog.members.maintenance import PlanMembers, stored
from statuspulse.catalog.refusals import Detail, InvalidInputError, Path, SoftProblem, param_of
from statuspulse.domain.hours import instant_of
from statuspulse.domain.maintenance import Plan, wall_of
from statuspulse.domain.recurrence import Rule, RuleError
from statuspulse.domain.times import DAY, from_datetime, to_text
from statuspulse.storage.maintenance import Window

# A start lies this near: windows are made by people, for people.
_FURTHEST = 3660 * DAY
_LONGEST_BACK = 400 * DAY


def checked_plan(request: PlanMembers, now: int, *, backdate: bool, before: Window | None = None) -> dict[str, Any]:
    """The plan of a request, which has occurrences; raises InvalidInputError.

    What began before the call begins now, unless it is back-dated, or is as it was `before`.
    """
    plan = stored(request)
    _check_recurrence(plan)
    begun = _first_start(plan)
    furthest = _LONGEST_BACK if backdate else _FURTHEST
    if begun is None or not now - furthest <= begun <= now + _FURTHEST:
        message = f"must lie within {furthest // DAY} days before now and {_FURTHEST // DAY} days behind it"
        raise _wrong("parameter_out_of_range", ("starts_at",), message)
    if before is not None and when(before.plan) == when(plan):
        return plan
    if not backdate:
        plan["valid_from"] = now
        if plan["rrule"] is None and begun < now and not (before is not None and _start(before.plan) == _start(plan)):
            # As an instant: in autumn the wall may show this time for the second time.
            plan |= {"starts_at": to_text(now), "timezone": None}
    may_end = before is not None and before.active_at(now) is not None
    if not may_end and Plan.of(plan).current_or_next(0 if backdate else now) is None:
        raise never_occurs()
    return plan


def remarks(sent: Mapping[str, Any], kept: Mapping[str, Any], path: Path = ()) -> list[SoftProblem]:
    """What was done otherwise than it was said, or without effect; `kept` holds the members of the window as it is now.

    `path` is where `sent` stands in a larger document.
    """
    found = []
    given = sent.get("starts_at")
    if given is not None and given != kept["starts_at"]:
        message = f"starts_at is over; the window holds from now, {kept['starts_at']}, for its whole duration."
        if not path:
            message += " With backdate an admin takes time out of the past."
        found.append(SoftProblem(code="starts_now", message=message, param=param_of((*path, "starts_at"))))
    if sent.get("exdates") and kept["rrule"] is not None:
        plan = Plan.of({**kept, "exdates": [], "valid_from": None, "cut": {}})
        begins = plan.begins_at([wall_of(text, kept["timezone"]) for text in kept["exdates"]])
        message = "No occurrence begins then, so that nothing is left out; exdates are starts as the wall shows them."
        found += [
            SoftProblem(code="exdate_unmatched", message=message, param=param_of((*path, "exdates", place)))
            for place, is_start in enumerate(begins)
            if not is_start
        ]
    return found


def _first_start(plan: Mapping[str, Any]) -> int | None:
    """When it begins (ms); None for an instant that no calendar of ours has: the zone leads out of its years."""
    wall = _wall(plan["starts_at"], plan["timezone"], ("starts_at",))
    try:
        return from_datetime(instant_of(wall, ZoneInfo(plan["timezone"] or "UTC")))
    except OverflowError:
        return None


def _check_recurrence(plan: Mapping[str, Any]) -> None:
    for place, text in enumerate(plan["exdates"]):
        _wall(text, plan["timezone"], ("exdates", place))
    if plan["rrule"] is None:
        if plan["exdates"]:
            raise _wrong("parameter_conflict", ("exdates",), "has something to leave out only beside rrule")
        return
    try:
        Rule.of(plan["rrule"])
    except RuleError as error:
        raise _wrong("rrule_unsupported", ("rrule",), str(error)) from None


def _start(plan: Mapping[str, Any]) -> tuple[str, str | None]:
    return plan["starts_at"], plan["timezone"]


def when(plan: Mapping[str, Any]) -> tuple[Any, ...]:
    """What tells at which times a window is."""
    return tuple(plan[name] for name in ("starts_at", "timezone", "rrule", "duration_seconds", "exdates"))


def _wall(text: str, timezone: str | None, path: Path) -> datetime:
    try:
        return wall_of(text, timezone)
    except (ValueError, OverflowError):
        pass
    if timezone is not None:
        message = "must be local time such as 2026-12-06T02:00:00 beside a timezone; an instant with offset has none"
    else:
        message = "must be an instant such as 2026-12-06T02:00:00Z; local time needs timezone beside it"
    raise _wrong("parameter_invalid_format", path, message)


def never_occurs() -> InvalidInputError:
    return _wrong("rrule_never_occurs", ("rrule",), "never comes true from now on")


def _wrong(code: str, path: Path, message: str) -> InvalidInputError:
    return InvalidInputError([Detail(code=code, path=path, message=message)])
