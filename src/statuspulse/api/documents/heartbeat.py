"""What answers show of a job that calls us: its URL, and when it has called and should call again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from statuspulse.catalog import heartbeats
from statuspulse.catalog.monitor_views import MonitorView
from statuspulse.catalog.status_views import Head
from statuspulse.domain.health import State
from statuspulse.domain.heartbeat import Beat
from statuspulse.domain.secret import MASK
from statuspulse.domain.times import to_text
from statuspulse.storage.sealing import Keyring

_CLAIMS = {
    State.PENDING: "waits for its first ping",
    State.PAUSED: "is paused; its pings count for nothing",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PingUrls:
    """Shows ping URLs, with the key in them only to those who may change monitors."""

    keyring: Keyring
    public_url: str
    with_keys: bool

    def members(self, view: MonitorView) -> dict[str, str]:
        """The member of an answer; none for a monitor that is checked."""
        if view.line is None:
            return {}
        key = MASK
        if self.with_keys:
            key = heartbeats.key_of(self.keyring, view.monitor, view.line.key_sealed).reveal()
        return {"ping_url": f"{self.public_url}/ping/{key}"}


def heartbeat_document(head: Head) -> dict[str, Any] | None:
    """What the status shows in place of regions."""
    beat = head.sight.beat
    if beat is None:
        return None
    newest = head.sight.regions[0].newest
    failure = None if newest is None else newest.failure
    return {
        "last_ping_at": _time(beat.last_ping_at),
        "running_since": _time(beat.started_at),
        "expected_at": _time(beat.expected_at),
        "due_at": _time(beat.due_at),
        "failure": None if failure is None else {"class": failure.kind.value, "detail": failure.detail},
    }


def claim(head: Head, beat: Beat) -> str | None:
    """What the status says in words; None where the words for any monitor will do."""
    sight = head.sight
    if sight.state.state is State.DOWN:
        newest = sight.regions[0].newest
        failure = None if newest is None else newest.failure
        return None if failure is None else f"is down: {failure.detail}"
    if sight.state.state is State.UP and beat.started_at is not None:
        return f"is up and running since {to_text(beat.started_at)}"
    if sight.state.state is State.UNKNOWN:
        return f"is unknown since {to_text(sight.state.since)}: its ping may have come while nobody listened"
    return _CLAIMS.get(sight.state.state)


def _time(at: int | None) -> str | None:
    return None if at is None else to_text(at)
