"""libcurl's timers as the phases of a check."""

from __future__ import annotations

from statuspulse.domain.result import Phases
from statuspulse.egress.transfer import Times


def phases_of(times: Times, *, secure: bool, dns_us: int) -> Phases:
    """Durations; `dns_us` is what our resolver took. After a failure the rest belongs to the phase that failed."""
    dns_us += times.name_lookup
    if not times.connect:
        return Phases(dns_us=dns_us, connect_us=times.total - times.name_lookup)
    connect_us = times.connect - times.name_lookup
    if secure and not times.tls:
        return Phases(dns_us=dns_us, connect_us=connect_us, tls_us=times.total - times.connect)
    tls_us = times.tls - times.connect if secure else None
    if not times.first_byte:
        sent = min(max(times.request, times.tls, times.connect), times.total)
        return Phases(dns_us=dns_us, connect_us=connect_us, tls_us=tls_us, ttfb_us=times.total - sent)
    return Phases(
        dns_us=dns_us,
        connect_us=connect_us,
        tls_us=tls_us,
        ttfb_us=times.first_byte - times.request,
        transfer_us=times.total - times.first_byte,
    )
