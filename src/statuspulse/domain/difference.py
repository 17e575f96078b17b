"""What a change made of one member, as the audit log keeps it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Difference:
    """`path` is a JSON pointer (RFC 6901); None stands for what was not there and for null alike."""

    path: str
    before: Any
    after: Any

    def document(self) -> dict[str, Any]:
        return {"path": self.path, "before": self.before, "after": self.after}


def differences(before: Mapping[str, Any], after: Mapping[str, Any], path: str = "") -> Iterator[Difference]:
    """What differs between two documents, member by member, in the order of the newer one; lists count as a whole."""
    for name in [*after, *(name for name in before if name not in after)]:
        old, new = before.get(name), after.get(name)
        here = f"{path}/{name.replace('~', '~0').replace('/', '~1')}"
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            yield from differences(old, new, here)
        elif old != new:
            yield Difference(here, old, new)
