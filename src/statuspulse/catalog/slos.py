"""What people do with service level objectives: make, change and remove them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from statuspulse.catalog import merging
from statuspulse.catalog.identifiers import fresh_id
from statuspulse.catalog.instance import Instance
from statuspulse.catalog.members.slo import READ_ONLY, SloRequest
from statuspulse.catalog.references import Change, channels_meant
from statuspulse.catalog.refusals import Detail, InvalidInputError, RefusedError, SoftProblem, as_expected, existing
from statuspulse.catalog.validation import read
from statuspulse.domain.difference import differences
from statuspulse.domain.heartbeat import HEARTBEAT
from statuspulse.domain.slo import USUAL_ALERTING, Kind, Window
from statuspulse.domain.slo_course import Course
from statuspulse.storage import audit, monitors, slos, teams
from statuspulse.storage.monitors import Monitor
from statuspulse.storage.slos import Slo

# What an objective that follows a monitor's configuration takes from there.
_OF_CONFIG = ("kind", "objective_pct", "latency_threshold_ms", "window")
# Another one of these makes it another promise, of which nothing was told yet.
_ANEW = ("kind", "window", "timezone", "tags")
_LONGEST_NAME = 200


def create(connection: Connection, instance: Instance, change: Change, sent: Mapping[str, Any]) -> Slo:
    """A new objective; raises InvalidInputError."""
    members = read(SloRequest, sent).model_dump()
    monitor = _monitor(connection, change, members)
    slo = Slo(
        id=fresh_id(connection, "slo", slos.exists),
        team_id=change.team_id,
        monitor_key=None if monitor is None else monitor.key,
        monitor_id=None if monitor is None else monitor.id,
        of_config=False,
        course=Course(),
        due_at=change.now,
        touched=0,
        created_at=change.now,
        updated_at=change.now,
        **_promise(connection, instance, change, members, monitor),
    )
    slos.insert(connection, slo)
    _record(connection, change, "slo.created", slo, {}, _facts(slo))
    return slo


def update(
    connection: Connection,
    instance: Instance,
    change: Change,
    slo_id: str,
    sent: Mapping[str, Any],
    if_match: frozenset[str] | None = None,
) -> tuple[Slo, bool]:
    """The objective after a change (RFC 7396), and whether that is new.

    Raises InvalidInputError, MissingError, PreconditionFailedError.
    """
    stored = _to_change(connection, change, slo_id, if_match)
    given = merging.writable(sent, {"id": stored.id, "team_id": stored.team_id}, read_only=READ_ONLY)
    document = {**_facts(stored), "monitor_id": stored.monitor_id}
    members = read(SloRequest, _patched(document, given)).model_dump()
    if members["monitor_id"] != stored.monitor_id:
        message = "cannot be changed; make a new SLO"
        raise InvalidInputError([Detail(code="parameter_immutable", path=("monitor_id",), message=message)])
    monitor = _monitor(connection, change, members)
    promise = _promise(connection, instance, change, members, monitor)
    changed = replace(stored, **promise)
    if stored.of_config and (wrong := list(_led(stored, changed))):
        raise InvalidInputError(wrong)
    if changed == stored:
        return stored, False
    if any(getattr(changed, name) != getattr(stored, name) for name in _ANEW):
        changed = replace(changed, course=Course())
    changed = replace(changed, version=stored.version + 1, updated_at=change.now, due_at=change.now)
    slos.save(connection, changed)
    _record(connection, change, "slo.updated", changed, _facts(stored), _facts(changed))
    return changed, True


def remove(connection: Connection, change: Change, slo_id: str, if_match: frozenset[str] | None = None) -> Slo:
    """Raises MissingError, PreconditionFailedError, RefusedError for one that follows a monitor's configuration."""
    stored = _to_change(connection, change, slo_id, if_match)
    if stored.of_config:
        message = f"It follows from the member sla of monitor {stored.monitor_id}; set that to null instead."
        raise RefusedError("resource_in_use", message)
    slos.remove(connection, change.team_id, slo_id)
    _record(connection, change, "slo.deleted", stored, _facts(stored), {})
    return stored


def get(connection: Connection, team_id: str, slo_id: str) -> Slo:
    """Raises MissingError."""
    return existing(slos.get(connection, team_id, slo_id))


def remarks(connection: Connection, slo: Slo) -> list[SoftProblem]:
    """What of an objective that was just stored may not be what was meant."""
    if not slo.tags or monitors.of_slo(connection, slo.team_id, key=None, tags=slo.tags, since=slo.updated_at):
        return []
    whom = "these tags" if len(slo.tags) > 1 else "this tag"
    message = f"No monitor has {whom}: there is nothing to measure until one has."
    return [SoftProblem(code="nothing_measured", message=message, param="tags")]


def follow(connection: Connection, monitor: Monitor, before: Monitor | None, now: int) -> None:
    """Makes the monitor's own objective what its configuration says; `before` is the monitor before the change."""
    sla = monitor.config["sla"]
    stored = slos.of_config_to_change(connection, monitor.team_id, monitor.key) if before else None
    if sla is None:
        if stored is not None:
            slos.remove(connection, monitor.team_id, stored.id)
    elif stored is None:
        slos.insert(connection, _made(connection, monitor, sla, now))
    elif before is None or before.config["sla"] != sla or before.name != monitor.name:
        changed = replace(stored, **_of_sla(sla))
        if changed.kind is not stored.kind or changed.window is not stored.window:
            changed = replace(changed, course=Course())
        if before is not None and stored.name == _name(before.name, stored.objective_pct):
            changed = replace(changed, name=_name(monitor.name, changed.objective_pct))
        slos.save(connection, replace(changed, version=stored.version + 1, updated_at=now))
    slos.touch(connection, monitor.key, now)


def forget(connection: Connection, monitor: Monitor, now: int) -> None:
    """The monitor is deleted: what was promised of it alone ends, what was promised of several goes on without it."""
    slos.remove_of_monitor(connection, monitor.team_id, monitor.key)
    slos.touch(connection, monitor.key, now)


def _to_change(connection: Connection, change: Change, slo_id: str, if_match: frozenset[str] | None) -> Slo:
    """The objective in a version that the caller expects; nobody else changes it before the transaction ends."""
    found = slos.get_to_change(connection, change.team_id, slo_id)
    return as_expected(found, if_match, is_needed=change.needs_precondition)


def _made(connection: Connection, monitor: Monitor, sla: Mapping[str, Any], now: int) -> Slo:
    return Slo(
        id=fresh_id(connection, "slo", slos.exists),
        team_id=monitor.team_id,
        monitor_key=monitor.key,
        monitor_id=monitor.id,
        of_config=True,
        name=_name(monitor.name, sla["objective_pct"]),
        tags=(),
        timezone=teams.zone_of(connection, monitor.team_id),
        alerting=USUAL_ALERTING,
        notify=(),
        course=Course(),
        due_at=now,
        touched=0,
        created_at=now,
        updated_at=now,
        **_of_sla(sla),
    )


def _of_sla(sla: Mapping[str, Any]) -> dict[str, Any]:
    threshold = sla["latency_threshold_ms"]
    return {
        "kind": Kind.AVAILABILITY if threshold is None else Kind.LATENCY,
        "objective_pct": sla["objective_pct"],
        "latency_threshold_ms": threshold,
        "window": Window(sla["window"]),
    }


def _name(monitor_name: str, objective_pct: float) -> str:
    ending = f" {objective_pct:.10g}"
    return f"{monitor_name[: _LONGEST_NAME - len(ending)]}{ending}"


def _monitor(connection: Connection, change: Change, members: Mapping[str, Any]) -> Monitor | None:
    """The monitor that it is about, None where tags say which; raises InvalidInputError."""
    monitor_id = members["monitor_id"]
    if (monitor_id is None) == (not members["tags"]):
        code = "parameter_missing" if monitor_id is None else "parameter_conflict"
        message = "is required, or tags" if monitor_id is None else "and tags exclude each other; send one of them"
        raise InvalidInputError([Detail(code=code, path=("monitor_id",), message=message)])
    if monitor_id is None:
        return None
    monitor = monitors.get(connection, change.team_id, monitor_id)
    if monitor is None:
        message = "names no monitor of this team"
        raise InvalidInputError([Detail(code="reference_not_found", path=("monitor_id",), message=message)])
    return monitor


def _patched(document: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The whole document that a change means. Of a pair of burn rates null does not mean its default, it is off."""
    whole = merging.patched(document, given)
    alerting = given.get("alerting")
    if isinstance(alerting, Mapping):
        whole["alerting"] |= {name: None for name, pair in alerting.items() if pair is None}
    return whole


def _promise(
    connection: Connection, instance: Instance, change: Change, members: Mapping[str, Any], monitor: Monitor | None
) -> dict[str, Any]:
    notify, refused = channels_meant(connection, instance, change, members["notify"])
    wrong = [*_conflicts(members, monitor), *(one.below(("notify",)) for one in refused)]
    if wrong:
        raise InvalidInputError(wrong)
    return {
        "name": members["name"],
        "tags": tuple(members["tags"]),
        "kind": Kind(members["kind"]),
        "objective_pct": members["objective_pct"],
        "latency_threshold_ms": members["latency_threshold_ms"],
        "window": Window(members["window"]),
        # What was promised does not move with the team: its zone is taken once.
        "timezone": members["timezone"] or teams.zone_of(connection, change.team_id),
        "alerting": members["alerting"],
        "notify": tuple(notify),
    }


def _conflicts(members: Mapping[str, Any], monitor: Monitor | None) -> Iterator[Detail]:
    path = ("latency_threshold_ms",)
    has_threshold = members["latency_threshold_ms"] is not None
    if members["kind"] == Kind.LATENCY.value and not has_threshold:
        yield Detail(code="parameter_missing", path=path, message="is required where kind is latency")
    if members["kind"] == Kind.AVAILABILITY.value and has_threshold:
        yield Detail(code="parameter_conflict", path=path, message="belongs to the kind latency; leave it out")
    if members["kind"] == Kind.LATENCY.value and monitor is not None and monitor.type == HEARTBEAT:
        message = "is latency, which a job that calls us does not have; use availability"
        yield Detail(code="parameter_conflict", path=("kind",), message=message)


def _led(stored: Slo, changed: Slo) -> Iterator[Detail]:
    for name in _OF_CONFIG:
        if getattr(changed, name) != getattr(stored, name):
            message = f"follows the member sla of monitor {stored.monitor_id}; change it there"
            yield Detail(code="parameter_immutable", path=(name,), message=message)


def _facts(slo: Slo) -> dict[str, Any]:
    return {
        "name": slo.name,
        "tags": list(slo.tags),
        "kind": slo.kind.value,
        "objective_pct": slo.objective_pct,
        "latency_threshold_ms": slo.latency_threshold_ms,
        "window": slo.window.value,
        "timezone": slo.timezone,
        "alerting": dict(slo.alerting),
        "notify": list(slo.notify),
    }


def _record(
    connection: Connection, change: Change, action: str, slo: Slo, before: dict[str, Any], after: dict[str, Any]
) -> None:
    audit.record(
        connection,
        change.team_id,
        at=change.now,
        actor=change.actor,
        action=action,
        resource=slo.id,
        diff=list(differences(before, after)),
    )
