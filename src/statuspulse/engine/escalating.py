"""Carries out what the ladder of an incident says: who hears of its moves, and which timers stand for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol

from sqlalchemy import Connection

from statuspulse.domain import escalation as ladders
from statuspulse.domain import routing, waiting
from statuspulse.domain.actor import SYSTEM, Actor
from statuspulse.domain.escalation import Climb, Escalation, Ladder, Place, Reaches
from statuspulse.domain.health import Health
from statuspulse.domain.hold import Hold
from statuspulse.domain.ids import new_ulid
from statuspulse.domain.incident import IncidentState, Move
from statuspulse.domain.message import Facts
from statuspulse.domain.monitor import Severity
from statuspulse.domain.times import to_text
from statuspulse.engine import holds, incident_events, notices, receivers, syncing
from statuspulse.engine.notices import Audience
from statuspulse.engine.receivers import About
from statuspulse.storage import events, incidents, policies, states, teams, timers
from statuspulse.storage.incidents import Incident, TimelineEntry


class Opens(Protocol):
    """What has to be known of an incident that is about to be opened."""

    @property
    def team_id(self) -> str: ...
    @property
    def monitor_key(self) -> int | None: ...
    @property
    def source(self) -> str: ...
    @property
    def severity(self) -> Severity: ...
    @property
    def policy(self) -> str | None: ...


def carried(
    connection: Connection, opening: Opens, actor: Actor, facts: Facts, now: int
) -> tuple[Escalation, tuple[str, ...]]:
    """What a new incident takes with it of policy and rules, and who is told at once."""
    severity = opening.severity.value
    policy = None if opening.policy is None else policies.get(connection, opening.team_id, opening.policy)
    zone = teams.zone_of(connection, opening.team_id)
    rules = None
    if policy is not None and (not policy.rules["severities"] or severity in policy.rules["severities"]):
        rules = ladders.rules_in_zone(policy.rules, zone)
    config = receivers.config_of(connection, opening.monitor_key)
    routes = () if config is None else tuple(routing.routes(config, severity, zone, now))
    about = About(team_id=opening.team_id, monitor_key=opening.monitor_key, severity=severity)
    escalation = Escalation(rules=rules, routes=routes)
    hold = holds.begin(connection, opening.source, opening.monitor_key, actor, facts.since, now)
    if hold is not None:
        return _waiting(escalation, hold, facts), ()
    return _begun(connection, about, escalation, facts, now)


def followed(
    connection: Connection, incident: Incident, move: Move, actor: Actor, facts: Facts, now: int, *, until: int | None
) -> tuple[Incident, tuple[str, ...]]:
    """The incident after a move with the escalation that follows from it, and who is told that it is triggered."""
    escalation = incident.escalation
    heard: tuple[str, ...] = ()
    match move:
        case Move.ACKNOWLEDGE:
            escalation = ladders.acknowledged(waiting.up_to(escalation, now), now, until)
        case Move.RESOLVE:
            escalation = ladders.over(escalation)
        case Move.UNACKNOWLEDGE | Move.REOPEN if incident.notify:
            is_anew = move is Move.REOPEN
            escalation = ladders.reopened(escalation) if is_anew else escalation
            since = facts.since if is_anew else None
            hold = holds.begin(connection, incident.source, incident.monitor_key, actor, since, now)
            if hold is None:
                escalation, heard = _begun(connection, notices.about(incident), escalation, facts, now)
            else:
                escalation = _waiting(escalation, hold, facts)
        case Move.NONE if until is not None:
            escalation = ladders.snoozed(escalation, until)
        case _:
            pass
    return replace(incident, escalation=escalation), heard


def reaching(connection: Connection, about: About, ladder: Ladder, now: int) -> Reaches:
    """Whether a step reaches anybody, as things stand now."""

    def reaches(place: Place) -> bool:
        return receivers.reach(connection, about, ladder.rungs[place.step].targets, now)

    return reaches


def is_unheard(connection: Connection, incident: Incident, now: int) -> bool:
    """Whether nobody was told that the incident is open and, as things stand, nobody will be."""
    escalation, about = incident.escalation, notices.about(incident)
    if not incident.is_open or not incident.notify or escalation.heard:
        return False
    if syncing.is_known_elsewhere(connection, incident):
        return False
    ladder, upcoming = escalation.ladder, escalation.progress.upcoming
    if ladder is not None and upcoming is not None:
        first = 0 if upcoming.repeat < ladder.repeats else upcoming.step
        targets = [target for rung in ladder.rungs[first:] for target in rung.targets]
        if receivers.channels_of(connection, about, targets, now):
            return False
    routes = escalation.routes
    if escalation.hold is None:
        routes = tuple(routes[timer.place.step] for timer in escalation.repeating)
    later = [one for route in routes for one in route["notify"]]
    return not receivers.enabled(connection, incident.team_id, later)


def set_timers(connection: Connection, incident: Incident) -> None:
    """Makes the rows of the incident's timers those that follow from it."""
    wanted = ladders.timers(incident.state, incident.escalation)
    timers.replace_all(connection, incident.team_id, incident.id, wanted)


def escalate(
    connection: Connection,
    incident: Incident,
    climb: Climb,
    actor: Actor,
    now: int,
    *,
    reason: str,
    routes: Sequence[int] = (),
) -> Incident:
    """Takes steps and tells routes, by their numbers; the one place through which an incident is escalated.

    Raises IncidentChangedError when someone else was faster.
    """
    escalation = replace(incident.escalation, progress=climb.progress)
    who = notices.audience(connection, notices.about(incident), escalation, climb.taken, routes, now)
    escalation = ladders.tell(escalation, now, loud=who.loud, quiet=who.quiet)
    changed = replace(incident, escalation=escalation, version=incident.version + 1, updated_at=now)
    incidents.save(connection, changed, read_version=incident.version)
    entries = [_entry(changed, place, who, actor, now, reason) for place in climb.taken]
    incidents.append(connection, incident.id, entries)
    for place in climb.taken:
        targets = _targets(connection, changed, place)
        events.record(connection, incident_events.escalated(changed, place, targets, actor, now, reason=reason))
    notices.tell(connection, changed, who.everyone, actor, _known(connection, changed, now), now)
    set_timers(connection, changed)
    return changed


def hold_back(connection: Connection, incident: Incident, hold: Hold, now: int) -> None:
    """People have heard of it and hear no more for a while."""
    held = replace(incident, escalation=ladders.put_on_hold(incident.escalation, hold))
    note_hold(connection, incident, held, now)


def look_at_hold(connection: Connection, incident: Incident, hold: Hold, now: int) -> None:
    """Whether the incident waits on, and if not, who is told what now."""
    told = incident.escalation.facts
    since = None if told is None else Facts.of(told).since
    after = None if incident.monitor_key is None else holds.look(connection, incident.monitor_key, hold, since, now)
    held = replace(incident, escalation=replace(incident.escalation, hold=after))
    if after is not None or not hold.begins:
        note_hold(connection, incident, held, now)
        return
    started, taken = _round(connection, notices.about(incident), held.escalation, now)
    released = replace(held, escalation=started)
    incidents.append(connection, incident.id, [_hold_entry(released, now), *_quiet_entries(started, now)])
    climb = Climb(started.progress, taken)
    escalate(connection, released, climb, SYSTEM, now, reason="hold_ended", routes=ladders.routes_at_once(started, now))


def held_entries(incident: Incident, now: int) -> list[TimelineEntry]:
    """What the timeline tells where a round begins with a wait, for what it depends on or for quiet hours to end."""
    if incident.escalation.hold is not None:
        return [_hold_entry(incident, now)]
    return _quiet_entries(incident.escalation, now)


def note_hold(connection: Connection, before: Incident, after: Incident, now: int) -> None:
    """What is another for people makes another version; when it is looked at next does not."""
    if holds.document(before) != holds.document(after):
        incidents.append(connection, before.id, [_hold_entry(after, now)])
        after = replace(after, version=before.version + 1, updated_at=now)
    incidents.save(connection, after, read_version=before.version)
    set_timers(connection, after)


def _hold_entry(incident: Incident, now: int) -> TimelineEntry:
    return _observation({"held": holds.document(incident)}, now)


def _quiet_entries(escalation: Escalation, now: int) -> list[TimelineEntry]:
    return [
        _observation({"quiet_hours": {"channels": list(one.channels), "until": to_text(one.until)}}, now)
        for one in waiting.quiet(escalation)
    ]


def _observation(detail: dict[str, Any], now: int) -> TimelineEntry:
    return TimelineEntry(id=new_ulid("evt", now), at=now, type="observation", actor=SYSTEM, detail=detail)


def _waiting(escalation: Escalation, hold: Hold, facts: Facts) -> Escalation:
    return replace(ladders.put_on_hold(escalation, hold), facts=facts.document())


def _begun(
    connection: Connection, about: About, escalation: Escalation, facts: Facts, now: int
) -> tuple[Escalation, tuple[str, ...]]:
    started, taken = _round(connection, about, replace(escalation, facts=facts.document()), now)
    at_once = ladders.routes_at_once(started, now)
    who = notices.audience(connection, about, started, taken, at_once, now)
    return ladders.tell(started, now, loud=who.loud, quiet=who.quiet), who.everyone


def _round(
    connection: Connection, about: About, escalation: Escalation, now: int
) -> tuple[Escalation, tuple[Place, ...]]:
    ladder = escalation.ladder
    if ladder is None:
        return ladders.begun(escalation, now)
    return ladders.begun(escalation, now, reaching(connection, about, ladder, now))


def _known(connection: Connection, incident: Incident, now: int) -> Facts:
    """What the trigger told, as far as it holds still, and for how long nobody has taken it on."""
    told = incident.escalation.facts
    facts = Facts() if told is None else Facts.of(told)
    if incident.state is IncidentState.ACKNOWLEDGED:
        facts = replace(
            facts, note=f"{incident.acknowledged_by.label} has acknowledged it." if incident.acknowledged_by else None
        )
    else:
        facts = replace(facts, waiting_ms=max(0, now - incident.escalation.begun_at))
    if incident.monitor_key is None or facts.since is None:
        return facts
    state = states.state_of(connection, incident.monitor_key)
    if state.health is Health.DOWN:
        return facts
    seen = replace(facts, reason=f"the monitor is {state.health.value} now", failing_regions=(), region_count=0)
    is_flapping = state.flapping.since is not None
    return replace(seen, flapping=True) if is_flapping else replace(seen, since=None)


def _targets(connection: Connection, incident: Incident, place: Place) -> list[dict[str, str]]:
    """Whom the step means, as an event names them; the notifications of a monitor go by the monitor's id."""
    ladder, about = incident.escalation.ladder, notices.about(incident)
    return [
        {
            "type": target.type,
            "id": target.id or incident.monitor_id or incident.id,
            "label": receivers.label(connection, about, target),
        }
        for target in (() if ladder is None else ladder.rungs[place.step].targets)
    ]


def _entry(incident: Incident, place: Place, who: Audience, actor: Actor, now: int, reason: str) -> TimelineEntry:
    rules, next_at = incident.escalation.rules, waiting.next_step_at(incident.escalation)
    detail = {
        "reason": reason,
        "step": place.step,
        "repeat": place.repeat,
        "targets": [] if rules is None else rules["steps"][place.step]["targets"],
        "channels": list(who.everyone),
        "next_step_at": None if next_at is None else to_text(next_at),
    }
    return TimelineEntry(id=new_ulid("evt", now), at=now, type="escalated", actor=actor, detail=detail)
