"""How often a caller may call: GCRA, the policies and what an operator makes of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_MICROSECONDS = 1_000_000
_LARGEST_QUOTA = 1_000_000_000
_LONGEST_WINDOW = 86_400
_OVERRIDE = re.compile(r"(?P<policy>[^=]*)=(?:(?P<off>0)|(?P<quota>[0-9]{1,10})/(?P<window>[0-9]{1,5}))", re.ASCII)
_WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_INCIDENTS = "/v1/incidents"


@dataclass(frozen=True, slots=True)
class Left:
    """What is left of a quota. `seconds`: until it is full again, or, with nothing left, until the next call."""

    calls: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Limit:
    """`quota` calls in `window_seconds`, as a rate with bursts: all of them may come at once (GCRA).

    A caller is remembered as one number, the instant at which his quota is full again. It counts in parts of a
    microsecond, `quota` of them to one, so that no rate is rounded; 0 stands for somebody who never called.
    """

    quota: int
    window_seconds: int

    def spent(self, full_at: int, now_us: int) -> int | None:
        """When the quota is full again after one more call; None where the call has to wait."""
        after = max(full_at, now_us * self.quota) + self._call
        return after if after - now_us * self.quota <= self._call * self.quota else None

    def left(self, full_at: int, now_us: int) -> Left:
        """Waiting for as long as it says, and no shorter in whole seconds, is enough."""
        missing = max(full_at - now_us * self.quota, 0)
        calls = (self._call * self.quota - missing) // self._call
        wait = missing if calls else missing + self._call - self._call * self.quota
        return Left(calls, -(-wait // (self.quota * _MICROSECONDS)))

    def is_full(self, full_at: int, now_us: int) -> bool:
        """Whether the caller may be forgotten."""
        return full_at <= now_us * self.quota

    @property
    def _call(self) -> int:
        return self.window_seconds * _MICROSECONDS


Limits = Mapping[str, Limit | None]

DEFAULTS: Limits = {
    "api": Limit(600, 60),
    "writes": Limit(120, 60),
    "incidents": Limit(120, 60),
    "ip": Limit(60, 60),
    "ping": Limit(60, 60),
}
OF_TOKENS = ("api", "writes", "incidents")
# Named in the contract, and no calls in a time: streams are counted while they are open, the others are to come.
TO_COME = frozenset({"reports", "streams", "public"})


def overridden(text: str) -> tuple[Limits, list[str]]:
    """The limits under overrides such as `api=6000/60,writes=0`, None for one that is off; and names without effect.

    Raises ValueError with the cure.
    """
    limits, seen, idle = dict(DEFAULTS), set(), []
    for word in filter(None, map(str.strip, text.split(","))):
        policy, limit = _override(word)
        if policy in seen:
            raise ValueError(f"{policy} is there twice")
        seen.add(policy)
        if policy in DEFAULTS:
            limits[policy] = limit
        elif policy in TO_COME:
            idle.append(policy)
        else:
            raise ValueError(f"there is no policy {policy!r}; there are {', '.join(DEFAULTS)}")
    return limits, idle


def policies_of(method: str, path: str) -> tuple[str, ...]:
    """The policies that a call with a token spends from. Acknowledging must not starve behind a storm of edits."""
    if method not in _WRITES:
        return ("api",)
    if path == _INCIDENTS or path.startswith(f"{_INCIDENTS}/"):
        return ("incidents",)
    return ("api", "writes")


def _override(word: str) -> tuple[str, Limit | None]:
    found = _OVERRIDE.fullmatch(word)
    if found is None:
        raise ValueError(
            f"{word!r} is no limit; write calls and seconds as in api=6000/60, or writes=0 to switch it off"
        )
    policy = found["policy"].strip()
    if found["off"]:
        return policy, None
    quota, window = int(found["quota"]), int(found["window"])
    if not 1 <= quota <= _LARGEST_QUOTA:
        raise ValueError(f"{policy} needs 1 to {_LARGEST_QUOTA} calls; {policy}=0 switches it off")
    if not 1 <= window <= _LONGEST_WINDOW:
        raise ValueError(f"{policy} needs a window of 1 to {_LONGEST_WINDOW} seconds")
    return policy, Limit(quota, window)
