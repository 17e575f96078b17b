"""What is written down of a notification once somebody tried to hand it over, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from statuspulse.delivery import fallback, notification_events
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

    `others` are told in the same message. What an integration is owed has a `target` and no channel.
    """

    notification: Notification
    channel: Channel | None
    others: tuple[Notification, ...] = ()
    target: Target | None = None

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

    `receipt` is what the receiver said of what it took.
    """

    state: State
    error: str | None
    delivery: Delivery | None
    next_attempt_at: int | None = None
    receipt: Delivered | None = None


def settle(
    row: Notification, outcome: Outcome, *, started_at: int, latency_ms: int, now: int, jitter: float
) -> Settlement:
    """What the outcome of a delivery means for its notification."""
    match outcome:
        case Delivered(status):
            delivery = _delivery(Ending.DELIVERED, status, None, started_at, latency_ms)
            return Settlement(state=State.DELIVERED, error=None, delivery=delivery, receipt=outcome)
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


def store(connection: Connection, job: Job, settlement: Settlement, now: int) -> None:
    """Writes down row, attempt, the channel's health and the timeline; raises StaleLeaseError and writes nothing."""
    row, delivery = job.notification, settlement.delivery
    record(connection, row, settlement, now)
    if settlement.error is None:
        channels.record_success(connection, row.team_id, row.destination, now)
    elif job.channel is not None and job.channel.enabled:
        channels.record_failure(connection, row.team_id, row.destination, settlement.error, now)
        if settlement.state is State.DEAD or now - row.owed_at >= LONGEST_SILENCE:
            fallback.tell(connection, job.channel, row, settlement.error, now)
    if settlement.state is State.DEAD and row.incident_id is not None:
        timers.hasten(connection, row.incident_id, now)
    if settlement.state is not State.PENDING:
        attempts = row.attempts + (0 if delivery is None else 1)
        _tell(connection, row, job.channel, attempts=attempts, error=settlement.error, now=now)
    if settlement.state is State.DEAD and row.action != Action.TEST.value:
        attempts = row.attempts + (0 if delivery is None else 1)
        status = None if delivery is None else delivery.provider_status
        _tell_of_failure(connection, job, attempts=attempts, error=settlement.error, status=status, now=now)


def record(connection: Connection, row: Notification, settlement: Settlement, now: int) -> None:
    """Writes down row and attempt; raises StaleLeaseError and writes nothing."""
    delivery = settlement.delivery
    if delivery is None:
        outbox.bury(connection, row, settlement.error or "", now)
    elif settlement.state is State.DELIVERED:
        outbox.record_delivered(connection, row, delivery, now)
    elif settlement.next_attempt_at is None:
        outbox.record_dead(connection, row, delivery, now)
    else:
        outbox.record_retry(connection, row, delivery, settlement.next_attempt_at, now)


def give_up(connection: Connection, destination: str, channel: Channel | None, now: int) -> list[Notification]:
    """Ends what a destination whose breaker is open was owed for the whole lifetime; answers what that was."""
    expired = expire(connection, destination, now)
    for row in expired:
        _tell(connection, row, channel, attempts=row.attempts, error=EXPIRED, now=now)
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


def _tell(
    connection: Connection, row: Notification, channel: Channel | None, *, attempts: int, error: str | None, now: int
) -> None:
    """The incident's timeline shows who was told, and who could not be."""
    if row.incident_id is None:
        return
    detail = {
        "channel_id": row.destination,
        "channel": None if channel is None else channel.url_masked,
        "attempts": attempts,
    }
    if error is not None:
        detail["error"] = error
    kind = "notified" if error is None else "notification_failed"
    entry = TimelineEntry(id=new_ulid("evt", now), at=now, type=kind, actor=SYSTEM, detail=detail)
    incidents.append(connection, row.incident_id, [entry])
