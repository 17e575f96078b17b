"""Callers without a good credential: their address pays, and when it has spent its limit they are told to wait."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from statuspulse.api.envelope import refusal
from statuspulse.api.errors import ApiError
from statuspulse.api.throttle import Throttle

# What comes before the question who calls (`API.md` B.6); and 5xx, which is no fault of the caller's.
_NOT_COUNTED = frozenset({404, 405, 413})
# What stands in the state of a call whose credential was good.
_KNOWN = frozenset({"principal", "probe", "integration"})
_UNAUTHORIZED = 401
_MISSING = 404
_FAULT = 500


class Strangers:
    """Counts an answer when it begins, because only then it is known whether the call had a good credential.

    So a token is never refused for what others do behind the same address. What a stranger could have learned from
    the answer is held back: beyond the limit he hears 429 whatever it was.
    """

    def __init__(self, app: ASGIApp, *, throttle: Throttle, public_url: str) -> None:
        self._app = app
        self._throttle = throttle
        self._public_url = public_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        held_back = False

        async def pass_on(message: Message) -> None:
            nonlocal held_back
            if message["type"] == "http.response.start" and _is_strangers(scope, message["status"]):
                request = Request(scope)
                try:
                    self._throttle.admit_stranger(request)
                except ApiError as refused:
                    held_back = True
                    await self._told(request, refused)(scope, receive, send)
            if not held_back:
                await send(message)

        await self._app(scope, receive, pass_on)

    def _told(self, request: Request, refused: ApiError) -> Response:
        """Outside `/v1` answers are lines of text."""
        if _is_in_v1(request.scope):
            return refusal(request, refused, self._public_url)
        return PlainTextResponse(f"{refused.message}\n", refused.kind.status, refused.headers)


def _is_strangers(scope: Scope, status: int) -> bool:
    """Whether an answer goes to somebody who showed no good credential and used what others may need."""
    state = scope["state"]
    if not _KNOWN.isdisjoint(state) or status >= _FAULT:
        return False
    if _is_in_v1(scope):
        return status not in _NOT_COUNTED
    # The key in the path is the credential there.
    return status == _UNAUTHORIZED or (status == _MISSING and scope["path"].startswith(("/ping/", "/ack/")))


def _is_in_v1(scope: Scope) -> bool:
    path: str = scope["path"]
    return path == "/v1" or path.startswith("/v1/")
