"""Maintenance windows in a configuration: those that are a part of a monitor, and those it joins."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from statuspulse.catalog import maintenance as catalog
from statuspulse.catalog import window_plans
from statuspulse.catalog.identifiers import fresh_id
from statuspulse.catalog.members.maintenance import InlineWindow
from statuspulse.catalog.references import Change
from statuspulse.catalog.refusals import Detail, InvalidInputError, SoftProblem
from statuspulse.domain.maintenance import Plan
from statuspulse.storage import maintenance
from statuspulse.storage.maintenance import Window

_HIDDEN = ("monitors", "valid_from", "joined_at", "cut")

# As a configuration holds it: the id of a window that stands for itself, or all of one that is a part of the monitor.
Entry = str | dict[str, Any]


def resolved(
    connection: Connection, change: Change, given: Sequence[Entry], monitor_key: int | None
) -> tuple[list[Entry], list[Detail]]:
    """The entries as they are stored, each window under its id, and what is wrong with them."""
    found: list[Entry] = []
    problems: list[Detail] = []
    for place, entry in enumerate(given):
        try:
            if isinstance(entry, str):
                found.append(_joined(connection, change, entry))
            else:
                found.append(_own(connection, change, entry, monitor_key))
        except InvalidInputError as error:
            problems += [one.below((place,)) for one in error.details]
    ids = [_id_of(entry) for entry in found]
    if len(set(ids)) < len(ids):
        problems.append(Detail(code="parameter_duplicate", path=(), message="must not name anything twice"))
    return found, problems


def remarks(given: Sequence[Entry], stored: Sequence[Entry]) -> list[SoftProblem]:
    """What was done of the entries otherwise than it was said; they have the same order."""
    return [
        one
        for place, (entry, kept) in enumerate(zip(given, stored, strict=True))
        if isinstance(entry, dict) and isinstance(kept, dict)
        for one in window_plans.remarks(entry, kept, ("maintenance_windows", place))
    ]


def follow(
    connection: Connection, change: Change, monitor_key: int, before: Sequence[Entry], after: Sequence[Entry]
) -> None:
    """Makes the windows of a monitor those of its stored configuration."""
    wanted = {_id_of(entry) for entry in after}
    for entry in _own_of(before):
        if entry["id"] not in wanted:
            remove(connection, change, catalog.to_change(connection, change.team_id, entry["id"]), "manual")
    for entry in _own_of(after):
        window = maintenance.get_to_change(connection, change.team_id, entry["id"])
        if window is None:
            name, plan = _plan(entry, change.now, None)
            catalog.begin(connection, change, name, plan, window_id=entry["id"], monitor_key=monitor_key)
        elif not window.is_over:
            catalog.replan(connection, change, window, *_plan(entry, change.now, window))


def revived(connection: Connection, change: Change, earlier: Sequence[Entry], current: Sequence[Entry]) -> list[Entry]:
    """The entries of an earlier configuration as they can be again: what has been removed since is planned anew.

    A single window whose time has come meanwhile is left out: it would begin now.
    """
    kept = {_id_of(entry) for entry in current}
    found: list[Entry] = []
    for entry in earlier:
        if isinstance(entry, str) or entry["id"] in kept:
            found.append(entry)
        elif entry["rrule"] is not None or not _has_begun(connection, change, entry["id"]):
            found.append(_without_id(entry))
    return found


def _has_begun(connection: Connection, change: Change, window_id: str) -> bool:
    window = maintenance.get(connection, change.team_id, window_id)
    return window is None or Plan.of(window.plan).occurrences(0, change.now) != []


def remove(connection: Connection, change: Change, window: Window, reason: str) -> None:
    """Ends or cancels a window that is a part of a monitor; `reason` is manual or monitor_deleted."""
    if not window.is_over:
        catalog.cancelled(connection, change, window, reason)


def _joined(connection: Connection, change: Change, window_id: str) -> str:
    window = maintenance.get(connection, change.team_id, window_id)
    if window is None or window.monitor_key is not None:
        raise _wrong("reference_not_found", "names no maintenance window of this team that stands for itself")
    return window_id


def _own(connection: Connection, change: Change, entry: Mapping[str, Any], monitor_key: int | None) -> Entry:
    window_id = entry.get("id")
    window = None if window_id is None else maintenance.get(connection, change.team_id, window_id)
    if window_id is not None and (window is None or monitor_key is None or window.monitor_key != monitor_key):
        raise _wrong("reference_not_found", "is no window of this monitor; leave it out to make one", "id")
    if window is None:
        name, plan = _plan(entry, change.now, None)
        return _entry(fresh_id(connection, "mwn", maintenance.exists), name, plan)
    if not window.is_over:
        return _entry(window.id, *_plan(entry, change.now, window))
    stored = _entry(window.id, window.name, window.plan)
    if {**entry, "id": window.id} != stored:
        raise _wrong("parameter_conflict", "is over; leave its id out to plan another", "id")
    return stored


def _plan(entry: Mapping[str, Any], now: int, window: Window | None) -> tuple[str, dict[str, Any]]:
    request = InlineWindow.model_validate(_without_id(entry))
    return request.name, window_plans.checked_plan(request, now, backdate=False, before=window)


def _without_id(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name != "id"}


def _entry(window_id: str, name: str, plan: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": window_id, "name": name, **{key: value for key, value in plan.items() if key not in _HIDDEN}}


def _own_of(entries: Sequence[Entry]) -> Iterator[dict[str, Any]]:
    return (entry for entry in entries if isinstance(entry, dict))


def _id_of(entry: Entry) -> str:
    return entry if isinstance(entry, str) else str(entry["id"])


def _wrong(code: str, message: str, *path: str) -> InvalidInputError:
    return InvalidInputError([Detail(code=code, path=path, message=message)])
