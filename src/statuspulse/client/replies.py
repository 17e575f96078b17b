"""What comes back from one attempt: an answer, or the fault for which there is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A complete answer; names of headers are in lower case."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def header(self, name: str) -> str | None:
        return next((value for found, value in self.headers if found == name), None)

    @property
    def media_type(self) -> str:
        return (self.header("content-type") or "").partition(";")[0].strip().lower()

    @property
    def document(self) -> dict[str, Any] | None:
        """The body, where it is a JSON object."""
        try:
            found = msgspec.json.decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None
        return found if isinstance(found, dict) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """No answer came. `may_have_arrived`: the call was sent and may have been done. `heals`: another try may help."""

    text: str
    may_have_arrived: bool
    heals: bool = True
