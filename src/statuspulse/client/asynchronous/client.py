"""The client of a StatusPulse server."""

from __future__ import annotations

import random
import time
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from statuspulse.client import answers, calls, reading
from statuspulse.client.address import address_of
from statuspulse.client.asynchronous.caller import AsyncCaller
from statuspulse.client.asynchronous.resources.access import AsyncTeams, AsyncTokens
from statuspulse.client.asynchronous.resources.delivery import AsyncChannels, AsyncNotifications, AsyncWebhooks
from statuspulse.client.asynchronous.resources.escalation import AsyncPolicies, AsyncSchedules
from statuspulse.client.asynchronous.resources.events import AsyncEvents
from statuspulse.client.asynchronous.resources.incidents import AsyncIncidents
from statuspulse.client.asynchronous.resources.integrations import AsyncIntegrations
from statuspulse.client.asynchronous.resources.maintenance import AsyncMaintenance
from statuspulse.client.asynchronous.resources.monitors import AsyncMonitors, AsyncStatuses
from statuspulse.client.asynchronous.resources.probes import AsyncProbes
from statuspulse.client.asynchronous.resources.slos import AsyncSlos
from statuspulse.client.asynchronous.transport import AsyncTransport
from statuspulse.client.calls import PAGE, path_of
from statuspulse.client.conversation import Patience
from statuspulse.client.credentials import headers_of
from statuspulse.client.errors import UsageError
from statuspulse.client.retries import Retries


class AsyncClient:
    """Calls a StatusPulse server with a token; every call raises a StatusPulseError when it ends without a good answer.

    `base_url` is where the server answers, such as `https://status.example.com`. `token` None is for what needs none.
    One attempt may take `attempt_seconds`, a call with all its attempts `call_seconds`. `team` is the slug or id of the
    team, for tokens of several. `ca_file` holds the authorities to trust instead of the system's.
    """

    def __init__(
        self,
        base_url: str,
        token: str | None = None,
        *,
        team: str | None = None,
        attempt_seconds: float = 15.0,
        call_seconds: float = 60.0,
        retries: Retries = Retries(),  # noqa: B008 - a frozen value
        ca_file: Path | None = None,
    ) -> None:
        self._address = address_of(base_url)
        patience = Patience(
            attempt_seconds=attempt_seconds,
            call_seconds=call_seconds,
            retries=retries,
            monotonic=time.monotonic,
            draw=random.random,
        )
        headers = headers_of(token, team)
        self._transport = AsyncTransport(self._address, headers=headers, ca_file=ca_file, patience=patience)
        self._caller = AsyncCaller(self._transport, patience)
        self.monitors = AsyncMonitors(self._caller)
        self.status = AsyncStatuses(self._caller)
        self.incidents = AsyncIncidents(self._caller)
        self.policies = AsyncPolicies(self._caller)
        self.schedules = AsyncSchedules(self._caller)
        self.channels = AsyncChannels(self._caller)
        self.notifications = AsyncNotifications(self._caller)
        self.webhooks = AsyncWebhooks(self._caller)
        self.integrations = AsyncIntegrations(self._caller)
        self.maintenance = AsyncMaintenance(self._caller)
        self.slos = AsyncSlos(self._caller)
        self.events = AsyncEvents(self._caller)
        self.tokens = AsyncTokens(self._caller)
        self.teams = AsyncTeams(self._caller)
        self.probes = AsyncProbes(self._caller)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self._address)!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Ends the connections that are kept."""
        await self._transport.aclose()

    async def me(self) -> answers.Principal:
        """Whom the token stands for, what it may do and what is left of its limits."""
        return await self._caller.answer(answers.Principal, calls.get(path_of("me")))

    def audit_log(
        self,
        *,
        action: str | None = None,
        resource: str | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> AsyncIterator[answers.AuditEntry]:
        """Who changed what, the newest first."""
        query = {"limit": PAGE, "action": action, "resource": resource, "from": start, "to": end}
        return self._caller.each(answers.AuditEntry, path_of("audit-log"), query)

    async def openapi(self) -> dict[str, Any]:
        """What the server says of its API; needs no token."""
        return await self.call("GET", "openapi.json")

    async def call(
        self,
        method: str,
        *segments: str,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        if_match: int | None = None,
        idempotency_key: str | None = None,
    ) -> dict[str, Any]:
        """Any call below `/v1`, by the segments of its path; the answer as it came."""
        path = path_of(*segments)
        match method:
            case "GET":
                call = calls.get(path, query)
            case "POST":
                call = calls.post(path, body, key=idempotency_key)
            case "PUT":
                call = calls.put(path, body or {}, query=query, if_match=if_match)
            case "PATCH":
                call = calls.patch(path, body or {}, query=query, if_match=if_match)
            case "DELETE":
                call = calls.delete(path, if_match=if_match)
            case _:
                raise UsageError("the method has to be GET, POST, PUT, PATCH or DELETE")
        return reading.read_document(await self._caller.reply(call))
