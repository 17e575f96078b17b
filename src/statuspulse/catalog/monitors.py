"""What people do with monitors: create, change, delete, pause and resume, each in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from sqlalchemy import Connection

from statuspulse.catalog import heartbeats, inline_windows, merging, monitor_input, references, secrets, slos
from statuspulse.catalog import maintenance as planned
from statuspulse.catalog.identifiers import fresh_id
from statuspulse.catalog.inline_windows import Entry
from statuspulse.catalog.instance import Instance
from statuspulse.catalog.kinds.registry import KINDS
from statuspulse.catalog.members.monitor import COMMON, default_timeout_ms
from statuspulse.catalog.monitor_views import MonitorView, view_of
from statuspulse.catalog.references import Change
from statuspulse.catalog.refusals import (
    Detail,
    InvalidInputError,
    PreconditionFailedError,
    SoftProblem,
    check_precondition,
    existing,
)
from statuspulse.catalog.secrets import Owner
from statuspulse.domain.difference import Difference, differences
from statuspulse.domain.health import Health, effective
from statuspulse.domain.heartbeat import HEARTBEAT
from statuspulse.domain.secret import MASK
from statuspulse.engine import control, covering, monitor_events
from statuspulse.engine.heartbeats import reschedule
from statuspulse.storage import audit, config_versions, dependencies, events, maintenance, monitors, states, watch
from statuspulse.storage.monitors import Monitor
from statuspulse.storage.sealing import Keyring
from statuspulse.storage.states import MonitorState

_VERSION = "config_version"


class Way(Enum):
    """How what was sent meets what is stored."""

    MERGE = "merge"
    PATCH = "patch"
    REPLACE = "replace"


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """A change that is asked for; `if_match` holds the versions of the header, None without one."""

    sent: Mapping[str, Any]
    way: Way
    if_match: frozenset[str] | None
    dry_run: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The monitor as it is now; `changed` points to the members of its configuration that are new."""

    view: MonitorView
    changed: tuple[str, ...] = ()
    warnings: tuple[SoftProblem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Birth:
    """Id and age of a new monitor, where the operator gives them; its votes count from `votes_from` on."""

    id: str | None
    created_at: int
    votes_from: int


def create(connection: Connection, instance: Instance, change: Change, sent: Mapping[str, Any]) -> Outcome:
    """A new monitor; raises InvalidInputError."""
    document = merging.under_one_name(sent, sent.get("type"))
    given = monitor_input.parse(document, instance.policy, shortest_interval=instance.min_interval_seconds)
    resolved = references.resolve(connection, instance, change, given)
    born = Birth(id=None, created_at=change.now, votes_from=change.now)
    monitor = bring_up(connection, instance, change, resolved.config, born)
    remarks = _remarks(resolved.config, monitor.config)
    return Outcome(view=view_of(connection, monitor, change.now), warnings=(*resolved.warnings, *remarks))


def bring_up(
    connection: Connection, instance: Instance, change: Change, config: dict[str, Any], birth: Birth
) -> Monitor:
    """Stores a monitor with its first state; the configuration is valid and resolved, its secrets are in clear.

    Raises InvalidInputError for maintenance windows that cannot be.
    """
    config = _with_windows(connection, change, config, None)
    monitor_id = birth.id or fresh_id(connection, "mon", monitors.exists)
    owner = Owner(monitor_id=monitor_id, team_id=change.team_id)
    unkeyed = Monitor(
        key=0,
        id=monitor_id,
        team_id=change.team_id,
        name=config["name"],
        type=config["type"],
        target=KINDS[config["type"]].target(config),
        config=secrets.sealed(instance.keyring, owner, config),
        config_version=1,
        judged_from_version=1,
        revision=watch.advance(connection),
        paused=config["paused"],
        resume_at=None,
        updated_by=change.actor,
        created_at=birth.created_at,
        updated_at=change.now,
    )
    monitor = replace(unkeyed, key=monitors.insert(connection, unkeyed))
    config_versions.record(connection, monitor, ())
    monitors.link_channels(connection, monitor.key, config["notifications"])
    dependencies.link(connection, monitor.key, monitor.team_id, config["depends_on"])
    if monitor.type == HEARTBEAT:
        heartbeats.begin(connection, instance.keyring, monitor, change.now)
    health = Health.PENDING
    first = MonitorState(
        health=health,
        state=effective(health, paused=monitor.paused, in_maintenance=False),
        since=birth.created_at,
        seq=0,
        votes_from=birth.votes_from,
    )
    states.begin(connection, monitor.key, first)
    slos.follow(connection, monitor, None, change.now)
    record(connection, change, "monitor.created", monitor, list(differences({}, _facts(monitor))))
    events.record(connection, monitor_events.created(monitor, change.actor, change.now))
    _follow_windows(connection, change, monitor.key, [], config["maintenance_windows"])
    return monitor


def update(connection: Connection, instance: Instance, change: Change, monitor_id: str, edit: Edit) -> Outcome:
    """A new version of the configuration, or the same where nothing differs.

    Raises MissingError, InvalidInputError, PreconditionFailedError. A dry run ends as it began.
    """
    stored = to_change(connection, change.team_id, monitor_id)
    edit = replace(edit, sent=merging.writable(edit.sent, _identity(stored)))
    if not edit.dry_run:
        outcome = _change_config(connection, instance, change, stored, edit)
        return _follow_pause(connection, change, stored, outcome)
    with connection.begin_nested() as trial:
        outcome = _change_config(connection, instance, change, stored, edit)
        trial.rollback()
    return outcome


def _change_config(connection: Connection, instance: Instance, change: Change, stored: Monitor, edit: Edit) -> Outcome:
    owner = Owner(monitor_id=stored.id, team_id=stored.team_id)
    before = secrets.opened(instance.keyring, owner, stored.config)
    given = monitor_input.parse(
        _meet(before, edit),
        instance.policy,
        shortest_interval=_shortest_interval(stored, edit, instance),
        stored=before,
    )
    resolved = references.resolve(connection, instance, change, given, stored)
    wanted = resolved.config
    resolved = replace(resolved, config=_with_windows(connection, change, wanted, stored.key))
    _check_version_in_body(stored, edit.sent)
    is_needed = change.needs_precondition and _VERSION not in edit.sent
    check_precondition(stored.config_version, edit.if_match, is_needed=is_needed)
    changed = tuple(merging.changes(before, resolved.config))
    monitor = stored
    if changed:
        config = secrets.sealed(instance.keyring, owner, resolved.config)
        monitor = _with_config(connection, stored, config, changed, change)
        _record_update(connection, change, monitor, before, changed, _diff(before, resolved.config, changed))
        _follow_windows(connection, change, monitor.key, before["maintenance_windows"], config["maintenance_windows"])
    moves_windows = any(one.startswith("/maintenance_windows") for one in changed)
    remarks = _remarks(wanted, resolved.config) if moves_windows else []
    return Outcome(
        view=view_of(connection, monitor, change.now),
        changed=changed,
        warnings=(*resolved.warnings, *_followed(before, edit, resolved.config), *remarks),
    )


def _follow_pause(connection: Connection, change: Change, stored: Monitor, outcome: Outcome) -> Outcome:
    monitor = outcome.view.monitor
    if monitor.paused == stored.paused:
        return outcome
    _apply_pause(connection, monitor, change)
    return replace(outcome, view=view_of(connection, monitor, change.now))


def _with_windows(connection: Connection, change: Change, config: dict[str, Any], key: int | None) -> dict[str, Any]:
    windows, problems = inline_windows.resolved(connection, change, config["maintenance_windows"], key)
    if problems:
        raise InvalidInputError([one.below(("maintenance_windows",)) for one in problems])
    return {**config, "maintenance_windows": windows}


def _remarks(wanted: Mapping[str, Any], config: Mapping[str, Any]) -> list[SoftProblem]:
    return inline_windows.remarks(wanted["maintenance_windows"], config["maintenance_windows"])


def _follow_windows(
    connection: Connection, change: Change, key: int, before: Sequence[Entry], after: Sequence[Entry]
) -> None:
    """The windows of a configuration are there, and those that mean the monitor by now, perhaps by its tags, hold."""
    inline_windows.follow(connection, change, key, before, after)
    covering.settle(connection, monitors.living_of(connection, [key]), change.now, change.actor)


def remove(connection: Connection, change: Change, monitor_id: str, if_match: frozenset[str] | None) -> None:
    """The monitor is checked no more and its open incident is resolved; its history stays.

    What depends on it does so no more, under a new version of its configuration.
    """
    stored = to_change(connection, change.team_id, monitor_id)
    check_precondition(stored.config_version, if_match, is_needed=change.needs_precondition)
    _let_go(connection, change, stored)
    resolved = control.remove(connection, change.team_id, stored.key, change.actor, change.now)
    slos.forget(connection, stored, change.now)
    for window in maintenance.of_monitor(connection, change.team_id, stored.key):
        inline_windows.remove(connection, change, window, "monitor_deleted")
    planned.forget(connection, change, stored.id)
    config_versions.forget(connection, stored.key, through=stored.config_version)
    dependencies.link(connection, stored.key, stored.team_id, ())
    monitors.mark_deleted(connection, change.team_id, stored.key, watch.advance(connection), change.now)
    record(connection, change, "monitor.deleted", stored, list(differences(_facts(stored), {})))
    deleted = monitor_events.deleted(stored, change.actor, change.now, resolved_incident_ids=resolved)
    events.record(connection, deleted)


def _let_go(connection: Connection, change: Change, parent: Monitor) -> None:
    for child in dependencies.children_of(connection, change.team_id, parent.key):
        left = [one for one in child.config["depends_on"] if one != parent.id]
        config = {**child.config, "depends_on": left}
        changed = tuple(merging.changes(child.config, config))
        monitor = _with_config(connection, child, config, changed, change)
        _record_update(connection, change, monitor, child.config, changed, _diff(child.config, config, changed))


def pause(connection: Connection, change: Change, monitor_id: str) -> Outcome:
    """Stops the checks; a monitor that is paused already stays as it is."""
    return _set_paused(connection, change, monitor_id, paused=True)


def resume(connection: Connection, change: Change, monitor_id: str) -> Outcome:
    """Checks again; `pending` until the first round."""
    return _set_paused(connection, change, monitor_id, paused=False)


def get(connection: Connection, team_id: str, monitor_id: str, now: int) -> MonitorView:
    """Raises MissingError."""
    return view_of(connection, existing(monitors.get(connection, team_id, monitor_id)), now)


def rotate_ping_key(connection: Connection, keyring: Keyring, change: Change, monitor_id: str) -> Outcome:
    """Another `ping_url`; the old one ends at once. Raises MissingError and InvalidInputError."""
    stored = to_change(connection, change.team_id, monitor_id)
    heartbeats.rotate(connection, keyring, stored)
    record(connection, change, "monitor.ping_key_rotated", stored)
    return Outcome(view=view_of(connection, stored, change.now))


def _set_paused(connection: Connection, change: Change, monitor_id: str, *, paused: bool) -> Outcome:
    stored = to_change(connection, change.team_id, monitor_id)
    if stored.paused == paused:
        return Outcome(view=view_of(connection, stored, change.now))
    config = {**stored.config, "paused": paused}
    monitor = _with_config(connection, stored, config, ("/paused",), change)
    shown = [Difference("/paused", stored.paused, paused)]
    _record_update(connection, change, monitor, stored.config, ("/paused",), shown)
    _apply_pause(connection, monitor, change)
    return Outcome(view=view_of(connection, monitor, change.now), changed=("/paused",))


def _apply_pause(connection: Connection, monitor: Monitor, change: Change) -> None:
    if monitor.paused:
        control.pause(connection, change.team_id, monitor.key, change.actor, change.now)
        told = monitor_events.paused(monitor, change.actor, change.now, resume_at=monitor.resume_at)
    else:
        length = control.resume(connection, monitor.key, change.actor, change.now)
        told = monitor_events.resumed(monitor, change.actor, change.now, paused_ms=length)
    events.record(connection, told)
    record(connection, change, "monitor.paused" if monitor.paused else "monitor.resumed", monitor)


def to_change(connection: Connection, team_id: str, monitor_id: str) -> Monitor:
    """The monitor, which nobody else changes before the transaction ends; raises MissingError."""
    return existing(monitors.get_to_change(connection, team_id, monitor_id))


def _meet(stored: Mapping[str, Any], edit: Edit) -> dict[str, Any]:
    """The whole document that the edit means on a configuration whose secrets are in clear."""
    sent = merging.under_one_name(edit.sent, stored["type"])
    sent.pop(_VERSION, None)
    if sent.get("type", stored["type"]) != stored["type"]:
        message = "cannot be changed; make a new monitor"
        raise InvalidInputError([Detail(code="parameter_immutable", path=("type",), message=message)])
    if edit.way is Way.REPLACE:
        return {"type": stored["type"], **sent}
    document = merging.merged(stored, sent) if edit.way is Way.MERGE else merging.patched(stored, sent)
    # Null takes a member back to its default. What is no member keeps it, and is refused like any other of its kind.
    document |= {name: None for name, value in sent.items() if value is None and name not in stored}
    if _leaves_timeout(stored, edit) and document.get("interval_seconds") != stored["interval_seconds"]:
        del document["timeout_ms"]
    return document


def _leaves_timeout(stored: Mapping[str, Any], edit: Edit) -> bool:
    """Whether the timeout is the one of the interval and not spoken of: nobody chose it, so it follows."""
    derived = "timeout_ms" in stored and stored["timeout_ms"] == default_timeout_ms(stored["interval_seconds"])
    return derived and edit.way is not Way.REPLACE and "timeout_ms" not in edit.sent


def _followed(before: Mapping[str, Any], edit: Edit, config: Mapping[str, Any]) -> tuple[SoftProblem, ...]:
    """A warning where the timeout has changed without a word."""
    if not _leaves_timeout(before, edit) or config["timeout_ms"] == before["timeout_ms"]:
        return ()
    message = f"timeout_ms followed interval_seconds to {config['timeout_ms']}; send timeout_ms to choose another."
    return (SoftProblem(code="parameter_derived", message=message, param="timeout_ms"),)


def _shortest_interval(stored: Monitor, edit: Edit, instance: Instance) -> int:
    """Raising the floor leaves stored values valid."""
    name = "period_seconds" if stored.type == HEARTBEAT else "interval_seconds"
    interval: int | None = stored.config[name]
    keeps = edit.sent.get(name, interval) == interval
    if interval is None or not keeps:
        return instance.min_interval_seconds
    return min(interval, instance.min_interval_seconds)


def _check_version_in_body(stored: Monitor, sent: Mapping[str, Any]) -> None:
    expected = sent.get(_VERSION, stored.config_version)
    if not isinstance(expected, int) or isinstance(expected, bool):
        detail = Detail(code="parameter_invalid_type", path=(_VERSION,), message="must be an integer")
        raise InvalidInputError([detail])
    if expected != stored.config_version:
        raise PreconditionFailedError(stored.config_version, {str(expected)})


def _with_config(
    connection: Connection, stored: Monitor, config: dict[str, Any], changed: tuple[str, ...], change: Change
) -> Monitor:
    version = stored.config_version + 1
    names = {path.split("/")[1] for path in changed}
    monitor = replace(
        stored,
        name=config["name"],
        target=KINDS[config["type"]].target(config),
        config=config,
        config_version=version,
        judged_from_version=stored.judged_from_version if names <= COMMON else version,
        revision=watch.advance(connection),
        paused=config["paused"],
        updated_by=change.actor,
        updated_at=change.now,
    )
    monitors.save(connection, monitor)
    config_versions.record(connection, monitor, changed)
    if monitor.type == HEARTBEAT and not names <= COMMON:
        reschedule(connection, monitor.key, change.now)
    if stored.config["notifications"] != config["notifications"]:
        monitors.link_channels(connection, monitor.key, config["notifications"])
    if stored.config["depends_on"] != config["depends_on"]:
        dependencies.link(connection, monitor.key, monitor.team_id, config["depends_on"])
        dependencies.look_again(connection, monitor.key, change.now)
    slos.follow(connection, monitor, stored, change.now)
    return monitor


def _identity(stored: Monitor) -> dict[str, Any]:
    return {"id": stored.id, "monitor_id": stored.id, "team_id": stored.team_id}


def _facts(monitor: Monitor) -> dict[str, str]:
    return {"name": monitor.name, "type": monitor.type, "target": monitor.target}


def _diff(before: Mapping[str, Any], after: Mapping[str, Any], changed: Sequence[str]) -> list[Difference]:
    """What differs, with secrets masked; that a secret changed is told, too."""
    shown = list(differences(secrets.masked(before), secrets.masked(after)))
    told = {one.path for one in shown}
    return [*shown, *(Difference(path, MASK, MASK) for path in changed if path not in told)]


def _record_update(
    connection: Connection,
    change: Change,
    monitor: Monitor,
    before: Mapping[str, Any],
    changed: Sequence[str],
    diff: Sequence[Difference],
) -> None:
    """The audit log shows what differs, the event which members were others before; both mask secrets."""
    record(connection, change, "monitor.updated", monitor, diff)
    shown = secrets.masked(before)
    previous = {name: shown[name] for name in {path.split("/")[1]: None for path in changed} if name in shown}
    updated = monitor_events.updated(monitor, change.actor, change.now, changed=changed, previous=previous)
    events.record(connection, updated)


def record(
    connection: Connection, change: Change, action: str, monitor: Monitor, diff: Sequence[Difference] = ()
) -> None:
    """Writes what was done to a monitor into the audit log."""
    audit.record(
        connection,
        change.team_id,
        at=change.now,
        actor=change.actor,
        action=action,
        resource=monitor.id,
        diff=diff,
    )
