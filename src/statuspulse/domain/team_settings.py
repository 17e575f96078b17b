"""What a team settles for all of its calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

StatusWindow = Literal["24h", "7d"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamSettings:
    """Whether changes need a precondition, whether a reference may make its object, over what status is told.

    A monitor that fails again within `reopen_window_seconds` goes on with its incident; `fallback_channel` hears of
    what reaches nobody else, and that another channel is failing.
    """

    require_preconditions: bool = False
    lenient_references: bool = True
    status_default_window: StatusWindow = "24h"
    reopen_window_seconds: int = 300
    fallback_channel: str | None = None
