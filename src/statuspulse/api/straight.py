"""Calls an endpoint without the framework where that would have nothing to look at: a call without query and body."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from fastapi.dependencies.models import Dependant
from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from statuspulse.api.dependencies import call_of, services_of

Handler = Callable[[Request], Coroutine[Any, Any, Response]]

_KNOWN = (call_of, services_of)


def straight(dependant: Dependant) -> Handler | None:
    """The endpoint with its own defaults for the query; None where a call has to bring more than its path.

    What the framework would pass is passed: the request, what `call_of` and `services_of` give, and the parameters
    of the path, which are texts.
    """
    endpoint = dependant.call
    if endpoint is None or not _is_plain(dependant):
        return None
    given = {one.name: one.call for one in dependant.dependencies if one.name is not None and one.call is not None}
    named = dependant.request_param_name

    async def handle(request: Request) -> Response:
        values: dict[str, Any] = {name: await make(request) for name, make in given.items()}
        if named is not None:
            values[named] = request
        answered: Response = await endpoint(**values, **request.path_params, **_defaults(dependant))
        return answered

    return handle


def _is_plain(dependant: Dependant) -> bool:
    others = (
        *dependant.header_params,
        *dependant.cookie_params,
        *dependant.body_params,
        dependant.response_param_name,
        dependant.background_tasks_param_name,
        dependant.http_connection_param_name,
    )
    return (
        not any(others)
        and all(one.call in _KNOWN for one in dependant.dependencies)
        and all(field.field_info.annotation is str for field in dependant.path_params)
        and _has_defaults(dependant)
    )


def _has_defaults(dependant: Dependant) -> bool:
    try:
        _defaults(dependant)
    except ValidationError:
        return False
    return not any(field.field_info.is_required() for field in dependant.query_params if _model(field) is None)


def _defaults(dependant: Dependant) -> Mapping[str, Any]:
    """What each parameter of the query is when it is not there; a model of several is made anew."""
    return {
        field.name: field.get_default() if (model := _model(field)) is None else model()
        for field in dependant.query_params
    }


def _model(field: Any) -> type[BaseModel] | None:
    annotation = field.field_info.annotation
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None
