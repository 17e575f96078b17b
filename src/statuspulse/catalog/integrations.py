"""What people do with integrations: create, change, delete, try out, and have a failed sync tried again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from statuspulse.catalog.channel_changes import TEST_SPACING, TooSoonError
from statuspulse.catalog.delivery_addresses import check_address
from statuspulse.catalog.identifiers import fresh_id
from statuspulse.catalog.incidents import get as get_incident
from statuspulse.catalog.incidents import judged_again
from statuspulse.catalog.members import integration as members
from statuspulse.catalog.members.integration import COMMON, NAMES, SECRETS, IntegrationEdit
from statuspulse.catalog.references import Change
from statuspulse.catalog.refusals import Detail, InvalidInputError, RefusedError, as_expected, existing
from statuspulse.domain import alert
from statuspulse.domain.access import INTEGRATION_SECRET_PURPOSE
from statuspulse.domain.difference import Difference
from statuspulse.domain.ids import new_ulid
from statuspulse.domain.integration import Kind, Operation
from statuspulse.domain.message import Action, Message
from statuspulse.domain.secret import MASK, Secret
from statuspulse.domain.times import SECOND
from statuspulse.egress.policy import Policy, Purpose
from statuspulse.engine import syncing
from statuspulse.storage import audit, integrations, outbox
from statuspulse.storage.incidents import Incident
from statuspulse.storage.integrations import Integration
from statuspulse.storage.outbox import Debt
from statuspulse.storage.sealing import Keyring

_TOKEN = "api_token"  # noqa: S105 - the name of a member


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """An integration with the secret that was just made for it where one was; nobody can read it again."""

    integration: Integration
    secret: Secret | None


def create(connection: Connection, keyring: Keyring, policy: Policy, change: Change, sent: Mapping[str, Any]) -> Made:
    """Raises InvalidInputError, and RefusedError where the team has one of the kind and may not have another."""
    request = members.read_request(sent)
    kind = Kind(request.kind)
    config, given = _parted(kind, request.model_dump())
    _check(config, policy)
    secret = Secret(alert.new_secret()) if kind is Kind.ALERTMANAGER else None
    if secret is not None:
        given["secret"] = secret
    integration_id = fresh_id(connection, "int", integrations.exists)
    made = Integration(
        id=integration_id,
        team_id=change.team_id,
        kind=kind,
        name=request.name or NAMES[kind],
        enabled=request.enabled,
        config=config,
        secrets_sealed=integrations.sealed(keyring, integration_id, change.team_id, given),
        digest=None if secret is None else digest_of(keyring, secret.reveal()),
        created_at=change.now,
        updated_at=change.now,
    )
    try:
        with connection.begin_nested():
            integrations.insert(connection, made)
    except IntegrityError:
        message = f"The team has an integration with {NAMES[kind]}; change that one, or delete it first."
        raise RefusedError("name_taken", message) from None
    _record(connection, change, "integration.created", made, [Difference("/kind", None, kind.value)])
    return Made(integration=made, secret=secret)


def get(connection: Connection, team_id: str, integration_id: str) -> Integration:
    """Raises MissingError."""
    return existing(integrations.get(connection, team_id, integration_id))


def edit(
    connection: Connection,
    keyring: Keyring,
    policy: Policy,
    change: Change,
    integration_id: str,
    sent: Mapping[str, Any],
    if_match: frozenset[str] | None = None,
) -> Integration:
    """What is not sent stays; raises MissingError, InvalidInputError, PreconditionFailedError, RefusedError."""
    stored = _to_change(connection, change, integration_id, if_match)
    wanted = members.read_edit(stored.kind, sent)
    before = stored.secrets(keyring)
    config, secrets = _edited(stored, before, wanted)
    _check(config, policy)
    has_others = secrets != before
    edited = replace(
        stored,
        name=wanted.name or stored.name,
        enabled=stored.enabled if wanted.enabled is None else wanted.enabled,
        config=config,
        # Sealing the same once more makes other bytes.
        secrets_sealed=integrations.sealed(keyring, stored.id, stored.team_id, secrets)
        if has_others
        else stored.secrets_sealed,
        # Who we are there depends on the account.
        own_author=None if has_others else stored.own_author,
    )
    if edited == stored:
        return stored
    edited = replace(edited, version=stored.version + 1, updated_at=change.now)
    integrations.save(connection, edited)
    _record(connection, change, "integration.updated", edited, _differences(stored, edited, others=has_others))
    return edited


def remove(connection: Connection, change: Change, integration_id: str, if_match: frozenset[str] | None = None) -> None:
    """What it was still owed ends; what it made on the other side stays there.

    Raises MissingError, PreconditionFailedError, RefusedError.
    """
    stored = _to_change(connection, change, integration_id, if_match)
    integrations.remove(connection, change.team_id, integration_id)
    _record(connection, change, "integration.deleted", stored, [Difference("/name", stored.name, None)])


def rotate(connection: Connection, keyring: Keyring, change: Change, integration_id: str, overlap_seconds: int) -> Made:
    """Another secret; the one of before is good for the overlap, and one from before that ends.

    Raises MissingError, and RefusedError for a kind whose secrets are not ours to make.
    """
    stored = existing(integrations.get_to_change(connection, change.team_id, integration_id))
    if stored.kind is not Kind.ALERTMANAGER:
        message = f"The secrets of {NAMES[stored.kind]} are made there; change the integration instead."
        raise RefusedError("resource_in_use", message)
    before, secret = stored.secrets(keyring)["secret"], Secret(alert.new_secret())
    held = {"secret": secret, **({integrations.PREVIOUS: before} if overlap_seconds else {})}
    rotated = replace(
        stored,
        secrets_sealed=integrations.sealed(keyring, stored.id, stored.team_id, held),
        digest=digest_of(keyring, secret.reveal()),
        previous_digest=stored.digest if overlap_seconds else None,
        previous_until=change.now + overlap_seconds * SECOND if overlap_seconds else None,
        version=stored.version + 1,
        updated_at=change.now,
    )
    integrations.save(connection, rotated)
    _record(connection, change, "integration.secret_rotated", rotated)
    return Made(integration=rotated, secret=secret)


def test(connection: Connection, change: Change, integration_id: str) -> str | None:
    """The integration is owed a try-out; answers its id, None for a kind that only tells us.

    Raises MissingError, RefusedError for a disabled one, TooSoonError.
    """
    stored = get(connection, change.team_id, integration_id)
    if not stored.enabled:
        raise RefusedError("resource_in_use", "The integration is disabled; enable it first.")
    if not stored.kind.is_pushed_to:
        return None
    last = outbox.last_at(connection, integration_id, Operation.TEST.value)
    if last is not None and change.now - last < TEST_SPACING:
        raise TooSoonError(-(-(TEST_SPACING - (change.now - last)) // SECOND))
    event_id = new_ulid("evt", change.now)
    message = Message.without_incident(Action.TEST, f"{stored.name} works", at=change.now, actor=change.actor.label)
    debt = Debt(
        team_id=change.team_id,
        event_id=event_id,
        incident_id=None,
        destination=integration_id,
        action=Operation.TEST.value,
        dedup_key=event_id,
        body={"message": message.document(), "version": 0},
    )
    return outbox.owe(connection, [debt], change.now)[0]


def sync_again(connection: Connection, change: Change, incident_id: str) -> tuple[Incident, int]:
    """Whatever failed of the incident is tried again at once; answers how much that is.

    Raises MissingError.
    """

    def again() -> tuple[Incident, int]:
        incident = get_incident(connection, change.team_id, incident_id)
        count = syncing.again(connection, incident, change.now)
        audit.record(
            connection,
            change.team_id,
            at=change.now,
            actor=change.actor,
            action="incident.sync_retried",
            resource=incident.id,
        )
        return incident, count

    return judged_again(connection, again)


def digest_of(keyring: Keyring, secret: str) -> bytes:
    """By which the integration with the secret is found."""
    return keyring.digest(INTEGRATION_SECRET_PURPOSE, secret)


def _to_change(
    connection: Connection, change: Change, integration_id: str, if_match: frozenset[str] | None
) -> Integration:
    """The integration in a version that the caller expects; nobody else changes it before the transaction ends."""
    found = integrations.get_to_change(connection, change.team_id, integration_id)
    return as_expected(found, if_match, is_needed=change.needs_precondition)


def _parted(kind: Kind, given: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Secret]]:
    """The members that may be shown, and those that are sealed."""
    config = {name: value for name, value in given.items() if name not in COMMON}
    secrets: dict[str, Secret] = {}
    for place in (config, config.get("rest") or {}):
        for name in SECRETS[kind]:
            text = place.pop(name, None)
            if text is not None:
                secrets[name] = Secret(text)
    return config, secrets


def _edited(
    stored: Integration, before: Mapping[str, Secret], wanted: IntegrationEdit
) -> tuple[dict[str, Any], dict[str, Secret]]:
    said = wanted.model_dump(include=wanted.model_fields_set - set(COMMON))
    secrets = dict(before)
    for name in ("webhook_secret", *(("rest",) if stored.kind is Kind.PAGERDUTY else ())):
        if name in said and said[name] is None:
            secrets.pop(_TOKEN if name == "rest" else name, None)
    config, given = _parted(stored.kind, said)
    secrets |= given
    if config.get("rest") is not None and _TOKEN not in secrets:
        message = "is required, because none is stored"
        raise InvalidInputError([Detail(code="parameter_missing", path=("rest", _TOKEN), message=message)])
    return {**stored.config, **config}, secrets


def _check(config: Mapping[str, Any], policy: Policy) -> None:
    if "base_url" in config:
        check_address("base_url", config["base_url"], Purpose.DELIVERY_JIRA, policy)


def _differences(before: Integration, after: Integration, *, others: bool) -> list[Difference]:
    shown = [
        Difference(f"/{name}", getattr(before, name), getattr(after, name))
        for name in ("name", "enabled")
        if getattr(before, name) != getattr(after, name)
    ]
    shown += [
        Difference(f"/{name}", before.config.get(name), value)
        for name, value in after.config.items()
        if before.config.get(name) != value
    ]
    return [*shown, Difference("/secrets", MASK, MASK)] if others else shown


def _record(
    connection: Connection,
    change: Change,
    action: str,
    integration: Integration,
    diff: Sequence[Difference] = (),
) -> None:
    audit.record(
        connection, change.team_id, at=change.now, actor=change.actor, action=action, resource=integration.id, diff=diff
    )
