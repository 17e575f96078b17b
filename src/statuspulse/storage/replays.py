"""What a replay of a monitor's past reads: its verdicts, newest first and bounded, and whom its incidents have told."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from sqlalchemy import Connection, func, or_, select
from sqlalchemy.sql.elements import ColumnElement

from statuspulse.domain.incident import IncidentState
from statuspulse.domain.message import Action
from statuspulse.domain.result import Verdict
from statuspulse.storage.results import IS_SLOT, SCHEDULED, VERDICT_CODES, VERDICTS
from statuspulse.storage.schema import incidents, outbox, results, timeline

_OPENINGS = ("triggered", "state_changed")
_BY_MONITOR = incidents.c.source == "monitor"


@dataclass(frozen=True, slots=True)
class StoredVerdict:
    """A verdict for the slot `at`, known at `observed_at`; only planned checks have a latency here."""

    at: int
    verdict: Verdict
    observed_at: int
    latency_us: int | None
    config_version: int


@dataclass(frozen=True, slots=True)
class Alarm:
    """An incident that a monitor opened, and the instants at which people were called for it."""

    opened_at: int
    resolved_at: int | None
    paged_at: tuple[int, ...]


def verdicts(
    connection: Connection, monitor_key: int, region_key: int, window: tuple[int, int], limit: int
) -> Iterator[StoredVerdict]:
    """Those of one region for slots in a window [start, end), the newest first and no more than the limit."""
    start, end = window
    query = (
        select(
            results.c.scheduled_at,
            results.c.verdict,
            results.c.observed_after_ms,
            results.c.latency_us,
            results.c.config_version,
            results.c.kind,
        )
        .where(
            results.c.monitor_key == monitor_key,
            results.c.region_key == region_key,
            results.c.scheduled_at >= start,
            results.c.scheduled_at < end,
            results.c.verdict != VERDICT_CODES[Verdict.VOID],
            IS_SLOT,
        )
        .order_by(results.c.scheduled_at.desc())
        .limit(limit)
    )
    for at, verdict, after_ms, latency_us, version, kind in connection.execute(query):
        yield StoredVerdict(at, VERDICTS[verdict], at + after_ms, latency_us if kind == SCHEDULED else None, version)


def alarms(connection: Connection, team_id: str, monitor_key: int, window: tuple[int, int]) -> list[Alarm]:
    """The incidents that the monitor had open within [start, end), the oldest first; calls are those in it."""
    start, end = window
    mine = _open_within(team_id, monitor_key, window)
    opened: dict[str, list[int]] = {}
    entries = (
        select(timeline.c.incident_id, timeline.c.at, timeline.c.type, timeline.c.detail)
        .join(incidents, incidents.c.id == timeline.c.incident_id)
        .where(*mine, timeline.c.type.in_(_OPENINGS))
        .order_by(timeline.c.key)
    )
    for incident_id, at, kind, detail in connection.execute(entries):
        if kind == "triggered" or _is_reopening(detail):
            opened.setdefault(incident_id, []).append(at)
    called = _called(connection, mine)
    query = select(incidents.c.id, incidents.c.triggered_at, incidents.c.resolved_at, incidents.c.escalation).where(
        *mine
    )
    rows = connection.execute(query.order_by(incidents.c.triggered_at, incidents.c.number))
    return [
        Alarm(
            row.triggered_at,
            row.resolved_at,
            tuple(
                at
                for at in _first_calls(opened.get(row.id, []), called.get(row.id, []), row.escalation)
                if start <= at < end
            ),
        )
        for row in rows
    ]


def _called(connection: Connection, mine: tuple[ColumnElement[bool], ...]) -> dict[str, list[int]]:
    """When people were told that an incident is triggered, by its id."""
    query = (
        select(outbox.c.incident_id, outbox.c.created_at)
        .join(incidents, incidents.c.id == outbox.c.incident_id)
        .where(*mine, outbox.c.action == Action.TRIGGER.value)
        .order_by(outbox.c.created_at)
    )
    found: dict[str, list[int]] = {}
    for incident_id, at in connection.execute(query):
        found.setdefault(incident_id, []).append(at)
    return found


def _first_calls(openings: Sequence[int], calls: Sequence[int], escalation: str) -> Iterator[int]:
    """The first call of each opening; where there was nobody to call the opening stands for it."""
    carried = json.loads(escalation)
    has_nobody = carried["rules"] is None and not carried["routes"]
    for at, following in zip_longest(openings, openings[1:]):
        call = next((one for one in calls if one >= at and (following is None or one < following)), None)
        if call is not None or has_nobody:
            yield at if call is None else call


def notifications(connection: Connection, team_id: str, monitor_key: int, window: tuple[int, int]) -> int:
    """How many messages the incidents of the monitor were owed to channels within [start, end)."""
    start, end = window
    query = (
        select(func.count())
        .select_from(outbox)
        .join(incidents, incidents.c.id == outbox.c.incident_id)
        .where(
            *_open_within(team_id, monitor_key, window),
            outbox.c.team_id == team_id,
            outbox.c.created_at >= start,
            outbox.c.created_at < end,
        )
    )
    return connection.scalar(query) or 0


def _open_within(team_id: str, monitor_key: int, window: tuple[int, int]) -> tuple[ColumnElement[bool], ...]:
    start, end = window
    return (
        incidents.c.team_id == team_id,
        incidents.c.monitor_key == monitor_key,
        _BY_MONITOR,
        incidents.c.triggered_at < end,
        or_(incidents.c.resolved_at.is_(None), incidents.c.resolved_at >= start),
    )


def _is_reopening(detail: str) -> bool:
    told = json.loads(detail)
    states = (told.get("previous_state"), told.get("state"))
    return states == (IncidentState.RESOLVED.value, IncidentState.TRIGGERED.value)
