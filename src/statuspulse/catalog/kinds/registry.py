"""Which kinds of monitors there are; a new one is one file and one line here."""

from __future__ import annotations

from statuspulse.catalog.kinds.dns import DNS
from statuspulse.catalog.kinds.grpc import GRPC
from statuspulse.catalog.kinds.heartbeat import HEARTBEAT
from statuspulse.catalog.kinds.http import HTTP
from statuspulse.catalog.kinds.icmp import ICMP
from statuspulse.catalog.kinds.kind import Kind
from statuspulse.catalog.kinds.tcp import TCP
from statuspulse.catalog.kinds.tls import TLS

KINDS: dict[str, Kind] = {kind.name: kind for kind in (HTTP, TCP, DNS, TLS, ICMP, GRPC, HEARTBEAT)}
