"""Headers and credentials that an HTTP check sends."""

from __future__ import annotations

import string
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from statuspulse.catalog.kinds.kind import SecretMember
from statuspulse.catalog.members.common import Members, one_line
from statuspulse.catalog.refusals import Detail
from statuspulse.domain.secret import MASK

_TOKEN = frozenset(string.ascii_letters + string.digits + "!#$%&'*+-.^_`|~")
# RFC 9110, 7.6.1, and what older proxies take for such.
_HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
# RFC 6750, 2.1, allows fewer; providers hand out others, too.
_VISIBLE = frozenset(map(chr, range(0x21, 0x7F)))


def token(text: str) -> str:
    """The name of a header (RFC 9110, 5.1)."""
    if not _TOKEN.issuperset(text):
        raise PydanticCustomError(
            "parameter_invalid_format", "must be a header name: letters, digits and !#$%&'*+-.^_`|~, without spaces"
        )
    return text


def _sendable(name: str) -> str:
    lower = token(name).lower()
    if lower in _HOP_BY_HOP:
        raise PydanticCustomError(
            "parameter_invalid_format", "belongs to a single connection and is set by the probe; leave it out"
        )
    if lower == "content-length":
        raise PydanticCustomError("parameter_invalid_format", "follows from the body; leave it out")
    return name


def _header_value(value: str) -> str:
    if value != value.strip(" \t"):
        raise PydanticCustomError("parameter_invalid_format", "must not begin or end with a space")
    if not value.isprintable():
        raise PydanticCustomError(
            "parameter_invalid_format", "must not hold control characters or others that cannot be printed"
        )
    return value


def _user_name(name: str) -> str:
    if ":" in name:
        raise PydanticCustomError("parameter_invalid_format", "must not hold a colon, which ends a user name")
    return one_line(name)


def _bearer(text: str) -> str:
    if not _VISIBLE.issuperset(text):
        raise PydanticCustomError(
            "parameter_invalid_format", 'must be printable ASCII without spaces; leave out the word "Bearer"'
        )
    return text


HeaderName = Annotated[str, Field(min_length=1, max_length=128), AfterValidator(_sendable)]
HeaderValue = Annotated[str, Field(max_length=4096), AfterValidator(_header_value)]


class HeaderMembers(Members):
    name: Annotated[HeaderName, Field(description="The name of the header.")]
    value: Annotated[HeaderValue, Field(description="Its value; answered as *** where it is secret.")]
    secret: Annotated[bool, Field(description="Whether the value is sealed and never shown.")] = False


class BasicAuthMembers(Members):
    type: Annotated[Literal["basic"], Field(description="User name and password.")]
    username: Annotated[str, Field(max_length=255, description="Without a colon."), AfterValidator(_user_name)]
    password: Annotated[
        str, Field(max_length=1024, description="Sealed, and answered as ***."), AfterValidator(one_line)
    ]


class BearerAuthMembers(Members):
    type: Annotated[Literal["bearer"], Field(description="A token in the header Authorization.")]
    token: Annotated[
        str, Field(min_length=1, max_length=4096, description="Sealed, and answered as ***."), AfterValidator(_bearer)
    ]


Headers = Annotated[list[HeaderMembers], Field(max_length=50)]
Auth = Annotated[BasicAuthMembers | BearerAuthMembers, Field(discriminator="type")]

_SECRET_OF = {"basic": "password", "bearer": "token"}


def header_problems(headers: Sequence[Mapping[str, Any]], auth: Mapping[str, Any] | None) -> Iterator[Detail]:
    """A name stands once: that is what a masked value is known again by, and lists may be joined (RFC 9110, 5.3)."""
    seen: set[str] = set()
    for place, header in enumerate(headers):
        name, at = header["name"].lower(), ("headers", place, "name")
        if name in seen:
            message = "stands there already; join the values with a comma"
            yield Detail(code="parameter_duplicate", path=at, message=message)
        if name == "authorization" and auth is not None:
            yield Detail(code="parameter_conflict", path=at, message="is set by auth; send one of the two")
        if name == "host" and not header["value"]:
            message = "must not be empty"
            yield Detail(code="parameter_out_of_range", path=("headers", place, "value"), message=message)
        if header["value"] == MASK and not header["secret"]:
            message = 'is masked; keep it with "secret": true, or send the value itself'
            yield Detail(code="parameter_conflict", path=("headers", place, "value"), message=message)
        seen.add(name)


def header_secrets(headers: Sequence[Mapping[str, Any]]) -> Iterator[SecretMember]:
    for place, header in enumerate(headers):
        if header["secret"]:
            yield SecretMember(path=("headers", place, "value"), identity=("headers", header["name"].lower()))


def auth_secrets(auth: Mapping[str, Any] | None) -> Iterator[SecretMember]:
    if auth is not None:
        yield SecretMember(path=("auth", _SECRET_OF[auth["type"]]), identity=("auth", auth["type"]))
