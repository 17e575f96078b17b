"""Why the state of a monitor is what it is at this moment, and what would change it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from statuspulse.catalog.status_views import Head, head_of
from statuspulse.domain import waiting
from statuspulse.domain.configuration import rules_of
from statuspulse.domain.health import Health, Position, Rules, Standing, bounds, may_decide, sight_lost_at
from statuspulse.domain.heartbeat import Beat
from statuspulse.domain.incident import IncidentState
from statuspulse.domain.outlook import Change, Voter, changes
from statuspulse.domain.result import Gap
from statuspulse.domain.schedule import Grid, first_check_delay
from statuspulse.domain.times import DAY
from statuspulse.engine import escalating, receivers
from statuspulse.engine.sight import RegionSight
from statuspulse.storage import dependencies, incidents, monitors, results, states, transitions
from statuspulse.storage.incidents import Incident
from statuspulse.storage.transitions import Recorded, TransitionFilter

_LAST_TRANSITIONS = 5
_LAST_GAPS = 10
_MISSED_WITHIN = DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionVote:
    """What a region thinks of the monitor; the vote counts through `votes_until`, None before a verdict.

    `is_online` tells whether one of its probes was heard just now.
    """

    sight: RegionSight
    standing: Standing
    votes_until: int | None
    eligible: bool
    is_online: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """A change that may come, and the slot of the last result that it needs, by the schedule alone."""

    change: Change
    scheduled_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependency:
    """A monitor that this one depends on: while it is down, nobody is told of this one."""

    id: str
    name: str
    health: Health


@dataclass(frozen=True, slots=True, kw_only=True)
class Paging:
    """Who is told of the monitor: the open incident, the channels by name that quiet hours keep until an instant (ms).

    `is_unheard` where an incident is open of which nobody was told, nor will be.
    """

    incident: Incident | None
    quiet: tuple[tuple[tuple[str, ...], int], ...]
    is_unheard: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Without reports from enough regions it is unknown from `unknown_at` on; None where it is so now, or paused.

    `missed` are the last slots that nobody ran, or whose results were lost, in runs, the newest first.
    """

    head: Head
    rules: Rules
    votes: tuple[RegionVote, ...]
    outlooks: tuple[Outlook, ...]
    unknown_at: int | None
    dependencies: tuple[Dependency, ...]
    paging: Paging
    missed: tuple[Gap, ...]
    transitions: tuple[Recorded, ...]
    now: int

    @property
    def eligible(self) -> int:
        return sum(vote.eligible for vote in self.votes)

    @property
    def decides(self) -> bool:
        """Whether enough regions may vote for anything to be decided."""
        return not self.head.monitor.paused and may_decide(self.eligible, len(self.votes))

    @property
    def bounds(self) -> tuple[int, int]:
        """How many failing regions make it down, and how many passing ones end that, of those that may vote now."""
        return bounds(self.rules.quorum, self.eligible)

    def standing(self, position: Position) -> int:
        """How many regions that may vote stand so."""
        return sum(vote.eligible and vote.standing.position is position for vote in self.votes)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallExplanation:
    """The same for a job that calls us: no region votes on it, its pings and its deadline decide."""

    head: Head
    beat: Beat
    dependencies: tuple[Dependency, ...]
    paging: Paging
    transitions: tuple[Recorded, ...]
    now: int

    @property
    def down_at(self) -> int | None:
        """When it goes down unless it calls before; None where nothing is expected, or where it is down already."""
        if self.head.monitor.paused or self.head.sight.state.health is not Health.UP:
            return None
        return self.beat.due_at


def explanation_of(
    connection: Connection, team_id: str, monitor_id: str, online: Collection[str], now: int
) -> Explanation | CallExplanation:
    """Of a monitor that may be checked from regions that are `online`; raises MissingError."""
    head = head_of(connection, team_id, monitor_id, now)
    last = transitions.listed(
        connection,
        head.monitor.key,
        TransitionFilter(start=None, end=None),
        after=None,
        descending=True,
        limit=_LAST_TRANSITIONS,
    )
    paging, depends_on = _paging(connection, head, now), _dependencies(connection, head)
    if head.sight.beat is not None:
        return CallExplanation(
            head=head,
            beat=head.sight.beat,
            dependencies=depends_on,
            paging=paging,
            transitions=tuple(last),
            now=now,
        )
    rules = rules_of(head.monitor.config)
    votes = _votes(connection, head, rules, online, now)
    return Explanation(
        head=head,
        rules=rules,
        votes=votes,
        outlooks=() if head.monitor.paused else _outlooks(head, rules, votes, now),
        unknown_at=_unknown_at(head, rules),
        dependencies=depends_on,
        paging=paging,
        missed=tuple(
            found.gap for found in results.newest_gaps(connection, head.monitor.key, now - _MISSED_WITHIN, _LAST_GAPS)
        ),
        transitions=tuple(last),
        now=now,
    )


def _dependencies(connection: Connection, head: Head) -> tuple[Dependency, ...]:
    found = dependencies.parents_of(connection, head.monitor.key)
    moods = monitors.states(connection, found)
    parents = [(monitors.get(connection, head.monitor.team_id, found[key]), mood) for key, mood in moods.items()]
    return tuple(
        Dependency(id=parent.id, name=parent.name, health=mood.health) for parent, mood in parents if parent is not None
    )


def _paging(connection: Connection, head: Head, now: int) -> Paging:
    team_id, shown = head.monitor.team_id, head.incident
    incident = None if shown is None else incidents.get(connection, team_id, shown.id)
    if incident is None:
        return Paging(incident=None, quiet=(), is_unheard=False)
    is_waiting = incident.state is IncidentState.TRIGGERED and incident.escalation.hold is None
    quiet = [
        (tuple(receivers.channel_name(connection, team_id, channel) for channel in one.channels), one.until)
        for one in (waiting.quiet(incident.escalation) if is_waiting else ())
    ]
    return Paging(incident=incident, quiet=tuple(quiet), is_unheard=escalating.is_unheard(connection, incident, now))


def _votes(
    connection: Connection, head: Head, rules: Rules, online: Collection[str], now: int
) -> tuple[RegionVote, ...]:
    standings = states.standings_of(connection, head.monitor.key)
    found = []
    for sight in head.sight.regions:
        until = None if sight.counted is None else sight.counted.scheduled_at + rules.vote_lifetime
        found.append(
            RegionVote(
                sight=sight,
                standing=standings.get(sight.key, Standing()),
                votes_until=until,
                eligible=not head.monitor.paused and until is not None and until >= now and not sight.is_blind,
                is_online=sight.slug in online,
            )
        )
    return tuple(found)


def _outlooks(head: Head, rules: Rules, votes: Sequence[RegionVote], now: int) -> tuple[Outlook, ...]:
    voters = [Voter(region=vote.sight.slug, standing=vote.standing, eligible=vote.eligible) for vote in votes]
    slugs = [vote.sight.slug for vote in votes]
    first = head.monitor.created_at + first_check_delay(head.monitor.id, rules.interval)
    found = []
    for change in changes(head.sight.state.health, voters, rules):
        looks = [
            _look(
                Grid.of(head.monitor.id, rules.interval, slugs.index(need.region), len(slugs)), first, need.results, now
            )
            for need in change.needed
        ]
        found.append(Outlook(change=change, scheduled_at=max(looks)))
    return tuple(found)


def _look(grid: Grid, first: int, number: int, now: int) -> int:
    """When the look of that number comes, counted from now; a new monitor is looked at once more beside its slots."""
    slot = grid.next_slot(now)
    looks = [slot + later * grid.interval for later in range(number)]
    return sorted([first, *looks] if first > now else looks)[number - 1]


def _unknown_at(head: Head, rules: Rules) -> int | None:
    state = head.sight.state
    if head.monitor.paused or state.health is Health.UNKNOWN:
        return None
    looked = [max(state.votes_from, one.counted.observed_at if one.counted else 0) for one in head.sight.regions]
    return sight_lost_at(looked, len(looked)) + rules.longest_silence
