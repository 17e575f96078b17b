"""The route of every operation: credential, scope, limits and body are judged in this order before the endpoint."""

from __future__ import annotations

import inspect
import unicodedata
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from statuspulse.api import body, idempotency
from statuspulse.api.dependencies import services_of
from statuspulse.api.errors import ApiError, invalid
from statuspulse.api.security import TICKET, authenticate, authenticate_ticket, require
from statuspulse.api.straight import straight
from statuspulse.catalog.refusals import Detail
from statuspulse.catalog.validation import unknown
from statuspulse.domain.access import Principal

SCOPE_MEMBER = "x-required-scopes"
FURTHER_STATUSES = "x-further-statuses"
WAITS = "x-waits"
OWN_TOKEN = "x-own-token"  # noqa: S105 - the name of a member
TAKES_TICKET = "x-takes-ticket"
ANSWER = "answer"


class _ReadRequest(Request):
    """A request whose body has been read and parsed by our rules; the framework takes it from here."""

    def __init__(self, request: Request, raw: bytes, value: Any) -> None:
        super().__init__(request.scope, request.receive)
        self._raw = raw
        self._value = value

    async def body(self) -> bytes:
        return self._raw

    async def json(self) -> Any:
        return self._value


class DescribedRoute(APIRoute):
    """A route that holds the shape of its answer; None where that is no JSON.

    The framework is not told of it: nothing is validated by it, and to make ready for that takes a good part of a
    start. The OpenAPI document tells it.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        extra = dict(options.pop("openapi_extra", None) or {})
        self.answer: Any = extra.pop(ANSWER, None)
        super().__init__(path, endpoint, openapi_extra=extra, **options)


class CheckedRoute(DescribedRoute):
    """Size, token, rate limit, scope, media type, JSON, idempotency key, query, schema, endpoint, in this order.

    The scope stands in the operation of the OpenAPI document (`x-required-scopes`); without that member the route is
    open, with an empty list any token will do.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        if "POST" in (options.get("methods") or ()):
            waits = WAITS in (options.get("openapi_extra") or {})
            endpoint = idempotency.once(inspect.unwrap(endpoint), waits=waits)
        super().__init__(path, endpoint, **options)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        endpoint = super().get_route_handler()
        alone = straight(self.dependant)
        extra = self.openapi_extra or {}
        scopes: list[str] | None = extra.get(SCOPE_MEMBER)
        own = extra.get(OWN_TOKEN)
        takes_ticket = TAKES_TICKET in extra
        query = dict(_query_members(self.dependant))
        media_types = body.PATCH_TYPES if "PATCH" in (self.methods or ()) else body.JSON_TYPES
        is_post = "POST" in (self.methods or ())
        needs_body = self.body_field is not None and self.body_field.field_info.is_required()

        async def handle(request: Request) -> Response:
            raw = await body.read_body(request, body.BODY_LIMIT)
            if scopes is not None:
                await _admit(request, scopes, own, takes_ticket=takes_ticket)
            value = None
            if raw:
                body.check_media_type(request, media_types)
                value = body.parse_json(raw)
            elif needs_body:
                raise ApiError("invalid_json", "The body is empty; send a JSON object.")
            if is_post and (given := await _given(request, value)) is not None:
                return given
            if alone is not None and not raw and not request.scope["query_string"]:
                return await alone(request)
            _check_query(request, query)
            return await endpoint(_ReadRequest(request, raw, value))

        return handle


async def _admit(request: Request, scopes: list[str], own: str | None, *, takes_ticket: bool) -> None:
    """Sets the principal of the call; `own` names the path parameter by which a token may call about itself."""
    services = await services_of(request)
    by_ticket = takes_ticket and TICKET in request.query_params
    principal = await (authenticate_ticket if by_ticket else authenticate)(request, services)
    request.state.principal = principal
    services.throttle.admit(request, principal.token_id)
    if own is not None and request.path_params[own] == principal.token_id:
        return
    for scope in scopes:
        require(principal, scope)


async def _given(request: Request, body: Any) -> Response | None:
    """The answer that the call was given before under its key; else the key is kept for the endpoint."""
    caller: Principal | None = request.scope["state"].get("principal")
    if caller is None:
        return None
    services = await services_of(request)
    keyed = idempotency.keyed_call(request, services, caller, body)
    if keyed is None:
        return None
    request.state.keyed = keyed
    return await services.parts.database.read(keyed.found)


def _query_members(dependant: Dependant) -> Iterator[tuple[str, bool]]:
    """Every name that the query may hold, and whether it may stand there more than once."""
    for field in dependant.query_params:
        model = field.field_info.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            for name, member in model.model_fields.items():
                yield member.alias or name, "list[" in str(member.annotation)
        else:
            yield field.alias, "list[" in str(model)
    for inner in dependant.dependencies:
        yield from _query_members(inner)


def _check_query(request: Request, members: dict[str, bool]) -> None:
    details: list[Detail] = []
    seen: set[str] = set()
    for name, value in request.query_params.multi_items():
        if name not in members:
            found = unknown((name,), tuple(members))
            details.append(Detail(code=found.code, path=found.path, message=found.message, in_body=False))
        elif name in seen and not members[name]:
            details.append(_in_query("parameter_duplicate", name, "may stand in the query only once"))
        elif any(unicodedata.category(char) == "Cc" for char in value):
            details.append(_in_query("parameter_invalid_format", name, "must not hold control characters"))
        seen.add(name)
    if details:
        raise invalid(details)


def _in_query(code: str, name: str, message: str) -> Detail:
    return Detail(code=code, path=(name,), message=message, in_body=False)
