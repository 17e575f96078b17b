# Written from `asynchronous/client.py` by `python -m tests.client.write_blocking`.
"""The client of a StatusPulse server."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from statuspulse.client import answers, calls, reading
from statuspulse.client.address import address_of
from statuspulse.client.blocking.caller import Caller
from statuspulse.client.blocking.resources.access import Teams, Tokens
from statuspulse.client.blocking.resources.delivery import Channels, Notifications, Webhooks
from statuspulse.client.blocking.resources.escalation import Policies, Schedules
from statuspulse.client.blocking.resources.events import Events
from statuspulse.client.blocking.resources.incidents import Incidents
from statuspulse.client.blocking.resources.integrations import Integrations
from statuspulse.client.blocking.resources.maintenance import Maintenance
from statuspulse.client.blocking.resources.monitors import Monitors, Statuses
from statuspulse.client.blocking.resources.probes import Probes
from statuspulse.client.blocking.resources.slos import Slos
from statuspulse.client.blocking.transport import Transport
from statuspulse.client.calls import PAGE, path_of
from statuspulse.client.conversation import Patience
from statuspulse.client.credentials import headers_of
from statuspulse.client.errors import UsageError
from statuspulse.client.retries import Retries


class Client:
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
        self._transport = Transport(self._address, headers=headers, ca_file=ca_file, patience=patience)
        self._caller = Caller(self._transport, patience)
        self.monitors = Monitors(self._caller)
        self.status = Statuses(self._caller)
        self.incidents = Incidents(self._caller)
        self.policies = Policies(self._caller)
        self.schedules = Schedules(self._caller)
        self.channels = Channels(self._caller)
        self.notifications = Notifications(self._caller)
        self.webhooks = Webhooks(self._caller)
        self.integrations = Integrations(self._caller)
        self.maintenance = Maintenance(self._caller)
        self.slos = Slos(self._caller)
        self.events = Events(self._caller)
        self.tokens = Tokens(self._caller)
        self.teams = Teams(self._caller)
        self.probes = Probes(self._caller)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self._address)!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the connections that are kept."""
        self._transport.close()

    def me(self) -> answers.Principal:
        """Whom the token stands for, what it may do and what is left of its limits."""
        return self._caller.answer(answers.Principal, calls.get(path_of("me")))

    def audit_log(
        self,
        *,
        action: str | None = None,
        resource: str | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> Iterator[answers.AuditEntry]:
        """Who changed what, the newest first."""
        query = {"limit": PAGE, "action": action, "resource": resource, "from": start, "to": end}
        return self._caller.each(answers.AuditEntry, path_of("audit-log"), query)

    def openapi(self) -> dict[str, Any]:
        """What the server says of its API; needs no token."""
        return self.call("GET", "openapi.json")

    def call(
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
        return reading.read_document(self._caller.reply(call))
