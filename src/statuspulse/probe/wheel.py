"""The wheel: a heap of next slots, one for each monitor. It decides what starts now and what is missed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count

from statuspulse.domain.failure import MissReason
from statuspulse.domain.result import Gap, ResultKind
from statuspulse.domain.schedule import first_check_delay, latest_start, next_after_edit
from statuspulse.domain.times import MINUTE
from statuspulse.probe.places import Claim, Places
from statuspulse.probe.plan import Plan, Slot

# A run of missed slots is told at its end, but not later than this.
_LONGEST_SILENCE = MINUTE


@dataclass(slots=True, eq=False)
class _Seat:
    """A monitor's seat on the wheel. `ticket` tells its item in the heap from outdated ones."""

    plan: Plan
    claim: Claim[Line]
    extra_at: int | None
    due_at: int = 0
    kind: ResultKind = ResultKind.SCHEDULED
    ticket: int = 0
    waits_for: MissReason | None = None
    running: Slot | None = None
    last_start: int | None = None
    missed: Gap | None = None


# Who waits for a place, and under which ticket.
Line = tuple[int, _Seat]


class Wheel:
    """All instants in ms of the schedule clock.

    `start` begins a slot and must return at once; `finished` has to be told of its end. `places` say whether one more
    may run. `miss` takes what was not run.
    """

    def __init__(
        self,
        *,
        start: Callable[[Slot], None],
        places: Places[Line],
        miss: Callable[[Gap], None],
    ) -> None:
        self._start = start
        self._places = places
        self._miss = miss
        self._seats: dict[str, _Seat] = {}
        self._heap: list[tuple[int, int, _Seat]] = []
        self._tickets = count(1)

    def __len__(self) -> int:
        return len(self._seats)

    def __contains__(self, monitor_id: str) -> bool:
        return monitor_id in self._seats

    def monitor_ids(self) -> list[str]:
        return list(self._seats)

    def next_due(self) -> int | None:
        """When something is to be done; None on an empty wheel."""
        return self._heap[0][0] if self._heap else None

    def waiting(self) -> int:
        """How many slots are due and do not run yet."""
        return sum(seat.waits_for is not None for seat in self._seats.values())

    def resume(self, plan: Plan, lived_until: int, now: int) -> None:
        """A monitor known from before a restart: what was due meanwhile is missed, and nothing is caught up."""
        seat = self._seats[plan.monitor_id] = self._seat(plan, None)
        slots = plan.grid.slots_between(lived_until, now)
        if slots:
            first = plan.grid.next_slot(lived_until)
            last = first + (slots - 1) * plan.grid.spacing
            self._miss(_gap(plan, first, last, slots, MissReason.RESTART))
        self._plan_next(seat, now)

    def assign(self, plan: Plan, now: int, *, extra_after: int = 0) -> None:
        """A new monitor, which gets one extra check, or a new configuration of one that is known.

        `extra_after` (ms) puts the extra check off; one that would come after the first regular one is left out then.
        """
        seat = self._seats.get(plan.monitor_id)
        if seat is None:
            extra_at = now + extra_after + first_check_delay(plan.monitor_id, plan.grid.interval)
            is_wanted = not extra_after or extra_at < plan.grid.next_slot(now)
            seat = self._seats[plan.monitor_id] = self._seat(plan, extra_at if is_wanted else None)
            self._plan_next(seat, now)
            return
        old, seat.plan = seat.plan, plan
        if old.spec != plan.spec:
            seat.claim = self._places.claim(plan.spec, None, plan.team_id)
        if old.grid == plan.grid:
            return
        self._close_gap(seat)
        seat.waits_for = None
        if seat.kind is ResultKind.FIRST:
            seat.extra_at = seat.due_at
        self._plan_next(seat, now)
        if seat.last_start is not None and seat.kind is ResultKind.SCHEDULED:
            due_at = next_after_edit(plan.grid, seat.last_start, old.grid.spacing, now)
            self._push(seat, due_at, ResultKind.SCHEDULED)

    def dismiss(self, monitor_id: str) -> Slot | None:
        """Forgets a monitor; gives back the slot that is still running."""
        seat = self._seats.pop(monitor_id, None)
        if seat is None:
            return None
        self._close_gap(seat)
        seat.ticket = 0
        return seat.running

    def turn(self, now_us: int) -> None:
        """Starts what is due."""
        now = now_us // 1000
        heap = self._heap
        while heap and heap[0][0] <= now:
            _, ticket, seat = heappop(heap)
            if ticket == seat.ticket:
                self._meet(seat, now_us, now)

    def skip(self, now: int, reason: MissReason) -> None:
        """Nothing that came due up to now is run: time went by in which we did not live."""
        heap = self._heap
        while heap and heap[0][0] <= now:
            _, ticket, seat = heappop(heap)
            if ticket == seat.ticket:
                self._pass_over(seat, now, reason)
                self._close_gap(seat)

    def finished(self, slot: Slot, now_us: int) -> None:
        """A slot has ended; its place goes to one that waits."""
        if slot.claim is not None:
            self._places.give_back(slot.claim)
        seat = self._seats.get(slot.plan.monitor_id)
        if seat is not None and seat.running is slot:
            seat.running = None
            self._follow(seat, slot)
            if seat.waits_for is MissReason.OVERRUN:
                seat.waits_for = MissReason.OVERLOAD
                self._compete((seat.ticket, seat), now_us)
        while (waiting := self._places.next_in_line()) is not None:
            self._compete(waiting, now_us)

    def plan_of(self, monitor_id: str) -> Plan | None:
        """What is run for the monitor; None if it is not checked here."""
        seat = self._seats.get(monitor_id)
        return None if seat is None else seat.plan

    def due_at(self, monitor_id: str) -> int | None:
        """When the next slot of the monitor is due; None if it is not checked here."""
        seat = self._seats.get(monitor_id)
        return None if seat is None else seat.due_at

    def is_taken(self, monitor_id: str, now: int) -> bool:
        """Whether a slot of the monitor runs or is due."""
        seat = self._seats.get(monitor_id)
        return seat is not None and (seat.running is not None or seat.due_at <= now)

    def close(self) -> None:
        """Nothing begins any more. Tells the runs of missed slots that are still open, and what waits as missed."""
        for seat in self._seats.values():
            if seat.waits_for is not None:
                self._pass_over(seat, seat.due_at, MissReason.RESTART)
            self._close_gap(seat)
            seat.ticket = 0
        self._seats.clear()
        self._heap.clear()

    def _seat(self, plan: Plan, extra_at: int | None) -> _Seat:
        return _Seat(plan, self._places.claim(plan.spec, None, plan.team_id), extra_at)

    def _follow(self, seat: _Seat, slot: Slot) -> None:
        """From now on the monitor's checks count at the address where the last one has been."""
        seen_at = slot.seen_at
        if seen_at is not None and seen_at != seat.claim.destination.address and slot.plan.spec == seat.plan.spec:
            seat.claim = self._places.claim(seat.plan.spec, seen_at, seat.plan.team_id)

    def _compete(self, waiting: Line, now_us: int) -> None:
        """Begins what is still in time if there is a place, and lets it wait on otherwise."""
        ticket, seat = waiting
        is_in_time = now_us // 1000 - seat.due_at <= latest_start(seat.plan.grid.interval)
        if ticket != seat.ticket or not is_in_time:
            return
        if self._places.take(seat.claim):
            self._begin(seat, now_us)
        else:
            self._places.wait(seat.claim, waiting)

    def _meet(self, seat: _Seat, now_us: int, now: int) -> None:
        if seat.waits_for is not None:
            self._pass_over(seat, seat.due_at, seat.waits_for)
            return
        latest = latest_start(seat.plan.grid.interval)
        if now - seat.due_at > latest:
            # Nobody took its place and it did not run before: it was us who came too late.
            self._pass_over(seat, now - latest - 1, MissReason.SELF_STALL)
        elif seat.running is None and self._places.take(seat.claim):
            self._begin(seat, now_us)
        else:
            ticket = self._wait(seat, seat.due_at + latest + 1)
            seat.waits_for = MissReason.OVERLOAD if seat.running is None else MissReason.OVERRUN
            if seat.running is None:
                self._places.wait(seat.claim, (ticket, seat))

    def _begin(self, seat: _Seat, now_us: int) -> None:
        if seat.missed is not None:
            self._close_gap(seat)
        now = now_us // 1000
        due_at, kind, seat.waits_for, seat.last_start = seat.due_at, seat.kind, None, now
        # From what was due, not from now: a slot that follows an extra check at once may be due by now as well.
        self._plan_next(seat, due_at)
        slot = seat.running = Slot(seat.plan, due_at, kind, now_us - due_at * 1000, seat.due_at, seat.claim)
        self._start(slot)

    def _plan_next(self, seat: _Seat, after: int) -> None:
        """The next point of the grid, or the extra check of a new monitor if that comes sooner."""
        due_at = seat.plan.grid.next_slot(after)
        kind = ResultKind.SCHEDULED
        if seat.extra_at is not None:
            if after <= seat.extra_at < due_at:
                due_at, kind = seat.extra_at, ResultKind.FIRST
            if due_at >= seat.extra_at:
                seat.extra_at = None
        self._push(seat, due_at, kind)

    def _push(self, seat: _Seat, due_at: int, kind: ResultKind) -> None:
        seat.due_at = due_at
        seat.kind = kind
        self._wait(seat, due_at)

    def _wait(self, seat: _Seat, until: int) -> int:
        seat.ticket = ticket = next(self._tickets)
        heappush(self._heap, (until, ticket, seat))
        return ticket

    def _pass_over(self, seat: _Seat, through: int, reason: MissReason) -> None:
        """Misses the slot that is due and those after it, up to an instant; an extra check is no slot."""
        grid, first = seat.plan.grid, seat.due_at
        through = max(through, first)
        slots = further = grid.slots_between(first, through)
        if seat.kind is ResultKind.SCHEDULED:
            slots += 1
        else:
            first = grid.next_slot(first)
        if slots:
            last = grid.next_slot(through) - grid.spacing if further else first
            self._extend_gap(seat, _gap(seat.plan, first, last, slots, reason))
        seat.waits_for = None
        self._plan_next(seat, through)

    def _extend_gap(self, seat: _Seat, gap: Gap) -> None:
        run = seat.missed
        if run is not None and run.reason is not gap.reason:
            self._close_gap(seat)
            run = None
        if run is not None:
            gap = _gap(seat.plan, run.from_at, gap.to_at, run.count + gap.count, gap.reason)
        seat.missed = gap
        if gap.to_at - gap.from_at >= _LONGEST_SILENCE:
            self._close_gap(seat)

    def _close_gap(self, seat: _Seat) -> None:
        if seat.missed is not None:
            self._miss(seat.missed)
            seat.missed = None


def _gap(plan: Plan, first: int, last: int, slots: int, reason: MissReason) -> Gap:
    return Gap(monitor_id=plan.monitor_id, region=plan.region, from_at=first, to_at=last, count=slots, reason=reason)
