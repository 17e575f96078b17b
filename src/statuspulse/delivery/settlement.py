"""What is written down of a notification once somebody tried to hand it over, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from statuspulse.delivery import fallback, notification_events
from statuspulse.delivery.causes import cause_of
from statuspulse.delivery.channel import Delivered, Outcome, Refused, Retry
from statuspulse.domain.actor import SYSTEM
from statuspulse.domain.backoff import CHANNELS
from statuspulse.domain.ids import new_ulid
from statuspulse.domain.message import Action
from statuspulse.domain.times import MINUTE
from statuspulse.storage import channels, events, incidents, outbox, timers
from statuspulse.storage.channels import Channel
from statuspulse.storage.incident_syncs import Sync
from statuspulse.storage.incidents import TimelineEntry
from statuspulse.storage.integrations import Integration
from statuspulse.storage.outbox import Delivery, Ending, Notification, State

EXPIRED = "expired"
_NOTIFIED = "notified"
_FAILED = "notification_failed"
# After so long without success somebody else has to hear that the channel is failing.
LONGEST_SILENCE = 2 * MINUTE


@dataclass(frozen=True, slots=True)
class Target:
    """The integration that a row names, None if there is none any more, and how it stands with the incident.

    `deliveries` are the earlier attempts of the row.
    """

    integration: Integration | None
    sync: Sync | None
    deliveries: tuple[Delivery, ...] = ()

    @property
    def kind(self) -> str:
        return "unknown" if self.integration is None else self.integration.kind.value


@dataclass(frozen=True, slots=True)
class Job:
    """A claimed notification with the channel that its destination names, None if there is none any more.

    `others` are told in the same message. `thread` is what the receiver calls the message that this one builds on. What
    an integration is owed has a `target` and no channel.
    """

    notification: Notification
    channel: Channel | None
    others: tuple[Notification, ...] = ()
    target: Target | None = None
    thread: str | None = None

    @property
    def rows(self) -> tuple[Notification, ...]:
        return (self.notification, *self.others)

    @property
    def kind(self) -> str:
        """The channel's type, for look-ups and metrics; of an integration what metrics call it."""
        if self.target is not None:
            return f"{self.target.kind} integration"
        return "unknown" if self.channel is None else self.channel.type


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """How a notification ends, or from when on it goes on. There is no delivery where nobody could be asked.

    `taken` is what the receiver said of what it took.
    """

    state: State
    error: str | None
    delivery: Delivery | None
    next_attempt_at: int | None = None
    taken: Delivered | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What an incident shows of an attempt; one that is not final is followed by others."""

    attempts: int
    error: str | None
    status: int | None
    is_final: bool = True


def settle(
    row: Notification, outcome: Outcome, *, started_at: int, latency_ms: int, now: int, jitter: float
) -> Settlement:
    """What the outcome of a delivery means for its notification."""
    match outcome:
        case Delivered(status):
            delivery = _delivery(Ending.DELIVERED, status, None, started_at, latency_ms)
            return Settlement(state=State.DELIVERED, error=None, delivery=delivery, taken=outcome)
        case Refused(error=error, status=status):
            delivery = _delivery(Ending.REFUSED, status, error, started_at, latency_ms)
            return Settlement(state=State.DEAD, error=error, delivery=delivery)
        case Retry(error=error, status=status, retry_after=retry_after):
            delivery = _delivery(Ending.RETRY, status, error, started_at, latency_ms)
            at = CHANNELS.next_attempt(
                attempts=row.attempts + 1, owed_at=row.owed_at, now=now, jitter=jitter, retry_after=retry_after
            )
            if row.action == Action.TEST.value:  # somebody waits for what comes of it, and asks again himself
                at = None
            state = State.DEAD if at is None else State.PENDING
            return Settlement(state=state, error=error, delivery=delivery, next_attempt_at=at)


def undeliverable(error: str) -> Settlement:
    """Nobody is there to be asked."""
    return Settlement(state=State.DEAD, error=error, delivery=None)


def store(connection: Connection, job: Job, settlement: Settlement, now: int) -> bool:
    """Writes down row, attempt, the channel's health and the timeline; raises StaleLeaseError and writes nothing.

    Answers whether the channel begins to fail with it, or works again.
    """
    row, delivery = job.notification, settlement.delivery
    record(connection, row, settlement, now)
    turned = False
    if settlement.error is None:
        turned = channels.record_success(connection, row.team_id, row.destination, now)
    elif job.channel is not None and job.channel.enabled:
        turned = channels.record_failure(connection, row.team_id, row.destination, settlement.error, now)
        if settlement.state is State.DEAD or now - row.owed_at >= LONGEST_SILENCE:
            fallback.tell(connection, job.channel, row, settlement.error, now)
    if settlement.state is State.DEAD and row.incident_id is not None:
        timers.hasten(connection, row.incident_id, now)
    attempts = row.attempts + (0 if delivery is None else 1)
    status = None if delivery is None else delivery.provider_status
    is_final = settlement.state is not State.PENDING
    if is_final or _is_news(connection, row):
        told = Ended(attempts=attempts, error=settlement.error, status=status, is_final=is_final)
        _tell(connection, row, job.channel, told, now)
    if settlement.state is State.DEAD and row.action != Action.TEST.value:
        _tell_of_failure(connection, job, attempts=attempts, error=settlement.error, status=status, now=now)
    return turned


def record(connection: Connection, row: Notification, settlement: Settlement, now: int) -> None:
    """Writes down row and attempt; raises StaleLeaseError and writes nothing."""
    delivery = settlement.delivery
    if delivery is None:
        outbox.bury(connection, row, settlement.error or "", now)
    elif settlement.state is State.DELIVERED:
        thread = None if settlement.taken is None else settlement.taken.thread
        outbox.record_delivered(connection, row, delivery, now, thread)
    elif settlement.next_attempt_at is None:
        outbox.record_dead(connection, row, delivery, now)
    else:
        outbox.record_retry(connection, row, delivery, settlement.next_attempt_at, now)


def give_up(connection: Connection, destination: str, channel: Channel | None, now: int) -> list[Notification]:
    """Ends what a destination whose breaker is open was owed for the whole lifetime; answers what that was."""
    expired = expire(connection, destination, now)
    for row in expired:
        _tell(connection, row, channel, Ended(attempts=row.attempts, error=EXPIRED, status=None), now)
        lost = Job(row, channel)
        status = row.provider_status
        _tell_of_failure(connection, lost, attempts=row.attempts, error=EXPIRED, status=status, now=now)
    return expired


def expire(connection: Connection, destination: str, now: int) -> list[Notification]:
    """Ends what a destination was owed for the whole lifetime; answers what that was."""
    return outbox.expire(connection, destination, owed_before=now - CHANNELS.lifetime, error=EXPIRED, now=now)


def _delivery(ending: Ending, status: int | None, error: str | None, started_at: int, latency_ms: int) -> Delivery:
    return Delivery(started_at=started_at, latency_ms=latency_ms, ending=ending, provider_status=status, error=error)


def _tell_of_failure(
    connection: Connection, job: Job, *, attempts: int, error: str | None, status: int | None, now: int
) -> None:
    """Whoever listens to events hears that somebody could not be told."""
    row = job.notification
    cause = notification_events.cause_of(connection, row)
    failed = notification_events.failed(
        row, job.channel, now, attempts=attempts, error=error or "", status=status, cause=cause
    )
    events.record(connection, failed)


def _is_news(connection: Connection, row: Notification) -> bool:
    """Whether the incident does not show yet that the channel is failing; later attempts say nothing new."""
    if row.incident_id is None or row.attempts > 0:
        return False
    last = incidents.last_of_channel(connection, row.incident_id, row.destination, (_NOTIFIED, _FAILED))
    return last is None or last.type == _NOTIFIED


def _tell(connection: Connection, row: Notification, channel: Channel | None, told: Ended, now: int) -> None:
    """The incident's timeline shows who was told, and who could not be."""
    if row.incident_id is None:
        return
    detail: dict[str, Any] = {
        "channel_id": row.destination,
        "channel": None if channel is None else channel.url_masked,
        "attempts": told.attempts,
    }
    if told.error is not None:
        cause = cause_of(told.error, told.status).text
        detail |= {"error": told.error, "cause": cause, "final": told.is_final}
    kind = _NOTIFIED if told.error is None else _FAILED
    entry = TimelineEntry(id=new_ulid("evt", now), at=now, type=kind, actor=SYSTEM, detail=detail)
    incidents.append(connection, row.incident_id, [entry])
