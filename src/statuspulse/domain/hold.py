"""An incident whose messages wait because what its monitor depends on is down: until when, and what ends the wait.

A hold never loses an alert: every wait but that for a dependency which is down has an end, and one which is down has an
incident of its own. What holds no longer is looked at anew, and people are told after a fresh confirmation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from statuspulse.domain.times import MINUTE, SECOND

# So long a dependency may take to make up its mind before people are told without it.
LONGEST_DOUBT = 30 * SECOND
# The end of a wait comes with what ends it. It is looked for as well, so that nothing depends on one row.
LOOK_EVERY = MINUTE
_DOUBT_PACE = 5 * SECOND


class Cause(StrEnum):
    """Why nobody is told yet."""

    DOWN = "dependency_down"
    DOUBT = "dependency_in_doubt"
    CONFIRMING = "confirming"


@dataclass(frozen=True, slots=True)
class Obstacles:
    """The dependencies, by id, that are down, and those of which it is open whether they are."""

    down: tuple[str, ...] = ()
    doubted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Instants are ms. `monitors` are those that it waits for; `begins` says that the round begins only when it ends.

    It ends at `until` whatever happens, None while something is down; `freed_at` is when nothing was down any more.
    """

    cause: Cause
    monitors: tuple[str, ...]
    since: int
    look_at: int
    begins: bool
    until: int | None = None
    freed_at: int | None = None

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Hold:
        return cls(**{**document, "cause": Cause(document["cause"]), "monitors": tuple(document["monitors"])})


@dataclass(frozen=True, slots=True, kw_only=True)
class Freeze:
    """A maintenance window in which nothing of an open incident falls due; instants are ms.

    `until` is its planned end. Delays stand still from `from_at` on: what was before is counted already.
    """

    window_id: str
    since: int
    until: int
    from_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What a fresh confirmation is: whether it has come, how often to look for it, how long to wait at most (ms)."""

    is_there: bool
    pace: int
    patience: int


def held(obstacles: Obstacles, now: int, *, begins: bool) -> Hold | None:
    """The hold that begins now, if any. What people have heard of already waits for no doubt."""
    if obstacles.down:
        return Hold(cause=Cause.DOWN, monitors=obstacles.down, since=now, look_at=now + LOOK_EVERY, begins=begins)
    if begins and obstacles.doubted:
        return Hold(
            cause=Cause.DOUBT,
            monitors=obstacles.doubted,
            since=now,
            look_at=now + _DOUBT_PACE,
            begins=begins,
            until=now + LONGEST_DOUBT,
        )
    return None


def looked(hold: Hold, obstacles: Obstacles, proof: Proof, now: int) -> Hold | None:
    """What becomes of the hold at a look; None ends it."""
    if obstacles.down:
        return replace(
            hold, cause=Cause.DOWN, monitors=obstacles.down, look_at=now + LOOK_EVERY, until=None, freed_at=None
        )
    if hold.cause is Cause.DOWN:
        until = now + proof.patience
        look_at = min(until, now + proof.pace)
        return replace(hold, cause=Cause.CONFIRMING, look_at=look_at, until=until, freed_at=now)
    if hold.until is None or hold.until <= now:
        return None
    if hold.cause is Cause.CONFIRMING:
        return None if proof.is_there else replace(hold, look_at=min(hold.until, now + proof.pace))
    if not obstacles.doubted:
        return None
    return replace(hold, monitors=obstacles.doubted, look_at=min(hold.until, now + _DOUBT_PACE))
