"""Events about monitors: their bodies, as `events.schema.json` has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from statuspulse.domain.actor import Actor
from statuspulse.domain.event import MOST_CHANGES, MOST_OBSERVATIONS, MOST_REGIONS, Event, EventType
from statuspulse.domain.health import Reason
from statuspulse.domain.times import DAY, SECOND, to_text
from statuspulse.storage.monitors import Monitor
from statuspulse.storage.states import Transition
from statuspulse.storage.watch import WatchedMonitor

_REASONS = {
    Reason.PROBE_RESULT: "probe_result",
    Reason.THRESHOLD_LATENCY: "threshold_latency",
    Reason.SIGHT_LOST: "stale",
    Reason.PAUSED: "paused",
    Reason.RESUMED: "resumed",
    Reason.MAINTENANCE_STARTED: "maintenance_started",
    Reason.MAINTENANCE_ENDED: "maintenance_ended",
}

AnyMonitor = Monitor | WatchedMonitor


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change of state as people are told of it: durations and instants in ms.

    `previous_since` is when the state before it was decided, `p95_us` the latency of late, None where there is none.
    """

    transition: Transition
    seq: int
    previous_since: int
    failing_regions: Sequence[str] = ()
    observations: Sequence[Mapping[str, Any]] = ()
    p95_us: float | None = None


def created(monitor: AnyMonitor, actor: Actor, at: int) -> Event:
    data = {"actor": actor.document(), "config_version": monitor.config_version}
    return _event(EventType.MONITOR_CREATED, monitor, at, data, actor)


def updated(
    monitor: AnyMonitor, actor: Actor, at: int, *, changed: Sequence[str], previous: Mapping[str, Any]
) -> Event:
    """A new version of the configuration. `previous` holds former members with their secrets masked."""
    data = {
        "actor": actor.document(),
        "config_version": monitor.config_version,
        "changed": list(changed)[:MOST_CHANGES],
        "previous": dict(previous),
    }
    return _event(EventType.MONITOR_UPDATED, monitor, at, data, actor)


def deleted(monitor: AnyMonitor, actor: Actor, at: int, *, resolved_incident_ids: Sequence[str]) -> Event:
    data = {"actor": actor.document(), "resolved_incident_ids": list(resolved_incident_ids)}
    return _event(EventType.MONITOR_DELETED, monitor, at, data, actor)


def paused(monitor: AnyMonitor, actor: Actor, at: int, *, resume_at: int | None) -> Event:
    data = {"actor": actor.document(), "resume_at": None if resume_at is None else to_text(resume_at)}
    return _event(EventType.MONITOR_PAUSED, monitor, at, data, actor)


def resumed(monitor: AnyMonitor, actor: Actor, at: int, *, paused_ms: int) -> Event:
    data = {"actor": actor.document(), "paused_seconds": max(0, paused_ms) // SECOND}
    return _event(EventType.MONITOR_RESUMED, monitor, at, data, actor)


def state_changed(monitor: AnyMonitor, change: Change, actor: Actor | None) -> Event:
    """`actor` is who caused it by a call, None where checks did."""
    transition = change.transition
    data = {
        "state": transition.state.value,
        "previous_state": transition.previous_state.value,
        "health": transition.health.value,
        "previous_health": transition.previous_health.value,
        "state_seq": change.seq,
        "changed_at": to_text(transition.changed_at),
        "first_observed_at": to_text(transition.first_observed_at),
        "previous_state_seconds": max(0, transition.changed_at - change.previous_since) / SECOND,
        "reason": _REASONS[transition.reason],
        "failing_regions": list(change.failing_regions)[:MOST_REGIONS],
        "observations": list(change.observations)[:MOST_OBSERVATIONS],
        "p95_latency_ms": None if change.p95_us is None else round(change.p95_us / 1000, 1),
        "incident_id": transition.incident_id,
        "maintenance_window_id": transition.window_id,
        "config_version": monitor.config_version,
    }
    return _event(EventType.MONITOR_STATE_CHANGED, monitor, transition.changed_at, data, actor)


def tls_expiring(monitor: AnyMonitor, at: int, *, not_after: int) -> Event:
    data = {
        "not_after": to_text(not_after),
        "days_left": (not_after - at) // DAY,
        "subject": None,
        "issuer": None,
        "serial": None,
    }
    return _event(EventType.MONITOR_TLS_EXPIRING, monitor, at, data, None)


def flapping_started(monitor: AnyMonitor, at: int, *, score: float, transitions: int, since: int) -> Event:
    """`transitions` changes into or out of `down` since then led to the score."""
    data = {"score": round(score, 2), "transitions": transitions, "since": to_text(since)}
    return _event(EventType.MONITOR_FLAPPING_STARTED, monitor, at, data, None)


def flapping_ended(monitor: AnyMonitor, at: int, *, score: float, since: int, actor: Actor | None) -> Event:
    data = {"score": round(score, 2), "flapped_seconds": max(0, at - since) / SECOND}
    return _event(EventType.MONITOR_FLAPPING_ENDED, monitor, at, data, actor)


def _event(kind: EventType, monitor: AnyMonitor, at: int, data: Mapping[str, Any], actor: Actor | None) -> Event:
    return Event(
        type=kind,
        team_id=monitor.team_id,
        at=at,
        data={"monitor": summary(monitor), **data},
        monitor_id=monitor.id,
        origin=None if actor is None else actor.origin,
    )


def summary(monitor: AnyMonitor) -> dict[str, Any]:
    """What events say of a monitor that they are about."""
    config = monitor.config
    return {
        "object": "monitor",
        "id": monitor.id,
        "name": monitor.name,
        "type": config["type"],
        "target": monitor.target,
        "tags": list(config["tags"]),
        "team_id": monitor.team_id,
        "api_url": f"/v1/monitors/{monitor.id}",
        "dashboard_url": None,
    }
