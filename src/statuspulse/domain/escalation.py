"""Who is to be told next of an incident, and when: a ladder, how far it is climbed, and every timer that follows.

All of it is decided from values and `now`; the engine stores what comes out and sends what it says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any

from statuspulse.domain.hold import Freeze, Hold
from statuspulse.domain.hours import Hours, in_zone
from statuspulse.domain.incident import IncidentState
from statuspulse.domain.routing import first_time, not_before
from statuspulse.domain.times import MINUTE, SECOND

# So long a message may be on its way before the next step is taken without it.
REACH = 2 * MINUTE


@dataclass(frozen=True, slots=True)
class Target:
    """One receiver of a step; what `id` names depends on the type, the monitor's own notifications have none."""

    type: str
    id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One step: told so long (ms) after the one before, within some hours only where there are any."""

    delay: int
    targets: tuple[Target, ...]
    hours: Hours | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """A policy as an incident carries it out. Times are ms; no severities are all of them."""

    rungs: tuple[Rung, ...]
    repeats: int
    repeat_delay: int
    ack_timeout: int | None
    auto_resolve: int | None
    severities: frozenset[str]

    @classmethod
    def of(cls, rules: Mapping[str, Any]) -> Ladder:
        """Reads the stored rules of a policy."""
        return cls(
            rungs=tuple(_rung(step) for step in rules["steps"]),
            repeats=rules["repeat"]["count"],
            repeat_delay=rules["repeat"]["delay_seconds"] * SECOND,
            ack_timeout=_milliseconds(rules["ack_timeout_seconds"]),
            auto_resolve=_milliseconds(rules["auto_resolve_seconds"]),
            severities=frozenset(rules["severities"]),
        )

    def applies_to(self, severity: str) -> bool:
        return not self.severities or severity in self.severities


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A step of one of the rounds of a ladder."""

    repeat: int
    step: int


# Whether anybody at all can be told at a place; where nobody can, nobody is waited for.
Reaches = Callable[[Place], bool]


def _anybody(_place: Place) -> bool:
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """The last place that was reached, the one that comes next and when (ms); exhausted when none is left."""

    at: Place = Place(0, 0)
    upcoming: Place | None = None
    next_at: int | None = None
    exhausted: bool = False

    def halted(self) -> Progress:
        """Nobody further is told until the ladder begins anew."""
        return replace(self, upcoming=None, next_at=None)


@dataclass(frozen=True, slots=True)
class Climb:
    """What a moment brings: the steps that are taken now, in order, and where that leads."""

    progress: Progress
    taken: tuple[Place, ...] = ()


def begin(ladder: Ladder, now: int, reaches: Reaches = _anybody) -> Climb:
    """From the ground: a first step without delay is taken at once."""
    first = Place(0, 0)
    return climb(ladder, Progress(upcoming=first, next_at=now + ladder.rungs[0].delay), now, reaches)


def climb(ladder: Ladder, progress: Progress, now: int, reaches: Reaches = _anybody) -> Climb:
    """Takes every step that is due, each once however late it is: the next delay counts from now.

    A step outside of its hours is passed over and takes no time. One that reaches nobody is followed at once by the
    next of its round: the delay is for somebody to answer in.
    """
    taken: list[Place] = []
    while progress.upcoming is not None and progress.next_at is not None and progress.next_at <= now:
        place = progress.upcoming
        hours = ladder.rungs[place.step].hours
        applies = hours is None or hours.hold(now)
        if applies:
            taken.append(place)
        progress = _beyond(ladder, place, now if applies else progress.next_at)
        if applies:
            progress = _unless_reached(place, progress, now, reaches)
    return Climb(progress, tuple(taken))


def hasten(ladder: Ladder, progress: Progress, now: int, reaches: Reaches = _anybody) -> Climb:
    """The step before reached nobody: the next one is taken now, where there is one."""
    if progress.upcoming is None:
        return Climb(progress)
    return climb(ladder, replace(progress, next_at=now), now, reaches)


def jump(ladder: Ladder, progress: Progress, step: int, now: int, reaches: Reaches = _anybody) -> Climb:
    """Somebody wants this step now, whatever its hours; the ladder goes on from there."""
    place = Place(progress.at.repeat, step)
    beyond = _unless_reached(place, _beyond(ladder, place, now), now, reaches)
    further = climb(ladder, beyond, now, reaches)
    return Climb(further.progress, (place, *further.taken))


def _unless_reached(place: Place, beyond: Progress, now: int, reaches: Reaches) -> Progress:
    """A round keeps its distance to the one before, whoever is reached: else all of them would come at once."""
    if beyond.upcoming is None or beyond.upcoming.repeat != place.repeat or reaches(place):
        return beyond
    return replace(beyond, next_at=now)


def _beyond(ladder: Ladder, place: Place, at: int) -> Progress:
    if place.step + 1 < len(ladder.rungs):
        following = Place(place.repeat, place.step + 1)
        return Progress(at=place, upcoming=following, next_at=at + ladder.rungs[following.step].delay)
    if place.repeat < ladder.repeats:
        return Progress(at=place, upcoming=Place(place.repeat + 1, 0), next_at=at + ladder.repeat_delay)
    return Progress(at=place, exhausted=True)


class TimerKind(StrEnum):
    """What is due."""

    STEP = "step"
    REACH = "reach"
    ROUTE = "route"
    HOLD = "hold"
    ACK_END = "ack_end"
    AUTO_RESOLVE = "auto_resolve"


@dataclass(frozen=True, slots=True, kw_only=True)
class Timer:
    """Something that is due at an instant (ms), one of a kind and place at most; a route's are (nth time, route).

    Among `Escalation.repeating`, `due_at` is when the delay of the route is over, quiet hours left aside.
    """

    kind: TimerKind
    place: Place = Place(0, 0)
    due_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalation:
    """Everything that an incident carries with it of who is told when; edits of policy and monitor do not reach it.

    `rules` are the policy's as they were at the trigger, None where none applies; `routes` the monitor's own rules that
    matched, as {notify, after_seconds, repeat_seconds, send_resolved, quiet_hours}. `begun_at` is when the round began,
    `told` are the channels that were told last and `reach_at` is until when they have to have it. `heard` are all that
    were told since the incident was opened last, `quiet` those of them that hear nothing of the end. `repeating` are
    the routes' next times. `facts` is what the trigger told. While there is a `hold` nobody is told anything but the
    end. Within a `freeze` a maintenance window lets nothing fall due. An acknowledgement that is `snoozed` ends at the
    instant that somebody named, any other after a time of the policy.
    """

    rules: dict[str, Any] | None = None
    routes: tuple[dict[str, Any], ...] = ()
    begun_at: int = 0
    told: tuple[str, ...] = ()
    progress: Progress = field(default_factory=Progress)
    repeating: tuple[Timer, ...] = ()
    reach_at: int | None = None
    ack_expires_at: int | None = None
    snoozed: bool = False
    auto_resolve_at: int | None = None
    facts: dict[str, Any] | None = None
    heard: tuple[str, ...] = ()
    quiet: tuple[str, ...] = ()
    hold: Hold | None = None
    freeze: Freeze | None = None

    @property
    def ladder(self) -> Ladder | None:
        return None if self.rules is None else Ladder.of(self.rules)

    def document(self) -> dict[str, Any]:
        """As it is stored."""
        return asdict(self)

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Escalation:
        """Reads what `document` wrote."""
        progress = document["progress"]
        upcoming = progress["upcoming"]
        return cls(
            **{
                **document,
                "routes": tuple(document["routes"]),
                "progress": Progress(
                    at=Place(**progress["at"]),
                    upcoming=None if upcoming is None else Place(**upcoming),
                    next_at=progress["next_at"],
                    exhausted=progress["exhausted"],
                ),
                "repeating": tuple(
                    Timer(kind=TimerKind(one["kind"]), place=Place(**one["place"]), due_at=one["due_at"])
                    for one in document["repeating"]
                ),
                "told": tuple(document["told"]),
                "heard": tuple(document["heard"]),
                "quiet": tuple(document["quiet"]),
                "hold": None if document["hold"] is None else Hold.read(document["hold"]),
                "freeze": None if document["freeze"] is None else Freeze(**document["freeze"]),
            }
        )


def rules_in_zone(rules: Mapping[str, Any], zone: str) -> dict[str, Any]:
    """The rules of a policy whose hours have a zone each: their own, or else this one."""
    steps = [{**step, "only_between": in_zone(step["only_between"], zone)} for step in rules["steps"]]
    return {**rules, "steps": steps}


def begun(escalation: Escalation, now: int, reaches: Reaches = _anybody) -> tuple[Escalation, tuple[Place, ...]]:
    """A round begins: at the trigger, when an acknowledgement ends, when the incident is open again."""
    ladder = escalation.ladder
    climbed = Climb(Progress()) if ladder is None else begin(ladder, now, reaches)
    started = replace(
        escalation,
        begun_at=now,
        progress=climbed.progress,
        repeating=tuple(_first_times(escalation.routes, now)),
        reach_at=None,
        ack_expires_at=None,
        snoozed=False,
        auto_resolve_at=_later(now, None if ladder is None else ladder.auto_resolve),
        hold=None,
        freeze=None,
    )
    return started, climbed.taken


def reopened(escalation: Escalation) -> Escalation:
    """Another outage: whoever heard of the one before hears of this one only if he is told again."""
    return replace(escalation, told=(), heard=(), quiet=())


def put_on_hold(escalation: Escalation, hold: Hold) -> Escalation:
    """Nobody is told before the hold ends. A round that has not begun waits on the ground."""
    if not hold.begins:
        return replace(escalation, hold=hold)
    waiting = Progress(upcoming=None if escalation.rules is None else Place(0, 0))
    return replace(_halted(escalation), progress=waiting, ack_expires_at=None, auto_resolve_at=None, hold=hold)


def acknowledged(escalation: Escalation, now: int, until: int | None) -> Escalation:
    """Somebody has it: nobody further is told until that runs out, by the policy where nobody says until when."""
    ladder = escalation.ladder
    expires = _later(now, None if ladder is None else ladder.ack_timeout)
    taken = replace(_halted(escalation), ack_expires_at=expires, snoozed=False)
    return taken if until is None else snoozed(taken, until)


def snoozed(escalation: Escalation, until: int) -> Escalation:
    """Whoever has it has it until then (ms), whatever the policy says."""
    return replace(escalation, ack_expires_at=until, snoozed=True)


def over(escalation: Escalation) -> Escalation:
    """The incident is resolved: nothing is due any more."""
    return replace(_halted(escalation), ack_expires_at=None, auto_resolve_at=None, freeze=None)


def timers(state: IncidentState, escalation: Escalation) -> Iterator[Timer]:
    """Every timer of an incident in the state: they follow from it alone, so that its rows can be made anew."""
    if escalation.freeze is not None:
        return
    progress = escalation.progress
    if state is IncidentState.TRIGGERED and escalation.hold is not None:
        yield Timer(kind=TimerKind.HOLD, due_at=escalation.hold.look_at)
    elif state is IncidentState.TRIGGERED:
        if progress.upcoming is not None and progress.next_at is not None:
            yield Timer(kind=TimerKind.STEP, place=progress.upcoming, due_at=progress.next_at)
        if escalation.reach_at is not None:
            yield Timer(kind=TimerKind.REACH, due_at=escalation.reach_at)
        yield from route_timers(escalation)
    if state is IncidentState.ACKNOWLEDGED and escalation.ack_expires_at is not None:
        yield Timer(kind=TimerKind.ACK_END, due_at=escalation.ack_expires_at)
    if state is not IncidentState.RESOLVED and escalation.auto_resolve_at is not None:
        yield Timer(kind=TimerKind.AUTO_RESOLVE, due_at=escalation.auto_resolve_at)


def tell(escalation: Escalation, now: int, *, loud: Sequence[str], quiet: Sequence[str]) -> Escalation:
    """Messages go out now, to some who hear of the end and to some who do not."""
    if not loud and not quiet:
        return escalation
    hear_the_end = {*loud} | ({*escalation.heard} - {*escalation.quiet})
    still = [one for one in dict.fromkeys((*escalation.quiet, *quiet)) if one not in hear_the_end]
    heard = tuple(dict.fromkeys((*escalation.heard, *loud, *quiet)))
    return replace(escalation, told=(*loud, *quiet), reach_at=now + REACH, heard=heard, quiet=tuple(still))


def route_timers(escalation: Escalation) -> Iterator[Timer]:
    """When the routes are told: after their delay, and behind the quiet hours in which that ends."""
    for one in escalation.repeating:
        yield replace(one, due_at=not_before(escalation.routes[one.place.step], one.due_at))


def due_routes(escalation: Escalation, now: int) -> tuple[Escalation, tuple[int, ...]]:
    """The routes whose time has come, by their numbers, and the escalation with their next times; each once.

    What was due while nobody looked may have come into quiet hours by now.
    """
    waiting: list[Timer] = []
    due: list[int] = []
    for one in escalation.repeating:
        route = escalation.routes[one.place.step]
        delayed_to = max(one.due_at, now)
        if not_before(route, delayed_to) > now:
            waiting.append(replace(one, due_at=delayed_to))
            continue
        due.append(one.place.step)
        again = _milliseconds(route["repeat_seconds"])
        if again is not None:
            place = Place(one.place.repeat + 1, one.place.step)
            waiting.append(Timer(kind=TimerKind.ROUTE, place=place, due_at=now + again))
    return replace(escalation, repeating=tuple(waiting)), tuple(due)


def routes_at_once(escalation: Escalation, now: int) -> list[int]:
    """The numbers of the routes that are told when the round begins."""
    return [number for number, route in enumerate(escalation.routes) if first_time(route, now) == now]


def _first_times(routes: tuple[dict[str, Any], ...], now: int) -> Iterator[Timer]:
    """What is told at once needs no timer but for its next time."""
    for number, route in enumerate(routes):
        again = _milliseconds(route["repeat_seconds"])
        if first_time(route, now) > now:
            yield Timer(kind=TimerKind.ROUTE, place=Place(0, number), due_at=now + route["after_seconds"] * SECOND)
        elif again is not None:
            yield Timer(kind=TimerKind.ROUTE, place=Place(1, number), due_at=now + again)


def _halted(escalation: Escalation) -> Escalation:
    return replace(escalation, progress=escalation.progress.halted(), repeating=(), reach_at=None, hold=None)


def _rung(step: Mapping[str, Any]) -> Rung:
    only_between = step["only_between"]
    return Rung(
        delay=step["delay_seconds"] * SECOND,
        targets=tuple(Target(target["type"], target["id"]) for target in step["targets"]),
        hours=None if only_between is None else Hours.of(only_between),
    )


def _milliseconds(seconds: int | None) -> int | None:
    return None if seconds is None else seconds * SECOND


def _later(now: int, after: int | None) -> int | None:
    return None if after is None else now + after
