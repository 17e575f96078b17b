"""`/ack/{key}`: the page behind the link of a message. GET only shows, since previews follow links."""

from __future__ import annotations

from functools import partial
from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from statuspulse.api.address import address_of
from statuspulse.api.dependencies import services_of
from statuspulse.api.envelope import request_id_of
from statuspulse.catalog import acknowledging
from statuspulse.catalog.acknowledging import Link, Standing
from statuspulse.domain.actor import Origin
from statuspulse.domain.times import to_text
from statuspulse.storage.database import DatabaseUnavailableError

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
    "X-Content-Type-Options": "nosniff",
}
_SENTENCES = {
    Standing.OPEN: "Nobody has acknowledged this incident yet.",
    Standing.TAKEN: "This incident is acknowledged.",
    Standing.OVER: "This incident is resolved; there is nothing left to acknowledge.",
    Standing.USED: "This link is used up: the incident was triggered again, and a newer message has the link for it.",
}
_BUTTON = '<form method="post"><button type="submit">Acknowledge</button></form>'


def routes() -> list[Route]:
    return [Route("/ack/{key}", show, methods=["GET"]), Route("/ack/{key}", take, methods=["POST"])]


async def show(request: Request) -> Response:
    """The incident and a button; nothing changes."""
    services = await services_of(request)
    key, keyring = request.path_params["key"], services.parts.keyring
    try:
        link = await services.parts.database.read(partial(acknowledging.look, keyring=keyring, key=key))
    except DatabaseUnavailableError:
        return _unavailable()
    return _missing() if link is None else _page(link)


async def take(request: Request) -> Response:
    """Acknowledges; a second time it tells that it is done."""
    services = await services_of(request)
    parts = services.parts
    key, now = request.path_params["key"], parts.now()
    address = address_of(request, parts.trusted_proxies)
    origin = Origin(request_id_of(request), None if address is None else str(address))
    try:
        done = await parts.database.write(
            lambda connection: acknowledging.acknowledge(connection, parts.keyring, key, origin, now)
        )
    except DatabaseUnavailableError:
        return _unavailable()
    if done is None:
        return _missing()
    link, acted = done
    if acted:
        parts.wake()
    return _page(link)


def _page(link: Link) -> Response:
    incident = link.incident
    button = _BUTTON if link.standing is Standing.OPEN else ""
    return _html(
        f"<h1>{escape(incident.title)}</h1>"
        f"<p>Incident {escape(incident.id)}, {escape(incident.severity.value)}, "
        f"triggered at {to_text(incident.triggered_at)}.</p>"
        f"<p>{_SENTENCES[link.standing]}</p>{button}"
    )


def _missing() -> Response:
    return _html("<h1>Not found</h1><p>There is no such link.</p>", 404)


def _unavailable() -> Response:
    return _html("<h1>Try again</h1><p>The database takes no calls just now.</p>", 503)


def _html(inner: str, status: int = 200) -> Response:
    text = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>StatusPulse</title></head><body>{inner}</body></html>"
    )
    return HTMLResponse(text, status, _HEADERS)
