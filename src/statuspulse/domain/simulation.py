"""What a monitor's results would have come to under given rules: changes, incidents, and who would have been told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from statuspulse.domain.flapping import CALM, Flapping, is_change
from statuspulse.domain.health import Health, Reason, Rules, State
from statuspulse.domain.paging import Step, after_change, after_flapping, may_reopen
from statuspulse.domain.replay import Observed, Replay, Turn
from statuspulse.domain.slowness import NOT_SLOW, Sample, Slowness, newest_rounds, slowness
from statuspulse.domain.uptime import Interval


@dataclass(frozen=True, slots=True)
class Look:
    """A verdict with the instant (ms) at which it was known; its latency counts where it is a sample."""

    seen: Observed
    known_at: int
    sample: Sample | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Time [start, end) without a pause in it, and the health that held before its first result."""

    start: int
    end: int
    health: Health
    is_paused_after: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change of state as history would have it."""

    state: State
    previous_state: State
    changed_at: int
    first_observed_at: int
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One opening of an incident up to its end, None while it is open; updates are what is told in between.

    One that is not `new` was told of before the first result.
    """

    begun_at: int
    ended_at: int | None = None
    updated_at: tuple[int, ...] = ()
    new: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """An incident with the instants at which people were called for it, and its rounds where it is simulated.

    `resolved_at` is None while it is open. One that `may_go_on` is opened anew where the next follows soon.
    """

    opened_at: int
    paged_at: tuple[int, ...] = ()
    resolved_at: int | None = None
    may_go_on: bool = True
    rounds: tuple[Round, ...] = ()

    def ended(self, at: int) -> Outage:
        """The same, resolved then."""
        return replace(self, resolved_at=at, rounds=(*self.rounds[:-1], replace(self.rounds[-1], ended_at=at)))

    def updated(self, at: int) -> Outage:
        """The same, of which people hear again."""
        last = self.rounds[-1]
        return replace(self, rounds=(*self.rounds[:-1], replace(last, updated_at=(*last.updated_at, at))))


@dataclass(slots=True)
class Simulation:
    """Goes through stretches of results in order; what it finds is in its members."""

    rules: Rules
    regions: tuple[int, ...]
    mutes_flapping: bool
    changes: list[Change] = field(default_factory=list)
    outages: list[Outage] = field(default_factory=list)
    history: list[Interval] = field(default_factory=list)
    _counted: dict[int, int] = field(default_factory=dict)
    _flapping: Flapping = CALM
    _samples: list[Sample] = field(default_factory=list)

    def run(self, stretch: Stretch, looks: Iterable[Look]) -> None:
        """The results of one stretch, in the order in which they were known."""
        replay = Replay(self.regions, self.rules, stretch.health, stretch.start, counted=self._counted)
        self._flapping, self._samples = CALM, []
        if stretch.health is Health.DOWN and not self._is_open:
            # It was told of before; nobody is told again.
            self.outages.append(Outage(opened_at=stretch.start, rounds=(Round(begun_at=stretch.start, new=False),)))
        observed = []
        for look in _in_order(looks):
            self._pass(replay, look.known_at)
            observed.append(look.seen)
            turn = replay.take(look.seen, look.known_at, self._slowness(look))
            if turn is not None:
                self._follow(turn)
        self._pass(replay, stretch.end)
        self.history += replay.history(sorted(observed, key=lambda seen: seen.at))
        if stretch.is_paused_after:
            self._pause(State(replay.health.value), stretch.end)

    def resume(self, at: int) -> None:
        """A pause ends, and everything begins anew; a region votes once it has looked again."""
        self._record(State.PENDING, State.PAUSED, at, at, Reason.RESUMED)

    @property
    def _is_open(self) -> bool:
        return bool(self.outages) and self.outages[-1].resolved_at is None

    @property
    def _is_muted(self) -> bool:
        return self.mutes_flapping and self._flapping.is_on

    def _pass(self, replay: Replay, until: int) -> None:
        """What comes by itself up to an instant: flapping ends, and without decisions the health is unknown."""
        settles_at = self._flapping.ends_at(self.rules.interval)
        silent_at = replay.silent_at
        if settles_at is not None and settles_at <= until and (silent_at is None or settles_at <= silent_at):
            self._settle(replay.health, settles_at)
            settles_at = None
        turn = replay.wait(until)
        if turn is not None:
            self._samples = []
            self._follow(turn)
        if settles_at is not None and settles_at <= until:
            self._settle(replay.health, settles_at)

    def _slowness(self, look: Look) -> Slowness:
        if self.rules.degraded_latency_us is None:
            return NOT_SLOW
        before = self._samples
        if look.sample is not None:
            self._samples = newest_rounds([*before, look.sample])
        return slowness(before, self._samples, self.rules.degraded_latency_us, self.rules.failure_threshold)

    def _follow(self, turn: Turn) -> None:
        was_flapping = self._flapping.is_on
        if is_change(turn.before, turn.health):
            self._flapping = self._flapping.after_change(turn.decided_at, self.rules.interval)
        self._record(State(turn.health.value), State(turn.before.value), turn.decided_at, turn.begun, turn.reason)
        step = after_change(
            turn.health,
            is_open=self._is_open,
            begins_to_flap=self._is_muted and not was_flapping,
            is_muted=self._is_muted,
        )
        self._tell(step, turn.decided_at)

    def _settle(self, health: Health, at: int) -> None:
        self._flapping = self._flapping.ended()
        if self.mutes_flapping:
            self._tell(after_flapping(health, is_open=self._is_open), at)

    def _pause(self, state: State, at: int) -> None:
        self._record(State.PAUSED, state, at, at, Reason.PAUSED)
        if self._is_open:
            self._tell(Step.RESOLVE, at)
            self.outages[-1] = replace(self.outages[-1], may_go_on=False)

    def _record(self, state: State, before: State, at: int, begun: int, reason: Reason) -> None:
        self.changes.append(
            Change(state=state, previous_state=before, changed_at=at, first_observed_at=begun, reason=reason)
        )

    def _tell(self, step: Step, at: int) -> None:
        match step:
            case Step.NOTHING:
                pass
            case Step.OPEN:
                self._open(at)
            case Step.RESOLVE:
                self.outages[-1] = self.outages[-1].ended(at)
            case Step.UPDATE:
                self.outages[-1] = self.outages[-1].updated(at)

    def _open(self, at: int) -> None:
        last = self.outages[-1] if self.outages else None
        if last is not None and last.resolved_at is not None and last.may_go_on and may_reopen(last.resolved_at, at):
            self.outages[-1] = replace(last, resolved_at=None, rounds=(*last.rounds, Round(begun_at=at)))
        else:
            self.outages.append(Outage(opened_at=at, rounds=(Round(begun_at=at),)))


def _in_order(looks: Iterable[Look]) -> Iterator[Look]:
    """As they were known; what comes behind a later slot of its region moves nothing."""
    newest: dict[int, int] = {}
    for look in sorted(looks, key=lambda look: (look.known_at, look.seen.region)):
        if look.seen.at > newest.get(look.seen.region, -1):
            newest[look.seen.region] = look.seen.at
            yield look
