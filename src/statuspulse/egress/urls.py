"""HTTP addresses, parsed once and strictly; what is dialled is always the re-serialised form."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, urljoin

from statuspulse.egress.literals import ascii_name, literal_address

LENGTH_LIMIT = 2048
_DEFAULT_PORTS = {"http": 80, "https": 443}
_OPERATOR_PORTS = {**_DEFAULT_PORTS, "smtp": 25, "smtps": 465}
# What a URL may hold after the host besides letters and digits; everything else is percent-encoded.
_SAFE = "!$%&'()*+,-./:;=?@[]_~"


@dataclass(frozen=True, slots=True)
class Url:
    """A parsed address. `host` is a name in ASCII or a canonical address; `ip` is set for an address."""

    scheme: str
    host: str
    port: int
    ip: str | None
    target: str
    text: str

    @property
    def origin(self) -> str:
        """Scheme, host and port, for people: path and query may hold secrets."""
        return self.text[: len(self.text) - len(self.target)]


def parse_url(text: str) -> Url:
    """Reads an http or https address; ValueError says in words what is wrong with it.

    Parsers disagree on user info, backslashes and control characters, so none of them passes.
    """
    if len(text) > LENGTH_LIMIT:
        raise ValueError(f"the URL is longer than {LENGTH_LIMIT} characters")
    scheme, authority, target = _split(text)
    if scheme not in _DEFAULT_PORTS:
        raise ValueError("the URL has to begin with http:// or https://")
    host, port = _endpoint(authority, _DEFAULT_PORTS[scheme])
    ip = literal_address(host)
    clean = ip if ip is not None else ascii_name(host)
    path = target.partition("#")[0]
    path = quote(path if path.startswith("/") else f"/{path}", safe=_SAFE)
    shown_port = "" if port == _DEFAULT_PORTS[scheme] else f":{port}"
    return Url(scheme, clean, port, ip, path, f"{scheme}://{bracketed(clean)}{shown_port}{path}")


def redirected(base: Url, location: bytes) -> Url:
    """Where a Location header leads; ValueError if that is no http or https address."""
    try:
        text = location.decode("utf-8")
    except UnicodeDecodeError:
        text = location.decode("latin-1")
    return parse_url(urljoin(base.text, text.strip(" \t\r\n")))


def endpoint_of(url: str) -> tuple[str, int]:
    """Host and port of an address in the operator's settings, in the form that a dial compares with."""
    scheme, authority, _ = _split(url)
    if scheme not in _OPERATOR_PORTS:
        raise ValueError(f"the scheme has to be one of {', '.join(_OPERATOR_PORTS)}")
    host, port = _endpoint(authority.rpartition("@")[2], _OPERATOR_PORTS[scheme])
    return literal_address(host) or ascii_name(host), port


def bracketed(host: str) -> str:
    """The host as it stands in a URL."""
    return f"[{host}]" if ":" in host else host


def _split(text: str) -> tuple[str, str, str]:
    """Scheme, authority and the rest, which begins with `/`, `?` or `#` or is empty."""
    if not text.isprintable() or "\\" in text.partition("?")[0]:
        raise ValueError("the URL holds a backslash or a control character")
    scheme, separator, rest = text.partition("://")
    if not separator:
        raise ValueError("the URL has to begin with http:// or https://")
    end = min((place for mark in "/?#" if (place := rest.find(mark)) >= 0), default=len(rest))
    return scheme.lower(), rest[:end], rest[end:]


def _endpoint(authority: str, default_port: int) -> tuple[str, int]:
    if "@" in authority:
        raise ValueError("user name and password do not belong into the URL")
    host, separator, port = authority.rpartition(":")
    if not separator or "]" in port:
        host, port = authority, ""
    if not host:
        raise ValueError("the URL has no host")
    if ":" in host and not host.startswith("["):
        raise ValueError("an IPv6 address stands in brackets")
    if not port:
        return host, default_port
    if not (port.isascii() and port.isdecimal()) or not 1 <= int(port) <= 65535:
        raise ValueError("the port has to be between 1 and 65535")
    return host, int(port)
