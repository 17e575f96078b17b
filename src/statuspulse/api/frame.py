"""What surrounds every call: its id, the headers of every answer, HEAD, trailing slashes, and the last resort."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable
from pathlib import PurePath

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from statuspulse.api.envelope import refusal, request_id_of
from statuspulse.api.errors import ApiError
from statuspulse.api.throttle import RATE_LIMIT_HEADERS
from statuspulse.domain.ids import Ulids
from statuspulse.metrics import Metrics

log = structlog.get_logger(__name__)

_ECHOED_ID = re.compile(rb"[A-Za-z0-9._-]{1,128}")
_DEFAULT_HEADERS = (
    (b"cache-control", b"no-store"),
    (b"vary", b"Authorization, Accept, Accept-Encoding"),
    (b"x-content-type-options", b"nosniff"),
)
_FRAMES_SHOWN = 5
# Stands in the state of a call whose answer goes on as long as its caller likes.
IS_STREAM = "is_stream"


class Frame:
    """The outermost layer of ours; nothing that is raised inside passes it."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        now: Callable[[], int],
        monotonic: Callable[[], float],
        public_url: str,
        metrics: Metrics,
    ) -> None:
        self._app = app
        self._now = now
        self._monotonic = monotonic
        self._public_url = public_url
        self._metrics = metrics
        self._ids = Ulids("req")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope = _prepared(scope, self._ids.new(self._now()))
        answer = _Answer(scope, send)
        begun = self._monotonic()
        await self._answer(scope, receive, answer)
        self._metrics.api_requests.labels(_route(scope), str(answer.status or "aborted")).inc()
        if IS_STREAM not in scope["state"]:  # how long somebody listens tells nothing of us
            self._metrics.api_duration.observe(self._monotonic() - begun)

    async def _answer(self, scope: Scope, receive: Receive, answer: _Answer) -> None:
        try:
            await self._app(scope, receive, answer.send)
        except ClientDisconnect:
            return
        except Exception as error:  # noqa: BLE001 - the last resort: whatever it is, the caller gets an answer
            request = Request(scope, receive)
            request_id = request_id_of(request)
            # With its traceback the line would quote the error's text, which may hold a statement, a body, a header.
            log.error("api.internal_error", request_id=request_id, **_where(error))  # noqa: TRY400
            if answer.status is None:
                fault = ApiError("internal_error", f"Something failed on our side; quote {request_id}.")
                await refusal(request, fault, self._public_url)(scope, receive, answer.send)


class _Answer:
    """Passes an answer on with the headers that every answer has."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self.status: int | None = None
        self._send = send
        self._is_head = scope["state"]["is_head"]
        self._state = scope["state"]
        self._headers = [*_DEFAULT_HEADERS, (b"request-id", self._state["request_id"].encode())]
        given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
        if _ECHOED_ID.fullmatch(given):
            self._headers.append((b"x-request-id", given))

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            told = list(message.get("headers", ()))
            names = {name.lower() for name, _ in told}
            limits = self._state.get(RATE_LIMIT_HEADERS, {}).items()
            ours = [*self._headers, *((name.lower().encode(), value.encode()) for name, value in limits)]
            message["headers"] = [*told, *(header for header in ours if header[0] not in names)]
        elif self._is_head and message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await self._send(message)


def _prepared(scope: Scope, request_id: str) -> Scope:
    """The call as the routes see it: HEAD is a GET without body, a trailing slash is no part of the path."""
    is_head = scope["method"] == "HEAD"
    path: str = scope["path"]
    if len(path) > 1 and path.endswith("/"):
        path = path[:-1]
    return {
        **scope,
        "path": path,
        "method": "GET" if is_head else scope["method"],
        "state": {**scope.get("state", {}), "request_id": request_id, "is_head": is_head},
    }


def _route(scope: Scope) -> str:
    """The route's pattern, so that ids make no series; whatever led nowhere is one series."""
    pattern: str | None = getattr(scope.get("route"), "path", None)
    if pattern is not None:
        return pattern
    return str(scope["path"]) if "endpoint" in scope and not scope.get("path_params") else "none"


def _where(error: Exception) -> dict[str, str]:
    """Kind and place of a defect, without its text."""
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES_SHOWN:]
    places = [f"{PurePath(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]
    return {"error": type(error).__name__, "at": " < ".join(reversed(places))}
