"""Sends events to webhook endpoints, each apart from all others."""

from __future__ import annotations

import asyncio
import contextlib
import json
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import structlog
from sqlalchemy import Connection

from statuspulse import __version__
from statuspulse.bus.bus import Bus, Topic
from statuspulse.delivery.channel import ANSWER_BYTES, ATTEMPT_SECONDS
from statuspulse.delivery.endpoint_state import disable
from statuspulse.domain import webhook
from statuspulse.domain.actor import SYSTEM
from statuspulse.domain.backoff import RetryAfter
from statuspulse.domain.evidence import excerpt
from statuspulse.domain.times import SECOND
from statuspulse.domain.webhook import DisabledReason
from statuspulse.egress.http_client import Answer, HttpClient, Unreachable, UnreachableKind
from statuspulse.egress.policy import Purpose
from statuspulse.metrics import Metrics
from statuspulse.storage import events, webhook_deliveries, webhooks
from statuspulse.storage.database import Database, DatabaseUnavailableError
from statuspulse.storage.events import LoggedEvent
from statuspulse.storage.sealing import Keyring, WrongKeyError
from statuspulse.storage.webhook_deliveries import Attempt, StaleLeaseError, State, WebhookDelivery
from statuspulse.storage.webhooks import Endpoint

log = structlog.get_logger(__name__)

PLACES = 5
_UNDER_WAY_LIMIT = 200
# One that fails and fails is tried one event at a time: it may not take the places of those that work.
_FAILURES_TO_THROTTLE = 5
_LONGEST_REST_SECONDS = 30.0
_SHORTEST_REST_SECONDS = 0.01
_PAUSE_SECONDS = 1.0
_GRACE_SECONDS = 1.0
_GONE = 410
# Kinds that receivers of events are told in one word.
_NO_CONNECTION = frozenset({UnreachableKind.CONNECT, UnreachableKind.REFUSED, UnreachableKind.PROTOCOL})
_SHOWN_BODY = 4096
_SHOWN_HEADERS = ("content-type", "date", "location", "retry-after", "server")
_CONTENT_TYPES = {
    webhook.Format.STANDARD: "application/json",
    webhook.Format.CLOUDEVENTS: "application/cloudevents+json",
}


@dataclass(frozen=True, slots=True)
class Job:
    """A claimed delivery with what it needs; an event that is kept no longer is None."""

    delivery: WebhookDelivery
    endpoint: Endpoint
    event: LoggedEvent | None


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request as it goes out."""

    headers: dict[str, str]
    body: bytes


class WebhookSender:
    """Works off what endpoints are owed until it is cancelled; rows and leases are all that it needs to go on later.

    `owner` names this sender among all that run at once, `random` answers numbers in [0, 1).
    """

    def __init__(
        self,
        database: Database,
        keyring: Keyring,
        bus: Bus,
        client: HttpClient,
        metrics: Metrics,
        *,
        public_url: str,
        now: Callable[[], int],
        owner: str,
        random: Callable[[], float],
    ) -> None:
        self._database = database
        self._keyring = keyring
        self._bus = bus
        self._client = client
        self._metrics = metrics
        self._public_url = public_url
        self._now = now
        self._owner = owner
        self._random = random
        self._under_way: Counter[str] = Counter()
        self._in_hand: set[str] = set()
        self._sick: set[str] = set()

    async def run(self) -> None:
        """Never returns. When it is cancelled, what was not sent is due again at once."""
        with contextlib.suppress(DatabaseUnavailableError):
            await self._release()
        try:
            async with asyncio.TaskGroup() as tasks:
                seen = -1
                while True:
                    seen = await self._bus.wait(Topic.OUTBOX, seen, await self._turn_or_pause(tasks))
        finally:
            with contextlib.suppress(DatabaseUnavailableError):
                await asyncio.shield(self._release())

    async def turn(self, tasks: asyncio.TaskGroup) -> float:
        """Starts sending everything that may be sent now; answers after how long to look again (s)."""
        while (room := _UNDER_WAY_LIMIT - len(self._in_hand)) > 0:
            full, in_hand = self._full(), tuple(self._in_hand)
            due_at = await self._database.read(
                partial(webhook_deliveries.next_due_at, full=full, in_hand=in_hand),
            )
            if due_at is None or due_at > self._now():
                return self._rest(due_at)
            jobs = await self._database.write(partial(self._claim, room, full, in_hand))
            for job in jobs:
                self._start(job, tasks)
            if not jobs:  # another sender is just taking it
                return _PAUSE_SECONDS
        return _LONGEST_REST_SECONDS

    async def _turn_or_pause(self, tasks: asyncio.TaskGroup) -> float:
        try:
            return await self.turn(tasks)
        except DatabaseUnavailableError as error:
            log.warning("webhooks.database_unavailable", reason=str(error))
            return _PAUSE_SECONDS

    def _full(self) -> tuple[str, ...]:
        return tuple(
            endpoint_id
            for endpoint_id, count in self._under_way.items()
            if count >= (1 if endpoint_id in self._sick else PLACES)
        )

    def _claim(self, limit: int, full: tuple[str, ...], in_hand: tuple[str, ...], connection: Connection) -> list[Job]:
        now = self._now()
        claimed = webhook_deliveries.claim(
            connection, owner=self._owner, now=now, limit=limit, full=full, in_hand=in_hand
        )
        jobs = []
        for delivery in claimed:
            endpoint = webhooks.any_team_s(connection, delivery.endpoint_id)
            if endpoint is not None:
                jobs.append(Job(delivery, endpoint, events.get(connection, endpoint.team_id, delivery.event_id)))
        return jobs

    def _rest(self, due_at: int | None) -> float:
        rest = _LONGEST_REST_SECONDS if due_at is None else (due_at - self._now()) / SECOND
        return min(max(rest, _SHORTEST_REST_SECONDS), _LONGEST_REST_SECONDS)

    def _start(self, job: Job, tasks: asyncio.TaskGroup) -> None:
        self._under_way[job.endpoint.id] += 1
        self._in_hand.add(job.delivery.id)
        if job.endpoint.failures >= _FAILURES_TO_THROTTLE:
            self._sick.add(job.endpoint.id)
        else:
            self._sick.discard(job.endpoint.id)
        tasks.create_task(self._deliver(job), name=f"webhook {job.delivery.id}")

    async def _deliver(self, job: Job) -> None:
        """One attempt from the opened secret to the stored outcome."""
        clock = asyncio.get_running_loop().time
        try:
            started_at, begun = self._now(), clock()
            outcome, size = await self._send(job, started_at)
            latency_ms = round((clock() - begun) * 1000)
            attempt = Attempt(
                started_at=started_at,
                latency_ms=latency_ms,
                body_bytes=size,
                error_class=error_class(outcome),
                answer=shown(outcome),
            )
            await self._record(job, attempt, outcome)
        finally:
            self._under_way[job.endpoint.id] -= 1
            if not self._under_way[job.endpoint.id]:
                del self._under_way[job.endpoint.id]
            self._in_hand.discard(job.delivery.id)
            self._bus.wake(Topic.OUTBOX)  # a place is free, and people may wait for the outcome

    async def _send(self, job: Job, now: int) -> tuple[Answer | Unreachable | None, int]:
        """The answer with the size of what was sent; None where there is nothing that could be sent any more."""
        if job.event is None:
            return None, 0
        try:
            prepared = prepare(self._keyring, job.endpoint, job.delivery, job.event, self._public_url, now)
        except WrongKeyError:
            return None, 0
        return await self._request(job, prepared), len(prepared.body)

    async def _request(self, job: Job, prepared: Prepared) -> Answer | Unreachable:
        """A defect on the way must not stop the others: it counts as no answer."""
        try:
            async with asyncio.timeout(ATTEMPT_SECONDS + _GRACE_SECONDS):
                return await self._client.request(
                    method="POST",
                    url=job.endpoint.url,
                    headers=prepared.headers,
                    body=prepared.body,
                    purpose=Purpose.DELIVERY_WEBHOOK,
                    timeout_s=ATTEMPT_SECONDS,
                    max_bytes=ANSWER_BYTES,
                )
        except Exception as error:  # noqa: BLE001 - whatever it is, it is ours
            # The error's own words may hold the address; where it happened does not.
            where = traceback.format_tb(error.__traceback__)[-1].strip()
            log.error("webhook.defect", delivery=job.delivery.id, error=type(error).__name__, where=where)  # noqa: TRY400
            return Unreachable(kind=UnreachableKind.CONNECT, text="")

    async def _record(self, job: Job, attempt: Attempt, outcome: Answer | Unreachable | None) -> None:
        """Stores what came of it; the database may take its time, the receiver is not asked again meanwhile."""
        now = self._now()
        next_attempt_at = None
        if attempt.error_class is not None and outcome is not None and not is_gone(outcome):
            next_attempt_at = webhook.next_attempt(
                attempts=job.delivery.attempts + 1, now=now, jitter=self._random(), retry_after=retry_after(outcome)
            )
        while True:
            try:
                state = await asyncio.shield(
                    self._database.write(partial(store, job, attempt, now=now, next_attempt_at=next_attempt_at))
                )
            except DatabaseUnavailableError as error:
                log.warning("webhooks.database_unavailable", reason=str(error))
                await asyncio.sleep(_PAUSE_SECONDS)
            except StaleLeaseError:
                log.warning("webhook.stale_lease", delivery=job.delivery.id, endpoint=job.endpoint.id)
                return
            else:
                self._metrics.webhook_deliveries.labels("failed" if state is State.PENDING else state.value).inc()
                return

    async def _release(self) -> None:
        now = self._now()
        await self._database.write(lambda connection: webhook_deliveries.release(connection, self._owner, now))


def store(job: Job, attempt: Attempt, connection: Connection, *, now: int, next_attempt_at: int | None) -> State:
    """Row, endpoint and its end, in one transaction; raises StaleLeaseError and writes nothing."""
    delivery, endpoint = job.delivery, job.endpoint
    if attempt.error_class is None:
        webhook_deliveries.record(connection, delivery, attempt, State.SUCCEEDED, now, next_attempt_at=None)
        webhooks.note_success(connection, endpoint.id, now)
        return State.SUCCEEDED
    state = State.EXHAUSTED if next_attempt_at is None else State.PENDING
    webhook_deliveries.record(connection, delivery, attempt, state, now, next_attempt_at=next_attempt_at)
    webhooks.note_failure(connection, endpoint.id, now)
    failing = webhooks.any_team_s(connection, endpoint.id)
    if failing is not None:
        reason = _reason_to_disable(failing, attempt, now)
        if reason is not None:
            disable(connection, failing, reason, SYSTEM, now)
            log.warning("webhook.disabled", endpoint=endpoint.id, reason=reason.value)
    return state


def prepare(
    keyring: Keyring, endpoint: Endpoint, delivery: WebhookDelivery, event: LoggedEvent, public_url: str, now: int
) -> Prepared:
    """The request that hands the event over, signed for this very moment; raises WrongKeyError."""
    body = body_of(endpoint, event, public_url)
    keys = [keyring.open(endpoint.place("secret"), endpoint.secret_sealed).reveal()]
    if endpoint.previous_sealed is not None and (endpoint.previous_until or 0) > now:
        keys.append(keyring.open(endpoint.place("secret"), endpoint.previous_sealed).reveal())
    timestamp = now // SECOND
    headers = dict(json.loads(keyring.open(endpoint.place("headers"), endpoint.headers_sealed).reveal()))
    headers |= own_headers(endpoint, delivery) | {
        "webhook-timestamp": str(timestamp),
        "webhook-signature": webhook.signatures(keys, event.id, timestamp, body),
    }
    return Prepared(headers, body)


def own_headers(endpoint: Endpoint, delivery: WebhookDelivery) -> dict[str, str]:
    """The headers of ours that are the same at each attempt."""
    headers = {
        "Content-Type": _CONTENT_TYPES[endpoint.format],
        "User-Agent": f"StatusPulse-Webhooks/1 (StatusPulse/{__version__})",
        "webhook-id": delivery.event_id,
        "StatusPulse-Event-Type": delivery.event_type,
        "StatusPulse-Delivery": delivery.id,
    }
    return headers | ({"StatusPulse-Redelivery": "true"} if delivery.redelivery else {})


def body_of(endpoint: Endpoint, event: LoggedEvent, public_url: str) -> bytes:
    """The bytes that are signed and sent."""
    if endpoint.format is webhook.Format.STANDARD and endpoint.payload is webhook.Payload.FULL:
        return event.body.encode()
    wrapped = webhook.wrapped(json.loads(event.body), endpoint.format, endpoint.payload, public_url)
    return json.dumps(wrapped, ensure_ascii=False, separators=(",", ":")).encode()


def error_class(outcome: Answer | Unreachable | None) -> str | None:
    """Why it is no success, in one word; None for a success."""
    if outcome is None:
        return "event_gone"
    if isinstance(outcome, Unreachable):
        return "connect" if outcome.kind in _NO_CONNECTION else outcome.kind.value
    kind = outcome.status // 100
    return None if kind == 2 else f"http_{kind}xx"


def shown(outcome: Answer | Unreachable | None) -> dict[str, object] | None:
    """What people are shown of an answer."""
    if not isinstance(outcome, Answer):
        return None
    return {
        "status": outcome.status,
        "headers": {name: excerpt(outcome.headers[name]) for name in _SHOWN_HEADERS if name in outcome.headers},
        "body": excerpt(outcome.body[:_SHOWN_BODY].decode("utf-8", "replace"), _SHOWN_BODY),
    }


def is_gone(outcome: Answer | Unreachable) -> bool:
    """Whether the receiver says that it will never take anything again."""
    return isinstance(outcome, Answer) and outcome.status == _GONE


def retry_after(outcome: Answer | Unreachable) -> RetryAfter | None:
    """What the receiver asks for."""
    if isinstance(outcome, Unreachable) or "retry-after" not in outcome.headers:
        return None
    return RetryAfter(text=outcome.headers["retry-after"], answered=outcome.headers.get("date"))


def _reason_to_disable(endpoint: Endpoint, attempt: Attempt, now: int) -> DisabledReason | None:
    if attempt.answer is not None and attempt.answer["status"] == _GONE:
        return DisabledReason.GONE
    since = now if endpoint.failing_since is None else endpoint.failing_since
    if webhook.is_to_be_disabled(failing_since=since, failures=endpoint.failures, now=now):
        return DisabledReason.CONSECUTIVE_FAILURES
    return None
