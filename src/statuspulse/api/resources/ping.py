"""`/ping/{key}`: what jobs call. It lies outside `/v1`: no token, no envelope, one line of text."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from statuspulse.api.dependencies import services_of
from statuspulse.domain.access import PING_KEY_PURPOSE
from statuspulse.domain.evidence import Mask, excerpt, fitted
from statuspulse.domain.heartbeat import Signal
from statuspulse.engine.heartbeats import Ping, Taken
from statuspulse.storage.database import DatabaseUnavailableError

_METHODS = ["GET", "POST", "PUT"]  # and HEAD, wherever GET is
_SIGNALS = {None: (Signal.SUCCESS, None), "start": (Signal.START, None), "fail": (Signal.FAILURE, None)}
_EXIT_CODE = re.compile(r"[0-9]{1,3}")
_HIGHEST_EXIT_CODE = 255
_BODY_LIMIT = 10_000
# Whoever sends a body more slowly is heard all the same, with what has come.
_BODY_SECONDS = 3.0
_RETRY_SECONDS = 2

_ANSWERS = {
    Taken.COUNTED: "OK\n",
    Taken.PAUSED: "OK, but the monitor is paused: this ping counts for nothing\n",
}


def routes() -> list[Route]:
    return [Route(path, ping, methods=_METHODS) for path in ("/ping/{key}", "/ping/{key}/{signal}")]


async def ping(request: Request) -> Response:
    """A key that is unknown and one that never could be are looked up alike, so that neither form nor time tells."""
    services = await services_of(request)
    key: str = request.path_params["key"]
    meant = _signal(request.path_params.get("signal"))
    digest = services.parts.keyring.digest(PING_KEY_PURPOSE, key)
    counter = services.parts.metrics.pings
    try:
        if not await services.pings.is_key(digest) or meant is None:
            counter.labels("unknown").inc()
            return _unknown()
        if (wait := services.pings.wait_seconds(digest)) > 0:
            counter.labels("limited").inc()
            return _later(429, "too many pings", wait)
        signal, exit_code = meant
        told = Ping(
            digest=digest,
            signal=signal,
            exit_code=exit_code,
            evidence=await _evidence(request, key, exit_code) if signal is Signal.FAILURE else None,
            at=services.parts.now(),
        )
        taken = await services.pings.take(told)
    except DatabaseUnavailableError:
        counter.labels("refused").inc()
        return _later(503, "the ping could not be stored; try again", _RETRY_SECONDS)
    counter.labels(taken.value).inc()
    return _unknown() if taken is Taken.UNKNOWN else PlainTextResponse(_ANSWERS[taken])


def _signal(text: str | None) -> tuple[Signal, int | None] | None:
    """What the rest of the path means; None for what means nothing."""
    if text is None or text in _SIGNALS:
        return _SIGNALS[text]
    if not _EXIT_CODE.fullmatch(text) or (code := int(text)) > _HIGHEST_EXIT_CODE:
        return None
    return (Signal.SUCCESS, None) if code == 0 else (Signal.FAILURE, code)


async def _evidence(request: Request, key: str, exit_code: int | None) -> dict[str, Any] | None:
    """What a job says of its failure, up to 10 kB; the rest is not waited for."""
    body = bytearray()
    with suppress(TimeoutError):
        async with asyncio.timeout(_BODY_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) >= _BODY_LIMIT:
                    break
    text = bytes(body[:_BODY_LIMIT]).decode(errors="replace")
    shown = {"exit_code": exit_code, "body": excerpt(Mask([key]).over(text), _BODY_LIMIT)}
    return fitted({name: value for name, value in shown.items() if value not in {None, ""}}) or None


def _unknown() -> Response:
    return PlainTextResponse("not found\n", 404)


def _later(status: int, text: str, seconds: int) -> Response:
    return PlainTextResponse(f"{text}\n", status, {"Retry-After": str(seconds)})
