"""What the engine knows of each monitor: a cache of the database that any write may throw away."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from sqlalchemy import Connection

from statuspulse.domain.configuration import rules_of
from statuspulse.domain.health import Rules, Standing
from statuspulse.domain.heartbeat import HEARTBEAT
from statuspulse.domain.result import Result
from statuspulse.domain.schedule import Grid, Strategy
from statuspulse.domain.slowness import ROUNDS, Sample, newest_rounds
from statuspulse.storage import monitors, results, states, watch
from statuspulse.storage.results import NO_SLOTS, LastSlots
from statuspulse.storage.states import MonitorState
from statuspulse.storage.watch import WatchedMonitor

_LOADED_AT_ONCE = 500


@dataclass(slots=True)
class Sight:
    """What a region has seen of a monitor (ms): newest slot stored, counted and voted, end of sight, newest result.

    A late result may count, where it confirms what was decided, and never votes: `is_late` while the newest is one. It
    `is_blind` while its newest result says that its probe had no network of its own; `probe_id` is whose the last
    counted one is, None where that is not known any more.
    """

    stored: int | None = None
    counted: int | None = None
    voted: int | None = None
    seen_until: int | None = None
    last: Result | None = None
    probe_id: str | None = None
    is_blind: bool = False
    is_late: bool = False


@dataclass(slots=True)
class Watched:
    """One monitor with its rules, its state and the standing and sight of each of its regions.

    `samples` are the latencies of the last rounds, where there is a limit for them. A doubt lives here alone: after a
    restart or an edit the schedule decides by itself.
    """

    monitor: WatchedMonitor
    type: str
    rules: Rules
    regions: dict[int, str]
    state: MonitorState
    standings: dict[int, Standing] = field(default_factory=dict)
    sights: dict[int, Sight] = field(default_factory=dict)
    last_decision_at: int = 0
    samples: list[Sample] = field(default_factory=list)
    is_doubted: bool = False
    mutes_flapping: bool = True

    @property
    def is_muted(self) -> bool:
        """Whether people hear of the flapping and of no single change."""
        return self.mutes_flapping and self.state.flapping.is_on

    def standing_of(self, region_key: int) -> Standing:
        return self.standings.get(region_key) or Standing()

    def grid(self, region_key: int) -> Grid:
        """The slots of one of its regions."""
        place = list(self.regions).index(region_key)
        strategy = Strategy.ROTATE if self.rules.rotates else Strategy.PARALLEL
        return Grid.of(self.monitor.id, self.rules.interval, place, len(self.regions), strategy)


class Watchlist:
    """The live monitors by key and id. Used by the writer thread alone, inside its transactions.

    It mirrors committed rows and those of the running transaction: when a transaction fails, `forget` it all.
    `silent` are the regions whose probes were heard and are heard no more; they vote on nothing. `blind` are those
    whose probes see nothing of some classes of addresses; they have no vote on targets of these. `flapping` says of
    those that flap when that ends unless they change again.
    """

    def __init__(self, *, mutes_flapping: bool = True) -> None:
        self._mutes_flapping = mutes_flapping
        self.silent: frozenset[str] = frozenset()
        self.blind: dict[str, frozenset[str]] = {}
        self.flapping: dict[int, int] = {}
        self.by_key: dict[int, Watched] = {}
        self.by_id: dict[str, Watched] = {}
        self._revision = 0
        self._region_keys: dict[str, int] = {}

    def forget(self) -> None:
        self.by_key.clear()
        self.by_id.clear()
        self.flapping.clear()
        self._revision = 0

    def refresh(self, connection: Connection) -> list[Watched]:
        """Takes over what changed since the last call; answers the monitors that are new or changed."""
        current = watch.revision(connection)
        if current == self._revision:
            return []
        self._region_keys = watch.region_keys(connection)
        changed = watch.changed_since(connection, self._revision)
        taken = [watched for some in _in_parts(changed) for watched in self._take(connection, some)]
        self._revision = current
        return taken

    def note_flapping(self, watched: Watched) -> None:
        """Keeps in mind when the flapping of a monitor ends, if it flaps."""
        ends_at = watched.state.flapping.ends_at(watched.rules.interval)
        if ends_at is None:
            self.flapping.pop(watched.monitor.key, None)
        else:
            self.flapping[watched.monitor.key] = ends_at

    def _take(self, connection: Connection, changed: Sequence[WatchedMonitor]) -> list[Watched]:
        before = {monitor.key: self.by_key.pop(monitor.key, None) for monitor in changed}
        for monitor in changed:
            self.by_id.pop(monitor.id, None)
            self.flapping.pop(monitor.key, None)
        taken = self._load(connection, [monitor for monitor in changed if _is_checked(monitor)])
        for watched in taken:
            earlier = before[watched.monitor.key]
            if earlier is not None:
                _carry_over(connection, earlier, watched)
            self.by_key[watched.monitor.key] = watched
            self.by_id[watched.monitor.id] = watched
            self.note_flapping(watched)
        return taken

    def _load(self, connection: Connection, found: Sequence[WatchedMonitor]) -> list[Watched]:
        """What the rows say, read for all of them together: a start has thousands to load."""
        keys = [monitor.key for monitor in found]
        moods = monitors.states(connection, keys)
        standings = states.standings_by_monitor(connection, keys)
        slots = results.last_slots(connection, keys, list(self._region_keys.values()))
        loaded = []
        for monitor in found:
            config = monitor.config
            watched = Watched(
                monitor=monitor,
                type=config["type"],
                rules=rules_of(config),
                regions={self._region_keys[slug]: slug for slug in config["regions"]},
                state=moods[monitor.key],
                standings=standings.get(monitor.key, {}),
                mutes_flapping=self._mutes_flapping,
            )
            watched.last_decision_at = watched.state.votes_from
            for region_key in watched.regions:
                last = slots.get((monitor.key, region_key), NO_SLOTS)
                watched.sights[region_key] = _sight(last, watched)
                watched.last_decision_at = max(watched.last_decision_at, last.observed_at or 0)
            _share_sight(watched)
            watched.samples = _samples(connection, watched)
            loaded.append(watched)
        return loaded


def _is_checked(monitor: WatchedMonitor) -> bool:
    """What calls us is waited for elsewhere, by its rows alone."""
    return not monitor.deleted and monitor.config["type"] != HEARTBEAT


def _in_parts(changed: Sequence[WatchedMonitor]) -> Iterator[Sequence[WatchedMonitor]]:
    """As many at once as a query may well name."""
    rest = iter(changed)
    while part := list(islice(rest, _LOADED_AT_ONCE)):
        yield part


def _sight(last: LastSlots, watched: Watched) -> Sight:
    seen_until = None
    if last.counted is not None:
        # What was told of a time before the votes, as by a seed file, leaves no hole up to them.
        seen_until = max(last.counted + watched.rules.interval, watched.state.votes_from)
    return Sight(
        stored=last.stored,
        counted=last.counted,
        voted=last.voted,
        seen_until=seen_until,
        is_blind=last.is_blind,
        is_late=last.is_late,
    )


def _share_sight(watched: Watched) -> None:
    """Where the regions take turns, each sees for all of them."""
    if watched.rules.rotates:
        ends = [sight.seen_until for sight in watched.sights.values() if sight.seen_until is not None]
        for sight in watched.sights.values():
            sight.seen_until = max(ends, default=None)


def _samples(connection: Connection, watched: Watched) -> list[Sample]:
    """The latencies of the last rounds, made under the rules and since the start that hold now."""
    stored = [sight.stored for sight in watched.sights.values() if sight.stored is not None]
    if watched.rules.degraded_latency_us is None or not stored:
        return []
    since = max(max(stored) - (ROUNDS + 1) * watched.rules.interval, watched.state.votes_from)
    found = results.latencies(
        connection, watched.monitor.key, list(watched.regions), since, watched.monitor.judged_from_version
    )
    grid = watched.grid(next(iter(watched.regions)))
    return newest_rounds([Sample(round=grid.round_of(at), latency_us=latency_us) for at, latency_us in found])


def _carry_over(connection: Connection, before: Watched, after: Watched) -> None:
    """After an edit the longer gap between two grids is no hole, and a new target or rule starts new streaks."""
    longest = max(before.rules.interval, after.rules.interval)
    after.last_decision_at = max(before.last_decision_at, after.last_decision_at)
    for region_key, sight in after.sights.items():
        if sight.counted is not None:
            # Up to where votes began, a pause or a silence has written down what was missed.
            sight.seen_until = max(sight.counted + longest, after.state.votes_from)
        if region_key in before.sights:
            sight.last, sight.probe_id = before.sights[region_key].last, before.sights[region_key].probe_id
    _share_sight(after)
    if before.monitor.judged_from_version != after.monitor.judged_from_version:
        after.standings = {key: standing.without_streaks() for key, standing in after.standings.items()}
        states.save_standings(
            connection, {(after.monitor.key, key): standing for key, standing in after.standings.items()}
        )
