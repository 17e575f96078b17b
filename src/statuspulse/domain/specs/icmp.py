"""Echo requests over ICMP, and how many of them may be lost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class IpVersion(StrEnum):
    """Which addresses of a name are dialled; `auto` takes the first, whatever its family."""

    AUTO = "auto"
    V4 = "4"
    V6 = "6"


@dataclass(frozen=True, slots=True, kw_only=True)
class IcmpSpec:
    """A run of echo requests. A host that answers none of them fails whatever `max_loss_pct` says."""

    host: str
    packets: int = 3
    max_loss_pct: int = 0
    ip_version: IpVersion = IpVersion.AUTO

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> IcmpSpec:
        return cls(
            host=config["host"],
            packets=config["packets"],
            max_loss_pct=config["max_loss_pct"],
            ip_version=IpVersion(config["ip_version"]),
        )
