"""Jobs that call us: what a ping, a deadline, an absence of ours or a change by people makes of them.

Nothing is kept in memory: each transaction reads the rows that it changes, so that a crash forgets nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from sqlalchemy import Connection

from statuspulse.domain import heartbeat
from statuspulse.domain.failure import Failure, FailureClass
from statuspulse.domain.health import Decision, Health, Position, Reason, Rules, Standing
from statuspulse.domain.heartbeat import INBOUND, Beat, Period, Signal, Terms
from statuspulse.domain.result import Observation, Result, ResultKind, Verdict
from statuspulse.domain.times import SECOND
from statuspulse.domain.uptime import Span
from statuspulse.engine import availability, flaps, rollups, transitions
from statuspulse.engine.cron import Cron
from statuspulse.engine.watchlist import Sight, Watched
from statuspulse.storage import heartbeats, probes, results, states, watch
from statuspulse.storage.heartbeats import Heartbeat
from statuspulse.storage.results import Placed

_NO_PROBE = 0
_STANDINGS = {
    Health.UP: Standing(position=Position.PASSING, ok_streak=1),
    Health.DOWN: Standing(position=Position.FAILING, fail_streak=1),
    Health.UNKNOWN: Standing(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ping:
    """One call. `exit_code` is what the job ended with, where it told; `evidence` is what it said of a failure."""

    digest: bytes
    signal: Signal
    at: int
    exit_code: int | None = None
    evidence: dict[str, Any] | None = None


class Taken(Enum):
    """What became of a ping."""

    COUNTED = "counted"
    PAUSED = "paused"
    UNKNOWN = "unknown"


@dataclass(slots=True)
class Turn:
    """The work of one transaction: heartbeats as they are meanwhile, results to be stored, changes of health."""

    connection: Connection
    now: int
    mutes_flapping: bool
    changed: dict[int, Heartbeat] = field(default_factory=dict)
    placed: list[Placed] = field(default_factory=list)
    transitions: int = 0
    _region_key: int | None = None

    @property
    def region_key(self) -> int:
        if self._region_key is None:
            self._region_key = watch.region_keys(self.connection)[INBOUND]
        return self._region_key

    def beat(self, one: Heartbeat, beat: Beat) -> Heartbeat:
        """Keeps what is known of the job from now on."""
        self.changed[one.monitor.key] = kept = replace(one, beat=beat)
        return kept

    def tell(self, one: Heartbeat, seen: Observation, *, since: int, observed_at: int) -> None:
        """One result, and the health that it means from `since` on. Slots go up, whatever clocks do."""
        slot = max(since, one.newest_at + 1)
        result = Result(
            monitor_id=one.monitor.id,
            region=INBOUND,
            scheduled_at=slot,
            kind=ResultKind.SCHEDULED,
            round=0,
            lag_us=0,
            observed_at=max(observed_at, slot),
            attempt=1,
            config_version=one.monitor.config_version,
            observation=seen,
        )
        self.placed.append(Placed(one.monitor.key, self.region_key, _NO_PROBE, result))
        one = replace(one, newest_at=slot)
        self.changed[one.monitor.key] = one
        health = Health.UP if result.verdict is Verdict.OK else Health.DOWN
        self.decide(one, Decision(health=health, first_observed_at=since, reason=Reason.PROBE_RESULT), result)

    def decide(self, one: Heartbeat, decision: Decision, result: Result | None) -> None:
        repeats = one.state.health is decision.health
        if repeats and not (one.state.untold and decision.health is Health.DOWN):
            return
        watched = self.watched(one, _STANDINGS[decision.health], Sight(last=result))
        if repeats:
            if not availability.make_up_for(self.connection, watched, self.now):
                return
        else:
            transitions.apply(self.connection, watched, decision, self.now)
        self.changed[one.monitor.key] = replace(one, state=watched.state)
        self.transitions += 1

    def watched(self, one: Heartbeat, standing: Standing, sight: Sight) -> Watched:
        """The monitor as transitions see any other one."""
        return Watched(
            monitor=one.monitor,
            type=heartbeat.HEARTBEAT,
            rules=_rules(one.monitor.config),
            regions={self.region_key: INBOUND},
            state=one.state,
            standings={self.region_key: standing},
            sights={self.region_key: sight},
            mutes_flapping=self.mutes_flapping,
        )

    def save(self) -> None:
        heartbeats.save(self.connection, self.changed.values())
        results.insert(self.connection, self.placed)
        if self.placed:
            rollups.touch(self.connection, self.placed)


def take(connection: Connection, pings: Sequence[Ping], now: int, *, mutes_flapping: bool) -> tuple[list[Taken], int]:
    """What became of each ping, in their order, and how many changes of health followed."""
    turn = Turn(connection, now, mutes_flapping)
    found = heartbeats.by_digests(connection, {ping.digest for ping in pings})
    taken = []
    for ping in pings:
        one = found.get(ping.digest)
        if one is None:
            taken.append(Taken.UNKNOWN)
        elif one.monitor.paused:
            taken.append(Taken.PAUSED)
        else:
            _take(turn, turn.changed.get(one.monitor.key, one), ping)
            taken.append(Taken.COUNTED)
    turn.save()
    return taken, turn.transitions


def fail_late(connection: Connection, by: int, now: int, limit: int, *, mutes_flapping: bool) -> tuple[int, int]:
    """Fails what was due by then and has not come: (how many, how many changes of health followed)."""
    turn = Turn(connection, now, mutes_flapping)
    late = heartbeats.due(connection, by, limit)
    for one in late:
        found = heartbeat.missed(one.beat, terms_of(one.monitor.config), now)
        if found is not None:
            beat, missed = found
            turn.tell(turn.beat(one, beat), Observation(failure=missed.failure), since=missed.since, observed_at=now)
    turn.save()
    return len(late), turn.transitions


def settle(connection: Connection, now: int, *, mutes_flapping: bool) -> int:
    """Ends the flapping that is over; answers of how many. The score falls by itself, and no ping tells of it."""
    turn, settled = Turn(connection, now, mutes_flapping), 0
    for one in heartbeats.flapping(connection):
        watched = turn.watched(one, _STANDINGS.get(one.state.health, Standing()), Sight())
        ends_at = one.state.flapping.ends_at(watched.rules.interval)
        if ends_at is not None and ends_at <= now:
            flaps.settle(connection, watched, now)
            settled += 1
    return settled


def excuse(connection: Connection, since: int, until: int, *, mutes_flapping: bool) -> int:
    """Nobody listened in [since, until): what may have come meanwhile is unknown; answers the changes of health."""
    turn = Turn(connection, until, mutes_flapping)
    unseen = []
    for one in heartbeats.awaited(connection):
        if one.state.health is not Health.PENDING:
            unseen.append((one.monitor.key, Span(region=turn.region_key, start=since, end=until)))
        beat, in_doubt = heartbeat.after_absence(one.beat, terms_of(one.monitor.config), since, until)
        if beat != one.beat:
            one = turn.beat(one, beat)  # noqa: PLW2901 - the same, as it is now
        if in_doubt and one.state.health is not Health.PENDING:
            turn.decide(
                one, Decision(health=Health.UNKNOWN, first_observed_at=since, reason=Reason.SIGHT_LOST), result=None
            )
    states.add_unseen(connection, unseen)
    turn.save()
    return turn.transitions


def forget(connection: Connection, monitor_key: int) -> None:
    """The job is waited for no more until it calls again; a monitor that is checked is left as it is."""
    one = heartbeats.of_monitor(connection, monitor_key)
    if one is not None:
        heartbeats.save_beat(connection, monitor_key, Beat(last_ping_at=one.beat.last_ping_at))


def reschedule(connection: Connection, monitor_key: int, now: int) -> None:
    """Expects the job by its new configuration, which is stored already."""
    one = heartbeats.of_monitor(connection, monitor_key)
    if one is not None:
        beat = heartbeat.rescheduled(one.beat, terms_of(one.monitor.config), now)
        heartbeats.save_beat(connection, monitor_key, beat)


def expect(connection: Connection, monitor_key: int, now: int) -> None:
    """Waits for a job of which somebody else told that it is up or down: as if it had called now."""
    one = heartbeats.of_monitor(connection, monitor_key)
    if one is not None and one.state.health in {Health.UP, Health.DOWN}:
        beat, _ = heartbeat.ended(one.beat, now, terms_of(one.monitor.config))
        heartbeats.save_beat(connection, monitor_key, replace(beat, last_ping_at=None))


def terms_of(config: Mapping[str, Any]) -> Terms:
    """What was agreed on, from a normalised configuration."""
    grace = config["grace_seconds"] * SECOND
    if config["cron"] is not None:
        return Terms(Cron.of(config["cron"], config["timezone"]), grace)
    return Terms(Period(config["period_seconds"] * SECOND), grace)


def region_key(connection: Connection, now: int) -> int:
    """The key of the place under which results of pings are stored, made where there is none."""
    return probes.ensure_region(connection, INBOUND, "Inbound", now)


def _take(turn: Turn, one: Heartbeat, ping: Ping) -> None:
    terms = terms_of(one.monitor.config)
    if ping.signal is Signal.START:
        turn.beat(one, heartbeat.started(one.beat, ping.at, terms))
        return
    beat, took = heartbeat.ended(one.beat, ping.at, terms)
    seen = Observation(
        failure=_told_failure(ping) if ping.signal is Signal.FAILURE else None,
        latency_us=None if took is None else took * 1000,
        evidence=ping.evidence,
    )
    turn.tell(turn.beat(one, beat), seen, since=ping.at, observed_at=ping.at)


def _told_failure(ping: Ping) -> Failure:
    text = "the job told that it failed" if ping.exit_code is None else f"the job ended with exit code {ping.exit_code}"
    return Failure.of(FailureClass.HEARTBEAT_FAILED, text)


def _rules(config: Mapping[str, Any]) -> Rules:
    """One missed ping is one too many, and one that comes is enough."""
    return Rules(
        interval=config["grace_seconds"] * SECOND, timeout=0, failure_threshold=1, recovery_threshold=1, quorum="any"
    )
