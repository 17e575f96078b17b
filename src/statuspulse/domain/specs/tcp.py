"""A TCP connection, TLS on it, and what is said over it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Starttls(StrEnum):
    """Protocols whose own words for going over to TLS are known."""

    SMTP = "smtp"
    IMAP = "imap"
    POP3 = "pop3"
    LDAP = "ldap"
    POSTGRES = "postgres"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a script; exactly one of the three is set. `regex` says how `expect` is to be read."""

    expect: str | None = None
    regex: bool = False
    send: str | None = None
    starttls: Starttls | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpSpec:
    """A connection that has to be accepted, and a script that has to hold.

    `tls` begins with TLS; `verify` and `server_name` (None is the host) are for that and for a `starttls` step.
    """

    host: str
    port: int
    tls: bool = False
    verify: bool = True
    server_name: str | None = None
    steps: tuple[Step, ...] = ()

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> TcpSpec:
        tls, starttls = config["tls"], config["starttls"]
        options = tls if isinstance(tls, Mapping) else {}
        return cls(
            host=config["host"],
            port=config["port"],
            tls=bool(tls) and starttls is None and not any("starttls" in step for step in config["steps"]),
            verify=options.get("verify", True),
            server_name=options.get("server_name"),
            steps=tuple(_steps(config)),
        )


def _steps(config: Mapping[str, Any]) -> list[Step]:
    """The script; `starttls`, `send` and `expect` beside it are one of up to three steps, in this order."""
    steps = [] if config["starttls"] is None else [Step(starttls=Starttls(config["starttls"]))]
    if config["send"] is not None:
        steps.append(Step(send=config["send"]))
    if config["expect"] is not None:
        steps.append(Step(expect=config["expect"]))
    return steps + [_step(step) for step in config["steps"]]


def _step(step: Mapping[str, Any]) -> Step:
    starttls = step.get("starttls")
    return Step(
        expect=step.get("expect"),
        regex=step.get("regex", False),
        send=step.get("send"),
        starttls=None if starttls is None else Starttls(starttls),
    )
