"""What is watched: the types of monitors, how much a failure hurts, and how often a check is tried."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class MonitorType(StrEnum):
    """The kinds of check that exist."""

    HTTP = "http"
    TCP = "tcp"
    DNS = "dns"
    TLS = "tls"
    ICMP = "icmp"
    GRPC = "grpc"


class Severity(StrEnum):
    """How much it hurts; PagerDuty's words."""

    CRITICAL = "critical"
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """Further attempts within a round before the region counts as failed."""

    count: int = 1
    delay_ms: int = 1000
