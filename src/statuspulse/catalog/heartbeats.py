"""The keys of jobs that call us: made with the monitor, shown to its owners, replaced when they leak."""

from __future__ import annotations

import secrets

from sqlalchemy import Connection

from statuspulse.catalog.refusals import Detail, InvalidInputError
from statuspulse.domain.access import PING_KEY_PURPOSE
from statuspulse.domain.secret import Secret
from statuspulse.engine import heartbeats as engine
from statuspulse.storage import heartbeats
from statuspulse.storage.monitors import Monitor
from statuspulse.storage.sealing import Keyring, Place

_KEY_BYTES = 16


def begin(connection: Connection, keyring: Keyring, monitor: Monitor, now: int) -> None:
    """A key for a new monitor, and a place for what comes of its pings."""
    engine.region_key(connection, now)
    heartbeats.insert(connection, monitor.key, *_new_key(keyring, monitor))


def rotate(connection: Connection, keyring: Keyring, monitor: Monitor) -> None:
    """Another key; the one before ends with the transaction. Raises InvalidInputError for a monitor that is checked."""
    if heartbeats.of_monitor(connection, monitor.key) is None:
        message = f"is {monitor.type}: only a heartbeat has a ping key"
        raise InvalidInputError([Detail(code="parameter_conflict", path=("type",), message=message)])
    heartbeats.replace_key(connection, monitor.key, *_new_key(keyring, monitor))


def key_of(keyring: Keyring, monitor: Monitor, key_sealed: bytes) -> Secret:
    """The key as the job calls it; raises WrongKeyError."""
    return keyring.open(_place(monitor), key_sealed)


def _new_key(keyring: Keyring, monitor: Monitor) -> tuple[bytes, bytes]:
    """Digest and sealed text of a new key of 128 random bits."""
    key = secrets.token_urlsafe(_KEY_BYTES)
    return keyring.digest(PING_KEY_PURPOSE, key), keyring.seal(_place(monitor), key)


def _place(monitor: Monitor) -> Place:
    return Place("heartbeats", monitor.id, "key_sealed", monitor.team_id)
