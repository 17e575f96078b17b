"""Takes in batches of results: each item once, in order, with everything that follows from it in one transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise

from sqlalchemy import Connection

from statuspulse.bus.bus import Batch
from statuspulse.domain.health import Health, Standing, State
from statuspulse.domain.result import Gap, Result, ResultKind, Verdict
from statuspulse.domain.times import DAY, SECOND
from statuspulse.domain.uptime import Span
from statuspulse.engine import availability, coverage, covering, expiry, hindsight, rollups, transitions
from statuspulse.engine.blindness import blind_to
from statuspulse.engine.evaluation import Evaluated, Recheck, eligible, evaluate, look_now
from statuspulse.engine.watchlist import Sight, Watched, Watchlist
from statuspulse.protocol.conversion import InvalidItemError, gap_of, result_of
from statuspulse.protocol.documents import Item, Receipt, Rejection, RejectionCode
from statuspulse.storage import late_sights, monitors, positions, results, states
from statuspulse.storage.late_sights import LateSight
from statuspulse.storage.results import Placed, PlacedGap

# A probe's clock may be this far ahead before a slot counts as one that has not been yet.
_AHEAD_LIMIT = 30 * SECOND
# No spool keeps anything for so long: whoever tells of it makes it up.
_OLDEST = 2 * DAY
# What is not known to be down, and is known.
_LOOKED_AT = frozenset({Health.UP, Health.DEGRADED})


class RefusedItemError(Exception):
    """An item of a good batch that is refused for good."""

    def __init__(self, code: RejectionCode, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Look:
    """What a job of a person has found, under the identity that it is stored by; a test is stored nowhere."""

    job_id: str
    result: Result


@dataclass(slots=True)
class Tally:
    """What a batch brought, for the receipt, the metrics, whoever waits for a look, and the rechecks that follow.

    `manual` holds results that are history and count nowhere; those in `late` are among the placed ones, and moved
    nothing when they came.
    """

    placed: list[Placed] = field(default_factory=list)
    late: list[Placed] = field(default_factory=list)
    manual: list[Placed] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)
    rechecks: list[Recheck] = field(default_factory=list)
    gaps: list[PlacedGap] = field(default_factory=list)
    standings: dict[tuple[int, int], Standing] = field(default_factory=dict)
    late_sights: dict[tuple[int, int], LateSight | None] = field(default_factory=dict)
    unseen: list[tuple[int, Span]] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)
    duplicates: int = 0
    accepted: int = 0
    transitions: int = 0
    warnings: int = 0

    @property
    def monitor_keys(self) -> set[int]:
        """The monitors that anything was stored of, by key."""
        results_of = {one.monitor_key for one in (*self.placed, *self.manual)}
        return results_of | {one.monitor_key for one in self.gaps} | {key for key, _ in self.unseen}


def commit(connection: Connection, watchlist: Watchlist, batch: Batch, now: int) -> tuple[Receipt, Tally]:
    """Stores what is new in the batch. Runs inside the writer's transaction and knows of nothing outside it."""
    watchlist.refresh(connection)
    tally = Tally()
    through = positions.committed_through(connection, batch.probe_key)
    items = batch.results.results
    if not _connects(batch, through):
        return _receipt(tally, through), tally
    for item in items:
        if item.seq <= through:
            tally.duplicates += 1
            continue
        _take(connection, watchlist, batch, item, now, tally)
        through = item.seq
    through = max(through, batch.results.dropped_through or 0)
    results.insert(connection, [*tally.placed, *tally.manual])
    rollups.touch(connection, tally.placed)
    results.insert_gaps(connection, tally.gaps)
    states.save_standings(connection, tally.standings)
    late_sights.save(connection, tally.late_sights)
    states.add_unseen(connection, tally.unseen)
    hindsight.mark(connection, watchlist, tally.late, tally.unseen, now)
    positions.advance(connection, batch.probe_key, through, now)
    return _receipt(tally, through), tally


def give_up(connection: Connection, batch: Batch, now: int) -> Receipt:
    """Refuses every item of a batch that cannot be worked with, though nothing is wrong with its form."""
    message = "this server fails at it: its log tells why"
    rejected = [Rejection(seq=item.seq, code="invalid", message=message) for item in batch.results.results]
    through = max(positions.committed_through(connection, batch.probe_key), *(one.seq for one in rejected))
    positions.advance(connection, batch.probe_key, through, now)
    return _receipt(Tally(rejected=rejected), through)


def in_order(items: list[Item]) -> bool:
    """Whether `seq` counts up by one over the batch."""
    return all(later.seq == earlier.seq + 1 for earlier, later in pairwise(items))


def _connects(batch: Batch, through: int) -> bool:
    """A batch starts at or before the next open `seq`, unless the spool says that it dropped those between."""
    items = batch.results.results
    reach = max(through, batch.results.dropped_through or 0)
    return not items or items[0].seq <= reach + 1


def _take(connection: Connection, watchlist: Watchlist, batch: Batch, item: Item, now: int, tally: Tally) -> None:
    try:
        if item.kind == "manual":
            _keep(connection, watchlist, batch, item, now, tally)
            return
        watched = _watched(watchlist, batch, item)
        if item.kind == "gap":
            gap = _past(gap_of(item, batch.region), now)
            tally.gaps.append(PlacedGap(watched.monitor.key, batch.region_key, gap))
            tally.accepted += 1
        else:
            result = _checked(result_of(item, batch.region), now)
            if result.kind is ResultKind.RECHECK:
                result = _off_the_grid(watched, batch.region_key, result)
            _evaluate(connection, watchlist, watched, batch, result, now, tally)
    except InvalidItemError as error:
        tally.rejected.append(Rejection(seq=item.seq, code="invalid", message=str(error)))
    except RefusedItemError as error:
        tally.rejected.append(Rejection(seq=item.seq, code=error.code, message=str(error)))


def _keep(connection: Connection, watchlist: Watchlist, batch: Batch, item: Item, now: int, tally: Tally) -> None:
    """Takes what a job found: it moves no standing and no sight, and what a test found is not even stored."""
    result = _checked(result_of(item, batch.region), now)
    if item.monitor_id:
        watched = _watched(watchlist, batch, item)
        result = _beside_the_slots(connection, watched, batch.region_key, result, tally)
        tally.manual.append(Placed(watched.monitor.key, batch.region_key, batch.probe_key, result))
    tally.accepted += 1
    if item.job_id is not None:
        tally.looks.append(Look(item.job_id, result))


def _beside_the_slots(
    connection: Connection, watched: Watched, region_key: int, result: Result, tally: Tally
) -> Result:
    """Moves the moment on by milliseconds until it is no slot's: the result that belongs there must find its place."""
    grid, at = watched.grid(region_key), result.scheduled_at
    while grid.next_slot(at - 1) == at or _known(connection, tally, watched.monitor.key, region_key, at):
        at += 1
    return replace(result, scheduled_at=at)


def _off_the_grid(watched: Watched, region_key: int, result: Result) -> Result:
    """A recheck is no slot: one that began at the very instant of a slot stands a millisecond later, also next time."""
    at = result.scheduled_at
    is_on_it = watched.grid(region_key).next_slot(at - 1) == at
    return replace(result, scheduled_at=at + 1) if is_on_it else result


def _watched(watchlist: Watchlist, batch: Batch, item: Item) -> Watched:
    watched = watchlist.by_id.get(item.monitor_id)
    if watched is None:
        raise RefusedItemError("unknown_monitor", "the monitor does not exist any more")
    if batch.region_key not in watched.regions:
        raise RefusedItemError("not_assigned", "the monitor is not checked from this region")
    return watched


def _past(gap: Gap, now: int) -> Gap:
    if gap.to_at > now + _AHEAD_LIMIT:
        raise RefusedItemError("in_the_future", "the gap lies in the future")
    return gap


def _checked(result: Result, now: int) -> Result:
    if result.scheduled_at > now + _AHEAD_LIMIT:
        raise RefusedItemError("in_the_future", "the slot lies in the future")
    if result.scheduled_at < now - _OLDEST:
        raise RefusedItemError("invalid", "the slot is older than two days, and a spool keeps one")
    return result


def _evaluate(
    connection: Connection,
    watchlist: Watchlist,
    watched: Watched,
    batch: Batch,
    result: Result,
    now: int,
    tally: Tally,
) -> None:
    key, region_key = watched.monitor.key, batch.region_key
    stored = watched.sights[region_key].stored
    is_late = stored is not None and result.scheduled_at <= stored
    if is_late and _known(connection, tally, key, region_key, result.scheduled_at):
        tally.duplicates += 1
        return
    tally.placed.append(Placed(key, region_key, batch.probe_key, result))
    tally.accepted += 1
    if is_late:
        tally.late.append(tally.placed[-1])
        return
    if result.verdict is Verdict.FAILED and watched.state.state is State.MAINTENANCE:
        _end_maintenance(connection, watched, now)
    absent = watchlist.silent if not watchlist.blind else watchlist.silent.union(blind_to(watched, watchlist.blind))
    outcome = evaluate(watched, region_key, result, absent - {batch.region}, now)
    if watched.sights[region_key].last is result:
        watched.sights[region_key].probe_id = batch.probe_id
    if watched.sights[region_key].counted != result.scheduled_at:
        tally.late.append(tally.placed[-1])
    _note(tally, (key, region_key), watched.sights[region_key], outcome)
    tally.rechecks += outcome.rechecks
    tally.warnings += expiry.warn(connection, watched, result, now)
    if outcome.opens_doubt:
        tally.rechecks += _of_dependencies(watchlist, watched, now)
    if outcome.decision is not None:
        # What depends on it, or what it depends on, is judged by the rows.
        states.save_standings(connection, tally.standings)
        tally.standings.clear()
        transitions.apply(connection, watched, outcome.decision, now)
        watchlist.note_flapping(watched)
        tally.transitions += 1
    elif outcome.confirms and availability.make_up_for(connection, watched, now):
        tally.transitions += 1


def _note(tally: Tally, place: tuple[int, int], sight: Sight, outcome: Evaluated) -> None:
    """What of the outcome is stored at the end of the batch."""
    if outcome.moves_lateness:
        tally.late_sights[place] = LateSight(counted=sight.counted, voted=sight.voted) if sight.is_late else None
    if outcome.standing is not None:
        tally.standings[place] = outcome.standing
    tally.unseen += ((place[0], hole) for hole in outcome.unseen)


def _end_maintenance(connection: Connection, watched: Watched, now: int) -> None:
    """A failure behind the end of a window is the first of a new streak, however late that end is carried out."""
    if coverage.cover_of(connection, watched.monitor, now) is not None:
        return
    settled = covering.settle(connection, monitors.living_of(connection, [watched.monitor.key]), now)
    watched.state = settled.states.get(watched.monitor.key, watched.state)
    watched.standings = settled.standings.get(watched.monitor.key, watched.standings)


def _of_dependencies(watchlist: Watchlist, watched: Watched, now: int) -> Iterator[Recheck]:
    """Before an outage is told of, one looks at what it may come from; what is in doubt is looked at already."""
    for monitor_id in watched.monitor.config["depends_on"]:
        parent = watchlist.by_id.get(monitor_id)
        if parent is not None and not parent.is_doubted and parent.state.health in _LOOKED_AT:
            absent = (
                watchlist.silent if not watchlist.blind else watchlist.silent.union(blind_to(parent, watchlist.blind))
            )
            yield from look_now(parent, eligible(parent, absent, now), now)


def _known(connection: Connection, tally: Tally, key: int, region_key: int, scheduled_at: int) -> bool:
    in_batch = any(
        (placed.monitor_key, placed.region_key, placed.result.scheduled_at) == (key, region_key, scheduled_at)
        for placed in (*tally.placed, *tally.manual)
    )
    return in_batch or results.exists(connection, key, region_key, scheduled_at)


def _receipt(tally: Tally, through: int) -> Receipt:
    return Receipt(
        accepted=tally.accepted, duplicates=tally.duplicates, rejected=tally.rejected, committed_through=through
    )


def rounds(tally: Tally, watchlist: Watchlist) -> Counter[tuple[str, Verdict]]:
    """How many results of each (type, verdict) the batch brought, for the metrics."""
    by_key = watchlist.by_key
    return Counter(
        (watched.type, placed.result.verdict)
        for placed in tally.placed
        if (watched := by_key.get(placed.monitor_key)) is not None
    )
