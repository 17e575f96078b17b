"""Incidents and their timelines."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, func, or_, select, update
from sqlalchemy.sql.elements import ColumnElement

from statuspulse.domain.actor import Actor
from statuspulse.domain.escalation import Escalation
from statuspulse.domain.incident import IncidentState
from statuspulse.domain.monitor import Severity
from statuspulse.storage import rewrites
from statuspulse.storage.prepared import Prepared
from statuspulse.storage.schema import incidents, monitors, teams, timeline

# Built once: whenever a state changes somebody asks whether an incident is open.
_ANY = select(incidents, monitors.c.id.label("monitor_id")).outerjoin(
    monitors, monitors.c.key == incidents.c.monitor_key
)
_WITH_KEY = _ANY.where(
    incidents.c.team_id == bindparam("team"),
    incidents.c.dedup_key == bindparam("dedup"),
    incidents.c.state != IncidentState.RESOLVED.value,
)
_OPEN = Prepared(_WITH_KEY)
_OPEN_OF_MONITOR = Prepared(_WITH_KEY.where(incidents.c.monitor_key == bindparam("monitor")))

_BATCH = 200
# As many writers as may get in between.
_TRIES = 20

# Ids in other systems by provider, each as {id, url}.
ExternalIds = dict[str, dict[str, str | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """One incident; `version` counts its changes and orders them for consumers."""

    id: str
    team_id: str
    number: int
    monitor_key: int | None
    monitor_id: str | None
    dedup_key: str | None
    state: IncidentState
    version: int
    title: str
    severity: Severity
    source: str
    assignee: str | None
    occurrences: int
    notify: bool
    policy: str | None
    external_ids: ExternalIds = field(default_factory=dict)
    triggered_at: int
    triggered_by: Actor
    acknowledged_at: int | None = None
    acknowledged_by: Actor | None = None
    resolved_at: int | None = None
    resolved_by: Actor | None = None
    resolve_reason: str | None = None
    escalation: Escalation = field(default_factory=Escalation)
    created_at: int
    updated_at: int

    @property
    def is_open(self) -> bool:
        return self.state is not IncidentState.RESOLVED


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEntry:
    """Something that happened to an incident."""

    id: str
    at: int
    type: str
    actor: Actor
    detail: dict[str, Any]


class IncidentChangedError(Exception):
    """Someone else changed the incident since it was read; decide again on what it is now."""


def insert(connection: Connection, incident: Incident) -> Incident:
    """Stores a new incident, one with the number 0 under the team's next.

    Raises IntegrityError when one with its key is open, or with its id or number exists.
    """
    numbered = replace(incident, number=incident.number or _next_number(connection, incident.team_id))
    connection.execute(incidents.insert().values(id=incident.id, **_columns(numbered)))
    _count(connection, incident)
    return numbered


def save(connection: Connection, incident: Incident, *, read_version: int) -> None:
    """Stores the changed incident if it is still the version that was read, else raises IncidentChangedError."""
    stored = connection.execute(
        update(incidents)
        .where(
            incidents.c.team_id == incident.team_id,
            incidents.c.id == incident.id,
            incidents.c.version == read_version,
        )
        .values(**_columns(incident))
    )
    if stored.rowcount != 1:
        raise IncidentChangedError(incident.id)
    _count(connection, incident)


def get(connection: Connection, team_id: str, incident_id: str) -> Incident | None:
    return _first(connection, _query(team_id).where(incidents.c.id == incident_id))


def exists(connection: Connection, incident_id: str) -> bool:
    """Whether any team has an incident with the id; for ids that the operator gives."""
    return connection.scalar(select(incidents.c.id).where(incidents.c.id == incident_id)) is not None


def has_number(connection: Connection, team_id: str, number: int) -> bool:
    """Whether the team has an incident with the number."""
    query = select(incidents.c.id).where(incidents.c.team_id == team_id, incidents.c.number == number)
    return connection.scalar(query) is not None


def open_with_key(connection: Connection, team_id: str, dedup_key: str, monitor_key: int | None) -> list[Incident]:
    """The open incidents with the dedup key, narrowed by the monitor when one is given."""
    if monitor_key is None:
        rows = _OPEN.rows(connection, team=team_id, dedup=dedup_key)
    else:
        rows = _OPEN_OF_MONITOR.rows(connection, team=team_id, dedup=dedup_key, monitor=monitor_key)
    return [_incident(row) for row in rows]


def open_of_monitor(connection: Connection, team_id: str, monitor_key: int) -> list[Incident]:
    """Every open incident of a monitor, the oldest first."""
    query = (
        _query(team_id)
        .where(incidents.c.monitor_key == monitor_key, incidents.c.state != IncidentState.RESOLVED.value)
        .order_by(incidents.c.triggered_at)
    )
    return [_incident(row) for row in connection.execute(query)]


def open_of_monitors(connection: Connection, team_id: str, monitor_keys: Collection[int]) -> list[Incident]:
    """The open incidents of some monitors, whoever opened them."""
    query = _query(team_id).where(
        incidents.c.monitor_key.in_(monitor_keys), incidents.c.state != IncidentState.RESOLVED.value
    )
    return [_incident(row) for row in connection.execute(query)]


def open_by_severity(connection: Connection, team_id: str) -> dict[Severity, int]:
    """How many incidents of each severity are open; every severity is there."""
    query = (
        select(incidents.c.severity, func.count())
        .where(incidents.c.team_id == team_id, incidents.c.state != IncidentState.RESOLVED.value)
        .group_by(incidents.c.severity)
    )
    counts = {Severity(severity): count for severity, count in connection.execute(query)}
    return {severity: counts.get(severity, 0) for severity in Severity}


def of_outages(
    connection: Connection, team_id: str, monitor_keys: Collection[int], start: int, end: int
) -> list[Incident]:
    """Incidents that monitors have opened by themselves and that were open in [start, end), the oldest first."""
    query = _query(team_id).where(
        incidents.c.monitor_key.in_(monitor_keys),
        incidents.c.source == "monitor",
        incidents.c.triggered_at < end,
        or_(incidents.c.resolved_at.is_(None), incidents.c.resolved_at > start),
    )
    return [_incident(row) for row in connection.execute(query.order_by(incidents.c.triggered_at, incidents.c.id))]


def last_resolved(connection: Connection, team_id: str, monitor_key: int, dedup_key: str) -> Incident | None:
    """The incident with the key that was resolved last."""
    query = (
        _query(team_id)
        .where(
            incidents.c.monitor_key == monitor_key,
            incidents.c.dedup_key == dedup_key,
            incidents.c.state == IncidentState.RESOLVED.value,
        )
        .order_by(incidents.c.resolved_at.desc())
        .limit(1)
    )
    return _first(connection, query)


def with_external_id(connection: Connection, team_id: str, provider: str, external_id: str) -> list[Incident]:
    """The incidents linked to a provider's id, the newest first."""
    query = _query(team_id).where(_may_be_linked(external_id)).order_by(incidents.c.triggered_at.desc())
    found = [_incident(row) for row in connection.execute(query)]
    return [incident for incident in found if _is_linked(incident, provider, external_id)]


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentFilter:
    """What a list is narrowed to; None leaves a member open. `external_id` is a provider with its id."""

    states: tuple[str, ...] = ()
    monitor_id: str | None = None
    severity: str | None = None
    assignee: str | None = None
    source: str | None = None
    dedup_key: str | None = None
    external_id: tuple[str, str] | None = None
    text: str | None = None
    triggered_from: int | None = None
    triggered_to: int | None = None


def listed(
    connection: Connection,
    team_id: str,
    wanted: IncidentFilter,
    *,
    after: tuple[int, str] | None,
    descending: bool,
) -> Iterator[Incident]:
    """The matching incidents by (triggered_at, id) from behind the key `after`, fetched as far as they are taken."""
    at, key = incidents.c.triggered_at, incidents.c.id
    order = (at.desc(), key.desc()) if descending else (at, key)
    query = _narrowed(_query(team_id), wanted).order_by(*order).limit(_BATCH)
    while True:
        found = [_incident(row) for row in connection.execute(_behind(query, after, descending=descending))]
        yield from (incident for incident in found if _holds(incident, wanted))
        if len(found) < _BATCH:
            return
        after = (found[-1].triggered_at, found[-1].id)


def link(
    connection: Connection,
    team_id: str,
    incident_id: str,
    provider: str,
    external: dict[str, str | None] | None,
    entry: TimelineEntry,
) -> None:
    """What the incident is at a provider has become known, or is no more; nothing happens where that is known."""
    for _ in range(_TRIES):
        stored = get(connection, team_id, incident_id)
        if stored is None or stored.external_ids.get(provider) == external:
            return
        links = {name: known for name, known in stored.external_ids.items() if name != provider}
        if external is not None:
            links[provider] = external
        linked = replace(stored, external_ids=links, version=stored.version + 1, updated_at=entry.at)
        with suppress(IncidentChangedError):
            save(connection, linked, read_version=stored.version)
            append(connection, incident_id, [entry])
            return
    raise IncidentChangedError(incident_id)


def append(connection: Connection, incident_id: str, entries: Sequence[TimelineEntry]) -> None:
    """Adds to the timeline, in order."""
    for entry in entries:
        connection.execute(
            timeline.insert().values(
                id=entry.id,
                incident_id=incident_id,
                at=entry.at,
                type=entry.type,
                actor=json.dumps(entry.actor.document()),
                detail=json.dumps(entry.detail, ensure_ascii=False),
            )
        )


def timeline_page(
    connection: Connection, incident_id: str, *, after: int, limit: int
) -> list[tuple[int, TimelineEntry]]:
    """Up to `limit` entries in the order they were made, behind the row number `after`."""
    query = (
        select(timeline)
        .where(timeline.c.incident_id == incident_id, timeline.c.key > after)
        .order_by(timeline.c.key)
        .limit(limit)
    )
    return [
        (
            row.key,
            TimelineEntry(id=row.id, at=row.at, type=row.type, actor=_actor(row.actor), detail=json.loads(row.detail)),
        )
        for row in connection.execute(query)
    ]


def last_of_channel(
    connection: Connection, incident_id: str, channel_id: str, types: Collection[str]
) -> TimelineEntry | None:
    """The newest of the entries of some types that name the channel."""
    query = (
        select(timeline)
        .where(timeline.c.incident_id == incident_id, timeline.c.type.in_(types))
        .order_by(timeline.c.key.desc())
    )
    for row in connection.execute(query):
        detail = json.loads(row.detail)
        if detail["channel_id"] == channel_id:
            return TimelineEntry(id=row.id, at=row.at, type=row.type, actor=_actor(row.actor), detail=detail)
    return None


def timeline_length(connection: Connection, incident_id: str) -> int:
    query = select(func.count()).select_from(timeline).where(timeline.c.incident_id == incident_id)
    return connection.scalar(query) or 0


def _count(connection: Connection, incident: Incident) -> None:
    """It belongs to the past of its monitor, where it has one."""
    if incident.monitor_key is not None:
        rewrites.count(connection, [incident.monitor_key])


def _next_number(connection: Connection, team_id: str) -> int:
    # Two processes on PostgreSQL would both see the same highest number; the second waits for the team's row here.
    connection.execute(select(teams.c.id).where(teams.c.id == team_id).with_for_update(key_share=True))
    query = select(func.coalesce(func.max(incidents.c.number), 0) + 1).where(incidents.c.team_id == team_id)
    return connection.scalar(query) or 1


def _query(team_id: str) -> Select[Any]:
    return _ANY.where(incidents.c.team_id == team_id)


def _narrowed(query: Select[Any], wanted: IncidentFilter) -> Select[Any]:
    """External ids are JSON text in the database: found roughly here, exactly by `_holds`."""
    if wanted.states:
        query = query.where(incidents.c.state.in_(wanted.states))
    for column, value in (
        (monitors.c.id, wanted.monitor_id),
        (incidents.c.severity, wanted.severity),
        (incidents.c.assignee, wanted.assignee),
        (incidents.c.source, wanted.source),
        (incidents.c.dedup_key, wanted.dedup_key),
    ):
        if value is not None:
            query = query.where(column == value)
    if wanted.external_id is not None:
        query = query.where(_may_be_linked(wanted.external_id[1]))
    if wanted.text is not None and wanted.text.isascii():  # SQLite folds the case of ASCII letters only
        query = query.where(incidents.c.title.icontains(wanted.text, autoescape=True))
    if wanted.triggered_from is not None:
        query = query.where(incidents.c.triggered_at >= wanted.triggered_from)
    if wanted.triggered_to is not None:
        query = query.where(incidents.c.triggered_at < wanted.triggered_to)
    return query


def _behind(query: Select[Any], after: tuple[int, str] | None, *, descending: bool) -> Select[Any]:
    if after is None:
        return query
    at, key = incidents.c.triggered_at, incidents.c.id
    beyond = (at < after[0]) if descending else (at > after[0])
    same = (key < after[1]) if descending else (key > after[1])
    return query.where(or_(beyond, (at == after[0]) & same))


def _holds(incident: Incident, wanted: IncidentFilter) -> bool:
    linked = wanted.external_id is None or _is_linked(incident, *wanted.external_id)
    return linked and (wanted.text or "").casefold() in incident.title.casefold()


def _may_be_linked(external_id: str) -> ColumnElement[bool]:
    return incidents.c.external_ids.contains(json.dumps(external_id, ensure_ascii=False), autoescape=True)


def _is_linked(incident: Incident, provider: str, external_id: str) -> bool:
    return incident.external_ids.get(provider, {}).get("id") == external_id


def _first(connection: Connection, query: Select[Any]) -> Incident | None:
    row = connection.execute(query.limit(1)).one_or_none()
    return None if row is None else _incident(row)


def _columns(incident: Incident) -> dict[str, Any]:
    return {
        "team_id": incident.team_id,
        "number": incident.number,
        "monitor_key": incident.monitor_key,
        "dedup_key": incident.dedup_key,
        "state": incident.state.value,
        "version": incident.version,
        "title": incident.title,
        "severity": incident.severity.value,
        "source": incident.source,
        "assignee": incident.assignee,
        "occurrences": incident.occurrences,
        "notify": incident.notify,
        "policy": incident.policy,
        "external_ids": json.dumps(incident.external_ids, ensure_ascii=False),
        "triggered_at": incident.triggered_at,
        "triggered_by": json.dumps(incident.triggered_by.document()),
        "acknowledged_at": incident.acknowledged_at,
        "acknowledged_by": _actor_text(incident.acknowledged_by),
        "resolved_at": incident.resolved_at,
        "resolved_by": _actor_text(incident.resolved_by),
        "resolve_reason": incident.resolve_reason,
        "escalation": json.dumps(incident.escalation.document(), ensure_ascii=False),
        "created_at": incident.created_at,
        "updated_at": incident.updated_at,
    }


def _incident(row: Row[Any]) -> Incident:
    return Incident(
        id=row.id,
        team_id=row.team_id,
        number=row.number,
        monitor_key=row.monitor_key,
        monitor_id=row.monitor_id,
        dedup_key=row.dedup_key,
        state=IncidentState(row.state),
        version=row.version,
        title=row.title,
        severity=Severity(row.severity),
        source=row.source,
        assignee=row.assignee,
        occurrences=row.occurrences,
        notify=bool(row.notify),
        policy=row.policy,
        external_ids=json.loads(row.external_ids),
        triggered_at=row.triggered_at,
        triggered_by=_actor(row.triggered_by),
        acknowledged_at=row.acknowledged_at,
        acknowledged_by=None if row.acknowledged_by is None else _actor(row.acknowledged_by),
        resolved_at=row.resolved_at,
        resolved_by=None if row.resolved_by is None else _actor(row.resolved_by),
        resolve_reason=row.resolve_reason,
        escalation=Escalation.read(json.loads(row.escalation)),
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _actor(text: str) -> Actor:
    document = json.loads(text)
    return Actor(document["type"], document["id"], document["label"])


def _actor_text(actor: Actor | None) -> str | None:
    return None if actor is None else json.dumps(actor.document())
