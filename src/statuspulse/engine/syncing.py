"""Writes down what integrations are owed when an incident changes, in the transaction of the change."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from statuspulse.domain.actor import Actor
from statuspulse.domain.ids import new_ulid
from statuspulse.domain.incident import Move
from statuspulse.domain.integration import (
    Operation,
    SyncStatus,
    of_move,
    of_state,
    opens,
    takes_notes,
    tells_of_links,
    url_of,
)
from statuspulse.domain.message import Action, Facts, Message
from statuspulse.storage import incident_syncs, integrations, outbox
from statuspulse.storage.incident_syncs import Sync
from statuspulse.storage.incidents import Incident, TimelineEntry
from statuspulse.storage.integrations import Integration
from statuspulse.storage.outbox import Debt, Notification, StaleLeaseError, State

_ACTIONS = {
    Operation.ACKNOWLEDGE: Action.ACKNOWLEDGE,
    Operation.RESOLVE: Action.RESOLVE,
    Operation.NOTE: Action.UPDATE,
}

_OF_OPEN_ONES = (Operation.ACKNOWLEDGE.value, Operation.UNACKNOWLEDGE.value)


@dataclass(frozen=True, slots=True)
class _Told:
    """Who changed the incident and when, and what is known beside it."""

    actor: Actor
    facts: Facts
    now: int


def opened(connection: Connection, incident: Incident, actor: Actor, facts: Facts, now: int) -> None:
    """A new incident: it is made there, or is linked to what is there already."""
    for integration in _others(connection, incident, actor):
        link = incident.external_ids.get(integration.kind.value)
        if link is not None:
            sync = _bind(connection, incident, integration, link, now)
            if tells_of_links(integration.kind):
                _owe(connection, incident, sync, Operation.LINK, _Told(actor, facts, now))
        elif incident.notify and opens(integration.kind, integration.config, incident.severity.value):
            _begin(connection, incident, integration, _Told(actor, facts, now))


def changed(
    connection: Connection,
    before: Incident,
    after: Incident,
    move: Move,
    actor: Actor,
    now: int,
    *,
    facts: Facts,
    note: TimelineEntry | None,
) -> None:
    """A change: who made it knows it, all the others hear of it where they have the incident."""
    if not (move is not Move.NONE or note is not None or before.external_ids != after.external_ids):
        return
    pushed_to = [one for one in integrations.enabled_of_team(connection, after.team_id) if one.kind.is_pushed_to]
    if not pushed_to:
        return
    syncs = {sync.integration_id: sync for sync in incident_syncs.of_incident(connection, after.team_id, after.id)}
    for integration in pushed_to:
        sync = _linked(connection, before, after, integration, syncs.get(integration.id), now)
        if _is_by(actor, integration):
            if sync is not None:
                _in_step(connection, sync, after, move, now)
            continue
        operations = list(_operations(before, after, move, integration, sync, note))
        if sync is None:
            if Operation.REOPEN in operations and after.notify:
                _begin_again(connection, after, integration, _Told(actor, facts, now))
            continue
        for operation in operations:
            _owe(connection, after, sync, operation, _Told(actor, _with(facts, operation, note), now))


def _in_step(connection: Connection, sync: Sync, incident: Incident, move: Move, now: int) -> None:
    """They know the version, since it is their own change, so that no echo goes back.

    What was resolved there must not hear of an acknowledgement any more: it would open it again.
    """
    if move is Move.RESOLVE:
        outbox.end_pending(connection, sync.incident_id, sync.integration_id, now, _OF_OPEN_ONES)
    known = replace(sync, version=incident.version, updated_at=now)
    if move is not Move.NONE:
        is_behind = any(row.state is State.PENDING for row in _rows(connection, sync))
        known = replace(known, status=SyncStatus.PENDING if is_behind else SyncStatus.SYNCED, last_error=None)
    incident_syncs.save(connection, known)


def is_known_elsewhere(connection: Connection, incident: Incident) -> bool:
    """Whether another system has the incident, or is still going to get it."""
    syncs = incident_syncs.of_incident(connection, incident.team_id, incident.id)
    if any(sync.opened for sync in syncs):
        return True
    enabled = {one.id for one in integrations.enabled_of_team(connection, incident.team_id)} if syncs else set()
    return any(sync.integration_id in enabled and sync.status is not SyncStatus.FAILED for sync in syncs)


def again(connection: Connection, incident: Incident, now: int) -> int:
    """Whatever failed and still matters is due at once; answers how many rows that are."""
    enabled = {one.id for one in integrations.enabled_of_team(connection, incident.team_id)}
    revived = 0
    for sync in incident_syncs.of_incident(connection, incident.team_id, incident.id):
        if sync.integration_id in enabled:
            revived += _revive(connection, sync, now)
    return revived


def _revive(connection: Connection, sync: Sync, now: int) -> int:
    """What is dead is owed again unless a later change of state arrived; what waits for its next try is due."""
    rows = _rows(connection, sync)
    arrived = [row.seq for row in rows if row.state is State.DELIVERED and row.action != Operation.NOTE.value]
    newest = max(arrived, default=0)
    due = [
        row
        for row in rows
        if (row.state is State.DEAD and (row.action == Operation.NOTE.value or row.seq > newest))
        or (row.state is State.PENDING and row.next_attempt_at > now and not row.is_leased)
    ]
    revived = 0
    for row in due:
        with suppress(StaleLeaseError):  # somebody has it in hand again
            outbox.ask_again(connection, row, now)
            revived += 1
    if revived:
        incident_syncs.begin(connection, sync.incident_id, sync.integration_id, now)
    return revived


def _others(connection: Connection, incident: Incident, actor: Actor) -> list[Integration]:
    return [
        integration
        for integration in integrations.enabled_of_team(connection, incident.team_id)
        if integration.kind.is_pushed_to and not _is_by(actor, integration)
    ]


def _is_by(actor: Actor, integration: Integration) -> bool:
    return actor.type == "integration" and actor.id == integration.id


def _operations(
    before: Incident,
    after: Incident,
    move: Move,
    integration: Integration,
    sync: Sync | None,
    note: TimelineEntry | None,
) -> list[Operation]:
    """What has to be done there, in order. What was just linked is brought to the state that it has here."""
    provider = integration.kind.value
    is_new_there = before.external_ids.get(provider) != after.external_ids.get(provider)
    operation = of_state(after.state) if is_new_there else of_move(move)
    if sync is not None and not sync.opened and operation is Operation.RESOLVE and sync.status is SyncStatus.FAILED:
        operation = None  # it never came to be there
    found = [] if operation is None else [operation]
    if note is not None and takes_notes(integration.kind, integration.config):
        found.insert(0 if operation is Operation.RESOLVE else len(found), Operation.NOTE)
    if is_new_there and after.external_ids.get(provider) is not None and tells_of_links(integration.kind):
        found.insert(0, Operation.LINK)
    return found


def _linked(
    connection: Connection, before: Incident, after: Incident, integration: Integration, sync: Sync | None, now: int
) -> Sync | None:
    """How the incident stands there once a change of its external ids is taken in."""
    provider = integration.kind.value
    was, link = before.external_ids.get(provider), after.external_ids.get(provider)
    if was == link:
        return sync
    if link is None:
        outbox.end_pending(connection, after.id, integration.id, now)
        incident_syncs.remove(connection, after.id, integration.id)
        return None
    if sync is not None and sync.external_id == link["id"]:
        renamed = replace(sync, url=link["url"], updated_at=now)
        incident_syncs.save(connection, renamed)
        return renamed
    return _bind(connection, after, integration, link, now)


def _bind(
    connection: Connection, incident: Incident, integration: Integration, link: Mapping[str, str | None], now: int
) -> Sync:
    """What is there already stands for the incident from now on."""
    sync = Sync(
        incident_id=incident.id,
        integration_id=integration.id,
        team_id=incident.team_id,
        provider=integration.kind.value,
        external_id=link["id"],
        url=link["url"] or url_of(integration.kind, integration.config, link["id"] or ""),
        opened=True,
        status=SyncStatus.SYNCED,
        version=incident.version,
        updated_at=now,
    )
    incident_syncs.save(connection, sync)
    return sync


def _begin(connection: Connection, incident: Incident, integration: Integration, told: _Told) -> None:
    sync = Sync(
        incident_id=incident.id,
        integration_id=integration.id,
        team_id=incident.team_id,
        provider=integration.kind.value,
        updated_at=told.now,
    )
    incident_syncs.save(connection, sync)
    _owe(connection, incident, sync, Operation.TRIGGER, told)


def _begin_again(connection: Connection, incident: Incident, integration: Integration, told: _Told) -> None:
    """One that was opened before the integration was there is made there when it comes back."""
    if opens(integration.kind, integration.config, incident.severity.value):
        _begin(connection, incident, integration, told)


def _with(facts: Facts, operation: Operation, note: TimelineEntry | None) -> Facts:
    """A note that has a place of its own there is told once."""
    if operation is Operation.NOTE and note is not None:
        return replace(facts, note=note.detail["text"])
    return replace(facts, note=None)


def _owe(connection: Connection, incident: Incident, sync: Sync, operation: Operation, told: _Told) -> None:
    """A new change gives what failed before it another try: without a trigger nothing else arrives."""
    if sync.status is SyncStatus.FAILED:
        _revive(connection, sync, told.now)
    message = Message(
        action=_ACTIONS.get(operation, Action.TRIGGER),
        at=told.now,
        incident_id=incident.id,
        number=incident.number,
        title=incident.title,
        severity=incident.severity.value,
        state=incident.state.value,
        actor=told.actor.label,
        assignee=incident.assignee,
        facts=told.facts,
    )
    debt = Debt(
        team_id=incident.team_id,
        event_id=new_ulid("evt", told.now),
        incident_id=incident.id,
        destination=sync.integration_id,
        action=operation.value,
        dedup_key=incident.id,
        body={"message": message.document(), "version": incident.version},
    )
    outbox.owe(connection, [debt], told.now)
    incident_syncs.begin(connection, incident.id, sync.integration_id, told.now)


def _rows(connection: Connection, sync: Sync) -> list[Notification]:
    return outbox.of_destination(connection, sync.incident_id, sync.integration_id)
