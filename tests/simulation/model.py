"""What state and standings must be, computed the plain way: from whole lists of results, after every commit.

Written from the rules and not from the code: it keeps every verdict that counts, and derives streaks from the lists
each time. Of `domain` it uses the grid alone. It follows the engine only in the instant at which a
silence makes a monitor unknown, and holds that instant within bounds.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any

from statuspulse.bus.bus import Batch
from statuspulse.domain.times import MINUTE, SECOND, from_datetime
from statuspulse.protocol.documents import Item
from tests.simulation.probe import Assigned
from tests.simulation.windows import Cover

# The sweep looks once a second, and a restart reads the last decision from the last result.
_LATENESS = 5 * SECOND
# An edge is carried out at once, unless the database refuses that again and again.
_EDGE_LATENESS = 20 * SECOND


@dataclass(slots=True)
class Region:
    """The verdicts that count, oldest first, and the newest slots stored, counted and voted.

    What came too late to vote may be counted, as something seen. It is `blind` while the newest stored one says that
    its probe was.
    """

    verdicts: list[bool] = field(default_factory=list)
    blind: bool = False
    stored: int = -1
    counted: int = -1
    voted: int = -1
    position: str = "none"

    @property
    def is_heard(self) -> bool:
        return bool(self.verdicts) or self.position != "none"

    def clear(self) -> None:
        self.verdicts.clear()
        self.position = "none"

    def hear(self, ok: bool, config: dict[str, Any]) -> None:
        """A run of verdicts as long as the threshold moves the position; what was never failing passes at once."""
        self.verdicts.append(ok)
        run = sum(1 for _ in takewhile(lambda verdict: verdict is ok, reversed(self.verdicts)))
        if ok and (self.position != "failing" or run >= config["recovery_threshold"]):
            self.position = "passing"
        elif not ok and run >= config["failure_threshold"]:
            self.position = "failing"


@dataclass(slots=True)
class Monitor:
    """One monitor: its rules as they stand in its configuration, and what is known of its regions."""

    assigned: Assigned
    config: dict[str, Any]
    votes_from: int
    regions: dict[str, Region]
    health: str = "pending"
    paused: bool = False
    decided_at: int = 0
    heard_at: int = 0
    slots: set[tuple[str, int]] = field(default_factory=set)
    starts: list[int] = field(default_factory=list)
    told: str = "pending"
    covers: list[Cover] = field(default_factory=list)
    covered: bool = False  # as the engine has carried it out
    shows_maintenance: bool = False
    muted: bool = False
    edge_missed_at: int | None = None

    @property
    def interval(self) -> int:
        return int(self.config["interval_seconds"]) * SECOND

    @property
    def spacing(self) -> int:
        return self.interval * (len(self.regions) if self.config["region_strategy"] == "rotate" else 1)

    @property
    def vote_lifetime(self) -> int:
        return max(2 * self.spacing + int(self.config["timeout_ms"]), 30 * SECOND)

    @property
    def longest_silence(self) -> int:
        return max(3 * self.interval, 90 * SECOND)

    def cover(self, now: int) -> Cover | None:
        """The window that holds by the clock."""
        return next((one for one in self.covers if one.start <= now < one.end), None)

    def end_maintenance(self) -> None:
        """Behind a window that muted it, streaks begin anew and positions stay: what is broken has to show it again."""
        if self.covered and self.muted:
            for region in self.regions.values():
                region.verdicts.clear()
        self.covered = self.shows_maintenance = False

    def restart_votes(self, now: int) -> None:
        self.votes_from = now
        for region in self.regions.values():
            region.clear()


@dataclass(slots=True)
class Model:
    """All monitors of a run, and how far each probe's results are in."""

    monitors: dict[str, Monitor]
    through: dict[str, int] = field(default_factory=dict)
    placed: dict[tuple[str, int], int] = field(default_factory=dict)  # the stored slot of (probe, seq)
    refused: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))

    def take(self, batch: Batch, silent: frozenset[str], now: int) -> None:
        """A batch has been committed."""
        items, through = batch.results.results, self.through.get(batch.probe_id, 0)
        dropped = batch.results.dropped_through or 0
        if items and items[0].seq > max(through, dropped) + 1:
            return
        for item in items:
            if item.seq > through:
                through = item.seq
                if item.kind != "gap":
                    self._see(batch, item, silent - {batch.region}, now)
        self.through[batch.probe_id] = max(through, dropped)

    def turn(self, monitor_id: str, verb: str, members: dict[str, Any], now: int) -> None:
        """Somebody pauses, resumes or edits."""
        monitor = self.monitors[monitor_id]
        if verb == "edit":
            monitor.config = {**monitor.config, **members}
            return
        monitor.paused = verb == "pause"
        monitor.health = "pending"
        monitor.decided_at = monitor.heard_at = now
        monitor.restart_votes(now)
        monitor.starts.append(now)

    def may_lose_sight(self, monitor_id: str, now: int) -> bool:
        """Whether nothing was decided for so long that the monitor may be called unknown."""
        monitor = self.monitors[monitor_id]
        return not monitor.paused and now - monitor.decided_at >= monitor.longest_silence

    def must_have_lost_sight(self, monitor_id: str, now: int) -> bool:
        """Whether no region was heard for so long that nothing but unknown is true."""
        monitor = self.monitors[monitor_id]
        silence = now - max(monitor.heard_at, monitor.decided_at)
        return not monitor.paused and silence > monitor.longest_silence + _LATENESS

    def lose_sight(self, monitor_id: str, now: int) -> None:
        monitor = self.monitors[monitor_id]
        monitor.health = "unknown"
        monitor.shows_maintenance = monitor.cover(now) is not None
        monitor.restart_votes(now)

    def carry_out(self, monitor_id: str, covered: bool, now: int) -> str | None:
        """Follows the engine in the instant at which an edge becomes history; says what is wrong with that instant."""
        monitor = self.monitors[monitor_id]
        cover = monitor.cover(now)
        if covered and not monitor.covered:
            if cover is None:
                return "is covered by no window"
            monitor.covered = monitor.shows_maintenance = True
            monitor.muted = cover.mutes
        elif monitor.covered and not covered:
            if cover is not None:
                return "is covered no more inside its window"
            monitor.end_maintenance()
        if (cover is not None) is monitor.covered is monitor.shows_maintenance:
            monitor.edge_missed_at = None
        elif monitor.edge_missed_at is None:
            monitor.edge_missed_at = now
        elif now - monitor.edge_missed_at > _EDGE_LATENESS:
            return "waits for an edge of its window"
        return None

    def _see(self, batch: Batch, item: Item, silent: frozenset[str], now: int) -> None:
        assert item.scheduled_at is not None
        assert item.observed_at is not None
        monitor = self.monitors[item.monitor_id]
        slot, observed = from_datetime(item.scheduled_at), from_datetime(item.observed_at)
        if slot > now + 30 * SECOND:
            self.refused[batch.probe_id].add(item.seq)
            return
        if item.kind == "recheck" and monitor.assigned.grid(batch.region).next_slot(slot - 1) == slot:
            slot += 1
        if (batch.region, slot) in monitor.slots:
            self.refused[batch.probe_id].add(item.seq)
            return
        monitor.slots.add((batch.region, slot))
        self.placed[batch.probe_id, item.seq] = slot
        region = monitor.regions[batch.region]
        if slot <= region.stored:
            return
        if item.ok is False and monitor.shows_maintenance and monitor.cover(now) is None:
            monitor.end_maintenance()
        region.stored = slot
        region.blind = item.failure is not None and item.failure.kind == "probe_blind"
        if item.ok is None or monitor.paused:
            return
        is_live = observed >= monitor.votes_from and now - observed <= min(monitor.vote_lifetime, 10 * MINUTE)
        if is_live:
            self._count(monitor, batch.region, item.ok, (slot, observed), silent, now)
        elif item.ok is (monitor.health in ("up", "degraded")) and (item.ok or monitor.health == "down"):
            region.counted = slot

    def _count(
        self, monitor: Monitor, slug: str, ok: bool, when: tuple[int, int], silent: frozenset[str], now: int
    ) -> None:
        slot, observed = when
        region = monitor.regions[slug]
        if region.voted >= 0 and now - region.voted > max(3 * monitor.spacing, 90 * SECOND):
            region.clear()
        region.hear(ok, monitor.config)
        region.counted = region.voted = slot
        monitor.heard_at = now
        oldest = now - monitor.vote_lifetime
        voters = [
            one
            for one, seen in monitor.regions.items()
            if seen.is_heard and not seen.blind and one not in silent and seen.counted >= oldest
        ]
        if voters and 2 * len(voters) >= len(monitor.regions):
            monitor.decided_at = max(monitor.decided_at, observed)
            before, monitor.health = monitor.health, _health(monitor, [monitor.regions[one].position for one in voters])
            if monitor.health != before:
                monitor.shows_maintenance = monitor.cover(now) is not None


def _health(monitor: Monitor, positions: list[str]) -> str:
    """What the votes say (the table of states)."""
    failing, passing, votes = positions.count("failing"), positions.count("passing"), len(positions)
    quorum = monitor.config["quorum"]
    if quorum == "majority":
        need_down = need_up = votes // 2 + 1
    else:
        need_down = {"any": 1, "all": votes}.get(quorum) or min(int(quorum), votes)
        need_up = votes - need_down + 1
    if failing >= need_down:
        return "down"
    if monitor.health == "down" and passing < need_up:
        return "down"
    if failing:
        return "degraded"
    return "up" if passing else monitor.health
