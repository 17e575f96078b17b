"""Whom an outage would call, and when, by what the monitor and its policy say now; nobody acknowledges it.

Nothing is written and nobody is told. Who is on call, and what is switched off, is looked up once an hour of the past.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection

from statuspulse.domain import escalation as ladders
from statuspulse.domain import routing
from statuspulse.domain.escalation import Climb, Escalation, Place
from statuspulse.domain.health import State
from statuspulse.domain.simulation import Round
from statuspulse.domain.times import HOUR, SECOND
from statuspulse.domain.uptime import Interval
from statuspulse.engine import notices
from statuspulse.engine.notices import Audience
from statuspulse.engine.receivers import About
from statuspulse.storage import dependencies, policies, states, teams
from statuspulse.storage.monitors import Monitor

# A reminder every minute for a day and a half; what comes behind that tells nothing new.
_MOST_MOMENTS = 2000


@dataclass(frozen=True, slots=True)
class Called:
    """When people were called first, None where that was never, and the instant (ms) of every message."""

    first_at: int | None
    messages: tuple[int, ...]


@dataclass(slots=True)
class Calling:
    """One monitor with what decides about its messages."""

    connection: Connection
    about: About
    config: Mapping[str, Any]
    zone: str
    rules: dict[str, Any] | None
    confirmation: int
    held: Sequence[Interval]
    _audiences: dict[tuple[Any, ...], Audience] = field(default_factory=dict)

    @classmethod
    def of(
        cls, connection: Connection, monitor: Monitor, config: Mapping[str, Any], window: tuple[int, int]
    ) -> Calling:
        """`window` is the time of which it is asked, `config` what is supposed to hold in it."""
        severity, zone = monitor.config["severity"], teams.zone_of(connection, monitor.team_id)
        slug = monitor.config["escalation_policy"]
        policy = None if slug is None else policies.get(connection, monitor.team_id, slug)
        rules = None
        if policy is not None and (not policy.rules["severities"] or severity in policy.rules["severities"]):
            rules = ladders.rules_in_zone(policy.rules, zone)
        parents = states.intervals_by_monitor(
            connection, list(dependencies.parents_of(connection, monitor.key)), *window
        )
        return cls(
            connection=connection,
            about=About(team_id=monitor.team_id, monitor_key=monitor.key, severity=severity),
            config=monitor.config,
            zone=zone,
            confirmation=config["failure_threshold"] * config["interval_seconds"] * SECOND,
            rules=rules,
            held=[one for found in parents.values() for one in found if one.state is State.DOWN],
        )

    def call(self, one: Round, end: int) -> Called:
        """What a round brings up to its end, or up to `end` where it is open."""
        begun_at, over_at = self._free_from(one.begun_at), one.ended_at or end
        routes = tuple(routing.routes(self.config, self.about.severity, self.zone, begun_at))
        if begun_at >= over_at:
            return Called(None, ())
        calls, heard, quiet = self._climb(Escalation(rules=self.rules, routes=routes), begun_at, over_at)
        has_nobody = self.rules is None and not routes
        first_at = begun_at if has_nobody else min(calls, default=None)
        if not one.new:
            first_at, calls = None, []
        calls += [at for at in one.updated_at for _ in heard]
        if one.ended_at is not None:
            alone = routing.on_recovery_alone(self.config, self.about.severity, self.zone, one.ended_at)
            calls += [one.ended_at for _ in {*alone} | (heard - quiet)]
        return Called(first_at, tuple(calls))

    def _climb(self, escalation: Escalation, begun_at: int, over_at: int) -> tuple[list[int], set[str], set[str]]:
        """The instants of the calls, who has heard, and who of them hears nothing of the end."""
        escalation, taken = ladders.begun(escalation, begun_at)
        routes: Sequence[int] = ladders.routes_at_once(escalation, begun_at)
        calls: list[int] = []
        loud: set[str] = set()
        quiet: set[str] = set()
        now = begun_at
        for _ in range(_MOST_MOMENTS):
            who = self._audience(escalation, taken, routes, now)
            calls += [now for _ in who.everyone]
            loud |= {*who.loud}
            quiet |= {*who.quiet}
            due = [one.due_at for one in ladders.route_timers(escalation)]
            if escalation.progress.next_at is not None:
                due.append(escalation.progress.next_at)
            now = min(due, default=over_at)
            if now >= over_at:
                break
            escalation, routes = ladders.due_routes(escalation, now)
            ladder = escalation.ladder
            climb = Climb(escalation.progress) if ladder is None else ladders.climb(ladder, escalation.progress, now)
            escalation, taken = replace(escalation, progress=climb.progress), climb.taken
        return calls, loud | quiet, quiet - loud

    def _audience(self, escalation: Escalation, taken: Sequence[Place], routes: Sequence[int], now: int) -> Audience:
        steps = tuple(place.step for place in taken)
        is_last = escalation.progress.upcoming is None and not escalation.repeating
        told = tuple(str(escalation.routes[number]["notify"]) for number in routes)
        key = (steps, tuple(routes), told, is_last, now // HOUR)
        if key not in self._audiences:
            self._audiences[key] = notices.audience(self.connection, self.about, escalation, taken, routes, now)
        return self._audiences[key]

    def _free_from(self, at: int) -> int:
        """The instant, or when it is confirmed after what holds it back: that may follow upon itself."""
        ends = [one.end for one in self.held if one.start <= at < one.end]
        return at if not ends else self._free_from(max(ends) + self.confirmation)
