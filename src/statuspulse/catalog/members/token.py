"""What callers say of a token, as closed objects."""

from __future__ import annotations

import difflib
from typing import Annotated

from pydantic import AfterValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from statuspulse.catalog.members.common import Line, Members, Name, Omissible, OverlapSeconds, Time, unique
from statuspulse.domain.networks import parse_network
from statuspulse.domain.scope import BUNDLES, SCOPES, is_scope
from statuspulse.domain.times import DAY

LONGEST_LIFE = 366 * DAY


def _scope(name: str) -> str:
    if not is_scope(name):
        known = [*BUNDLES, *sorted(SCOPES)]
        near = difflib.get_close_matches(name[:80], known, n=1)
        cure = f'perhaps "{near[0]}" is meant' if near else f"there are {', '.join(known)}"
        raise PydanticCustomError(
            "parameter_invalid_enum", "is no scope and no bundle of scopes; {cure}", {"cure": cure}
        )
    return name


def _network(text: str) -> str:
    try:
        return str(parse_network(text))
    except ValueError as error:
        raise PydanticCustomError("parameter_invalid_format", "{reason}", {"reason": str(error)}) from None


ScopeName = Annotated[
    str, AfterValidator(_scope), WithJsonSchema({"type": "string", "enum": [*BUNDLES, *sorted(SCOPES)]})
]
NetworkText = Annotated[Line, Field(max_length=50), AfterValidator(_network)]


class TokenRequest(Members):
    """A new token; it gets at most what the token that asks for it has."""

    name: Name
    scopes: Annotated[list[ScopeName], Field(min_length=1, max_length=50), AfterValidator(unique)]
    expires_at: Time | None = None
    ip_allowlist: Annotated[list[NetworkText], Field(max_length=50), AfterValidator(unique)] = Field(
        default_factory=list
    )
    team_ids: Omissible[
        Annotated[
            list[Annotated[Line, Field(max_length=64)]], Field(min_length=1, max_length=50), AfterValidator(unique)
        ]
    ] = None


class TokenRotation(Members):
    """How long the secret of before goes on to work."""

    overlap_seconds: OverlapSeconds = 3600
