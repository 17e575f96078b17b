"""Carries out for monitors what their maintenance windows mean by now: state, history, held incidents, resting probes.

It compares what holds with what was carried out, so that it may be done twice, late, or for a monitor that has got
another tag meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection

from statuspulse.domain import waiting
from statuspulse.domain.actor import Actor
from statuspulse.domain.configuration import rules_of
from statuspulse.domain.health import Health, Reason, Standing, State, effective
from statuspulse.domain.heartbeat import HEARTBEAT
from statuspulse.domain.uptime import Span
from statuspulse.engine import coverage, escalating, monitor_events
from statuspulse.engine.coverage import Cover
from statuspulse.engine.monitor_events import Change
from statuspulse.storage import events, incidents, maintenance, monitors, results, states, watch
from statuspulse.storage.maintenance import CoveredSpan, Window
from statuspulse.storage.monitors import Monitor
from statuspulse.storage.states import MonitorState, Transition


@dataclass(slots=True)
class Settled:
    """What changed, by monitor key: states, standings that begin anew, and those whose probes rest or look again."""

    states: dict[int, MonitorState] = field(default_factory=dict)
    standings: dict[int, dict[int, Standing]] = field(default_factory=dict)
    rested: list[int] = field(default_factory=list)
    woken: list[int] = field(default_factory=list)

    @property
    def moves_probes(self) -> bool:
        return bool(self.rested or self.woken)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Turn:
    """One monitor: what covers it, what begins and what ends of that."""

    monitor: Monitor
    before: MonitorState
    cover: Cover | None
    begun: Sequence[CoveredSpan]
    ended: Sequence[CoveredSpan]

    @property
    def rests(self) -> bool:
        """A job that calls us is not looked at, so that nothing of it can rest."""
        return self.cover is not None and self.cover.switches.rests and self.monitor.type != HEARTBEAT

    @property
    def is_heard_again(self) -> bool:
        """Whether the last window that suppressed its alerts is over: what is still broken has to show that anew."""
        is_muted = self.cover is not None and self.cover.switches.mutes
        return not is_muted and any(span.switches.mutes for span in self.ended)


def settle(connection: Connection, found: Sequence[Monitor], now: int, actor: Actor | None = None) -> Settled:
    """Brings some monitors to what holds now; runs inside the writer's transaction.

    `actor` is whose call it follows: what a window means for a monitor because of that, it means from now on.
    """
    turns = list(_turns(connection, found, now, since=0 if actor is None else now))
    maintenance.add_spans(connection, [span for turn in turns for span in turn.begun], now)
    maintenance.close_spans(connection, [span for turn in turns for span in turn.ended], now)
    settled = Settled()
    _rest(connection, turns, settled, now)
    _begin_streaks(connection, turns, settled)
    _change_states(connection, turns, settled, now, actor)
    _hold(connection, turns, now)
    return settled


def leave_holes(connection: Connection, found: Sequence[Monitor], now: int) -> None:
    """What no region has looked at up to now stays unseen; a result that is on its way may tell of it later."""
    checked = [monitor for monitor in found if monitor.type != HEARTBEAT]
    if not checked:
        return
    keys = watch.region_keys(connection)
    slots = results.last_slots(connection, [monitor.key for monitor in checked], list(keys.values()))
    moods = monitors.states(connection, [monitor.key for monitor in checked])
    holes = []
    for monitor in checked:
        rules = rules_of(monitor.config)
        regions = [keys[slug] for slug in monitor.config["regions"]]
        found_slots = {
            region: slots[monitor.key, region].counted for region in regions if (monitor.key, region) in slots
        }
        counted = {region: slot for region, slot in found_slots.items() if slot is not None}
        if rules.rotates and counted:
            counted = dict.fromkeys(regions, max(counted.values()))
        seen = {region: max(slot + rules.interval, moods[monitor.key].votes_from) for region, slot in counted.items()}
        holes += [(monitor.key, Span(region=region, start=end, end=now)) for region, end in seen.items() if end < now]
    states.add_unseen(connection, holes)


def _turns(connection: Connection, found: Sequence[Monitor], now: int, *, since: int) -> Iterator[_Turn]:
    keys = [monitor.key for monitor in found]
    moods = monitors.states(connection, keys)
    holding = coverage.windows_over(connection, found, now)
    covered = maintenance.open_spans(connection, keys)
    for monitor in found:
        wanted = list(_wanted(monitor, holding.get(monitor.key, ()), now, since))
        carried = covered.get(monitor.key, [])
        yield _Turn(
            monitor=monitor,
            before=moods[monitor.key],
            cover=coverage.of_windows(holding.get(monitor.key, ()), now),
            begun=[one for one in wanted if not any(_is_of(span, one) for span in carried)],
            ended=[span for span in carried if not any(_is_of(span, one) for one in wanted)],
        )


def _wanted(monitor: Monitor, holding: Sequence[Window], now: int, since: int) -> Iterator[CoveredSpan]:
    for window in holding:
        if (one := window.active_at(now)) is not None:
            start = max(one.start, since, window.plan["joined_at"] or 0)
            yield span_of(monitor, window, start, one.end, is_open=True)


def _is_of(span: CoveredSpan, wanted: CoveredSpan) -> bool:
    """Whether a span that was carried out is of the occurrence that holds: whatever moves its end moves those, too."""
    return span.window_id == wanted.window_id and span.end == wanted.end


def span_of(monitor: Monitor, window: Window, start: int, end: int, *, is_open: bool) -> CoveredSpan:
    """A window covers a monitor in [start, end)."""
    return CoveredSpan(
        monitor_key=monitor.key,
        window_id=window.id,
        start=start,
        end=end,
        switches=window.switches,
        is_open=is_open,
    )


def _rest(connection: Connection, turns: Sequence[_Turn], settled: Settled, now: int) -> None:
    """Probes leave a monitor alone, or look at it again; either is a change of what they have to do."""
    settled.rested = [turn.monitor.key for turn in turns if turn.rests and not turn.monitor.resting]
    settled.woken = [turn.monitor.key for turn in turns if turn.monitor.resting and not turn.rests]
    rested = set(settled.rested)
    leave_holes(connection, [turn.monitor for turn in turns if turn.monitor.key in rested], now)
    if rested:
        states.drop_all_standings(connection, rested)
        settled.standings |= {key: {} for key in rested}
    watch.set_resting(connection, settled.rested, resting=True)
    watch.set_resting(connection, settled.woken, resting=False)


def _begin_streaks(connection: Connection, turns: Sequence[_Turn], settled: Settled) -> None:
    """Where alerts are heard again every streak begins anew; positions stay, since they are what was seen."""
    keys = [turn.monitor.key for turn in turns if turn.is_heard_again and turn.monitor.key not in settled.standings]
    fresh = {
        key: {region: standing.without_streaks() for region, standing in some.items()}
        for key, some in (states.standings_by_monitor(connection, keys) if keys else {}).items()
    }
    settled.standings |= fresh
    states.save_standings(
        connection, {(key, region): standing for key, some in fresh.items() for region, standing in some.items()}
    )


def _change_states(
    connection: Connection, turns: Sequence[_Turn], settled: Settled, now: int, actor: Actor | None
) -> None:
    rested = set(settled.rested)
    history: list[tuple[int, int, Transition]] = []
    told = []
    for turn in turns:
        after = _after(turn, rested=turn.monitor.key in rested, now=now)
        if after == turn.before:
            continue
        settled.states[turn.monitor.key] = after
        if after.seq == turn.before.seq:
            continue
        transition = _transition(turn, after)
        history.append((turn.monitor.key, after.seq, transition))
        change = Change(transition=transition, seq=after.seq, previous_since=turn.before.since)
        told.append(monitor_events.state_changed(turn.monitor, change, actor))
        if transition.ground is not State(turn.before.health.value):
            states.cut_intervals(connection, turn.monitor.key, after.since, transition.ground)
    states.save_all(connection, settled.states)
    states.append(connection, history)
    events.record_all(connection, told)


def _after(turn: _Turn, *, rested: bool, now: int) -> MonitorState:
    """The state that holds now, told as of the edge that led to it."""
    before, cover = turn.before, turn.cover
    if turn.monitor.paused:
        return before
    health, votes_from, untold = before.health, before.votes_from, before.untold
    if rested:
        # Nobody looks from now on: what was seen last is no longer known.
        health = Health.PENDING if health is Health.PENDING else Health.UNKNOWN
        votes_from, untold = now, False
    state = effective(health, paused=False, in_maintenance=cover is not None)
    after = replace(
        before,
        health=health,
        state=state,
        votes_from=votes_from,
        untold=untold,
        window_id=None if cover is None else cover.window_id,
    )
    if (state, health) == (before.state, before.health):
        return after
    edges = [span.start for span in turn.begun] if cover is not None else [span.end for span in turn.ended]
    at = now if rested else min(now, max([before.since, *edges]))
    return replace(after, since=at, seq=before.seq + 1)


def _transition(turn: _Turn, after: MonitorState) -> Transition:
    begins = after.state is State.MAINTENANCE
    named = after.window_id if begins else turn.before.window_id
    return Transition(
        state=after.state,
        previous_state=turn.before.state,
        health=after.health,
        previous_health=turn.before.health,
        changed_at=after.since,
        first_observed_at=after.since,
        reason=Reason.MAINTENANCE_STARTED if begins else Reason.MAINTENANCE_ENDED,
        evidence=[],
        window_id=named,
    )


def _hold(connection: Connection, turns: Sequence[_Turn], now: int) -> None:
    """Freezes the timers of incidents that are open when a window begins, until the last one ends.

    One that is opened while a window holds is held by none.
    """
    by_key = {turn.monitor.key: turn for turn in turns}
    for team_id in dict.fromkeys(turn.monitor.team_id for turn in turns):
        mine = [turn.monitor.key for turn in turns if turn.monitor.team_id == team_id]
        for incident in incidents.open_of_monitors(connection, team_id, mine):
            before, turn = incident.escalation, by_key[incident.monitor_key or 0]
            holding, escalation = None if turn.cover is None else turn.cover.holding, before
            if holding is None:
                escalation = waiting.released(before, now)
            elif before.freeze is not None or any(span.switches.holds for span in turn.begun):
                escalation = waiting.frozen(before, holding.window_id, holding.until, now)
            if escalation != before:
                escalating.note_hold(connection, incident, replace(incident, escalation=escalation), now)
