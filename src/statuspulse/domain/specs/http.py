"""An HTTP request and what its answer has to be."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from statuspulse.domain.assertion import Assertion, Operator, Source

Header = tuple[str, str]
HttpVersion = Literal["auto", "1.1", "2"]
IpVersion = Literal["auto", "4", "6"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsOptions:
    """How a server's certificate is looked at. `server_name` stands in for the host of the URL."""

    verify: bool = True
    expiry_warn_days: int = 14
    server_name: str | None = None

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> TlsOptions:
        return cls(
            verify=config["verify"],
            expiry_warn_days=config["expiry_warn_days"],
            server_name=config["server_name"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSpec:
    """One HTTP request. `expected_status` holds inclusive ranges, so 200 is (200, 200) and "2xx" is (200, 299).

    `secret_headers` names in lower case the headers that hold a secret; `authorization` is the whole value of that
    header. Neither they nor the body are shown by `repr`.
    """

    url: str
    method: str = "GET"
    headers: tuple[Header, ...] = field(default=(), repr=False)
    secret_headers: tuple[str, ...] = ()
    body: str | None = field(default=None, repr=False)
    authorization: str | None = field(default=None, repr=False)
    expected_status: tuple[tuple[int, int], ...] = ((200, 299),)
    follow_redirects: bool = True
    max_redirects: int = 5
    http_version: HttpVersion = "auto"
    ip_version: IpVersion = "auto"
    tls: TlsOptions = TlsOptions()
    max_body_bytes: int = 1 << 20
    assertions: tuple[Assertion, ...] = ()

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> HttpSpec:
        """Reads a configuration whose secrets are in clear."""
        headers = config["headers"]
        return cls(
            url=config["url"],
            method=config["method"],
            headers=tuple((header["name"], header["value"]) for header in headers),
            secret_headers=tuple(header["name"].lower() for header in headers if header["secret"]),
            body=config["body"],
            authorization=authorization_of(config["auth"]),
            expected_status=status_ranges(config["expected_status"]),
            follow_redirects=config["follow_redirects"],
            max_redirects=config["max_redirects"],
            http_version=config["http_version"],
            ip_version=config["ip_version"],
            tls=TlsOptions.of(config["tls"]),
            max_body_bytes=config["max_body_bytes"],
            assertions=tuple(_assertion(assertion) for assertion in config["assertions"]),
        )


def authorization_of(auth: Mapping[str, str] | None) -> str | None:
    """The value of the header Authorization; user name and password are sent as UTF-8 (RFC 7617)."""
    if auth is None:
        return None
    if auth["type"] == "bearer":
        return f"Bearer {auth['token']}"
    pair = f"{auth['username']}:{auth['password']}".encode()
    return f"Basic {base64.b64encode(pair).decode('ascii')}"


def status_ranges(expected: int | list[int | str]) -> tuple[tuple[int, int], ...]:
    """Inclusive ranges of an expected status: 200, "2xx" or "200-299", alone or in a list."""
    return tuple(_status_range(item) for item in (expected if isinstance(expected, list) else [expected]))


def _status_range(item: int | str) -> tuple[int, int]:
    if isinstance(item, int):
        return item, item
    if item.endswith("xx"):
        hundred = int(item[0]) * 100
        return hundred, hundred + 99
    low, _, high = item.partition("-")
    return int(low), int(high or low)


def _assertion(config: Mapping[str, Any]) -> Assertion:
    return Assertion(Source(config["source"]), config["property"], Operator(config["operator"]), config["value"])
