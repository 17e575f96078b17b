"""The server that mail goes out by, as the operator names it in one URL."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

from statuspulse.domain.secret import Secret

_FORM = "must be like smtp://user:password@mail.example.com:587?from=alerts@example.com"
_PORTS = {"smtp": 587, "smtps": 465}
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """`smtps` speaks TLS from the first byte, `smtp` after STARTTLS; without TLS only where the operator says so."""

    host: str
    port: int
    implicit_tls: bool
    starttls: bool
    user: str | None
    password: Secret | None
    sender: str

    @classmethod
    def parse(cls, text: str) -> MailServer:
        """ValueError says what is wrong in words for the operator and quotes nothing."""
        try:
            parts = urlsplit(text)
            port = parts.port or _PORTS.get(parts.scheme, 0)
        except ValueError:
            raise ValueError(_FORM) from None
        options = dict(parse_qsl(parts.query))
        sender, tls = options.pop("from", ""), options.pop("tls", "required")
        if parts.scheme not in _PORTS or not parts.hostname or parts.path.strip("/") or parts.fragment or options:
            raise ValueError(_FORM)
        if _ADDRESS.fullmatch(sender) is None:
            raise ValueError("needs ?from= with the address that mail comes from, such as alerts@example.com")
        if tls not in {"required", "none"}:
            raise ValueError("tls must be required or none")
        if (parts.username is None) != (parts.password is None):
            raise ValueError("needs both a user and a password, or neither")
        return cls(
            host=parts.hostname,
            port=port,
            implicit_tls=parts.scheme == "smtps",
            starttls=parts.scheme == "smtp" and tls == "required",
            user=None if parts.username is None else unquote(parts.username),
            password=None if parts.password is None else Secret(unquote(parts.password)),
            sender=sender,
        )
