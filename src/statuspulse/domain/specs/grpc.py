"""A call of the standard health check of gRPC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class GrpcSpec:
    """One call. An empty `service` asks about the server as a whole; `server_name` None means the host."""

    host: str
    port: int
    service: str = ""
    tls: bool = False
    server_name: str | None = None
    verify: bool = True

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> GrpcSpec:
        return cls(
            host=config["host"],
            port=config["port"],
            service=config["service"],
            tls=config["tls"],
            server_name=config["server_name"],
            verify=config["verify"],
        )
