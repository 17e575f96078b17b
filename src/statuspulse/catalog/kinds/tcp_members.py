"""The members of a tcp monitor that say what happens on the connection: TLS and the script."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, StrictBool, Tag
from pydantic_core import PydanticCustomError

from statuspulse.catalog.kinds.addresses import Host
from statuspulse.catalog.members.common import Members

_BYTES = 1024
_STEPS = 10


def _fits(text: str) -> str:
    """What counts is what travels: a character may take up to four bytes."""
    if len(text.encode()) > _BYTES:
        raise PydanticCustomError("parameter_too_long", "must have at most {limit} bytes as UTF-8", {"limit": _BYTES})
    return text


Spoken = Annotated[str, Field(min_length=1, max_length=_BYTES), AfterValidator(_fits)]
StarttlsName = Literal["smtp", "imap", "pop3", "ldap", "postgres"]


class TcpTls(Members):
    """TLS, from the start or behind a STARTTLS; `server_name` is by default the host."""

    verify: Annotated[bool, Field(description="Whether the certificate has to be trusted and to fit the name.")] = True
    expiry_warn_days: Annotated[
        int, Field(ge=0, le=365, description="So long before its end `monitor.tls_expiring` tells of a certificate.")
    ] = 14
    server_name: Annotated[Host | None, Field(description="The name that TLS asks for; null for the host.")] = None


class ExpectStep(Members):
    """What has to come: a part of it, or with `regex` a pattern in RE2's syntax that matches somewhere in it."""

    expect: Annotated[Spoken, Field(description="What has to come.")]
    regex: Annotated[bool, Field(description="Whether that is a pattern.")] = False


class SendStep(Members):
    """Bytes that are sent as they are; no line end is added."""

    send: Annotated[Spoken, Field(description="What is sent, as it is written.")]


class StarttlsStep(Members):
    """Going over to TLS in the words of a protocol."""

    starttls: Annotated[StarttlsName, Field(description="The protocol in whose words TLS is asked for.")]


def _step_tag(step: Any) -> str | None:
    """Which of the three it is, None for two at once. Models are told apart, too: answers are made of them."""
    names = step if isinstance(step, dict) else type(step).model_fields if isinstance(step, Members) else ()
    found = [f"{name}_step" for name in ("expect", "send", "starttls") if name in names]
    return found[0] if len(found) == 1 else None


def _tls_tag(tls: Any) -> str:
    return "tls_members" if isinstance(tls, (dict, TcpTls)) else "tls_flag"


ScriptStep = Annotated[
    Annotated[ExpectStep, Tag("expect_step")]
    | Annotated[SendStep, Tag("send_step")]
    | Annotated[StarttlsStep, Tag("starttls_step")],
    Discriminator(
        _step_tag,
        custom_error_type="parameter_invalid_format",
        custom_error_message='has to be an object with exactly one of "expect", "send" and "starttls"',
    ),
]
Steps = Annotated[list[ScriptStep], Field(max_length=_STEPS)]
TlsChoice = Annotated[
    Annotated[StrictBool, Tag("tls_flag")] | Annotated[TcpTls, Tag("tls_members")], Discriminator(_tls_tag)
]
