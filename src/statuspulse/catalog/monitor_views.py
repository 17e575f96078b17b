"""Monitors with everything that an answer shows beside their configuration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from statuspulse.domain.heartbeat import Beat
from statuspulse.domain.schedule import Grid, Strategy, first_check_delay
from statuspulse.domain.times import SECOND
from statuspulse.engine import coverage
from statuspulse.storage import channels, heartbeats, monitors
from statuspulse.storage.heartbeats import Line
from statuspulse.storage.monitors import Monitor
from statuspulse.storage.states import MonitorState


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorView:
    """`notifications` are masked URLs, each with the id of its channel, and so are those of the `rules`.

    `line` is that of a job that calls us.
    """

    monitor: Monitor
    state: MonitorState
    notifications: tuple[str, ...]
    rules: tuple[dict[str, Any], ...]
    last_probe_at: int | None
    next_probe_at: int | None
    open_incident_id: str | None
    line: Line | None


def view_of(connection: Connection, monitor: Monitor, now: int) -> MonitorView:
    return views_of(connection, monitor.team_id, [monitor], now)[0]


def views_of(connection: Connection, team_id: str, found: Sequence[Monitor], now: int) -> list[MonitorView]:
    """The views of some monitors of one team, with a fixed number of queries."""
    keys = [monitor.key for monitor in found]
    states = monitors.states(connection, keys)
    probed = monitors.last_probes(connection, keys)
    incidents = monitors.open_incidents(connection, keys)
    lines = heartbeats.lines(connection, keys)
    named = {channel_id for monitor in found for channel_id in _channels(monitor.config)}
    masked = channels.masked_urls(connection, team_id, named)
    covers = coverage.covers_of(connection, found, now)
    return [
        MonitorView(
            monitor=monitor,
            state=coverage.shown(states[monitor.key], covers.get(monitor.key), paused=monitor.paused),
            notifications=tuple(masked[channel_id] for channel_id in monitor.config["notifications"]),
            rules=tuple(_masked(rule, masked) for rule in monitor.config["notification_rules"]),
            last_probe_at=probed.get(monitor.key),
            next_probe_at=None
            if monitor.paused or monitor.resting
            else next_probe(monitor, _beat(lines.get(monitor.key)), now),
            open_incident_id=incidents.get(monitor.key),
            line=lines.get(monitor.key),
        )
        for monitor in found
    ]


def _channels(config: Mapping[str, Any]) -> Iterator[str]:
    yield from config["notifications"]
    for rule in config["notification_rules"]:
        yield from rule["notify"]


def _masked(rule: Mapping[str, Any], masked: Mapping[str, str]) -> dict[str, Any]:
    return {**rule, "notify": [masked[channel_id] for channel_id in rule["notify"]]}


def next_probe(monitor: Monitor, beat: Beat | None, now: int) -> int | None:
    """The next planned look from any region; a new monitor is looked at once before its first slot.

    For a job that calls us, when its next ping is expected.
    """
    if beat is not None:
        return beat.expected_at
    first = monitor.created_at + first_check_delay(monitor.id, _interval(monitor.config))
    slots = [grid.next_slot(now) for grid in _grids(monitor.id, monitor.config)]
    return min([first, *slots] if first > now else slots)


def _beat(line: Line | None) -> Beat | None:
    return None if line is None else line.beat


def _grids(monitor_id: str, config: Mapping[str, Any]) -> list[Grid]:
    count, strategy = len(config["regions"]), Strategy(config["region_strategy"])
    return [Grid.of(monitor_id, _interval(config), place, count, strategy) for place in range(count)]


def _interval(config: Mapping[str, Any]) -> int:
    interval_seconds: int = config["interval_seconds"]
    return interval_seconds * SECOND
