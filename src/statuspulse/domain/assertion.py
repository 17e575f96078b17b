"""A rule on an answer: what is looked at, how it is compared, and with what."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Source(StrEnum):
    """What of an answer an assertion speaks of."""

    STATUS = "status"
    HEADER = "header"
    BODY = "body"
    JSON = "json"
    LATENCY_MS = "latency_ms"
    TLS_DAYS_LEFT = "tls_days_left"

    @property
    def is_of_the_body(self) -> bool:
        """Whether it can be judged only on the whole body."""
        return self in _OF_THE_BODY


_OF_THE_BODY = frozenset({Source.BODY, Source.JSON})


class Operator(StrEnum):
    """How what was found is held against the value."""

    EQ = "eq"
    NE = "ne"
    LT = "lt"
    LTE = "lte"
    GT = "gt"
    GTE = "gte"
    CONTAINS = "contains"
    NOT_CONTAINS = "not_contains"
    MATCHES = "matches"
    EXISTS = "exists"
    NOT_EXISTS = "not_exists"


Scalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Assertion:
    """One rule. `property` is the name of a header or a path into JSON; the value of `exists` is not looked at."""

    source: Source
    property: str | None
    operator: Operator
    value: Scalar = None
