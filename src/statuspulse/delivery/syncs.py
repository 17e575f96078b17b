"""Rows of the outbox that integrations are owed: how they are opened, and what is written down of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from sqlalchemy import Connection

from statuspulse.delivery import settlement as settlements
from statuspulse.delivery import sync_events
from statuspulse.delivery.channel import Outcome
from statuspulse.delivery.provider import Account, Known, Provider, Push, Pushed, Tried
from statuspulse.delivery.settlement import LONGEST_SILENCE, Settlement, Target
from statuspulse.domain.actor import Actor
from statuspulse.domain.ids import is_id, new_ulid
from statuspulse.domain.integration import Operation, SyncStatus
from statuspulse.domain.message import Message
from statuspulse.storage import events, incident_syncs, incidents, integrations, outbox, sync_log
from statuspulse.storage.incident_syncs import Sync
from statuspulse.storage.incidents import TimelineEntry
from statuspulse.storage.integrations import Integration
from statuspulse.storage.outbox import Delivery, Notification, State
from statuspulse.storage.sealing import Keyring, WrongKeyError
from statuspulse.storage.sync_log import Said


class UnpushableError(Exception):
    """There is nobody to push the change to; the text is the word for it."""


def is_push(row: Notification) -> bool:
    """Whether the row is owed to an integration and not to a channel."""
    return is_id(row.destination, "int")


def target_of(connection: Connection, row: Notification) -> Target:
    integration = integrations.get(connection, row.team_id, row.destination)
    sync = None if row.incident_id is None else incident_syncs.get(connection, row.incident_id, row.destination)
    earlier = outbox.deliveries_of(connection, row.team_id, row.id) if row.attempts else []
    return Target(integration, sync, tuple(earlier))


class Syncs:
    """Pushes by the provider of each kind, and writes down what came of it."""

    def __init__(self, keyring: Keyring, providers: Mapping[str, Provider], *, now: Callable[[], int]) -> None:
        self._keyring = keyring
        self._providers = providers
        self._now = now

    def spacing_ms(self, target: Target) -> int:
        provider = self._providers.get(target.kind)
        return 0 if provider is None else provider.spacing_ms

    def open(self, row: Notification, target: Target) -> Callable[[], Awaitable[Outcome]]:
        """The attempt, ready to be made; raises UnpushableError."""
        integration = target.integration
        if integration is None:
            raise UnpushableError("integration_deleted")
        provider = self._providers.get(target.kind)
        if not integration.enabled or provider is None:
            raise UnpushableError("integration_disabled" if provider else "integration_kind_unknown")
        try:
            account = Account(config=integration.config, secrets=integration.secrets(self._keyring))
            if row.action == Operation.TEST.value:
                return partial(provider.test, account, key=row.event_id, at=self._now())
            if target.sync is None:
                raise UnpushableError("unlinked")
            return partial(provider.push, account, self._push(row, target.sync, target.deliveries))
        except WrongKeyError:
            raise UnpushableError("wrong_key") from None

    def _push(self, row: Notification, sync: Sync, deliveries: Sequence[Delivery]) -> Push:
        kept = None if sync.kept_sealed is None else self._keyring.open(sync.place, sync.kept_sealed)
        return Push(
            operation=Operation(row.action),
            message=Message.of(row.body["message"]),
            known=Known(external_id=sync.external_id, url=sync.url, opened=sync.opened, kept=kept),
            # Of an earlier lease nobody knows whether its request went out.
            repeated=row.lease_epoch > 1,
            key=row.event_id,
            at=self._now(),
            tried=_tried(row, deliveries),
        )

    def store(self, connection: Connection, row: Notification, target: Target, settled: Settlement, now: int) -> None:
        """Writes down row, log, incident and timeline; raises StaleLeaseError and writes nothing."""
        settlements.record(connection, row, settled, now)
        integration = target.integration
        if integration is None or not integrations.exists(connection, integration.id):
            return
        attempts = row.attempts + (0 if settled.delivery is None else 1)
        sync_log.append(connection, integration.id, _said(row, target.sync, settled, attempts, now))
        receipt = settled.receipt
        if settled.error is None:
            author = receipt.author if isinstance(receipt, Pushed) else None
            integrations.note_success(connection, integration.id, now, author)
        elif integration.enabled:
            integrations.note_failure(connection, integration.id, settled.error)
        # Read again: somebody may have linked or unlinked it meanwhile.
        sync = None if row.incident_id is None else incident_syncs.get(connection, row.incident_id, integration.id)
        if sync is None:
            return
        if settled.error is None:
            self._arrived(connection, row, integration, sync, receipt, now)
        elif settled.state is State.DEAD or now - row.owed_at >= LONGEST_SILENCE:
            status = None if settled.delivery is None else settled.delivery.provider_status
            error = sync_events.error_document(integration, settled.error, status)
            _failed(connection, row, integration, sync, error, attempts=attempts, now=now, settled=settled)

    def give_up(self, connection: Connection, destination: str, target: Target, now: int) -> list[Notification]:
        """Ends what an integration whose breaker is open was owed for the whole lifetime; answers what that was."""
        expired = settlements.expire(connection, destination, now)
        for row in expired:
            sync = None if row.incident_id is None else incident_syncs.get(connection, row.incident_id, destination)
            if target.integration is not None and sync is not None:
                error = sync_events.error_document(target.integration, settlements.EXPIRED, row.provider_status)
                settled = settlements.undeliverable(settlements.EXPIRED)
                sync_log.append(connection, destination, _said(row, sync, settled, row.attempts, now))
                _failed(
                    connection,
                    row,
                    target.integration,
                    sync,
                    error,
                    attempts=row.attempts,
                    now=now,
                    settled=settled,
                )
        return expired

    def _arrived(
        self,
        connection: Connection,
        row: Notification,
        integration: Integration,
        sync: Sync,
        receipt: object,
        now: int,
    ) -> None:
        pushed = receipt if isinstance(receipt, Pushed) else Pushed(0)
        is_note = row.action == Operation.NOTE.value
        known = replace(sync, external_id=None, url=None) if pushed.detached else sync
        if pushed.external_id is not None:
            same = pushed.external_id == known.external_id
            known = replace(known, external_id=pushed.external_id, url=pushed.url or (known.url if same else None))
        kept = known.kept_sealed if pushed.keep is None else self._keyring.seal(sync.place, pushed.keep.reveal())
        is_behind = any(
            other.state is State.PENDING
            for other in outbox.of_destination(connection, sync.incident_id, integration.id)
        )
        incident_syncs.save(
            connection,
            replace(
                known,
                kept_sealed=kept,
                opened=known.opened or not is_note,
                status=SyncStatus.PENDING if is_behind else SyncStatus.SYNCED,
                last_error=None,
                version=max(known.version, int(row.body["version"])),
                updated_at=now,
            ),
        )
        if (known.external_id, known.url) != (sync.external_id, sync.url):
            link(connection, integration, replace(known, updated_at=now))
        detail = {"provider": sync.provider, "operation": row.action, "external_id": known.external_id}
        _entry(connection, sync.incident_id, "synced", integration, detail, now)


def _tried(row: Notification, deliveries: Sequence[Delivery]) -> tuple[Tried, ...]:
    """Leases of which nobody recorded a delivery ended with their process, when the row was touched last or before."""
    recorded = [Tried(one.started_at, one.error) for one in deliveries]
    if row.lease_epoch - 1 > row.attempts:
        recorded.append(Tried(row.updated_at, None))
    return tuple(recorded)


def link(connection: Connection, integration: Integration, known: Sync) -> None:
    """The incident itself tells what it is there."""
    external = None if known.external_id is None else {"id": known.external_id, "url": known.url}
    entry = _made(integration, "linked", {"external_ids": {known.provider: external}}, known.updated_at)
    incidents.link(connection, known.team_id, known.incident_id, known.provider, external, entry)


def _failed(
    connection: Connection,
    row: Notification,
    integration: Integration,
    sync: Sync,
    error: dict[str, Any],
    *,
    attempts: int,
    now: int,
    settled: Settlement,
) -> None:
    """Told when it is over, and once while it is still tried."""
    is_final = settled.state is State.DEAD
    is_news = is_final or sync.status is not SyncStatus.FAILED
    failed = replace(sync, status=SyncStatus.FAILED, last_error=error, updated_at=now)
    incident_syncs.save(connection, failed)
    incident = incidents.get(connection, row.team_id, sync.incident_id)
    if not is_news or incident is None:
        return
    detail = {"provider": sync.provider, "operation": row.action, "attempts": attempts, "error": error["code"]}
    _entry(connection, sync.incident_id, "sync_failed", integration, detail | {"final": is_final}, now)
    event = sync_events.failed(
        incident, integration, Operation(row.action), now, attempts=attempts, is_final=is_final, error=error
    )
    events.record(connection, event)


def _said(row: Notification, sync: Sync | None, settled: Settlement, attempt: int, now: int) -> Said:
    delivery = settled.delivery
    outcome = "dead" if delivery is None else delivery.ending.value
    return Said(
        at=now,
        direction=sync_log.OUT,
        what=row.action,
        outcome=outcome,
        incident_id=row.incident_id,
        external_id=None if sync is None else sync.external_id,
        attempt=attempt,
        http_status=None if delivery is None else delivery.provider_status,
        latency_ms=None if delivery is None else delivery.latency_ms,
        error=settled.error,
    )


def _entry(
    connection: Connection, incident_id: str, kind: str, integration: Integration, detail: dict[str, Any], now: int
) -> None:
    incidents.append(connection, incident_id, [_made(integration, kind, detail, now)])


def _made(integration: Integration, kind: str, detail: dict[str, Any], now: int) -> TimelineEntry:
    actor = Actor("integration", integration.id, integration.name)
    return TimelineEntry(id=new_ulid("evt", now), at=now, type=kind, actor=actor, detail=detail)
