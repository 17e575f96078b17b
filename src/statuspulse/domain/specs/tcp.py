"""A TCP connection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpSpec:
    """A connection that has to be accepted."""

    host: str
    port: int

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> TcpSpec:
        return cls(host=config["host"], port=config["port"])
