"""The kinds of values that configuration is made of, as strict pydantic types."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    WithJsonSchema,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from statuspulse.catalog.hosts import host_fault, written_host
from statuspulse.domain.heartbeat import INBOUND
from statuspulse.domain.times import from_text
from statuspulse.egress.urls import parse_url

T = TypeVar("T")

URL_LIMIT = 2048

_STATUS_CLASS = re.compile(r"[1-9]xx")
_STATUS_RANGE = re.compile(r"([1-9][0-9]{2})-([1-9][0-9]{2})")
_STATUS_LIMIT = 50


class Members(BaseModel):
    """A closed object: members that it does not know are refused, and nothing is converted."""

    model_config = ConfigDict(
        strict=True,
        extra="forbid",
        hide_input_in_errors=True,
        json_schema_serialization_defaults_required=True,
    )


class Fixed:
    """A member that this version knows and does not obey yet: nothing but its default is taken. `why` is told.

    `answered` is the schema that answers are published with, so that the member can grow.
    """

    def __init__(self, default: Any, answered: JsonSchemaValue, why: str = "is not supported by this version") -> None:
        self._default = default
        self._answered = answered
        self._why = why

    def __get_pydantic_core_schema__(self, _source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self._check)

    def __get_pydantic_json_schema__(self, _schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        if handler.mode == "serialization":
            return self._answered
        return {"type": "array", "maxItems": 0} if self._default == [] else {"const": self._default}

    def _check(self, value: Any) -> Any:
        if type(value) is type(self._default) and value == self._default:
            return value
        code = "parameter_invalid_enum" if isinstance(self._default, str) else "parameter_out_of_range"
        text = "{why}; leave it out or send {default}"
        raise PydanticCustomError(code, text, {"why": self._why, "default": _as_json(self._default)})


def _as_json(value: Any) -> str:
    return json.dumps(value)


def _given(value: object) -> object:
    if value is None:
        raise PydanticCustomError("parameter_invalid_type", "must not be null; leave it out")
    return value


def _without_null(schema: JsonSchemaValue) -> None:
    del schema["default"]
    kinds = [kind for kind in schema.pop("anyOf") if kind != {"type": "null"}]
    schema.update(kinds[0] if len(kinds) == 1 else {"anyOf": kinds})


def _time(value: object) -> int:
    if not isinstance(value, str):
        raise PydanticCustomError("parameter_invalid_type", "must be a string such as 2026-11-23T06:20:00Z")
    try:
        return from_text(value)
    except (ValueError, OverflowError):
        raise PydanticCustomError(
            "parameter_invalid_format", "must be a time with offset such as 2026-11-23T06:20:00Z"
        ) from None


def one_line(text: str) -> str:
    if any(unicodedata.category(char) == "Cc" for char in text):
        raise PydanticCustomError("parameter_invalid_format", "must not hold control characters")
    return text


def long_text(text: str) -> str:
    if any(unicodedata.category(char) == "Cc" and char not in "\n\t" for char in text):
        raise PydanticCustomError(
            "parameter_invalid_format", "must not hold control characters other than line feed and tab"
        )
    return text


def not_blank(text: str) -> str:
    if not text.strip():
        raise PydanticCustomError("parameter_out_of_range", "must not be blank", {"limit": 1})
    return text


def _web_url(text: str) -> str:
    scheme = text.partition("://")[0].lower()
    if scheme not in {"http", "https"}:
        raise PydanticCustomError("scheme_unsupported", "has to begin with http:// or https://")
    try:
        parse_url(text)
        fault = host_fault(written_host(text))
    except ValueError as error:
        raise PydanticCustomError(
            "parameter_invalid_format", "is no usable URL: {reason}", {"reason": str(error)}
        ) from None
    if fault is not None:
        raise PydanticCustomError("parameter_invalid_format", "{reason}", {"reason": fault})
    return text


def _no_inbound(slug: str) -> str:
    if slug == INBOUND:
        raise PydanticCustomError("parameter_invalid_format", "is the place of pings and cannot be a region of checks")
    return slug


def unique(items: list[str]) -> list[str]:
    if len(set(items)) < len(items):
        raise PydanticCustomError("parameter_duplicate", "must not name anything twice")
    return items


def _expected_status(value: Any) -> Any:
    if isinstance(value, list):
        if not 1 <= len(value) <= _STATUS_LIMIT:
            raise PydanticCustomError(
                "parameter_too_many" if value else "parameter_out_of_range",
                "must have between 1 and {limit} items",
                {"limit": _STATUS_LIMIT},
            )
        for item in value:
            _status_item(item)
    elif isinstance(value, str):
        raise PydanticCustomError("parameter_invalid_type", 'must be an integer or an array such as ["2xx", 301]')
    else:
        _status_item(value)
    return value


def _status_item(item: Any) -> None:
    if isinstance(item, int) and not isinstance(item, bool):
        if not 100 <= item <= 999:
            raise PydanticCustomError(
                "parameter_out_of_range", "must hold statuses between 100 and 999", {"limit": 999}
            )
        return
    if not isinstance(item, str):
        raise PydanticCustomError(
            "parameter_invalid_type", 'must be an integer, or an array of integers and patterns such as "2xx"'
        )
    ends = _STATUS_RANGE.fullmatch(item)
    if _STATUS_CLASS.fullmatch(item) is None and (ends is None or ends[1] > ends[2]):
        raise PydanticCustomError(
            "parameter_invalid_format", 'must hold integers or patterns such as "2xx" and "200-299"'
        )


def _quorum(value: Any) -> Any:
    if isinstance(value, str):
        if value not in {"any", "majority", "all"}:
            raise PydanticCustomError(
                "parameter_invalid_enum", 'must be "any", "majority", "all" or a number of regions'
            )
    elif isinstance(value, bool) or not isinstance(value, int):
        raise PydanticCustomError("parameter_invalid_type", 'must be "any", "majority", "all" or a number of regions')
    elif value < 1:
        raise PydanticCustomError("parameter_out_of_range", "must be at least 1", {"limit": 1})
    return value


def _of_characters(signs: str, longest: int) -> tuple[Any, ...]:
    """A text of lower-case letters, digits and the signs; the schema tells it as a pattern, a refusal in words."""
    pattern = f"^[a-z0-9][a-z0-9{signs}]{{0,{longest - 1}}}$"
    form = re.compile(pattern.strip("^$"))
    marks = " ".join(signs)

    def check(text: str) -> str:
        if form.fullmatch(text) is None:
            message = "must be 1 to {longest} lower-case letters, digits and {marks}, with a letter or digit first"
            raise PydanticCustomError("parameter_invalid_format", message, {"longest": longest, "marks": marks})
        return text

    return AfterValidator(check), Field(json_schema_extra={"pattern": pattern})


def one_of(values: Sequence[str]) -> str:
    """The values as a sentence needs them."""
    return ", ".join(f'"{value}"' for value in values)


# A member that may be left out, which is None, and may not be null.
Omissible = Annotated[T | None, BeforeValidator(_given), Field(json_schema_extra=_without_null)]
Time = Annotated[int, BeforeValidator(_time), WithJsonSchema({"type": "string", "format": "date-time"})]
Line = Annotated[str, AfterValidator(one_line)]
Description = Annotated[str, Field(max_length=2000), AfterValidator(long_text)]
Name = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(not_blank), AfterValidator(one_line)]
WebUrl = Annotated[str, Field(min_length=1, max_length=URL_LIMIT), AfterValidator(_web_url)]
Slug = Annotated[str, *_of_characters("_-", 63)]
RegionSlug = Annotated[str, *_of_characters("-", 32), AfterValidator(_no_inbound)]
Tag = Annotated[str, *_of_characters(":._/-", 64)]
MetadataKey = Annotated[str, Field(min_length=1, max_length=40), AfterValidator(one_line)]
MetadataValue = Annotated[str, Field(max_length=500), AfterValidator(long_text)]
Regions = Annotated[list[RegionSlug], Field(min_length=1, max_length=32), AfterValidator(unique)]
Tags = Annotated[list[Tag], Field(max_length=32), AfterValidator(unique)]
ExpectedStatus = Annotated[
    Any,
    AfterValidator(_expected_status),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 100, "maximum": 999},
                {
                    "type": "array",
                    "minItems": 1,
                    "maxItems": _STATUS_LIMIT,
                    "items": {
                        "anyOf": [
                            {"type": "integer", "minimum": 100, "maximum": 999},
                            {"type": "string", "pattern": "^([1-9]xx|[1-9][0-9]{2}-[1-9][0-9]{2})$"},
                        ]
                    },
                },
            ]
        }
    ),
]
Quorum = Annotated[
    Any,
    AfterValidator(_quorum),
    WithJsonSchema({"anyOf": [{"enum": ["any", "majority", "all"]}, {"type": "integer", "minimum": 1}]}),
]

# For how long a secret goes on to work beside the one that takes its place.
OverlapSeconds = Annotated[int, Field(ge=0, le=604_800)]
