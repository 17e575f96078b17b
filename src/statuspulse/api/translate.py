"""What the layers below and the framework raise, as refusals of the API."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.requests import Request

from statuspulse.api.errors import KINDS, ApiError, invalid, missing
from statuspulse.api.signposts import wrong_method
from statuspulse.api.token_cache import REALM
from statuspulse.catalog.refusals import (
    Detail,
    InvalidInputError,
    MissingError,
    PreconditionFailedError,
    RefusedError,
)
from statuspulse.catalog.validation import details_of
from statuspulse.domain.incident import IncidentAlreadyResolvedError
from statuspulse.storage.database import DatabaseUnavailableError

_RETRY_SECONDS = 2
_RESOLVED = 'The incident is resolved already; only the state triggered with "reopen": true opens it again.'
_NO_WRITES = ("readonly", "read-only", "disk is full", "no space")

TRANSLATED: tuple[type[Exception], ...] = (
    ApiError,
    HTTPException,
    RequestValidationError,
    InvalidInputError,
    MissingError,
    PreconditionFailedError,
    RefusedError,
    IncidentAlreadyResolvedError,
    DatabaseUnavailableError,
)


def translate(request: Request, error: Exception) -> ApiError:
    """The refusal that an exception of a known kind means."""
    match error:
        case ApiError():
            refused = error
        case RequestValidationError():
            refused = invalid(list(_validation_details(error)))
        case DatabaseUnavailableError():
            refused = _unavailable(str(error))
        case HTTPException():
            refused = _routing(request, error)
        case _:
            refused = _of_catalog(error)
    return refused


def _of_catalog(error: Exception) -> ApiError:
    match error:
        case InvalidInputError():
            refused = invalid(error.details)
        case MissingError():
            refused = missing()
        case PreconditionFailedError():
            refused = _precondition_failed(error)
        case RefusedError():
            refused = _refused(error)
        case IncidentAlreadyResolvedError():
            refused = ApiError("incident_already_resolved", _RESOLVED)
        case _:
            raise error
    return refused


def _validation_details(error: RequestValidationError) -> Iterator[Detail]:
    parts: dict[str, list[dict[str, Any]]] = {}
    for found in error.errors():
        part, *location = found["loc"]
        parts.setdefault(str(part), []).append({**found, "loc": tuple(location)})
    yield from details_of(parts.pop("body", []), error.body)
    for found in parts.values():
        for one in found:
            # Names in query and path are flat, so the whole location is the member.
            sent = dict.fromkeys(one["loc"][:1])
            for detail in details_of([one], sent):
                yield Detail(
                    code=detail.code, path=detail.path, message=detail.message, extra=detail.extra, in_body=False
                )


def _precondition_failed(error: PreconditionFailedError) -> ApiError:
    reason = "It was changed meanwhile" if error.was_current else "It never had the version that was sent"
    message = f"{reason}; the current version is {error.current_version}."
    extra = {"current_version": error.current_version}
    detail = Detail(code="precondition_failed", path=(), message=message, extra=extra)
    return ApiError("precondition_failed", message, details=[detail])


def _refused(error: RefusedError) -> ApiError:
    headers = {"WWW-Authenticate": f'{REALM}, error="insufficient_scope"'} if KINDS[error.code].status == 403 else {}
    return ApiError(error.code, error.message, details=error.details, headers=headers)


def _unavailable(reason: str) -> ApiError:
    if any(words in reason.lower() for words in _NO_WRITES):
        return ApiError("read_only", "The storage takes no changes at the moment.", retry_after_seconds=_RETRY_SECONDS)
    return ApiError(
        "overloaded", "The storage does not answer at the moment; try again.", retry_after_seconds=_RETRY_SECONDS
    )


def _routing(request: Request, error: HTTPException) -> ApiError:
    if error.status_code == 405:
        return wrong_method(_methods_of(request))
    if error.status_code == 404:
        return ApiError("route_not_found", "There is no such path.")
    raise error


def _methods_of(request: Request) -> set[str]:
    """Every method of every route with the path of the call."""
    methods: set[str] = set()
    for route in iter_route_contexts(request.app.routes):
        if route.methods and route.path_regex.match(request.scope["path"]):
            methods |= route.methods
    return methods
