"""What people do with maintenance windows: plan, change, end, skip and cancel them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from statuspulse.catalog import merging
from statuspulse.catalog.identifiers import fresh_id
from statuspulse.catalog.members.maintenance import (
    READ_ONLY,
    MaintenanceRequest,
    WindowEdit,
    WindowRequest,
)
from statuspulse.catalog.named_monitors import check_monitors
from statuspulse.catalog.references import Change
from statuspulse.catalog.refusals import Detail, RefusedError, check_precondition, existing
from statuspulse.catalog.validation import read
from statuspulse.catalog.window_plans import checked_plan, never_occurs, when
from statuspulse.domain.difference import differences
from statuspulse.domain.maintenance import Occurrence, Plan, text_of
from statuspulse.domain.times import to_text
from statuspulse.engine import maintenance_events
from statuspulse.storage import audit, maintenance, monitors
from statuspulse.storage.maintenance import Phase, Window

MOST_SHOWN = 200


def create(connection: Connection, change: Change, sent: Mapping[str, Any], *, may_backdate: bool) -> Window:
    """A new window; raises InvalidInputError, RefusedError where somebody who is no admin changes the past."""
    request = read(WindowRequest, sent)
    if request.backdate and not may_backdate:
        message = "Only a token with the scope admin may plan a window for time that is over."
        detail = Detail(
            code="scope_insufficient", path=("backdate",), message="needs admin", extra={"required_scope": "admin"}
        )
        raise RefusedError("scope_insufficient", message, [detail])
    plan = checked_plan(request, change.now, backdate=request.backdate)
    check_monitors(connection, change.team_id, plan["monitors"].get("ids", []), ("monitors", "ids"))
    window = begin(connection, change, request.name, plan)
    if request.backdate:
        _record(connection, change, "maintenance_window.backdated", window, {}, {"starts_at": plan["starts_at"]})
    return window


def start_now(connection: Connection, change: Change, monitor_id: str, sent: Mapping[str, Any]) -> Window:
    """Maintenance of one monitor that begins at once; raises MissingError, InvalidInputError."""
    request = read(MaintenanceRequest, sent)
    monitor = existing(monitors.get(connection, change.team_id, monitor_id))
    members = WindowRequest(
        name=request.reason or f"Maintenance of {monitor.name}"[:200],
        monitors={"ids": [monitor.id]},  # type: ignore[arg-type] # pydantic makes it one
        starts_at=to_text(change.now),
        duration_seconds=request.duration_seconds,
    )
    return begin(connection, change, members.name, checked_plan(members, change.now, backdate=False))


def begin(
    connection: Connection,
    change: Change,
    name: str,
    plan: dict[str, Any],
    *,
    window_id: str | None = None,
    monitor_key: int | None = None,
) -> Window:
    """Stores a window whose plan has been checked; with a monitor it is a part of that."""
    schedule = Plan.of(plan)
    # Without a beginning of its validity it was asked for in the past, too.
    since = change.now if schedule.valid_from is not None else 0
    first = schedule.current_or_next(since)
    if first is None:
        raise never_occurs()
    window = Window(
        id=window_id or fresh_id(connection, "mwn", maintenance.exists),
        team_id=change.team_id,
        name=name,
        plan=plan,
        monitor_key=monitor_key,
        occurrence=first,
        due_at=first.start,
        created_at=change.now,
        updated_at=change.now,
    )
    if first.start <= change.now:
        window = replace(window, phase=Phase.STARTING, due_at=change.now)
        maintenance.insert(connection, window)
        maintenance_events.started(connection, window, first, change.actor, change.now)
    else:
        maintenance.insert(connection, window)
        maintenance_events.scheduled(connection, window, first, change.actor, change.now, "created")
    _record(connection, change, "maintenance_window.created", window, {}, facts(window))
    return window


def update(
    connection: Connection,
    change: Change,
    window_id: str,
    sent: Mapping[str, Any],
    if_match: frozenset[str] | None = None,
) -> Window:
    """The window with what was sent in place of what was.

    Raises InvalidInputError, MissingError, PreconditionFailedError, RefusedError.
    """
    window = _shared_to_change(connection, change, window_id)
    check_precondition(window.version, if_match, is_needed=change.needs_precondition)
    holds = {"id": window.id, "team_id": window.team_id, "monitor_id": None}
    given = merging.writable(sent, holds, read_only=READ_ONLY)
    read(WindowEdit, given)
    _check_not_over(window, change.now)
    request = read(WindowRequest, merging.merged(facts(window), given))
    plan = checked_plan(request, change.now, backdate=False, before=window)
    check_monitors(connection, change.team_id, plan["monitors"].get("ids", []), ("monitors", "ids"))
    return replan(connection, change, window, request.name, plan)


def replan(connection: Connection, change: Change, window: Window, name: str, plan: dict[str, Any]) -> Window:
    """The window under another plan, which has been checked; the same where nothing differs."""
    kept = {name: window.plan[name] for name in ("valid_from", "joined_at", "cut")}
    plan = {**plan, **kept}
    if (name, plan) == (window.name, window.plan):
        return window
    changed = _revised(window, change.now, name=name, plan=plan)
    active = window.active_at(change.now)
    if active is None:
        changed = _moved(changed, window, change.now)
    else:
        changed = _moved_within(connection, changed, window, active, change)
    maintenance.save(connection, changed)
    _record(connection, change, "maintenance_window.updated", changed, facts(window), facts(changed))
    if active is None and changed.occurrence is not None:
        maintenance_events.scheduled(connection, changed, changed.occurrence, change.actor, change.now, "updated")
    return changed


def end(connection: Connection, change: Change, window_id: str) -> Window:
    """Ends the occurrence that holds; one that comes by a rule later stays. Raises MissingError, RefusedError."""
    window = to_change(connection, change.team_id, window_id)
    active = window.active_at(change.now)
    if active is None:
        raise _not_active(window, change.now)
    if window.plan["rrule"] is None:
        ended = replace(window, ended_at=change.now)
    else:
        cut = {**window.plan["cut"], str(active.planned): change.now}
        ended = replace(window, plan={**window.plan, "cut": cut})
    ended = _end_active(connection, ended, active, change)
    _record(connection, change, "maintenance_window.ended", ended, {}, {})
    return ended


def cancel(connection: Connection, change: Change, window_id: str, if_match: frozenset[str] | None = None) -> Window:
    """Ends a window that is active, and all that would come; one that is over stays as it is.

    Raises MissingError, PreconditionFailedError, RefusedError.
    """
    window = _shared_to_change(connection, change, window_id)
    check_precondition(window.version, if_match, is_needed=change.needs_precondition)
    return window if window.is_over else cancelled(connection, change, window, "manual")


def cancelled(connection: Connection, change: Change, window: Window, reason: str) -> Window:
    """The same for a window that is not over; `reason` is manual or monitor_deleted."""
    active = window.active_at(change.now)
    if active is not None:
        ended = _end_active(connection, replace(window, ended_at=change.now), active, change)
        _record(connection, change, "maintenance_window.ended", ended, {}, {})
        return ended
    upcoming = window.schedule.current_or_next(change.now)
    gone = _revised(window, change.now, cancelled_at=change.now)
    if window.phase is Phase.WAITING:
        gone = replace(gone, occurrence=None, phase=Phase.OVER, due_at=None)
    maintenance.save(connection, gone)
    _record(connection, change, "maintenance_window.cancelled", gone, facts(window), {})
    if upcoming is not None:
        maintenance_events.cancelled(connection, window, upcoming, change.actor, change.now, reason)
    return gone


def forget(connection: Connection, change: Change, monitor_id: str) -> None:
    """A monitor is deleted: windows name it no more, and one that means nobody without it ends or is cancelled."""
    for window in maintenance.naming(connection, change.team_id, monitor_id):
        left = [one for one in window.plan["monitors"]["ids"] if one != monitor_id]
        if not left:
            # Those that joined it by their own configuration are all that it means now.
            joined = maintenance.joined(connection, change.team_id, [window.id]).get(window.id, [])
            left = [one for one in joined if one != monitor_id]
        if not left:
            cancelled(connection, change, window, "monitor_deleted")
            continue
        changed = _revised(window, change.now, plan={**window.plan, "monitors": {"ids": left}})
        maintenance.save(connection, changed)
        _record(connection, change, "maintenance_window.updated", changed, facts(window), facts(changed))
        if window.active_at(change.now) is None and changed.occurrence is not None:
            maintenance_events.scheduled(connection, changed, changed.occurrence, change.actor, change.now, "updated")


def skip_next(connection: Connection, change: Change, window_id: str) -> Window:
    """Leaves out the next occurrence that has not begun; raises MissingError, RefusedError where there is none."""
    window = _shared_to_change(connection, change, window_id)
    _check_not_over(window, change.now)
    upcoming = next_of(window, change.now)
    if upcoming is None:
        raise _not_active(window, change.now)
    if window.plan["rrule"] is None:
        return cancelled(connection, change, window, "manual")
    wall = text_of(window.schedule.wall_of(upcoming), window.plan["timezone"])
    plan = {**window.plan, "exdates": [*window.plan["exdates"], wall]}
    skipped = _revised(window, change.now, plan=plan)
    if window.phase is Phase.WAITING:
        skipped = _waiting(skipped, skipped.schedule.current_or_next(change.now))
    maintenance.save(connection, skipped)
    _record(connection, change, "maintenance_window.occurrence_skipped", skipped, facts(window), facts(skipped))
    maintenance_events.cancelled(connection, window, upcoming, change.actor, change.now, "manual")
    return skipped


def get(connection: Connection, team_id: str, window_id: str) -> Window:
    """Raises MissingError."""
    return existing(maintenance.get(connection, team_id, window_id))


def to_change(connection: Connection, team_id: str, window_id: str) -> Window:
    """The window, which nobody else changes before the transaction ends; raises MissingError."""
    return existing(maintenance.get_to_change(connection, team_id, window_id))


def _shared_to_change(connection: Connection, change: Change, window_id: str) -> Window:
    """The same where it stands for itself: what a configuration says is changed there, so that it stays true."""
    window = to_change(connection, change.team_id, window_id)
    if window.monitor_key is not None:
        owner = monitors.ids_of(connection, change.team_id, [window.monitor_key])[window.monitor_key]
        message = f"The window is a part of monitor {owner}; change maintenance_windows of its configuration."
        raise RefusedError("resource_in_use", message)
    return window


def next_of(window: Window, now: int) -> Occurrence | None:
    """The first occurrence that begins behind the instant."""
    if window.is_over:
        return None
    current = window.schedule.current_or_next(now)
    if current is None or not current.holds_at(now):
        return current
    return window.schedule.following(current)


def preview(connection: Connection, window: Window, start: int, end: int) -> list[Occurrence]:
    """The occurrences that touch [start, end), one more than are shown where there are more.

    Those before the plan as it is now are what was really covered.
    """
    planned = window.schedule.occurrences(start, end, MOST_SHOWN + 1)
    since = window.plan["valid_from"]
    if since is None or start >= since:
        return planned
    stretches = maintenance.covered_stretches(connection, window.id, start, min(end, since))
    told = [
        Occurrence(planned=begin, start=begin, end=finish)
        for begin, finish in stretches
        if not any(begin < one.end and one.start < finish for one in planned)
    ]
    return [*told, *planned][: MOST_SHOWN + 1]


def facts(window: Window) -> dict[str, Any]:
    """What people have said of the window."""
    hidden = {"valid_from", "joined_at", "cut"}
    return {"name": window.name, **{name: value for name, value in window.plan.items() if name not in hidden}}


def _check_not_over(window: Window, now: int) -> None:
    if window.is_over:
        raise _not_active(window, now)


def _not_active(window: Window, now: int) -> RefusedError:
    upcoming = next_of(window, now)
    if upcoming is None:
        return RefusedError("window_already_ended", "The window is over; make a new one.")
    message = f"No occurrence is under way; the next begins at {to_text(upcoming.start)}. DELETE cancels the window."
    return RefusedError("window_already_ended", message)


def _revised(window: Window, now: int, **changes: Any) -> Window:
    """Another version of it."""
    return replace(window, **changes, updated_at=now, version=window.version + 1)


def _moved(window: Window, before: Window, now: int) -> Window:
    """A window that does not hold: it waits for what comes next by its plan."""
    if when(window.plan) == when(before.plan):
        return window
    window = replace(window, plan={**window.plan, "valid_from": now})
    if window.phase is not Phase.WAITING:
        return window  # the end of its last occurrence is still carried out
    return _waiting(window, window.schedule.current_or_next(now))


def _moved_within(connection: Connection, window: Window, before: Window, active: Occurrence, change: Change) -> Window:
    """A window that holds: what it means by now it means from now on, or it has ended by its new plan."""
    moves = when(window.plan) != when(before.plan)
    current = window.schedule.current_or_next(change.now)
    if current is None or not current.holds_at(change.now):
        # What has been was by the plan of before.
        ended = replace(window, plan={**window.plan, "valid_from": change.now})
        ended = _end_active(connection, ended, active, change)
        if current is not None:
            maintenance_events.scheduled(connection, ended, current, change.actor, change.now, "updated")
        return ended
    plan = {**window.plan, "joined_at": change.now}
    if moves:
        plan["valid_from"] = active.start
    moved = replace(
        window,
        plan=plan,
        occurrence=replace(current, start=active.start),
        phase=Phase.STARTING,
        place=0,
        due_at=change.now,
    )
    maintenance.change_open_spans(connection, moved, current.end, change.now)
    return moved


def _end_active(connection: Connection, window: Window, active: Occurrence, change: Change) -> Window:
    """Ends the occurrence that holds, now; what is behind it is left to the engine."""
    if window.phase is Phase.WAITING:
        maintenance_events.started(connection, window, active, None, active.start)
    one = replace(active, end=change.now)
    ended = _revised(window, change.now, occurrence=one, phase=Phase.ENDING, place=0, due_at=change.now)
    maintenance.change_open_spans(connection, ended, change.now, change.now)
    maintenance.save(connection, ended)
    maintenance_events.ended(connection, ended, one, change.actor, change.now)
    return ended


def _waiting(window: Window, upcoming: Occurrence | None) -> Window:
    if upcoming is None:
        return replace(window, occurrence=None, phase=Phase.OVER, due_at=None)
    return replace(window, occurrence=upcoming, phase=Phase.WAITING, place=0, due_at=upcoming.start)


def _record(
    connection: Connection,
    change: Change,
    action: str,
    window: Window,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
) -> None:
    audit.record(
        connection,
        change.team_id,
        at=change.now,
        actor=change.actor,
        action=action,
        resource=window.id,
        diff=list(differences(before, after)),
    )
