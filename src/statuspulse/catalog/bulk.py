"""One action on many monitors: each has an outcome of its own, and none stops the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

from sqlalchemy import Connection

from statuspulse.catalog import monitors
from statuspulse.catalog.instance import Instance
from statuspulse.catalog.monitors import Edit, Way
from statuspulse.catalog.references import Change
from statuspulse.catalog.refusals import Detail, InvalidInputError, MissingError, RefusedError
from statuspulse.storage import monitors as stored_monitors
from statuspulse.storage.monitors import MonitorFilter, Order

LIMIT = 500
# What one transaction takes, so that results and alerts are written between two of them.
SLICE = 20


class Action(StrEnum):
    """What is done to each monitor."""

    PAUSE = "pause"
    RESUME = "resume"
    DELETE = "delete"
    TAG = "tag"
    UNTAG = "untag"


TAGGING = frozenset({Action.TAG, Action.UNTAG})


class Outcome(StrEnum):
    """What came of it; `unchanged` means that the monitor was so already."""

    DONE = "done"
    UNCHANGED = "unchanged"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What came of the action for one id; `code` is one of those of errors where it failed."""

    id: str
    outcome: Outcome
    code: str | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bulk:
    """An action; `tags` are there for tagging alone."""

    action: Action
    tags: tuple[str, ...] = ()


def selected(connection: Connection, team_id: str, wanted: MonitorFilter) -> list[str]:
    """The ids of the matching monitors, the oldest first; raises InvalidInputError where they are too many."""
    order = Order(by="created_at", descending=False)
    found = stored_monitors.listed(connection, team_id, wanted, order, after=None)
    ids = [one.monitor.id for one in islice(found, LIMIT + 1)]
    if len(ids) > LIMIT:
        message = f"matches more than {LIMIT} monitors; narrow it, or send ids in several calls"
        raise InvalidInputError(
            [Detail(code="parameter_too_many", path=("filter",), message=message, extra={"limit": LIMIT})]
        )
    return ids


def act(
    connection: Connection, instance: Instance, change: Change, bulk: Bulk, monitor_ids: Sequence[str]
) -> list[Effect]:
    """Does it to each; what fails for one is undone for that one alone."""
    return [_effect(connection, instance, change, bulk, monitor_id) for monitor_id in monitor_ids]


def _effect(connection: Connection, instance: Instance, change: Change, bulk: Bulk, monitor_id: str) -> Effect:
    try:
        with connection.begin_nested():
            is_new = _do(connection, instance, change, bulk, monitor_id)
    except MissingError:
        return _failed(monitor_id, "resource_missing", "There is no such object.")
    except InvalidInputError as error:
        return _failed(monitor_id, "validation_failed", str(error))
    except RefusedError as error:
        return _failed(monitor_id, error.code, error.message)
    return Effect(id=monitor_id, outcome=Outcome.DONE if is_new else Outcome.UNCHANGED)


def _do(connection: Connection, instance: Instance, change: Change, bulk: Bulk, monitor_id: str) -> bool:
    match bulk.action:
        case Action.PAUSE:
            return bool(monitors.pause(connection, change, monitor_id).changed)
        case Action.RESUME:
            return bool(monitors.resume(connection, change, monitor_id).changed)
        case Action.DELETE:
            monitors.remove(connection, change, monitor_id, None)
            return True
        case Action.TAG | Action.UNTAG:
            return _retag(connection, instance, change, bulk, monitor_id)


def _retag(connection: Connection, instance: Instance, change: Change, bulk: Bulk, monitor_id: str) -> bool:
    before = monitors.to_change(connection, change.team_id, monitor_id).config["tags"]
    if bulk.action is Action.TAG:
        after = list(dict.fromkeys([*before, *bulk.tags]))
    else:
        after = [tag for tag in before if tag not in bulk.tags]
    if after == before:
        return False
    edit = Edit(sent={"tags": after}, way=Way.MERGE, if_match=None, dry_run=False)
    monitors.update(connection, instance, change, monitor_id, edit)
    return True


def _failed(monitor_id: str, code: str, message: str) -> Effect:
    return Effect(id=monitor_id, outcome=Outcome.FAILED, code=code, message=message)
