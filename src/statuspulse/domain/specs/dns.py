"""A DNS question and the rules on its answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


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
class DnsSpec:
    """One question. `resolver` is `IP` or `IP:port` (`[v6]:port`); None asks the first resolver of the probe's host."""

    host: str
    record_type: RecordType = RecordType.A
    resolver: str | None = None
    expected_rcode: str = "NOERROR"
    expected_values: tuple[str, ...] = ()
    match: Match = Match.ANY

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> DnsSpec:
        return cls(
            host=config["host"],
            record_type=RecordType(config["record_type"]),
            resolver=config["resolver"],
            expected_rcode=config["expected_rcode"],
            expected_values=tuple(config["expected_values"]),
            match=Match(config["match"]),
        )
