"""Events about probes: their bodies, as `events.schema.json` has them."""

from __future__ import annotations

from typing import Any

from statuspulse.domain.event import Event, EventType
from statuspulse.domain.times import SECOND, to_text
from statuspulse.storage.probes import Presence


def offline(presence: Presence, team_id: str, at: int, *, reason: str, last_seen_at: int, affected: int) -> Event:
    """To a team that has so many monitors in the probe's region."""
    data = {
        "probe": _summary(presence),
        "reason": reason,
        "last_seen_at": to_text(last_seen_at),
        "affected_monitors": affected,
    }
    return Event(type=EventType.PROBE_OFFLINE, team_id=team_id, at=at, data=data)


def online(presence: Presence, team_id: str, at: int, *, offline_since: int) -> Event:
    data = {"probe": _summary(presence), "offline_seconds": max(0, at - offline_since) / SECOND}
    return Event(type=EventType.PROBE_ONLINE, team_id=team_id, at=at, data=data)


def _summary(presence: Presence) -> dict[str, Any]:
    return {"object": "probe", "id": presence.id, "name": presence.name, "region": presence.region}
