"""Every refusal of the API: codes, their HTTP status and the problem document that carries them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from statuspulse.catalog.refusals import Detail

_DETAIL_LIMIT = 50
MESSAGE_LIMIT = 500


@dataclass(frozen=True, slots=True)
class Kind:
    """HTTP status and class of a code; `registered` is the type of RFC 9457 that IANA keeps for it."""

    status: int
    type: str
    registered: str | None = None


_INVALID = "invalid_request_error"
_CONFLICT = "conflict_error"
_OVERLOADED = "overloaded_error"
_IANA = "https://iana.org/assignments/http-problem-types#"

KINDS: dict[str, Kind] = {
    "invalid_json": Kind(400, _INVALID),
    "invalid_header": Kind(400, _INVALID),
    "invalid_cursor": Kind(400, _INVALID),
    "invalid_request": Kind(400, _INVALID),
    "token_missing": Kind(401, "authentication_error"),
    "token_invalid": Kind(401, "authentication_error"),
    "token_expired": Kind(401, "authentication_error"),
    "token_revoked": Kind(401, "authentication_error"),
    "scope_insufficient": Kind(403, "permission_error"),
    "ip_not_allowed": Kind(403, "permission_error"),
    "limit_reached": Kind(403, "permission_error"),
    "resource_missing": Kind(404, "not_found_error"),
    "route_not_found": Kind(404, "not_found_error"),
    "method_not_allowed": Kind(405, _INVALID),
    "incident_already_resolved": Kind(409, _CONFLICT),
    "incident_not_open": Kind(409, _CONFLICT),
    "slug_taken": Kind(409, _CONFLICT),
    "name_taken": Kind(409, _CONFLICT),
    "resource_in_use": Kind(409, _CONFLICT),
    "window_already_ended": Kind(409, _CONFLICT),
    "check_in_progress": Kind(409, _CONFLICT),
    "idempotency_in_progress": Kind(409, _CONFLICT),
    "delivery_in_progress": Kind(409, _CONFLICT),
    "cursor_expired": Kind(410, "not_found_error"),
    "precondition_failed": Kind(412, _CONFLICT),
    "payload_too_large": Kind(413, _INVALID),
    "unsupported_media_type": Kind(415, _INVALID),
    "validation_failed": Kind(422, _INVALID),
    "idempotency_key_reused": Kind(422, "idempotency_error"),
    "precondition_required": Kind(428, _INVALID),
    "rate_limited": Kind(429, "rate_limit_error", _IANA + "quota-exceeded"),
    "concurrency_limited": Kind(429, "rate_limit_error", _IANA + "quota-exceeded"),
    "abnormal_usage": Kind(429, "rate_limit_error", _IANA + "abnormal-usage-detected"),
    "head_too_large": Kind(431, _INVALID),
    "internal_error": Kind(500, "api_error"),
    "overloaded": Kind(503, _OVERLOADED, _IANA + "temporary-reduced-capacity"),
    "starting_up": Kind(503, _OVERLOADED),
    "read_only": Kind(503, _OVERLOADED),
    "maintenance_mode": Kind(503, _OVERLOADED),
}


class ApiError(Exception):
    """A refusal with its code; the message is for people and holds nothing that the caller sent."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        param: str | None = None,
        details: Sequence[Detail] = (),
        retry_after_seconds: int | None = None,
        violated_policies: Sequence[str] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.kind = KINDS[code]
        self.message = message[:MESSAGE_LIMIT]
        self.param = param if param is not None else next((detail.param for detail in details), None)
        self.details = tuple(details[:_DETAIL_LIMIT])
        self.retry_after_seconds = retry_after_seconds
        self.violated_policies = tuple(violated_policies)
        self.headers = dict(headers or {})
        if retry_after_seconds is not None:
            self.headers["Retry-After"] = str(retry_after_seconds)


def invalid(details: Sequence[Detail]) -> ApiError:
    """422 with everything that is wrong; the message names the first."""
    return ApiError("validation_failed", details[0].sentence, details=details)


def missing() -> ApiError:
    """404 for objects that do not exist and for those of other teams, in the same words."""
    return ApiError("resource_missing", "There is no such object.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorPlace:
    """Where an error happened, for its document."""

    request_id: str
    instance: str
    docs_url: str = field(default="")


def error_document(error: ApiError, place: ErrorPlace) -> dict[str, Any]:
    doc_url = f"{place.docs_url}/errors/{error.code}"
    document: dict[str, Any] = {
        "object": "error",
        "request_id": place.request_id,
        "message": error.message,
        "type": error.kind.registered or doc_url,
        "title": error.code.replace("_", " ").capitalize(),
        "status": error.kind.status,
        "detail": error.message,
        "instance": place.instance,
    }
    if error.kind.registered is not None:
        document["violated-policies"] = list(error.violated_policies)
    document["error"] = {
        "type": error.kind.type,
        "code": error.code,
        "param": error.param,
        "doc_url": doc_url,
        "retry_after_seconds": error.retry_after_seconds,
        "details": [_detail_document(detail) for detail in error.details],
    }
    return document


def _detail_document(detail: Detail) -> dict[str, Any]:
    return {
        "code": detail.code,
        "param": detail.param,
        "pointer": detail.pointer,
        "message": detail.message,
        **detail.extra,
    }
