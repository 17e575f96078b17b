"""What is to happen in a run, drawn from its seed alone: monitors, the truth of their targets, and the faults.

Instants are milliseconds since the start of the run. Faults end at `calm_from`; what remains is the time in which
everything must come right by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

from statuspulse.domain.times import MINUTE, SECOND

REGIONS = ("ap-south", "eu-west", "us-east")
CALM_FROM = 10 * MINUTE
# Long enough for the slowest monitor (three regions in turn every 20 s, thresholds of 3) and for what a probe kept.
END = CALM_FROM + 5 * MINUTE


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch [start, end)."""

    start: int
    end: int

    def holds(self, at: int) -> bool:
        return self.start <= at < self.end


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """The target fails where `regions` look; with a `period` it fails in every other one of that length."""

    window: Window
    regions: frozenset[str]
    period: int | None

    def holds(self, region: str, at: int) -> bool:
        if region not in self.regions or not self.window.holds(at):
            return False
        return self.period is None or (at - self.window.start) // self.period % 2 == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One monitor: its configuration, and when its target fails."""

    config: dict[str, Any]
    outages: tuple[Outage, ...]

    def fails(self, region: str, at: int) -> bool:
        return any(outage.holds(region, at) for outage in self.outages)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeFaults:
    """What befalls the probe of one region.

    While it is `dead` it does nothing and keeps its spool; while it is `cut` off it checks and keeps what it finds;
    while it is `blind` its checks have no verdict; while it is `mute` it says that it lives and nothing else. From
    `stepped_at` on its clock is wrong by `step`.
    """

    dead: tuple[Window, ...]
    cut: tuple[Window, ...]
    blind: tuple[Window, ...]
    mute: tuple[Window, ...]
    slow: tuple[Window, ...]
    spool_limit: int
    stepped_at: int | None
    step: int

    def skew(self, at: int) -> int:
        return self.step if self.stepped_at is not None and at >= self.stepped_at else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Chances:
    """How often what travels or is stored meets with an accident, until the calm."""

    request_lost: float
    answer_lost: float
    repeated: float
    recheck_lost: float
    write_refused: float
    killed_after_commit: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What somebody does to a monitor, by its place in the list."""

    at: int
    target: int
    verb: str  # pause | resume | edit
    members: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    seed: int
    targets: tuple[Target, ...]
    probes: dict[str, ProbeFaults]
    chances: Chances
    restarts: tuple[int, ...]
    changes: tuple[Change, ...]
    has_windows: bool = True


def scenario_of(seed: int) -> Scenario:
    random = Random(seed)
    targets = tuple(_target(random, number) for number in range(random.randint(2, 3)))
    return Scenario(
        seed=seed,
        targets=targets,
        probes={region: _probe_faults(random) for region in REGIONS},
        chances=_chances(random),
        restarts=tuple(sorted(random.randrange(SECOND, CALM_FROM) for _ in range(random.choice((0, 1, 1, 3))))),
        changes=tuple(_changes(random, len(targets))),
    )


def _target(random: Random, number: int) -> Target:
    regions = sorted(random.sample(REGIONS, random.choice((1, 2, 3, 3))))
    strategies = ("parallel", "parallel", "rotate") if len(regions) > 1 else ("parallel",)
    config = {
        "name": f"Shop {number}",
        "interval_seconds": random.choice((10, 20)),
        "timeout_ms": 5000,
        "regions": regions,
        "region_strategy": random.choice(strategies),
        "failure_threshold": random.randint(1, 3),
        "recovery_threshold": random.randint(1, 3),
        "quorum": random.choice(("majority", "majority", "any", "all", min(2, len(regions)))),
    }
    return Target(config=config, outages=tuple(_outages(random, regions)))


def _outages(random: Random, regions: list[str]) -> list[Outage]:
    found = []
    for _ in range(random.randint(1, 4)):
        start = random.randrange(CALM_FROM)
        where = regions if random.random() < 0.6 else random.sample(regions, random.randint(1, len(regions)))
        found.append(
            Outage(
                window=Window(start, start + random.choice((5, 30, 90, 240)) * SECOND),
                regions=frozenset(where),
                period=random.choice((None, None, 15 * SECOND, 45 * SECOND)),
            )
        )
    kept = [
        Outage(window=Window(one.window.start, min(one.window.end, CALM_FROM)), regions=one.regions, period=one.period)
        for one in found
    ]
    if random.random() < 0.4:
        kept.append(Outage(window=Window(CALM_FROM - 20 * SECOND, 2 * END), regions=frozenset(regions), period=None))
    return kept


def _probe_faults(random: Random) -> ProbeFaults:
    def windows(chance: float) -> tuple[Window, ...]:
        if random.random() >= chance:
            return ()
        start = random.randrange(30 * SECOND, CALM_FROM - 10 * SECOND)
        return (Window(start, min(CALM_FROM, start + random.choice((8, 40, 120, 300)) * SECOND)),)

    return ProbeFaults(
        dead=windows(0.5),
        cut=windows(0.5),
        blind=windows(0.3),
        mute=windows(0.4),
        slow=windows(0.4),
        spool_limit=random.choice((15, 500)),
        stepped_at=random.randrange(CALM_FROM // 2) if random.random() < 0.25 else None,
        step=random.choice((-3_600_000, -40_000, 40_000, 3_600_000)),
    )


def _chances(random: Random) -> Chances:
    return Chances(
        request_lost=random.choice((0, 0.05, 0.2)),
        answer_lost=random.choice((0, 0.05, 0.2)),
        repeated=random.choice((0, 0.1, 0.3)),
        recheck_lost=random.choice((0, 0.3, 1.0)),
        write_refused=random.choice((0, 0.02, 0.1)),
        killed_after_commit=random.choice((0, 0, 0.01)),
    )


def _changes(random: Random, targets: int) -> list[Change]:
    found: list[Change] = []
    for target in range(targets):
        if random.random() < 0.3:
            at = random.randrange(60 * SECOND, CALM_FROM - 90 * SECOND)
            found.append(Change(at=at, target=target, verb="pause", members={}))
            found.append(Change(at=at + random.randrange(1, 90 * SECOND), target=target, verb="resume", members={}))
        elif random.random() < 0.3:
            members = random.choice(({"failure_threshold": 1}, {"recovery_threshold": 2}, {"quorum": "any"}))
            at = random.randrange(60 * SECOND, CALM_FROM)
            found.append(Change(at=at, target=target, verb="edit", members=members))
    return sorted(found, key=lambda change: (change.at, change.target))
