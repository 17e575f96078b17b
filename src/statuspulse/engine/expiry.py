"""Tells once a day of a certificate that ends soon, from `expiry_warn_days` before its end on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from statuspulse.domain.result import Result
from statuspulse.domain.times import DAY
from statuspulse.engine import monitor_events
from statuspulse.engine.watchlist import Watched
from statuspulse.storage import events, expiry

_WARN_DAYS = 14


def warn(connection: Connection, watched: Watched, result: Result, now: int) -> bool:
    """Whether the result had a certificate of which people had to be told now; they are."""
    certificate = result.observation.certificate
    if certificate is None or certificate.not_after - now > _warn_days(watched.monitor.config) * DAY:
        return False
    told_at = expiry.told_at(connection, watched.monitor.key)
    if told_at is not None and now - told_at < DAY:
        return False
    expiry.note_told(connection, watched.monitor.key, now)
    events.record(connection, monitor_events.tls_expiring(watched.monitor, now, not_after=certificate.not_after))
    return True


def _warn_days(config: Mapping[str, Any]) -> int:
    """Types without TLS options of their own warn as those with options do by default."""
    options = config.get("tls")
    days: int = options["expiry_warn_days"] if isinstance(options, dict) else _WARN_DAYS
    return days
