"""Where a server answers, from the address that people have for it."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from statuspulse.client.errors import UsageError

_PORTS = {"http": 80, "https": 443}
_VERSION = "/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Scheme, host and port to connect to, and what stands before every path."""

    scheme: str
    host: str
    port: int
    prefix: str

    @property
    def authority(self) -> str:
        """As the Host header says it: without the port that the scheme implies."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self.prefix}"


def address_of(text: str) -> Address:
    """Reads `https://status.example.com`, with a path or without, and with `/v1` or without; raises UsageError."""
    try:
        url = urlsplit(text.strip())
        scheme, host, port = url.scheme.lower(), url.hostname, url.port
    except ValueError:
        raise UsageError("the address of the server cannot be read; write https://status.example.com") from None
    if scheme not in _PORTS or not host or not (host.isascii() and host.isprintable()):
        raise UsageError("the address of the server has to look like https://status.example.com")
    if "@" in url.netloc or url.query or url.fragment:
        raise UsageError("the address of the server takes no credentials, query or fragment")
    if not url.path.isascii() or any(sign <= " " for sign in url.path):
        raise UsageError("the path in the address of the server has to be ASCII without spaces")
    prefix = url.path.rstrip("/").removesuffix(_VERSION)
    return Address(scheme=scheme, host=host, port=_PORTS[scheme] if port is None else port, prefix=prefix)
