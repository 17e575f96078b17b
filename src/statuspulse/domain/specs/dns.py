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


class DnsProtocol(StrEnum):
    """How a question travels."""

    UDP = "udp"
    TCP = "tcp"
    DOT = "dot"
    DOH = "doh"


@dataclass(frozen=True, slots=True, kw_only=True)
class SoaSerial:
    """What the serial of a zone has to be: the same on these servers, and no less than this."""

    equal_on: tuple[str, ...] = ()
    at_least: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsSpec:
    """One question. `resolver` is `IP` or `IP:port` (`[v6]:port`), over DoT also `host` or `host:port`, over DoH a URL.

    None asks the first resolver of the probe's host. TTLs are seconds.
    """

    host: str
    record_type: RecordType = RecordType.A
    resolver: str | None = None
    expected_rcode: str = "NOERROR"
    expected_values: tuple[str, ...] = ()
    match: Match = Match.ANY
    protocol: DnsProtocol = DnsProtocol.UDP
    ttl_min_seconds: int | None = None
    ttl_max_seconds: int | None = None
    require_aa: bool = False
    require_ad: bool = False
    soa_serial: SoaSerial | None = None

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> DnsSpec:
        return cls(
            host=config["host"],
            record_type=RecordType(config["record_type"]),
            resolver=config["resolver"],
            expected_rcode=config["expected_rcode"],
            expected_values=tuple(config["expected_values"]),
            match=Match(config["match"]),
            protocol=DnsProtocol(config["protocol"]),
            ttl_min_seconds=config["ttl_min_seconds"],
            ttl_max_seconds=config["ttl_max_seconds"],
            require_aa=config["require_aa"],
            require_ad=config["require_ad"],
            soa_serial=_soa_serial(config["soa_serial"]),
        )


def _soa_serial(members: Mapping[str, Any] | None) -> SoaSerial | None:
    if members is None:
        return None
    return SoaSerial(equal_on=tuple(members["equal_on"]), at_least=members["at_least"])
