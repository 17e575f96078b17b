"""The envelope of every answer: reserved members at the top, the resource's own beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from starlette.requests import HTTPConnection
from starlette.responses import Response

from statuspulse.api.errors import MESSAGE_LIMIT, ApiError, ErrorPlace, error_document
from statuspulse.catalog.refusals import SoftProblem

JSON = "application/json"
PROBLEM_JSON = "application/problem+json"


def request_id_of(request: HTTPConnection) -> str:
    """The id under which this call stands in answers and logs."""
    request_id: str = request.state.request_id
    return request_id


def answer(
    request: HTTPConnection,
    kind: str,
    message: str,
    members: Mapping[str, Any],
    *,
    status: int = 200,
    warnings: Sequence[SoftProblem] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A good answer: `kind` goes into `object`, `members` beside the reserved ones."""
    document = {
        "object": kind,
        "request_id": request_id_of(request),
        "message": message[:MESSAGE_LIMIT],
        "warnings": [{"code": soft.code, "message": soft.message, "param": soft.param} for soft in warnings],
        **{name: value for name, value in members.items() if name != "object"},
    }
    return Response(msgspec.json.encode(document), status, headers, JSON)


@dataclass(frozen=True, slots=True)
class Kept:
    """The body of a good answer around the id of the call that it was made for."""

    before: bytes
    after: bytes

    @classmethod
    def of(cls, request: HTTPConnection, made: Response) -> Kept:
        before, _, after = bytes(made.body).partition(request_id_of(request).encode())
        return cls(before, after)

    def given(self, request: HTTPConnection, headers: Mapping[str, str]) -> Response:
        """The same answer to another call."""
        body = self.before + request_id_of(request).encode() + self.after
        return Response(body, headers=headers, media_type=JSON)


def refusal(request: HTTPConnection, error: ApiError, public_url: str) -> Response:
    """The answer that carries an error, as a problem document only where the caller asks for one."""
    place = ErrorPlace(request_id=request_id_of(request), instance=_instance(request), docs_url=f"{public_url}/docs")
    asks_for_problem = any(PROBLEM_JSON in accepted for accepted in request.headers.getlist("accept"))
    media_type = PROBLEM_JSON if asks_for_problem else JSON
    return Response(msgspec.json.encode(error_document(error, place)), error.kind.status, error.headers, media_type)


def _instance(request: HTTPConnection) -> str:
    """The path as it came: a query could hold what must not be repeated."""
    raw: bytes = request.scope.get("raw_path") or request.scope["path"].encode()
    return raw.partition(b"?")[0].decode("ascii", errors="replace")
