"""Rules on the answer to an HTTP check, and which comparison fits which part of the answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationInfo, WithJsonSchema
from pydantic_core import PydanticCustomError

from statuspulse.catalog.kinds.http_headers import token
from statuspulse.catalog.members.common import Members, one_line, one_of
from statuspulse.catalog.patterns import LONGEST_PATTERN, PatternError, check_pattern
from statuspulse.catalog.refusals import Detail
from statuspulse.domain.json_path import JsonPathError, parse_path

_LONGEST_TEXT = 4096
_LONGEST_PROPERTY = 512
_LONGEST_LATENCY_MS = 60_000
_LONGEST_DAYS = 36_500


class _Absent:
    """What stands for a value that was not sent: null is a value."""


_ABSENT = _Absent()


def _integer(low: int, high: int) -> Callable[[Any], None]:
    def check(value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, int):
            raise PydanticCustomError("parameter_invalid_type", "must be an integer with this source")
        _in_range(value, low, high)

    return check


def _latency(value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise PydanticCustomError("parameter_invalid_type", "must be a number of milliseconds")
    _in_range(value, 0, _LONGEST_LATENCY_MS)


def _in_range(value: float, low: int, high: int) -> None:
    if not low <= value <= high:
        context = {"low": low, "high": high, "limit": low if value < low else high}
        raise PydanticCustomError("parameter_out_of_range", "must be between {low} and {high}", context)


def _number(value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise PydanticCustomError("parameter_invalid_type", "must be a number with this operator")


def _text(value: Any) -> None:
    if not isinstance(value, str):
        raise PydanticCustomError("parameter_invalid_type", "must be a string with this operator")
    if len(value) > _LONGEST_TEXT:
        text = "must have at most {limit} characters"
        raise PydanticCustomError("parameter_too_long", text, {"limit": _LONGEST_TEXT})


def _part(value: Any) -> None:
    _text(value)
    if not value:
        raise PydanticCustomError("parameter_out_of_range", "must not be empty with this operator", {"limit": 1})


def _scalar(value: Any) -> None:
    if isinstance(value, str):
        _text(value)
    elif not isinstance(value, int | float | None):
        raise PydanticCustomError("parameter_invalid_type", "must be a string, a number, true, false or null")


def _element(value: Any) -> None:
    """A part of a text, or an element of an array."""
    check = _part if isinstance(value, str) else _scalar
    check(value)


def _pattern(value: Any) -> None:
    _part(value)
    if len(value) > LONGEST_PATTERN:
        text = "must have at most {limit} characters as a pattern"
        raise PydanticCustomError("parameter_too_long", text, {"limit": LONGEST_PATTERN})
    try:
        check_pattern(value)
    except PatternError as error:
        raise PydanticCustomError("parameter_invalid_format", "{reason}", {"reason": str(error)}) from None


def _nothing(value: Any) -> None:
    if value is not None:
        raise PydanticCustomError("parameter_conflict", "is not looked at with this operator; leave it out")


def _header_name(text: str) -> None:
    token(text)


def _json_path(text: str) -> None:
    try:
        parse_path(text)
    except JsonPathError as error:
        raise PydanticCustomError("parameter_invalid_format", "{reason}", {"reason": str(error)}) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """What fits one source: how its property is checked and called, None without one, and the value by operator."""

    property: Callable[[str], None] | None
    property_is: str
    values: Mapping[str, Callable[[Any], None]]


def _compared(check: Callable[[Any], None]) -> dict[str, Callable[[Any], None]]:
    return dict.fromkeys(("lt", "lte", "gt", "gte"), check)


def _equal(check: Callable[[Any], None]) -> dict[str, Callable[[Any], None]]:
    return dict.fromkeys(("eq", "ne"), check)


_STATUS = _integer(100, 999)
_DAYS = _integer(-_LONGEST_DAYS, _LONGEST_DAYS)
_IN_TEXT = {"contains": _part, "not_contains": _part, "matches": _pattern}
_PRESENCE = {"exists": _nothing, "not_exists": _nothing}
_NO_PROPERTY = "has no property; leave it out"

_SOURCES = {
    "status": _Source(property=None, property_is=_NO_PROPERTY, values={**_equal(_STATUS), **_compared(_STATUS)}),
    "header": _Source(
        property=_header_name,
        property_is="is required with this source: the name of the header",
        values={**_equal(_text), **_IN_TEXT, **_PRESENCE},
    ),
    "body": _Source(property=None, property_is=_NO_PROPERTY, values={**_equal(_text), **_IN_TEXT}),
    "json": _Source(
        property=_json_path,
        property_is="is required with this source: a path such as $.status",
        values={
            **_equal(_scalar),
            **_compared(_number),
            "contains": _element,
            "not_contains": _element,
            "matches": _pattern,
            **_PRESENCE,
        },
    ),
    # A measured time is never exactly this or that.
    "latency_ms": _Source(property=None, property_is=_NO_PROPERTY, values=_compared(_latency)),
    "tls_days_left": _Source(property=None, property_is=_NO_PROPERTY, values=_compared(_DAYS)),
}


def _fitting_property(text: str | None, info: ValidationInfo) -> str | None:
    source = _SOURCES.get(info.data.get("source", ""))
    if source is None:
        return text
    if source.property is None:
        if text is not None:
            raise PydanticCustomError("parameter_conflict", "is not looked at with this source; leave it out")
        return None
    if text is None:
        raise PydanticCustomError("parameter_missing", "{text}", {"text": source.property_is})
    source.property(text)
    return text


def _fitting_operator(operator: str, info: ValidationInfo) -> str:
    source = _SOURCES.get(info.data.get("source", ""))
    if source is not None and operator not in source.values:
        text = "does not fit this source; it takes {fitting}"
        context = {"fitting": one_of(tuple(source.values)), "known": list(source.values)}
        raise PydanticCustomError("parameter_invalid_enum", text, context)
    return operator


def _fitting_value(value: Any, info: ValidationInfo) -> Any:
    source = _SOURCES.get(info.data.get("source", ""))
    operator = info.data.get("operator")
    given = None if value is _ABSENT else value
    if source is None or operator is None:
        return given
    check = source.values[operator]
    if value is _ABSENT and check is not _nothing:
        raise PydanticCustomError("parameter_missing", "is required with this operator")
    check(given)
    return given


Property = Annotated[
    Annotated[str, Field(min_length=1, max_length=_LONGEST_PROPERTY), AfterValidator(one_line)] | None,
    AfterValidator(_fitting_property),
]
Value = Annotated[
    Any,
    AfterValidator(_fitting_value),
    WithJsonSchema({"type": ["string", "number", "boolean", "null"], "maxLength": _LONGEST_TEXT}),
]


class AssertionMembers(Members):
    """One rule; `property` is the name of a header or a path into JSON."""

    source: Annotated[
        Literal["status", "header", "body", "json", "latency_ms", "tls_days_left"],
        Field(description="What of the answer is looked at."),
    ]
    property: Annotated[
        Property, Field(description="The name of a header, or a path such as $.items[0].state; null for other sources.")
    ] = Field(default=None, validate_default=True)
    operator: Annotated[
        Literal["eq", "ne", "lt", "lte", "gt", "gte", "contains", "not_contains", "matches", "exists", "not_exists"],
        AfterValidator(_fitting_operator),
        Field(description="How it is compared; `matches` is a pattern in RE2's syntax."),
    ]
    value: Annotated[Value, Field(description="What it is compared with; none for `exists` and `not_exists`.")] = Field(
        default_factory=lambda: _ABSENT, validate_default=True
    )


Assertions = Annotated[list[AssertionMembers], Field(max_length=20)]


def assertion_problems(config: Mapping[str, Any]) -> Iterator[Detail]:
    """Rules that nothing which the request brings back could meet."""
    assertions: Sequence[Mapping[str, Any]] = config["assertions"]
    read_the_body = [place for place, one in enumerate(assertions) if one["source"] in {"body", "json"}]
    if read_the_body and config["method"] == "HEAD":
        message = "cannot hold: the answer to HEAD has no body; use another method"
        yield Detail(code="parameter_conflict", path=("assertions", read_the_body[0], "source"), message=message)
    if read_the_body and config["max_body_bytes"] == 0:
        message = "must be at least 1 while an assertion reads the body"
        yield Detail(code="parameter_conflict", path=("max_body_bytes",), message=message, extra={"limit": 1})
    plain = config["url"].lower().startswith("http://") and not config["follow_redirects"]
    for place, one in enumerate(assertions):
        if plain and one["source"] == "tls_days_left":
            message = "needs a certificate, and the url is plain http"
            yield Detail(code="parameter_conflict", path=("assertions", place, "source"), message=message)
