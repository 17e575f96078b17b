"""What must hold at the end of a run, read from the rows and held against the log of what the probes saw."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Any

from sqlalchemy import Connection, select

from statuspulse.domain.health import State
from statuspulse.domain.result import Verdict
from statuspulse.domain.timeline import Timeline
from statuspulse.domain.times import SECOND
from statuspulse.engine.sight import sights_of
from statuspulse.engine.timelines import timelines_of
from statuspulse.storage import monitors, states
from statuspulse.storage.monitors import Monitor
from statuspulse.storage.schema import incidents, monitor_states, outbox, results, transitions
from tests.simulation.model import Model
from tests.simulation.plane import Violation
from tests.simulation.probe import Assigned, Seen, SimulatedProbe
from tests.simulation.scenario import CALM_FROM
from tests.virtual_time import START

_MEASURED = (State.UP, State.DEGRADED, State.DOWN)
_VERDICTS = (Verdict.OK, Verdict.FAILED, Verdict.VOID)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """The end of a run: the calm is over, and everything had time to come right."""

    team_id: str
    assigned: Sequence[Assigned]
    probes: Sequence[SimulatedProbe]
    model: Model
    now: int

    def check(self, connection: Connection) -> None:
        for one in self.assigned:
            monitor = monitors.get(connection, self.team_id, one.id)
            assert monitor is not None
            _transitions_follow_each_other(connection, monitor)
            _down_carries_evidence(connection, monitor)
            self._state_is_the_truth(connection, monitor, one)
            timeline = self._timeline(connection, monitor)
            _sums_add_up(timeline, monitor, self.now)
            self._measured_only_where_somebody_looked(timeline, monitor)
            self._never_the_opposite(timeline, monitor)
            self._maintenance_is_what_windows_take_out(timeline, monitor)
            self._nobody_hears_inside(connection, monitor)
        _one_open_incident_where_it_is_down(connection)
        _each_message_owed_once(connection)
        self._every_result_once(connection)

    def _state_is_the_truth(self, connection: Connection, monitor: Monitor, one: Assigned) -> None:
        """In the calm every monitor is what its target is: nothing is lost, stuck or forgotten."""
        state = states.state_of(connection, monitor.key)
        health = state.health.value
        fails = [one.target.fails(region, self.now - START) for region in monitor.config["regions"]]
        expected = "down" if all(fails) else "up"
        _must(health == expected, f"{monitor.name} is {health} after the calm and its target {expected}")
        _must(state.state.value == health, f"{monitor.name} is {state.state.value} after the calm, and no window holds")

    def _timeline(self, connection: Connection, monitor: Monitor) -> Timeline:
        shown = [(monitor, sights_of(connection, [(monitor, states.state_of(connection, monitor.key))], self.now))]
        (entry,) = [(monitor, sights[monitor.key]) for monitor, sights in shown]
        return timelines_of(connection, [entry], 0, self.now)[monitor.key]

    def _looks(self, monitor: Monitor) -> list[Seen]:
        """Everything with a verdict that was stored of the monitor, where it was stored, oldest first."""
        looks = [
            look
            for probe in self.probes
            for look in probe.log.values()
            if look.monitor_id == monitor.id and look.verdict is not Verdict.VOID
        ]
        placed = self.model.placed
        return sorted((look for look in looks if (look.probe, look.seq) in placed), key=self._slot)

    def _slot(self, look: Seen) -> int:
        return self.model.placed[look.probe, look.seq]

    def _measured_only_where_somebody_looked(self, timeline: Timeline, monitor: Monitor) -> None:
        """Up, degraded and down lie only where at least half of the regions looked within an interval."""
        interval = monitor.config["interval_seconds"] * SECOND
        regions, rotates = len(monitor.config["regions"]), monitor.config["region_strategy"] == "rotate"
        # In the first round after a start no region is overdue.
        starts = self.model.monitors[monitor.id].starts
        first_rounds = [(start, start + interval * (regions if rotates else 1)) for start in starts]
        steps: list[tuple[int, int]] = []
        for _, looks in groupby(sorted(self._looks(monitor), key=lambda look: look.region), lambda look: look.region):
            sights = [(self._slot(look), self._slot(look) + interval) for look in looks]
            for start, end in _joined(sorted([*sights, *first_rounds])):
                steps += [(start, 1), (end, -1)]
        enough = 1 if rotates else (regions + 1) // 2
        seen = list(_covered(sorted(steps), enough))
        # What is not overdue yet counts as seen: the last interval, the longest check and its way here.
        edge = self.now - 3 * interval - 30 * SECOND
        for stretch in timeline.within(0, edge):
            if stretch.state in _MEASURED:
                for start, end in _outside(stretch.start, stretch.end, seen):
                    _must(False, f"{monitor.name} is {stretch.state.value} from {_t(start)} to {_t(end)}, unseen")

    def _never_the_opposite(self, timeline: Timeline, monitor: Monitor) -> None:
        """No stretch is up while nothing but failures was seen in it for long, and none down while all was well."""
        interval = monitor.config["interval_seconds"] * SECOND
        regions = len(monitor.config["regions"])
        rotates = monitor.config["region_strategy"] == "rotate"
        spacing = interval * (regions if rotates else 1)
        longest = 5 * spacing + 30 * SECOND
        looks = self._looks(monitor)
        for stretch in timeline.within(0, self.now):
            if stretch.state not in (State.UP, State.DOWN):
                continue
            wrong = Verdict.FAILED if stretch.state is State.UP else Verdict.OK
            inside = [look for look in looks if stretch.start <= self._slot(look) < stretch.end]
            for verdict, group in groupby(inside, key=lambda look: look.verdict):
                found = list(group)
                lasted = self._slot(found[-1]) - self._slot(found[0])
                _must(
                    verdict is not wrong or lasted <= longest,
                    f"{monitor.name} is {stretch.state.value} from {_t(self._slot(found[0]))} for {lasted} ms "
                    "in which every look said the opposite",
                )

    def _maintenance_is_what_windows_take_out(self, timeline: Timeline, monitor: Monitor) -> None:
        """To the millisecond: from the first moment by the plan, or by who ended it, whenever it was carried out."""
        covers = [one for one in self.model.monitors[monitor.id].covers if one.excludes and one.start < one.end]
        wanted = sorted((one.start, one.end) for one in covers)
        taken = [(one.start, one.end) for one in timeline.within(0, self.now) if one.state is State.MAINTENANCE]
        told, expected = ([(_t(start), _t(end)) for start, end in _joined(spans)] for spans in (taken, wanted))
        _must(told == expected, f"{monitor.name} was in maintenance {told} and its windows were {expected}")

    def _nobody_hears_inside(self, connection: Connection, monitor: Monitor) -> None:
        """No incident begins, and none is told of, while a window suppresses that."""
        mute = [(one.start, one.end) for one in self.model.monitors[monitor.id].covers if one.mutes]
        query = select(outbox.c.created_at).join(incidents, incidents.c.id == outbox.c.incident_id)
        told = connection.scalars(query.where(incidents.c.monitor_key == monitor.key, outbox.c.action == "trigger"))
        opened = connection.scalars(select(incidents.c.triggered_at).where(incidents.c.monitor_key == monitor.key))
        for at in (*told, *opened):
            _must(
                not any(start <= at < end for start, end in mute),
                f"people hear at {_t(at)} that {monitor.name} is down, inside a window",
            )

    def _every_result_once(self, connection: Connection) -> None:
        """By its identity each result that was not given up stands in the rows once, and nothing else does."""
        keys = {
            one.key: one.id for one in (monitors.get(connection, self.team_id, one.id) for one in self.assigned) if one
        }
        regions = {probe.row.region_key: probe for probe in self.probes}
        stored = {
            (keys[row.monitor_key], regions[row.region_key].row.id, row.scheduled_at): row
            for row in connection.execute(select(results))
        }
        expected = {
            (look.monitor_id, look.probe, self.model.placed[look.probe, look.seq]): look
            for probe in self.probes
            for look in probe.log.values()
            if (look.probe, look.seq) in self.model.placed
        }
        _must(stored.keys() == expected.keys(), f"results differ: {sorted(stored.keys() ^ expected.keys())[:3]}")
        for key, look in expected.items():
            verdict = _VERDICTS[stored[key].verdict]
            _must(verdict is look.verdict, f"{key} is stored as {verdict} and was {look.verdict}")
        for probe in self.probes:
            _must(not probe.spool or probe.spool[0].seq > max(probe.log) - 10, f"{probe.region} cannot ship its spool")
            lost = probe.log.keys() - probe.dropped - {item.seq for item in probe.spool}
            lost -= {seq for owner, seq in self.model.placed if owner == probe.row.id}
            lost -= self.model.refused[probe.row.id]
            _must(not lost, f"{probe.region} was told that {sorted(lost)[:3]} are in, and they are not")


def _transitions_follow_each_other(connection: Connection, monitor: Monitor) -> None:
    """The history of states has no hole, no step to itself, and ends with the state."""
    query = select(transitions).where(transitions.c.monitor_key == monitor.key).order_by(transitions.c.state_seq)
    found = list(connection.execute(query))
    numbers = [row.state_seq for row in found]
    _must(numbers == list(range(numbers[0], numbers[0] + len(numbers))), f"{monitor.name}: transitions {numbers}")
    for before, after in pairwise(found):
        _must(before.state == after.previous_state, f"{monitor.name}: {before.state} is followed by {after}")
        _must(before.changed_at <= after.changed_at, f"{monitor.name}: {after.state_seq} lies before its forerunner")
        _must(
            after.first_observed_at <= after.changed_at, f"{monitor.name}: {after.state_seq} began after its decision"
        )
    state = connection.execute(select(monitor_states).where(monitor_states.c.monitor_key == monitor.key)).one()
    _must(state.state == found[-1].state, f"{monitor.name} is {state.state}, its history ends {found[-1].state}")


def _down_carries_evidence(connection: Connection, monitor: Monitor) -> None:
    """Each transition to down names a failing region. That they are enough, the model says after every commit."""
    query = select(transitions).where(
        transitions.c.monitor_key == monitor.key,
        transitions.c.health == "down",
        transitions.c.previous_health != "down",  # the edge of a window changes the state alone
    )
    for row in connection.execute(query):
        evidence = json.loads(row.evidence)
        failing = [one for one in evidence if one["standing"] == "failing"]
        _must(bool(failing), f"{monitor.name} went down at {_t(row.changed_at)} without evidence")


def _sums_add_up(timeline: Timeline, monitor: Monitor, now: int) -> None:
    for start in (0, START + CALM_FROM // 3, now - 60 * SECOND):
        sums = timeline.sums(start, now)
        window = now - max(start, monitor.created_at)
        _must(sums.window == window, f"{monitor.name}: {sums} is not {window}")


def _one_open_incident_where_it_is_down(connection: Connection) -> None:
    """One open incident at most per monitor; one where it is down; none where it is up and people hear of it."""
    opened: Counter[int] = Counter()
    for row in connection.execute(select(incidents)):
        opened[row.monitor_key] += row.state != "resolved"
    for row in connection.execute(select(monitor_states)):
        count = opened[row.monitor_key]
        _must(count <= 1, f"{count} open incidents of one monitor")
        _must(row.health != "down" or count == 1, "a monitor is down without an incident")
        is_muted = row.flapping_since is not None
        _must(row.health != "up" or is_muted or count == 0, "a monitor is up and its incident is open")


def _each_message_owed_once(connection: Connection) -> None:
    """Per incident and destination: numbers without a hole, a trigger first, and trigger and resolve in turn."""
    query = select(outbox).order_by(outbox.c.incident_id, outbox.c.destination, outbox.c.seq)
    heard = set()
    for key, rows in groupby(connection.execute(query), key=lambda row: (row.incident_id, row.destination)):
        heard.add(key[0])
        found = list(rows)
        _must([row.seq for row in found] == list(range(1, len(found) + 1)), f"messages {[r.seq for r in found]}")
        turns = [row.action for row in found if row.action != "update"]
        expected = [("trigger", "resolve")[place % 2] for place in range(len(turns))]
        _must(turns == expected, f"messages of one incident: {turns}")
        state = connection.execute(select(incidents.c.state).where(incidents.c.id == key[0])).scalar_one()
        _must((turns[-1] == "resolve") == (state == "resolved"), f"the incident is {state}, people heard {turns[-1]}")
    for row in connection.execute(select(incidents)):
        _must(row.id in heard, "nobody hears of an incident")


def _joined(spans: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The same stretches, ascending and disjoint."""
    begun: int | None = None
    until = 0
    for start, end in spans:
        if begun is None or start > until:
            if begun is not None:
                yield begun, until
            begun, until = start, end
        until = max(until, end)
    if begun is not None:
        yield begun, until


def _covered(steps: Sequence[tuple[int, int]], enough: int) -> Iterator[tuple[int, int]]:
    seeing, begun = 0, 0
    for at, step in steps:
        if seeing < enough <= seeing + step:
            begun = at
        elif seeing >= enough > seeing + step and at > begun:
            yield begun, at
        seeing += step


def _outside(start: int, end: int, seen: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """What of a stretch lies in no seen one, by more than rounding."""
    for low, high in seen:
        if high <= start or low >= end:
            continue
        if low > start + 1:
            yield start, low
        start = max(start, high)
    if start + 1 < end:
        yield start, end


def _must(holds: bool, otherwise: str) -> None:
    if not holds:
        raise Violation(otherwise)


def _t(at: Any) -> float:
    return (int(at) - START) / SECOND
