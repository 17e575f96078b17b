"""Regions and probes as answers show them: their rows with what is heard of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from statuspulse.api.dependencies import Services
from statuspulse.catalog.members.monitor import DEFAULT_REGIONS
from statuspulse.domain.schedule import owner
from statuspulse.domain.times import to_text
from statuspulse.engine.membership import Members
from statuspulse.storage import probes
from statuspulse.storage.probes import Probe, Region


@dataclass(frozen=True, slots=True)
class Peers:
    """The probes of a region, and what they check together."""

    drained: dict[str, bool]
    monitor_ids: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """How many monitors each probe checks, by the sets of members that hold now."""

    by_probe: Counter[str]

    @classmethod
    def of(cls, services: Services, peers: dict[str, Peers], now: int) -> Shares:
        counted: Counter[str] = Counter()
        for region, found in peers.items():
            members: Members = services.membership.of(region, found.drained, now)
            if members.probe_ids:
                counted.update(owner(monitor_id, members.probe_ids) for monitor_id in found.monitor_ids)
        return cls(by_probe=counted)


def peers_of(connection: Connection, services: Services, shown: list[Probe]) -> dict[str, Peers]:
    """What the shares of some probes depend on, by region."""
    return {
        region: Peers(
            drained={probe.id: probe.draining for probe in probes.of_region(connection, key)},
            monitor_ids=services.drift.monitor_ids(connection, region),
        )
        for region, key in {probe.region: probe.region_key for probe in shown}.items()
    }


def probe_document(services: Services, probe: Probe, shares: Shares, now: int) -> dict[str, Any]:
    liveness = services.parts.liveness
    pulse, measured = liveness.pulse(probe.id), liveness.clock(probe.id).measured
    is_online = pulse is not None and pulse.is_online(now)
    seen = [at for at in (probe.last_seen_at, None if pulse is None else pulse.heard_at) if at is not None]
    return {
        "object": "probe",
        "id": probe.id,
        "team_id": None,
        "name": probe.name,
        "region": probe.region,
        "status": status_of(probe, is_online=is_online),
        "blind": list(pulse.heartbeat.blind) if pulse is not None and is_online else [],
        "version": None if pulse is None else pulse.heartbeat.version,
        "last_seen_at": to_text(max(seen)) if seen else None,
        "clock_skew_ms": measured,
        "capacity": None if pulse is None else pulse.heartbeat.capacity,
        "assigned": shares.by_probe[probe.id],
        "ip": None if pulse is None else pulse.ip,
        "config_version": probe.version,
        "created_at": to_text(probe.created_at),
        "updated_at": to_text(probe.updated_at),
    }


def status_of(probe: Probe, *, is_online: bool) -> str:
    if not is_online:
        return "offline"
    return "draining" if probe.draining else "online"


def region_document(services: Services, region: Region, of_region: list[Probe], now: int) -> dict[str, Any]:
    return {
        "object": "region",
        "slug": region.slug,
        "name": region.name,
        "probes_online": sum(services.parts.liveness.is_online(probe.id, now) for probe in of_region),
        "probes_total": len(of_region),
        "default": region.slug in DEFAULT_REGIONS,
        "team_id": None,
        "created_at": to_text(region.created_at),
    }
