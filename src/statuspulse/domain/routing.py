"""Which of a monitor's notification rules match a change, and so which channels hear of it (`API.md` C.4)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from statuspulse.domain.hours import Hours

DOWN = "down"
UP = "up"


def routes(config: Mapping[str, Any], severity: str, now: int) -> list[dict[str, Any]]:
    """The rules that match an outage, as an incident carries them; without rules all notifications at once."""
    rules = config["notification_rules"]
    if not rules:
        return [_route(config["notifications"])] if config["notifications"] else []
    return [
        _route(rule["notify"], rule["after_seconds"], rule["repeat_seconds"], send_resolved=rule["send_resolved"])
        for rule in _matching(rules, DOWN, severity, now)
    ]


def at_once(config: Mapping[str, Any], severity: str, now: int) -> list[str]:
    """The channels that "the monitor's notifications" mean to a policy: those that an outage is told to at once."""
    found = [route["notify"] for route in routes(config, severity, now) if route["after_seconds"] == 0]
    return list(dict.fromkeys(channel for channels in found for channel in channels))


def on_recovery_alone(config: Mapping[str, Any], severity: str, now: int) -> list[str]:
    """The channels that hear of the end and of nothing else."""
    found = [rule["notify"] for rule in _matching(config["notification_rules"], UP, severity, now)]
    return list(dict.fromkeys(channel for channels in found for channel in channels))


def of_state(config: Mapping[str, Any], state: str, severity: str, now: int) -> list[dict[str, Any]]:
    """The rules that match a state which is no outage, as {notify, after_seconds, send_resolved, …}."""
    return [
        _route(rule["notify"], rule["after_seconds"], send_resolved=rule["send_resolved"])
        for rule in _matching(config["notification_rules"], state, severity, now)
    ]


def _matching(rules: Sequence[Mapping[str, Any]], state: str, severity: str, now: int) -> Iterator[Mapping[str, Any]]:
    """From the top; every match counts, one that mutes is the last and tells nobody."""
    for rule in rules:
        if not _matches(rule["when"], state, severity, now):
            continue
        if rule["mute"]:
            return
        # A rule for both tells of the end those whom it told of the outage, by `send_resolved`.
        if state != UP or DOWN not in rule["when"]["states"]:
            yield rule


def _matches(when: Mapping[str, Any], state: str, severity: str, now: int) -> bool:
    schedule = when["schedule"]
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
) -> dict[str, Any]:
    return {
        "notify": list(notify),
        "after_seconds": after_seconds,
        "repeat_seconds": repeat_seconds,
        "send_resolved": send_resolved,
    }
