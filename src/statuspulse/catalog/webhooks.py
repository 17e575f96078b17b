"""What people do with webhook endpoints: create, change, rotate, disable, enable, send again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from statuspulse.catalog.delivery_addresses import check_address
from statuspulse.catalog.identifiers import fresh_id
from statuspulse.catalog.members.webhook import (
    LONGEST_REPLAY_DAYS,
    Filters,
    HeaderMember,
    ReplayRequest,
    WebhookEdit,
    WebhookRequest,
)
from statuspulse.catalog.named_monitors import check_monitors
from statuspulse.catalog.references import Change
from statuspulse.catalog.refusals import Detail, InvalidInputError, RefusedError, as_expected, existing
from statuspulse.delivery import endpoint_events
from statuspulse.delivery.endpoint_state import disable
from statuspulse.domain.difference import Difference
from statuspulse.domain.ids import new_ulid
from statuspulse.domain.secret import MASK, Secret
from statuspulse.domain.times import DAY, SECOND
from statuspulse.domain.webhook import DisabledReason, Format, Payload, Wanted, is_of, new_secret
from statuspulse.egress.policy import Policy, Purpose
from statuspulse.storage import audit, events, webhook_deliveries, webhooks
from statuspulse.storage.events import EventFilter, LoggedEvent
from statuspulse.storage.sealing import Keyring
from statuspulse.storage.webhook_deliveries import WebhookDelivery
from statuspulse.storage.webhooks import Endpoint, place_of

# So many events a second are sent again.
_REPLAY_SPACING_MS = SECOND // 5
_MOST_REPLAYED = 5000
_FILTERED = ("filters", "monitor_ids")


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """An endpoint with its new secret, which nobody can read again."""

    endpoint: Endpoint
    secret: Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """How many events are going to be sent again."""

    id: str
    count: int


def create(connection: Connection, keyring: Keyring, policy: Policy, change: Change, sent: WebhookRequest) -> Issued:
    """A new endpoint; raises InvalidInputError for an address that may not be dialled and monitors there are not."""
    check_address("url", sent.url, Purpose.DELIVERY_WEBHOOK, policy)
    check_monitors(connection, change.team_id, sent.filters.monitor_ids, _FILTERED)
    endpoint_id, secret = fresh_id(connection, "whk", webhooks.exists), new_secret()
    endpoint = Endpoint(
        id=endpoint_id,
        team_id=change.team_id,
        url=sent.url,
        description=sent.description,
        wanted=_wanted(sent.events, sent.filters),
        format=Format(sent.format),
        payload=Payload(sent.payload),
        headers_sealed=_sealed_headers(keyring, endpoint_id, change.team_id, sent.headers),
        secret_sealed=keyring.seal(place_of(endpoint_id, change.team_id, "secret"), secret),
        enabled=sent.enabled,
        disabled_reason=None if sent.enabled else DisabledReason.MANUAL,
        disabled_at=None if sent.enabled else change.now,
        created_at=change.now,
        updated_at=change.now,
    )
    webhooks.insert(connection, endpoint)
    _record(connection, change, "webhook.created", endpoint, [Difference("/url", None, endpoint.url)])
    return Issued(endpoint=endpoint, secret=Secret(secret))


def get(connection: Connection, team_id: str, endpoint_id: str) -> Endpoint:
    """Raises MissingError."""
    return existing(webhooks.get(connection, team_id, endpoint_id))


def edit(
    connection: Connection,
    keyring: Keyring,
    policy: Policy,
    change: Change,
    endpoint_id: str,
    sent: WebhookEdit,
    if_match: frozenset[str] | None = None,
) -> Endpoint:
    """What is not sent stays; raises MissingError, InvalidInputError, PreconditionFailedError, RefusedError."""
    stored = _to_change(connection, change, endpoint_id, if_match)
    if sent.url is not None and sent.url != stored.url:
        check_address("url", sent.url, Purpose.DELIVERY_WEBHOOK, policy)
    if sent.filters is not None:  # one that was deleted since may be sent back
        check_monitors(connection, change.team_id, sent.filters.monitor_ids, _FILTERED, but=stored.wanted.monitor_ids)
    edited = _edited(keyring, stored, sent)
    if edited != stored:
        edited = replace(edited, version=stored.version + 1, updated_at=change.now)
        webhooks.save(connection, edited)
        _record(connection, change, "webhook.updated", edited, _differences(stored, edited))
    if sent.enabled is False:
        return disable(connection, edited, DisabledReason.MANUAL, change.actor, change.now)
    return enable(connection, change, endpoint_id, replay_missed=False) if sent.enabled else edited


def enable(connection: Connection, change: Change, endpoint_id: str, *, replay_missed: bool) -> Endpoint:
    """The endpoint gets what happens from now on, and with `replay_missed` what it has not taken of the last week.

    Raises MissingError.
    """
    stored = existing(webhooks.get_to_change(connection, change.team_id, endpoint_id))
    if stored.enabled:
        return stored
    on = replace(
        stored,
        enabled=True,
        disabled_reason=None,
        disabled_at=None,
        failing_since=None,
        failures=0,
        version=stored.version + 1,
        updated_at=change.now,
    )
    webhooks.save(connection, on)
    _record(connection, change, "webhook.enabled", on)
    if replay_missed:
        oldest = change.now - LONGEST_REPLAY_DAYS * DAY
        since = max(stored.created_at, oldest)
        _send_again(connection, on, change, since, change.now + 1, types=None, only_failed=True)
    return on


def remove(connection: Connection, change: Change, endpoint_id: str, if_match: frozenset[str] | None = None) -> None:
    """The endpoint and its deliveries are gone; raises MissingError, PreconditionFailedError, RefusedError."""
    stored = _to_change(connection, change, endpoint_id, if_match)
    webhooks.remove(connection, change.team_id, endpoint_id)
    _record(connection, change, "webhook.deleted", stored, [Difference("/url", stored.url, None)])


def rotate(connection: Connection, keyring: Keyring, change: Change, endpoint_id: str, overlap_seconds: int) -> Issued:
    """Another secret; the one of before signs, too, for a while. Raises MissingError."""
    stored, secret = existing(webhooks.get_to_change(connection, change.team_id, endpoint_id)), new_secret()
    rotated = replace(
        stored,
        secret_sealed=keyring.seal(stored.place("secret"), secret),
        previous_sealed=stored.secret_sealed if overlap_seconds else None,
        previous_until=change.now + overlap_seconds * SECOND if overlap_seconds else None,
        version=stored.version + 1,
        updated_at=change.now,
    )
    webhooks.save(connection, rotated)
    _record(connection, change, "webhook.secret_rotated", rotated)
    return Issued(endpoint=rotated, secret=Secret(secret))


def ping(connection: Connection, change: Change, endpoint_id: str) -> str:
    """The endpoint is owed an `endpoint.ping`; answers the id of the delivery. Raises MissingError, RefusedError."""
    endpoint = _that_takes_events(connection, change.team_id, endpoint_id)
    event = endpoint_events.ping(endpoint, change.actor, change.now)
    _, delivery_id = events.record_for(connection, event, endpoint.id)
    return delivery_id


def delivery_of(connection: Connection, team_id: str, endpoint_id: str, delivery_id: str) -> WebhookDelivery:
    """Raises MissingError."""
    get(connection, team_id, endpoint_id)
    return existing(webhook_deliveries.get(connection, endpoint_id, delivery_id))


def redeliver(connection: Connection, change: Change, endpoint_id: str, delivery_id: str) -> WebhookDelivery:
    """The same event once more, as a delivery of its own; raises MissingError, RefusedError."""
    endpoint = _that_takes_events(connection, change.team_id, endpoint_id)
    before = delivery_of(connection, change.team_id, endpoint_id, delivery_id)
    if before.is_leased:
        raise RefusedError("delivery_in_progress", "The delivery is just being made; ask again when it has ended.")
    event = existing(events.get(connection, change.team_id, before.event_id))
    return _owe_again(connection, endpoint, event, change.now, change.now)


def redeliver_event(
    connection: Connection, change: Change, event_id: str, endpoint_ids: Sequence[str] | None
) -> list[WebhookDelivery]:
    """The event once more to the named endpoints, or to all that want it by its type.

    Raises MissingError, and InvalidInputError for endpoints that the team does not have.
    """
    event = existing(events.get(connection, change.team_id, event_id))
    enabled = {endpoint.id: endpoint for endpoint in webhooks.enabled_of_team(connection, change.team_id)}
    if endpoint_ids is None:
        chosen = [one for one in enabled.values() if any(is_of(event.type, name) for name in one.wanted.types)]
    else:
        unknown = [place for place, one in enumerate(endpoint_ids) if one not in enabled]
        if unknown:
            message = "names no enabled webhook endpoint of this team"
            raise InvalidInputError(
                [Detail(code="reference_not_found", path=("endpoint_ids", place), message=message) for place in unknown]
            )
        chosen = [enabled[one] for one in endpoint_ids]
    return [_owe_again(connection, endpoint, event, change.now, change.now) for endpoint in chosen]


def replay(connection: Connection, change: Change, endpoint_id: str, sent: ReplayRequest) -> Replay:
    """Events of a span once more, five a second; raises MissingError, InvalidInputError, RefusedError."""
    endpoint = _that_takes_events(connection, change.team_id, endpoint_id)
    if not 0 <= sent.end - sent.begin <= LONGEST_REPLAY_DAYS * DAY:
        message = f"must lie up to {LONGEST_REPLAY_DAYS} days after from"
        raise InvalidInputError([Detail(code="parameter_out_of_range", path=("to",), message=message)])
    count = _send_again(
        connection, endpoint, change, sent.begin, sent.end, types=sent.types, only_failed=sent.only_failed
    )
    return Replay(id=new_ulid("rpl", change.now), count=count)


def _to_change(connection: Connection, change: Change, endpoint_id: str, if_match: frozenset[str] | None) -> Endpoint:
    """The endpoint in a version that the caller expects; nobody else changes it before the transaction ends."""
    found = webhooks.get_to_change(connection, change.team_id, endpoint_id)
    return as_expected(found, if_match, is_needed=change.needs_precondition)


def _send_again(
    connection: Connection,
    endpoint: Endpoint,
    change: Change,
    since: int,
    until: int,
    *,
    types: Sequence[str] | None,
    only_failed: bool,
) -> int:
    wanted = EventFilter(since=since, until=until)
    found = events.page(connection, endpoint.team_id, wanted, after=None, descending=False, limit=_MOST_REPLAYED)
    meant = [
        event
        for event in found
        if events.is_wanted(connection, event, endpoint.wanted)
        and (types is None or any(is_of(event.type, name) for name in types))
    ]
    if only_failed:
        settled = webhook_deliveries.settled_or_owed(connection, endpoint.id, [event.id for event in meant])
        meant = [event for event in meant if event.id not in settled]
    for place, event in enumerate(meant):
        _owe_again(connection, endpoint, event, change.now, change.now + place * _REPLAY_SPACING_MS)
    return len(meant)


def _owe_again(connection: Connection, endpoint: Endpoint, event: LoggedEvent, now: int, at: int) -> WebhookDelivery:
    delivery_id = webhook_deliveries.owe(connection, endpoint.id, event.id, event.type, now, at=at, redelivery=True)
    made = webhook_deliveries.get(connection, endpoint.id, delivery_id)
    assert made is not None
    return made


def _that_takes_events(connection: Connection, team_id: str, endpoint_id: str) -> Endpoint:
    endpoint = get(connection, team_id, endpoint_id)
    if not endpoint.enabled:
        message = "The endpoint is disabled; enable it first."
        raise RefusedError("resource_in_use", message)
    return endpoint


def _edited(keyring: Keyring, stored: Endpoint, sent: WebhookEdit) -> Endpoint:
    types = stored.wanted.types if sent.events is None else tuple(sent.events)
    wanted = replace(stored.wanted, types=types) if sent.filters is None else _wanted(types, sent.filters)
    headers = stored.headers_sealed
    if sent.headers is not None:
        headers = _sealed_headers(keyring, stored.id, stored.team_id, sent.headers)
    return replace(
        stored,
        url=stored.url if sent.url is None else sent.url,
        description=sent.description if "description" in sent.model_fields_set else stored.description,
        wanted=wanted,
        format=stored.format if sent.format is None else Format(sent.format),
        payload=stored.payload if sent.payload is None else Payload(sent.payload),
        headers_sealed=headers,
    )


def _wanted(types: Sequence[str], filters: Filters) -> Wanted:
    return Wanted(
        types=tuple(types),
        monitor_ids=tuple(filters.monitor_ids),
        tags=tuple(filters.tags),
        severities=tuple(filters.severities),
    )


def _sealed_headers(keyring: Keyring, endpoint_id: str, team_id: str, headers: Sequence[HeaderMember]) -> bytes:
    text = json.dumps([[header.name, header.value] for header in headers])
    return keyring.seal(place_of(endpoint_id, team_id, "headers"), text)


def _differences(before: Endpoint, after: Endpoint) -> list[Difference]:
    members = ("url", "description", "format", "payload")
    shown = [
        Difference(f"/{name}", getattr(before, name), getattr(after, name))
        for name in members
        if getattr(before, name) != getattr(after, name)
    ]
    if before.wanted != after.wanted:
        shown.append(Difference("/events", list(before.wanted.types), list(after.wanted.types)))
    if before.headers_sealed != after.headers_sealed:
        shown.append(Difference("/headers", MASK, MASK))
    return shown


def _record(
    connection: Connection, change: Change, action: str, endpoint: Endpoint, diff: Sequence[Difference] = ()
) -> None:
    audit.record(
        connection,
        change.team_id,
        at=change.now,
        actor=change.actor,
        action=action,
        resource=endpoint.id,
        diff=diff,
    )
