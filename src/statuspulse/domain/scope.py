"""What a token may do: names of the form `resource:action`, the bundles, and what implies what."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

_READ_ONLY = ("status", "events", "audit")
_READ_AND_WRITE = (
    "monitors",
    "incidents",
    "escalation",
    "channels",
    "maintenance",
    "webhooks",
    "integrations",
    "slo",
    "status_pages",
    "teams",
    "tokens",
    "probes",
)

SCOPES = frozenset(
    [f"{resource}:read" for resource in (*_READ_ONLY, *_READ_AND_WRITE)]
    + [f"{resource}:write" for resource in _READ_AND_WRITE]
)

_READ = frozenset(scope for scope in SCOPES if scope.endswith(":read")) - {"tokens:read", "audit:read"}
_WRITE = _READ | {scope for scope in SCOPES if scope.endswith(":write")} - {
    "teams:write",
    "tokens:write",
    "probes:write",
}
BUNDLES = {"read": _READ, "write": _WRITE, "admin": SCOPES}

# Probes and regions serve the whole instance, so only the first team's tokens may change them.
_OF_THE_FIRST_TEAM = frozenset({"probes:write"})


def is_scope(name: str) -> bool:
    """Whether a token may be given this name: a scope or a bundle."""
    return name in SCOPES or name in BUNDLES


def expand(names: Iterable[str], *, of_first_team: bool) -> frozenset[str]:
    """Every single scope that the names give: bundles opened, implied ones added, unknown ones dropped."""
    return _expanded(tuple(names), of_first_team)


@lru_cache(maxsize=512)
def _expanded(names: tuple[str, ...], of_first_team: bool) -> frozenset[str]:
    granted: set[str] = set()
    for name in names:
        granted |= BUNDLES.get(name, {name} & SCOPES)
    granted |= {scope.removesuffix("write") + "read" for scope in granted if scope.endswith(":write")}
    if "monitors:read" in granted:
        granted.add("status:read")
    return frozenset(granted if of_first_team else granted - _OF_THE_FIRST_TEAM)
