"""What happened in a simulated run, line by line; two runs of one seed have the same lines."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from tests.virtual_time import START


@dataclass(slots=True)
class Trace:
    """Lines of the form `seconds  event`. Only what follows from the seed belongs here: no random id, no real time."""

    lines: list[str] = field(default_factory=list)

    def tell(self, now: int, event: str) -> None:
        self.lines.append(f"{(now - START) / 1000:9.3f}  {event}")

    @property
    def digest(self) -> str:
        return hashlib.blake2b("\n".join(self.lines).encode(), digest_size=8).hexdigest()
