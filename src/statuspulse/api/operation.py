"""How a router declares an operation: everything that the route enforces and the OpenAPI document tells of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import Response

from statuspulse.api.route import ANSWER, FURTHER_STATUSES, OWN_TOKEN, SCOPE_MEMBER, TAKES_TICKET, WAITS

Examples = Mapping[str, Any]

ANY_TOKEN = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """A request body that the catalog validates: the component that describes it, and examples by name."""

    schema: str
    examples: Examples
    media_types: tuple[str, ...] = ("application/json",)
    required: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation: its answer's shape and examples by name; further statuses stand beside the default ones.

    An answer that is no JSON is told by the class of its response. `takes_ticket` lets a ticket stand for the token.

    `created` has examples of the same shape under 201, where a call may also make something new. `scope` is None where
    no token is asked for, and ANY_TOKEN where one without any scope will do. `own_token` names the path parameter by
    which a token may call about itself without the scope. `waits` tells of a POST that it waits for more than the
    database and changes nothing itself, or that it takes several transactions and, done again, does no more.
    """

    id: str
    summary: str
    scope: str | None
    answer: Any
    examples: Examples
    status: int = 200
    created: Examples = field(default_factory=dict)
    body: Body | None = None
    statuses: tuple[int, ...] = field(default=())
    waits: bool = False
    own_token: str | None = None
    takes_ticket: bool = False

    @property
    def keywords(self) -> dict[str, Any]:
        """What the decorators of a router take."""
        extra: dict[str, Any] = {}
        if self.scope is not None:
            extra[SCOPE_MEMBER] = [self.scope] if self.scope else []
        if self.own_token is not None:
            extra[OWN_TOKEN] = self.own_token
        if self.statuses:
            extra[FURTHER_STATUSES] = list(self.statuses)
        if self.takes_ticket:
            extra[TAKES_TICKET] = True
        if self.waits:
            extra[WAITS] = True
        if self.body is not None:
            extra["requestBody"] = _request_body(self.body)
        if self._other is None:
            extra[ANSWER] = self.answer
        responses = {self.status: self._response(self.examples)}
        if self.created:
            responses[201] = self._response(self.created)
        return {
            "operation_id": self.id,
            "summary": self.summary,
            "status_code": self.status,
            "responses": responses,
            "openapi_extra": extra,
            **({"response_model": None} if self._other is None else {"response_class": self._other}),
        }

    @property
    def _other(self) -> type[Response] | None:
        """The class of an answer that is no JSON."""
        return self.answer if isinstance(self.answer, type) and issubclass(self.answer, Response) else None

    def _response(self, examples: Examples) -> dict[str, Any]:
        shown = {name: {"value": value} for name, value in examples.items()}
        media_type = "application/json" if self._other is None else str(self._other.media_type)
        return {"description": self.summary, "content": {media_type: {"examples": shown}}}


def _request_body(body: Body) -> dict[str, Any]:
    content = {
        "schema": {"$ref": f"#/components/schemas/{body.schema}"},
        "examples": {name: {"value": value} for name, value in body.examples.items()},
    }
    return {"required": body.required, "content": dict.fromkeys(body.media_types, content)}
