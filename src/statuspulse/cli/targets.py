"""What a command looks at, from the one word by which people name it."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, parse_qsl, urlsplit

from statuspulse.app.looks import Target
from statuspulse.catalog.hosts import host_fault, written_host
from statuspulse.domain.monitor import MonitorType
from statuspulse.domain.specs.dns import DnsSpec, RecordType
from statuspulse.domain.specs.http import HttpSpec, status_ranges
from statuspulse.domain.specs.tcp import TcpSpec
from statuspulse.egress.literals import ascii_name, literal_address
from statuspulse.egress.urls import parse_url

_FORMS = "https://example.com, tcp://db.example:5432 or dns://example.com?type=MX"
_STATUS = re.compile(r"[1-9]xx|[1-9][0-9]{2}(-[1-9][0-9]{2})?")


class TargetError(ValueError):
    """The word names nothing that can be looked at: one line with the cure."""


def target_of(text: str, expected_status: str | None) -> Target:
    """Reads `http(s)://…`, `tcp://host:port` or `dns://name?type=…&resolver=…`; raises TargetError."""
    scheme = text.partition("://")[0].lower() if "://" in text else ""
    if scheme in {"http", "https"}:
        return _http(text, expected_status)
    if scheme in {"icmp", "tls", "grpc"}:
        raise TargetError(f"{scheme} needs a monitor: POST /v1/monitors/test of a server looks once and stores nothing")
    if scheme not in {"tcp", "dns"}:
        hint = f"perhaps https://{text} is meant" if not scheme else f"write {_FORMS}"
        raise TargetError(f"the target needs to begin with http://, https://, tcp:// or dns://; {hint}")
    if expected_status is not None:
        raise TargetError("--expect-status is for http:// and https:// only")
    try:
        url = urlsplit(text)
    except ValueError:
        # Brackets that do not close.
        raise TargetError(f"the target cannot be read; write {_FORMS}") from None
    try:
        return _tcp(text, url) if scheme == "tcp" else _dns(text, url)
    except ValueError as error:
        raise TargetError(str(error)) from None


def _http(text: str, expected_status: str | None) -> Target:
    try:
        parse_url(text)
        _check_leads_somewhere(written_host(text))
    except ValueError as error:
        raise TargetError(str(error)) from None
    spec = (
        HttpSpec(url=text) if expected_status is None else HttpSpec(url=text, expected_status=_ranges(expected_status))
    )
    return Target(address=text, type=MonitorType.HTTP, spec=spec)


def _ranges(text: str) -> tuple[tuple[int, int], ...]:
    words = [word.strip() for word in text.split(",")]
    ranges = status_ranges(list(words)) if all(_STATUS.fullmatch(word) for word in words) else ()
    if not ranges or any(low > high for low, high in ranges):
        raise TargetError('--expect-status takes 200, 2xx or 200-299, or several with commas: "200,301"')
    return ranges


def _tcp(text: str, url: SplitResult) -> Target:
    port = _port(url)
    if not url.hostname or port is None or url.path.strip("/") or url.query or "@" in url.netloc:
        raise TargetError("a TCP target is written tcp://host:port")
    return Target(address=text, type=MonitorType.TCP, spec=TcpSpec(host=_host(url.hostname), port=port))


def _port(url: SplitResult) -> int | None:
    """Raises ValueError for one that is none."""
    try:
        port = url.port
    except ValueError:
        port = 0
    if port == 0:
        raise ValueError("the port has to be between 1 and 65535")
    return port


def _dns(text: str, url: SplitResult) -> Target:
    if not url.hostname or _port(url) is not None or url.path.strip("/") or "@" in url.netloc:
        raise TargetError("a DNS target is written dns://name or dns://name?type=MX&resolver=9.9.9.9")
    asked = dict(parse_qsl(url.query, keep_blank_values=True))
    if unknown := sorted(asked.keys() - {"type", "resolver"}):
        raise TargetError(f"a DNS target takes type and resolver, not {unknown[0]!r}")
    record_type = asked.get("type", "A").upper()
    if record_type not in set(RecordType):
        raise TargetError(f"the type has to be one of {', '.join(RecordType)}")
    resolver = asked.get("resolver")
    if resolver is not None and not _is_resolver(resolver):
        raise TargetError("the resolver has to be an address such as 9.9.9.9, 9.9.9.9:53 or [2620:fe::fe]:53")
    spec = DnsSpec(host=_question(url.hostname), record_type=RecordType(record_type), resolver=resolver)
    return Target(address=text, type=MonitorType.DNS, spec=spec)


def _host(text: str) -> str:
    """Raises ValueError for what can never be dialled."""
    _check_leads_somewhere(text)
    return text


def _check_leads_somewhere(host: str) -> None:
    """By the rules that monitors are held to; raises ValueError."""
    fault = host_fault(host)
    if fault is not None:
        raise ValueError(f"the host {fault}")


def _question(text: str) -> str:
    """A name that is asked about may be one that no host has; raises ValueError for what is none at all."""
    if literal_address(text) is None:
        ascii_name(text)
    return text


def _is_resolver(text: str) -> bool:
    """An address, alone or with a port; one of IPv6 with a port stands in brackets."""
    try:
        url = urlsplit(f"//{text}")
        host = text if text.count(":") > 1 and not text.startswith("[") else url.hostname or ""
        return literal_address(host) is not None
    except ValueError:
        return False
