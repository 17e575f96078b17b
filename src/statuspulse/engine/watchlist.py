"""What the engine knows of each monitor: a cache of the database that any write may throw away."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from statuspulse.domain.configuration import rules_of
from statuspulse.domain.health import Rules, Standing
from statuspulse.domain.result import Result
from statuspulse.storage import results, states, watch
from statuspulse.storage.states import MonitorState
from statuspulse.storage.watch import WatchedMonitor


@dataclass(slots=True)
class Sight:
    """What a region has seen of a monitor (ms): newest slot stored and counted, end of sight, newest counted result."""

    stored: int | None = None
    counted: int | None = None
    seen_until: int | None = None
    last: Result | None = None


@dataclass(slots=True)
class Watched:
    """One monitor with its rules, its state and the standing and sight of each of its regions."""

    monitor: WatchedMonitor
    rules: Rules
    regions: dict[int, str]
    state: MonitorState
    standings: dict[int, Standing] = field(default_factory=dict)
    sights: dict[int, Sight] = field(default_factory=dict)
    last_decision_at: int = 0

    @property
    def config(self) -> dict[str, Any]:
        return self.monitor.config


class Watchlist:
    """The live monitors by key and id. Used by the writer thread alone, inside its transactions.

    It mirrors committed rows and those of the running transaction: when a transaction fails, `forget` it all.
    """

    def __init__(self) -> None:
        self.by_key: dict[int, Watched] = {}
        self.by_id: dict[str, Watched] = {}
        self._revision = 0
        self._region_keys: dict[str, int] = {}

    def forget(self) -> None:
        self.by_key.clear()
        self.by_id.clear()
        self._revision = 0

    def refresh(self, connection: Connection) -> list[Watched]:
        """Takes over what changed since the last call; answers the monitors that are new or changed."""
        current = watch.revision(connection)
        if current == self._revision:
            return []
        self._region_keys = watch.region_keys(connection)
        changed = [self._take(connection, monitor) for monitor in watch.changed_since(connection, self._revision)]
        self._revision = current
        return [watched for watched in changed if watched is not None]

    def _take(self, connection: Connection, monitor: WatchedMonitor) -> Watched | None:
        before = self.by_key.pop(monitor.key, None)
        self.by_id.pop(monitor.id, None)
        if monitor.deleted:
            return None
        watched = self._load(connection, monitor)
        if before is not None:
            _carry_over(connection, before, watched)
        self.by_key[monitor.key] = watched
        self.by_id[monitor.id] = watched
        return watched

    def _load(self, connection: Connection, monitor: WatchedMonitor) -> Watched:
        watched = Watched(
            monitor=monitor,
            rules=rules_of(monitor.config),
            regions={self._region_keys[slug]: slug for slug in monitor.config["regions"]},
            state=states.state_of(connection, monitor.key),
            standings=states.standings_of(connection, monitor.key),
        )
        watched.last_decision_at = watched.state.votes_from
        for region_key in watched.regions:
            last = results.last_slots(connection, monitor.key, region_key)
            seen_until = None
            if last.counted is not None:
                # What was told of a time before the votes, as by a seed file, leaves no hole up to them.
                seen_until = max(last.counted + watched.rules.interval, watched.state.votes_from)
            watched.sights[region_key] = Sight(stored=last.stored, counted=last.counted, seen_until=seen_until)
            watched.last_decision_at = max(watched.last_decision_at, last.observed_at or 0)
        return watched


def _carry_over(connection: Connection, before: Watched, after: Watched) -> None:
    """After an edit the longer gap between two grids is no hole, and a new target or rule starts new streaks."""
    longest = max(before.rules.interval, after.rules.interval)
    after.last_decision_at = max(before.last_decision_at, after.last_decision_at)
    for region_key, sight in after.sights.items():
        if sight.counted is not None:
            sight.seen_until = sight.counted + longest
        if region_key in before.sights:
            sight.last = before.sights[region_key].last
    if before.monitor.judged_from_version != after.monitor.judged_from_version:
        after.standings = {key: standing.without_streaks() for key, standing in after.standings.items()}
        states.save_standings(
            connection, {(after.monitor.key, key): standing for key, standing in after.standings.items()}
        )
