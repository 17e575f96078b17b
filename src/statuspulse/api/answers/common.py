"""The shapes of answers, for the OpenAPI document: one flat schema each, open for members to come."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

_OPEN = ConfigDict(extra="ignore", json_schema_serialization_defaults_required=True)

State = Literal["pending", "up", "degraded", "down", "unknown", "maintenance", "paused"]
Health = Literal["pending", "up", "degraded", "down", "unknown"]


class Answer(BaseModel):
    """A part of an answer; only members with a default may be absent from it."""

    # Most are never asked to validate anything, and to build all of them at the start takes time.
    model_config = ConfigDict(extra="ignore", defer_build=True)


class Later:
    """A shape that is made when the document asks for it: of many kinds in many forms, which no start waits for."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make

    @cached_property
    def shape(self) -> Any:
        return self._make()


class SoftProblem(Answer):
    """A warning beside a good answer."""

    code: str
    message: str
    param: str | None


class Envelope(Answer):
    """The members of every good answer."""

    request_id: str
    message: Annotated[str, Field(max_length=500)]
    warnings: list[SoftProblem]


class ErrorDetail(Answer):
    """One thing that is wrong."""

    code: str
    param: str | None
    pointer: str | None
    message: str
    limit: int | None = None
    known: list[str] | None = None
    required_scope: str | None = None
    current_version: int | None = None
    monitor_ids: list[str] | None = None


class ErrorBody(Answer):
    """What went wrong, for programs."""

    type: str
    code: str
    param: str | None
    doc_url: str
    retry_after_seconds: int | None
    details: Annotated[list[ErrorDetail], Field(max_length=50)]


class Error(Answer):
    """Every refusal: a problem document of RFC 9457 with the members of the envelope."""

    object: Literal["error"]
    request_id: str
    message: str
    type: str
    title: str
    status: int
    detail: str
    instance: str
    violated_policies: list[str] | None = Field(default=None, alias="violated-policies")
    error: ErrorBody


class Actor(Answer):
    """Who did something."""

    type: str
    id: str | None
    label: str


class ListEnvelope(Envelope):
    """The members of every list; `total` is there only when asked for, and stops at 10,000."""

    object: Literal["list"]
    has_more: bool
    next_cursor: str | None
    url: str
    total: int | None = None


class Deleted(Envelope):
    """Something is gone."""

    object: str
    id: str
    deleted: Literal[True]


class ApiAnswer(Envelope):
    """What answers here."""

    object: Literal["api"]
    version: str
    docs_url: str
