"""Tells an address outside that we work, not only that we live: silence there means that nobody watches."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

from statuspulse.domain.secret import Secret
from statuspulse.egress.http_client import Answer, HttpClient
from statuspulse.egress.policy import Purpose
from statuspulse.metrics import Metrics
from statuspulse.storage.database import DatabaseUnavailableError

log = structlog.get_logger(__name__)

# A canary gets so many seconds and answers None once it went the whole way, else the word for why it did not.
Flight = Callable[[float], Awaitable[str | None]]

# After one that was not sent, or not taken, the next comes as soon.
_SOON_SECONDS = 5.0
_ATTEMPT_SECONDS = 10.0
# A canary tells by itself why it was late, unless it is stuck where it cannot.
_GRACE_SECONDS = 1.0
_ANSWER_BYTES = 4096


class OutgoingHeartbeat:
    """Calls `url` every `seconds` until it is cancelled, each time only after every one of the `flights`.

    `now` gives ms, `monotonic` seconds. The address is a secret: who knows it can say that we are well.
    """

    def __init__(
        self,
        url: Secret,
        seconds: int,
        flights: Sequence[Flight],
        client: HttpClient,
        metrics: Metrics,
        *,
        now: Callable[[], int],
        monotonic: Callable[[], float],
    ) -> None:
        self._url = url
        self._seconds = seconds
        self._flights = flights
        self._client = client
        self._metrics = metrics
        self._now = now
        self._monotonic = monotonic
        self._told: str | None = None

    async def run(self) -> None:
        while True:
            begun = self._monotonic()
            is_taken = await self.beat()
            rest = self._seconds if is_taken else min(self._seconds, _SOON_SECONDS)
            await asyncio.sleep(max(0.0, rest - (self._monotonic() - begun)))

    async def beat(self) -> bool:
        """Whether it was sent and taken."""
        why = await self._grounded()
        outcome = "withheld"
        if why is None:
            why = await self._send()
            outcome = "sent" if why is None else "refused"
        self._metrics.outgoing_heartbeats.labels(outcome).inc()
        if why is None:
            self._metrics.outgoing_heartbeat_sent.set(self._now() / 1000)
        if why != self._told:
            self._told = why
            if why is None:
                log.info("outgoing_heartbeat.sent")
            else:
                log.warning("outgoing_heartbeat.not_sent", outcome=outcome, reason=why)
        return why is None

    async def _grounded(self) -> str | None:
        """The first thing that stands still; None if nothing does."""
        left = float(self._seconds)
        for flight in self._flights:
            begun = self._monotonic()
            try:
                async with asyncio.timeout(left + _GRACE_SECONDS):
                    why = await flight(left)
            except TimeoutError:
                why = "late"
            except DatabaseUnavailableError:
                why = "database_unavailable"
            if why is not None:
                return why
            left = max(0.0, left - (self._monotonic() - begun))
        return None

    async def _send(self) -> str | None:
        answer = await self._client.request(
            method="GET",
            url=self._url.reveal(),
            headers={},
            body=None,
            purpose=Purpose.HEARTBEAT_OUT,
            timeout_s=min(_ATTEMPT_SECONDS, float(self._seconds)),
            max_bytes=_ANSWER_BYTES,
        )
        if not isinstance(answer, Answer):
            return answer.kind.value
        return None if 200 <= answer.status < 300 else f"http_{answer.status}"
