"""Many monitors on one target, each with a path of its own, and what the database tells of them afterwards."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from statuspulse.domain.schedule import Grid
from tests.system.server import Server, eventually
from tests.targets import HttpTarget, http_answer

INTERVAL = 1000

_ALL_UP_SECONDS = 30.0
_SCHEDULED, _FIRST = 0, 2
_VOID = 2


@dataclass(frozen=True, slots=True)
class Seen:
    """One result as it is stored; instants in ms."""

    scheduled_at: int
    lag_us: int
    is_regular: bool
    is_void: bool
    is_ok: bool
    config_version: int
    observed_at: int

    @property
    def started_at(self) -> int:
        return self.scheduled_at + self.lag_us // 1000


class Herd:
    """Monitors that are checked every second without retries. Those with a hook tell Slack of themselves."""

    def __init__(self, served: Server, target: HttpTarget) -> None:
        self.served = served
        self.target = target
        self.ids: list[str] = []
        self.hooks: dict[str, str] = {}

    def grow(self, count: int, *, with_hooks: bool, **members: Any) -> list[str]:
        """Makes monitors; answers their ids."""
        made = []
        for _ in range(count):
            number = len(self.ids)
            hook = f"hook{number}"
            monitor_id = self.served.create(
                name=f"Shop {number}",
                type="http",
                url=f"{self.target.url}/{number}",
                timeout_ms=500,
                retry={"count": 0, "delay_ms": 1000},
                notifications=[f"slack://hooks/T0A1B2C3D/B0X9Y8Z7W/{hook}"] if with_hooks else [],
                **members,
            )
            if with_hooks:
                self.hooks[monitor_id] = hook
            self.ids.append(monitor_id)
            made.append(monitor_id)
        return made

    def ruin(self, monitor_id: str) -> None:
        self.target.routes[self.path(monitor_id)] = http_answer(500)

    def heal(self, monitor_id: str) -> None:
        self.target.routes.pop(self.path(monitor_id), None)

    def path(self, monitor_id: str) -> str:
        return f"/{self.ids.index(monitor_id)}"

    def states(self) -> dict[str, str]:
        return dict(self.served.rows("SELECT id, state FROM monitor_states JOIN monitors ON key = monitor_key"))

    def await_all_up(self) -> None:
        eventually(lambda: set(self.states().values()) == {"up"}, _ALL_UP_SECONDS, self.states)

    def results(self) -> dict[str, list[Seen]]:
        """Every result of every monitor, by slot."""
        found: dict[str, list[Seen]] = defaultdict(list)
        query = (
            "SELECT id, scheduled_at, lag_us, kind, verdict, results.config_version, "
            "scheduled_at + observed_after_ms "
            "FROM results JOIN monitors ON key = monitor_key ORDER BY monitor_key, scheduled_at"
        )
        for monitor_id, scheduled_at, lag_us, kind, verdict, version, observed_at in self.served.rows(query):
            is_void, is_ok = verdict == _VOID, verdict == 0
            seen = Seen(scheduled_at, lag_us, kind == _SCHEDULED, is_void, is_ok, version, observed_at)
            found[monitor_id].append(seen)
        return found

    def first_start_after(self, instant: int) -> int:
        """When the first check after the instant began (ms), 0 while there is none."""
        begun: int | None = self.served.value(
            "SELECT min(scheduled_at + lag_us / 1000) FROM results WHERE scheduled_at + lag_us / 1000 > ?", instant
        )
        return begun or 0

    def transitions(self) -> dict[str, list[str]]:
        """The health that every monitor went through, in order."""
        found: dict[str, list[str]] = defaultdict(list)
        query = "SELECT id, health FROM transitions JOIN monitors ON key = monitor_key ORDER BY monitor_key, state_seq"
        for monitor_id, health in self.served.rows(query):
            found[monitor_id].append(health)
        return found


def missing_slots(monitor_id: str, seen: list[Seen]) -> list[int]:
    """The points of the monitor's grid between its first and its last regular check that have no result."""
    slots = {one.scheduled_at for one in seen if one.is_regular}
    grid = Grid.of(monitor_id, INTERVAL, 0, 1)
    missing = []
    at = min(slots)
    assert grid.next_slot(at - 1) == at, "the first slot is not on the grid"
    while at < max(slots):
        at = grid.next_slot(at)
        if at not in slots:
            missing.append(at)
    assert len(slots) + len(missing) == (max(slots) - min(slots)) // INTERVAL + 1, "a slot is not on the grid"
    return missing


def unseen_ms(seen: list[Seen]) -> int:
    """Time between checks that nobody has seen: a check sees its slot and the interval after it."""
    counted = [one.scheduled_at for one in seen if not one.is_void]
    unseen, seen_until = 0, counted[0]
    for at in counted:
        unseen += max(0, at - seen_until)
        seen_until = max(seen_until, at + INTERVAL)
    return unseen
