"""What is watched and how: the specification of each type and the rules of decision."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class MonitorType(StrEnum):
    """The kinds of check that exist."""

    HTTP = "http"
    TCP = "tcp"
    DNS = "dns"


class Severity(StrEnum):
    """How much it hurts; PagerDuty's words."""

    CRITICAL = "critical"
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class RecordType(StrEnum):
    """Record types that a DNS monitor may ask for."""

    A = "A"
    AAAA = "AAAA"
    CNAME = "CNAME"
    MX = "MX"
    NS = "NS"
    TXT = "TXT"
    SOA = "SOA"
    SRV = "SRV"
    CAA = "CAA"
    PTR = "PTR"


class Match(StrEnum):
    """How the expected values are held against the answer."""

    ANY = "any"
    ALL = "all"
    EXACT = "exact"


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSpec:
    """One HTTP request. `expected_status` holds inclusive ranges, so 200 is (200, 200) and "2xx" is (200, 299)."""

    url: str
    expected_status: tuple[tuple[int, int], ...] = ((200, 299),)
    follow_redirects: bool = True
    max_redirects: int = 5
    max_body_bytes: int = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpSpec:
    """A connection that has to be accepted."""

    host: str
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsSpec:
    """One question. `resolver` is `IP` or `IP:port` (`[v6]:port`); None asks the first resolver of the probe's host."""

    host: str
    record_type: RecordType = RecordType.A
    resolver: str | None = None
    expected_rcode: str = "NOERROR"
    expected_values: tuple[str, ...] = ()
    match: Match = Match.ANY


Spec = HttpSpec | TcpSpec | DnsSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """Further attempts within a round before the region counts as failed."""

    count: int = 1
    delay_ms: int = 1000
