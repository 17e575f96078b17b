"""The API as an ASGI application, made of its parts."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence

from fastapi import APIRouter, FastAPI
from fastapi.telemetry import TelemetryConfig
from starlette.requests import Request
from starlette.responses import Response

from statuspulse.api.dependencies import Dependencies, Services
from statuspulse.api.envelope import refusal
from statuspulse.api.frame import Frame
from statuspulse.api.made_once import MadeOnce
from statuspulse.api.openapi import openapi_document
from statuspulse.api.overload import Overload
from statuspulse.api.resources import (
    acknowledge,
    agent,
    audit_log,
    bulk,
    channels,
    checks,
    config_versions,
    event_stream,
    events,
    explain,
    incident_moves,
    incident_stats,
    incidents,
    integrations,
    latency,
    maintenance,
    monitor_config,
    monitors,
    notifications,
    ping,
    policies,
    probes,
    reception,
    regions,
    results,
    schedules,
    simulation,
    slo_reports,
    slos,
    status,
    stream_tickets,
    system,
    teams,
    tokens,
    transitions,
    uptime,
    webhook_deliveries,
    webhooks,
)
from statuspulse.api.signposts import Signposts
from statuspulse.api.strangers import Strangers
from statuspulse.api.translate import TRANSLATED, translate

ROUTERS: tuple[APIRouter, ...] = (
    monitors.router,
    bulk.router,
    checks.router,
    monitor_config.router,
    config_versions.router,
    results.router,
    transitions.router,
    uptime.router,
    latency.router,
    explain.router,
    simulation.router,
    incident_stats.router,  # before the route that takes any id
    incidents.router,
    incident_moves.router,
    policies.router,
    schedules.router,
    slo_reports.router,  # before the route that takes any id
    slos.router,
    maintenance.router,
    tokens.router,
    teams.router,
    audit_log.router,
    event_stream.router,  # before the route that takes any id
    stream_tickets.router,
    events.router,
    webhooks.router,
    webhook_deliveries.router,
    channels.router,
    notifications.router,
    integrations.router,
    reception.router,
    status.router,
    regions.router,
    probes.router,
    agent.router,
    system.router,
)

# The framework would look for exporters in the environment and record bodies with its validation errors.
_NO_TELEMETRY: TelemetryConfig = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
    "auto_configure": False,
}


def create_api(parts: Dependencies, routers: Sequence[APIRouter] = ROUTERS) -> FastAPI:
    """Builds the application; it starts nothing and holds no task."""

    async def refuse(request: Request, error: Exception) -> Response:
        return refusal(request, translate(request, error), parts.public_url)

    app = FastAPI(
        title="StatusPulse",
        openapi_url=None,
        redirect_slashes=False,
        exception_handlers=dict.fromkeys(TRANSLATED, refuse),
        telemetry=_NO_TELEMETRY,
    )
    app.state.services = services = Services.of(parts)
    # The last one that is added is the outermost.
    app.add_middleware(Strangers, throttle=services.throttle, public_url=parts.public_url)
    app.add_middleware(Overload, places=parts.places, is_read_only=parts.is_read_only, public_url=parts.public_url)
    app.add_middleware(
        Frame, now=parts.now, monotonic=parts.monotonic, public_url=parts.public_url, metrics=parts.metrics
    )
    for router in routers:
        app.include_router(router, prefix="/v1")
    tags = list(dict.fromkeys(str(tag) for router in routers for tag in router.tags))
    described = list(app.routes)

    def document() -> bytes:
        return json.dumps(openapi_document(described, tags), ensure_ascii=False).encode()

    app.state.openapi = MadeOnce(lambda: asyncio.to_thread(document))
    app.router.routes.extend(
        [*ping.routes(), *acknowledge.routes(), *reception.routes(), *system.routes(app.state.openapi)]
    )
    operations = [("/v1", route) for router in routers for route in router.routes]
    app.router.routes.insert(0, Signposts([*operations, *(("", route) for route in app.routes)]))
    return app
