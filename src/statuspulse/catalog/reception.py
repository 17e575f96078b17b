"""Takes in what other systems send without a token: proved by signature or secret over the raw bytes, then stored."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import Connection

from statuspulse.catalog.integrations import digest_of
from statuspulse.domain.ids import new_ulid
from statuspulse.domain.integration import Kind, UnreadableError
from statuspulse.domain.secret import Secret
from statuspulse.domain.vendor_signatures import is_bearer_s, is_hub_s, is_pagerduty_s
from statuspulse.engine.inbound.worker import ALERTS, reports_of
from statuspulse.storage import inbound, integrations, sync_log
from statuspulse.storage.integrations import Integration
from statuspulse.storage.sealing import Keyring, WrongKeyError
from statuspulse.storage.sync_log import Said

# Names in lower case.
Headers = Mapping[str, str]

_LONGEST_ID = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """How messages of one kind prove themselves, by which secret, and how a copy is known again."""

    secret: str
    header: str
    proves: Callable[[str, str, bytes], bool]
    id_of: Callable[[Headers, bytes, int], str]


def _event_id(_headers: Headers, body: bytes, _now: int) -> str:
    """That of the event: no time is signed, so that nothing else tells a copy that somebody kept."""
    try:
        found = json.loads(body)["event"]["id"]
    except (ValueError, TypeError, KeyError, RecursionError):
        found = None
    return found if isinstance(found, str) and 0 < len(found) <= _LONGEST_ID else hashlib.sha256(body).hexdigest()


def _identifier(headers: Headers, body: bytes, _now: int) -> str:
    """Jira's is the same at every try."""
    return headers.get("x-atlassian-webhook-identifier", "")[:_LONGEST_ID] or hashlib.sha256(body).hexdigest()


def _new(_headers: Headers, _body: bytes, now: int) -> str:
    """The same body may be news: an alert that is said again still fires."""
    return new_ulid("inb", now)


def _is_bearer(secret: str, header: str, _body: bytes) -> bool:
    return is_bearer_s(secret, header)


_WAYS = {
    Kind.PAGERDUTY: _Way(
        secret="webhook_secret",  # noqa: S106 - the name of a member
        header="x-pagerduty-signature",
        proves=is_pagerduty_s,
        id_of=_event_id,
    ),
    Kind.JIRA: _Way(
        secret="webhook_secret",  # noqa: S106
        header="x-hub-signature",
        proves=is_hub_s,
        id_of=_identifier,
    ),
    Kind.ALERTMANAGER: _Way(
        secret="secret",  # noqa: S106
        header="authorization",
        proves=_is_bearer,
        id_of=_new,
    ),
}
# Held against where there is no such integration, or no secret, so that the time tells nothing.
_NONE = Secret("no secret at all")


def is_authentic(integration: Integration | None, keyring: Keyring, headers: Headers, body: bytes, now: int) -> bool:
    """Whether the message is from who has the secret of the integration, or the one of before while that is good."""
    way = _WAYS[Kind.PAGERDUTY if integration is None else integration.kind]
    known: Mapping[str, Secret] = {}
    if integration is not None:
        with suppress(WrongKeyError):
            known = integration.secrets(keyring)
    secrets = [known.get(way.secret)]
    if integration is not None and (integration.previous_until or 0) > now:
        secrets.append(known.get(integrations.PREVIOUS))
    given = headers.get(way.header, "")
    held = [way.proves((one or _NONE).reveal(), given, body) and one is not None for one in secrets]
    return any(held)


def of_sender(connection: Connection, keyring: Keyring, headers: Headers, now: int) -> Integration | None:
    """The integration of alerts whose secret the call bears."""
    scheme, _, given = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return None
    found = integrations.by_digest(connection, digest_of(keyring, given.strip()), now)
    return found if found is not None and found.kind is Kind.ALERTMANAGER else None


def receive(connection: Connection, integration: Integration, headers: Headers, body: bytes, now: int) -> None:
    """Stores an authentic message; a copy of one that is known changes nothing."""
    way = _WAYS[integration.kind]
    message_id = way.id_of(headers, body, now)
    form = integration.kind.value
    is_new = inbound.take(connection, integration.id, message_id=message_id, form=form, body=body, now=now)
    _note(connection, integration, now, None if is_new else "copy")


def receive_alerts(connection: Connection, integration: Integration, body: bytes, now: int) -> None:
    """The same for what Prometheus sends where it takes us for an Alertmanager."""
    inbound.take(connection, integration.id, message_id=new_ulid("inb", now), form=ALERTS, body=body, now=now)
    _note(connection, integration, now, None)


def check_readable(integration: Integration, body: bytes, now: int, *, form: str | None = None) -> None:
    """Senders of alerts are told at once that their template cannot be read; raises UnreadableError."""
    if integration.kind is Kind.ALERTMANAGER:
        reports_of(form or integration.kind.value, body, now)


def refuse(connection: Connection, integration: Integration, error: UnreadableError, now: int) -> None:
    """An authentic message that could not be read shows in the log."""
    integrations.note_received(connection, integration.id, now)
    said = Said(at=now, direction=sync_log.IN, what="message", outcome="unreadable", error=str(error))
    sync_log.append(connection, integration.id, said)


def _note(connection: Connection, integration: Integration, now: int, outcome: str | None) -> None:
    integrations.note_received(connection, integration.id, now)
    if outcome is not None:
        said = Said(at=now, direction=sync_log.IN, what="message", outcome=outcome)
        sync_log.append(connection, integration.id, said)
