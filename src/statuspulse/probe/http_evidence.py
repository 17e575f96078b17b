"""What a failed HTTP check keeps for people: answer, way and certificate, without the secrets of its monitor."""

from __future__ import annotations

from typing import Any, NamedTuple

from statuspulse.domain.evidence import BODY_LIMIT, Mask, excerpt, fitted
from statuspulse.domain.failure import Failure
from statuspulse.domain.result import Phases
from statuspulse.domain.secret import MASK
from statuspulse.domain.specs.http import HttpSpec
from statuspulse.egress.certificates import description
from statuspulse.egress.decoding import readable
from statuspulse.egress.guard import Located
from statuspulse.egress.transfer import Exchange
from statuspulse.egress.urls import Url
from statuspulse.probe.http_request import secrets_of

# A server's own secrets: what it hands out to whoever it takes for a user.
_SECRET_ANSWERS = frozenset({"set-cookie", "set-cookie2", "authorization", "proxy-authorization"})


class Hop(NamedTuple):
    """One request of a check and what came of it."""

    url: Url
    located: Located
    exchange: Exchange
    phases: Phases


def evidence_of(spec: HttpSpec, hops: list[Hop], failure: Failure) -> dict[str, Any]:
    """The document of a failure after at least one hop, within its limit."""
    mask = Mask(secrets_of(spec))
    last = hops[-1].exchange
    status_line = last.status_line()
    document: dict[str, Any] = {
        "error": mask.over(failure.detail),
        "status_line": None if status_line is None else mask.over(excerpt(status_line)),
        "headers": [[excerpt(name), _value(name, value, spec, mask)] for name, value in last.headers()],
        "body": _beginning(last, mask),
        "addresses": list(dict.fromkeys(ip for hop in hops for ip in _dialled(hop))),
        "hops": [_hop(hop, mask) for hop in hops],
        "certificate": description(last.chain, last.certificate),
    }
    return fitted(document)


def _value(name: str, value: str, spec: HttpSpec, mask: Mask) -> str:
    if name.lower() in _SECRET_ANSWERS or name.lower() in spec.secret_headers:
        return MASK
    return excerpt(mask.over(value))


def _beginning(exchange: Exchange, mask: Mask) -> str | None:
    """Of the body what comes first; masked before it is cut, so that no half of a secret is left at the end."""
    if not exchange.beginning:
        return None
    coding = ", ".join(value for name, value in exchange.headers() if name.lower() == "content-encoding")
    content = readable(b"".join(exchange.beginning), coding, 2 * BODY_LIMIT)
    return excerpt(mask.over(content.decode("utf-8", "replace")), BODY_LIMIT)


def _dialled(hop: Hop) -> list[str]:
    """A host of ours is dialled at one address after the other while they refuse."""
    order = [hop.located.first, *hop.located.others]
    return order[: order.index(hop.exchange.ip) + 1]


def _hop(hop: Hop, mask: Mask) -> dict[str, Any]:
    phases = hop.phases
    return {
        "url": mask.over(excerpt(hop.url.text.partition("?")[0])),
        "status": hop.exchange.status,
        "ip": hop.exchange.ip,
        "timings_ms": {
            "dns": _ms(phases.dns_us),
            "connect": _ms(phases.connect_us),
            "tls": _ms(phases.tls_us),
            "ttfb": _ms(phases.ttfb_us),
            "transfer": _ms(phases.transfer_us),
        },
    }


def _ms(us: int | None) -> float | None:
    return None if us is None else us / 1000
