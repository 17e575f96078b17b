"""A TLS handshake and the certificates that it shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsSpec:
    """One handshake. `server_name` None means the host; `min_version` is "1.2" or "1.3".

    The first end in the chain has to be at least `min_days_left` days away; with 0 it has to lie ahead. That holds
    without `verify`, too, which is about who signed the certificate and for whom.
    """

    host: str
    port: int = 443
    server_name: str | None = None
    verify: bool = True
    min_days_left: int = 0
    min_version: str = "1.2"

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> TlsSpec:
        return cls(
            host=config["host"],
            port=config["port"],
            server_name=config["server_name"],
            verify=config["verify"],
            min_days_left=config["min_days_left"],
            min_version=config["min_version"],
        )
