"""Whom a step or a rule means just now: targets become channels that can be told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from statuspulse.domain import routing
from statuspulse.domain.escalation import Target
from statuspulse.domain.on_call import Rotation
from statuspulse.storage import channels, people, schedules, teams, watch


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What is told of: the monitor decides what its notifications are, the severity which rules match."""

    team_id: str
    monitor_key: int | None
    severity: str


def channels_of(connection: Connection, about: About, targets: Iterable[Target], now: int) -> list[str]:
    """The enabled channels of all targets, each once; whoever cannot be told is left out."""
    named = [channel for target in targets for channel in _named(connection, about, target, now)]
    return enabled(connection, about.team_id, named)


def reach(connection: Connection, about: About, targets: Sequence[Target], now: int) -> bool:
    """Whether any of the targets can be told. Where the rules of a monitor want nobody told, that is their say."""
    if channels_of(connection, about, targets, now):
        return True
    if all(target.type != "monitor_notifications" for target in targets):
        return False
    config = config_of(connection, about.monitor_key)
    if config is None or not config["notification_rules"]:
        return False
    return not routing.at_once(config, about.severity, teams.zone_of(connection, about.team_id), now)


def enabled(connection: Connection, team_id: str, ids: Sequence[str]) -> list[str]:
    """Those of the channels that the team has and that are switched on, each once and in order."""
    found = [channels.get(connection, team_id, one) for one in dict.fromkeys(ids)]
    return [channel.id for channel in found if channel is not None and channel.enabled]


def label(connection: Connection, about: About, target: Target) -> str:
    """What people call the target; its id where it is gone."""
    match target.type, target.id:
        case "channel", str(channel_id):
            return channel_name(connection, about.team_id, channel_id)
        case "user", str(user_id):
            member = people.get(connection, about.team_id, user_id)
            return user_id if member is None else member.email
        case "schedule", str(schedule_id):
            schedule = schedules.get(connection, about.team_id, schedule_id)
            return schedule_id if schedule is None else schedule.name
        case _:
            return "the monitor's notifications"


def channel_name(connection: Connection, team_id: str, channel_id: str) -> str:
    """What people call the channel; its id where it is gone."""
    channel = channels.get(connection, team_id, channel_id)
    return channel_id if channel is None else channel.name


def config_of(connection: Connection, monitor_key: int | None) -> dict[str, Any] | None:
    """The configuration of the monitor, None without one or where it is deleted."""
    monitor = None if monitor_key is None else watch.living(connection, monitor_key)
    return None if monitor is None else monitor.config


def _named(connection: Connection, about: About, target: Target, now: int) -> Sequence[str]:
    match target.type, target.id:
        case "monitor_notifications", _:
            config = config_of(connection, about.monitor_key)
            return (
                []
                if config is None
                else routing.at_once(config, about.severity, teams.zone_of(connection, about.team_id), now)
            )
        case "channel", str(channel_id):
            return [channel_id]
        case "user", str(user_id):
            member = people.get(connection, about.team_id, user_id)
            return () if member is None else member.contacts
        case "schedule", str(schedule_id):
            return _on_call(connection, about.team_id, schedule_id, now)
        case _:
            return ()


def _on_call(connection: Connection, team_id: str, schedule_id: str, now: int) -> Sequence[str]:
    schedule = schedules.get(connection, team_id, schedule_id)
    if schedule is None:
        return ()
    email = Rotation.of(schedule.plan, teams.zone_of(connection, team_id)).at(now)
    member = None if email is None else people.get_by_email(connection, team_id, email)
    return () if member is None else member.contacts
