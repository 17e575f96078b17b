"""The request of an HTTP check, and what becomes of it on the way through redirects."""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace

from statuspulse.domain.specs.http import Header, HttpSpec
from statuspulse.egress.decoding import OFFERED
from statuspulse.egress.request import Request, header_lines
from statuspulse.egress.urls import Url, bracketed

# Neither to another host nor over another port or scheme: they were given for one origin.
_OF_ONE_ORIGIN = frozenset({"authorization", "cookie", "host", "proxy-authorization"})
_OF_THE_BODY = frozenset({"content-encoding", "content-language", "content-location", "content-type"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """More than a plain GET: what the next hop is sent. `bound` are the headers that never leave their origin."""

    method: str
    headers: tuple[Header, ...]
    bound: frozenset[str]
    body: bytes | None
    http_version: str
    verify: bool
    server_name: str | None
    collects: bool

    @classmethod
    def of(cls, spec: HttpSpec) -> Outgoing | None:
        """None for a plain GET, which costs less."""
        collects = bool(spec.assertions) and any(assertion.source.is_of_the_body for assertion in spec.assertions)
        if not collects and _is_plain(spec):
            return None
        headers = spec.headers
        if spec.authorization is not None:
            headers = (*_without(headers, {"authorization"}), ("Authorization", spec.authorization))
        return cls(
            method=spec.method,
            headers=headers,
            bound=_OF_ONE_ORIGIN.union(spec.secret_headers),
            body=None if spec.body is None else spec.body.encode(),
            http_version=spec.http_version,
            verify=spec.tls.verify,
            server_name=spec.tls.server_name,
            collects=collects,
        )

    def request(self, url: Url) -> Request:
        """Raises ValueError for a header that would smuggle in another."""
        names = {name.lower() for name, _ in self.headers}
        headers = self.headers
        if "host" not in names and self.dialled(url) is not url:
            headers = (("Host", url.origin.partition("://")[2]), *headers)
        lines = header_lines(headers)
        if self.collects and "accept-encoding" not in names:
            lines = (*lines, OFFERED)
        return Request(
            method=self.method,
            lines=lines,
            body=self.body,
            http_version=self.http_version,
            verify=self.verify,
            collects=self.collects,
        )

    def dialled(self, url: Url) -> Url:
        """The address under the name that the server is asked for and its certificate is held against."""
        name = self.server_name
        if name is None or url.scheme != "https":
            return url
        port = "" if url.port == 443 else f":{url.port}"
        return replace(url, host=name, ip=None, text=f"https://{bracketed(name)}{port}{url.target}")

    def redirected(self, status: int | None, before: Url, after: Url) -> Outgoing:
        """What the next hop is sent after a redirect."""
        onward = self
        if (status in {301, 302} and self.method == "POST") or (status == 303 and self.method not in {"GET", "HEAD"}):
            onward = replace(onward, method="GET", body=None, headers=_without(onward.headers, _OF_THE_BODY))
        if (before.scheme, before.host, before.port) != (after.scheme, after.host, after.port):
            onward = replace(onward, headers=_without(onward.headers, self.bound), server_name=None)
        return onward


def secrets_of(spec: HttpSpec) -> list[str]:
    """What must not show in anything that is kept of an answer."""
    secrets = [value for name, value in spec.headers if name.lower() in spec.secret_headers]
    scheme, _, credentials = (spec.authorization or "").partition(" ")
    secrets.append(credentials)
    if scheme == "Basic":
        secrets.append(base64.b64decode(credentials).decode().partition(":")[2])
    return secrets


def _is_plain(spec: HttpSpec) -> bool:
    return (
        spec.method == "GET"
        and not spec.headers
        and spec.body is None
        and spec.authorization is None
        and spec.http_version == "auto"
        and spec.tls.verify
        and spec.tls.server_name is None
    )


def _without(headers: tuple[Header, ...], names: frozenset[str] | set[str]) -> tuple[Header, ...]:
    return tuple((name, value) for name, value in headers if name.lower() not in names)
