"""Which of a monitor's notification rules match a change, and so which channels hear of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from statuspulse.domain.hours import Hours, in_zone
from statuspulse.domain.monitor import Severity
from statuspulse.domain.times import SECOND

DOWN = "down"
UP = "up"


def routes(config: Mapping[str, Any], severity: str, zone: str, now: int) -> list[dict[str, Any]]:
    """The rules that match an outage, as an incident carries them; without rules all notifications at once.

    `zone` is that of the team, for hours that name none. What is critical waits for no hours.
    """
    rules = config["notification_rules"]
    if not rules:
        return [_route(config["notifications"])] if config["notifications"] else []
    return [_carried(rule, severity, zone) for rule in _matching(rules, DOWN, severity, zone, now)]


def at_once(config: Mapping[str, Any], severity: str, zone: str, now: int) -> list[str]:
    """The channels that "the monitor's notifications" mean to a policy: those that an outage is told to at once."""
    found = [route["notify"] for route in routes(config, severity, zone, now) if first_time(route, now) == now]
    return list(dict.fromkeys(channel for channels in found for channel in channels))


def on_recovery_alone(config: Mapping[str, Any], severity: str, zone: str, now: int) -> list[str]:
    """The channels that hear of the end and of nothing else."""
    found = [rule["notify"] for rule in _matching(config["notification_rules"], UP, severity, zone, now)]
    return list(dict.fromkeys(channel for channels in found for channel in channels))


def of_state(config: Mapping[str, Any], state: str, severity: str, zone: str, now: int) -> list[dict[str, Any]]:
    """The rules that match a state which is no outage, in the same form; they repeat nothing."""
    found = _matching(config["notification_rules"], state, severity, zone, now)
    return [{**_carried(rule, severity, zone), "repeat_seconds": None} for rule in found]


def first_time(route: Mapping[str, Any], now: int) -> int:
    """When (ms) a route that is taken now is told for the first time."""
    return not_before(route, now + route["after_seconds"] * SECOND)


def not_before(route: Mapping[str, Any], at: int) -> int:
    """The instant itself, or the end of the quiet hours in which it lies."""
    quiet = route["quiet_hours"]
    hours = None if quiet is None else Hours.of(quiet)
    return at if hours is None or not hours.hold(at) else hours.end_after(at)


def told_from(routes: Sequence[Mapping[str, Any]], channel: str, now: int) -> int:
    """When (ms) the channel may hear of what happens now: at once, unless every route to it is in its quiet hours."""
    ends = [not_before(route, now) for route in routes if channel in route["notify"]]
    return min(ends, default=now)


def _carried(rule: Mapping[str, Any], severity: str, zone: str) -> dict[str, Any]:
    return _route(
        rule["notify"],
        rule["after_seconds"],
        rule["repeat_seconds"],
        send_resolved=rule["send_resolved"],
        quiet_hours=None if severity == Severity.CRITICAL else in_zone(rule["quiet_hours"], zone),
    )


def _matching(
    rules: Sequence[Mapping[str, Any]], state: str, severity: str, zone: str, now: int
) -> Iterator[Mapping[str, Any]]:
    """From the top; every match counts, one that mutes is the last and tells nobody."""
    for rule in rules:
        if not _matches(rule["when"], state, severity, zone, now):
            continue
        if rule["mute"]:
            return
        # A rule for both tells of the end those whom it told of the outage, by `send_resolved`.
        if state != UP or DOWN not in rule["when"]["states"]:
            yield rule


def _matches(when: Mapping[str, Any], state: str, severity: str, zone: str, now: int) -> bool:
    schedule = in_zone(when["schedule"], zone)
    return (
        state in when["states"]
        and (not when["severities"] or severity in when["severities"])
        and (schedule is None or Hours.of(schedule).hold(now))
    )


def _route(
    notify: Sequence[str],
    after_seconds: int = 0,
    repeat_seconds: int | None = None,
    *,
    send_resolved: bool = True,
    quiet_hours: dict[str, Any] | None = None,
) -> dict[str, Any]:
    return {
        "notify": list(notify),
        "after_seconds": after_seconds,
        "repeat_seconds": repeat_seconds,
        "send_resolved": send_resolved,
        "quiet_hours": quiet_hours,
    }
