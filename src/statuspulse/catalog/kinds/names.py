"""The name that a TLS server is asked for and that its certificate has to hold."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator, Field

from statuspulse.catalog.members.common import one_line
from statuspulse.catalog.refusals import Detail
from statuspulse.egress.literals import literal_address

ServerName = Annotated[str, Field(min_length=1, max_length=255), AfterValidator(one_line)]


def server_name_problems(name: str | None) -> Iterator[Detail]:
    """An address is refused: TLS asks for names only (RFC 6066, 3), and an address needs no other word than `host`."""
    if name is None:
        return
    path = ("server_name",)
    try:
        if literal_address(name) is not None:
            yield Detail(code="parameter_invalid_format", path=path, message="has to be a name, not an address")
    except ValueError as error:
        yield Detail(code="parameter_invalid_format", path=path, message=f"is no usable name: {error}")
