"""Hands over what the outbox owes, each destination at its own pace and apart from all others."""

from __future__ import annotations

import asyncio
import contextlib
import traceback
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import structlog
from sqlalchemy import Connection

from statuspulse.bus.bus import Bus, Topic
from statuspulse.delivery import settlement
from statuspulse.delivery.canary import DESTINATION
from statuspulse.delivery.causes import cause_of
from statuspulse.delivery.channel import ATTEMPT_SECONDS, INTERNAL, Channel, Delivered, Outcome, Retry
from statuspulse.delivery.digest import digest
from statuspulse.delivery.lane import Lane
from statuspulse.delivery.provider import Provider
from statuspulse.delivery.settlement import Job, Settlement
from statuspulse.delivery.syncs import Syncs, UnpushableError, is_push, target_of
from statuspulse.domain.backoff import CHANNELS
from statuspulse.domain.channel_addresses import HttpsReceiver
from statuspulse.domain.incident import IncidentState
from statuspulse.domain.integration import Operation
from statuspulse.domain.message import Action, Message
from statuspulse.domain.secret import Secret
from statuspulse.metrics import Metrics
from statuspulse.storage import ack_keys, channels, outbox
from statuspulse.storage.channels import Channel as StoredChannel
from statuspulse.storage.database import Database, DatabaseUnavailableError
from statuspulse.storage.outbox import Aside, Notification, StaleLeaseError, State
from statuspulse.storage.sealing import Keyring, WrongKeyError

log = structlog.get_logger(__name__)

_UNDER_WAY_LIMIT = 200
_DIGEST_LIMIT = 500
# A wake-up is a hint and may be lost; the rows are looked at this often without one.
_LONGEST_REST_SECONDS = 30.0
_SHORTEST_REST_SECONDS = 0.01
_PAUSE_SECONDS = 1.0
_GRACE_SECONDS = 1.0
_OK = 200


class UndeliverableError(Exception):
    """There is nobody to hand the message over to; the text is the word for it."""


@dataclass(frozen=True, slots=True)
class Stored:
    """Whether an outcome was written down, and whether the channel begins to fail with it, or works again."""

    is_ours: bool
    turns: bool


class Dispatcher:
    """Works off the outbox until it is cancelled; the rows and their leases are all that it needs to go on later.

    `channels` holds the channel of each type, `providers` the provider of each kind of integration, `owner` names this
    dispatcher among all that run at once, `random` answers numbers in [0, 1), `canary` hands over what is owed to
    ourselves.
    """

    def __init__(
        self,
        database: Database,
        keyring: Keyring,
        bus: Bus,
        channels: Mapping[str, Channel],
        metrics: Metrics,
        *,
        now: Callable[[], int],
        owner: str,
        random: Callable[[], float],
        providers: Mapping[str, Provider] | None = None,
        canary: Callable[[], Awaitable[Outcome]] | None = None,
    ) -> None:
        self._syncs = Syncs(keyring, providers or {}, now=now)
        self._canary = canary
        self._metrics = metrics
        self._database = database
        self._keyring = keyring
        self._bus = bus
        self._channels = channels
        self._now = now
        self._owner = owner
        self._random = random
        self._lanes: dict[str, Lane] = {}
        self._in_hand: set[str] = set()

    async def run(self) -> None:
        """Never returns. When it is cancelled, what was not handed over is due again at once."""
        # A dispatcher of this name that was killed left its leases behind. If they cannot be ended now, they run out.
        with contextlib.suppress(DatabaseUnavailableError):
            await self._release()
        try:
            async with asyncio.TaskGroup() as tasks:
                seen = -1
                while True:
                    seen = await self._bus.wait(Topic.OUTBOX, seen, await self._turn_or_pause(tasks))
        finally:
            # The writer comes to it after every outcome that was submitted before.
            with contextlib.suppress(DatabaseUnavailableError):
                await asyncio.shield(self._release())

    async def turn(self, tasks: asyncio.TaskGroup) -> float:
        """Starts handing over everything that may be handed over now; answers after how long to look again (s).

        Raises DatabaseUnavailableError.
        """
        now = self._now()
        self._lanes = {name: lane for name, lane in self._lanes.items() if not lane.is_idle(now)}
        while (room := _UNDER_WAY_LIMIT - len(self._in_hand)) > 0:
            asked_at = self._now()
            due_at = await self._next_due_at()
            if due_at is None or due_at > self._now():
                return self._rest(due_at, asked_at)
            jobs = await self._claim(room)
            for job in jobs:
                self._start(job, tasks)
            if not jobs:  # another dispatcher is just taking it
                return _PAUSE_SECONDS
        return _LONGEST_REST_SECONDS

    async def _turn_or_pause(self, tasks: asyncio.TaskGroup) -> float:
        try:
            return await self.turn(tasks)
        except DatabaseUnavailableError as error:
            log.warning("dispatcher.database_unavailable", reason=str(error))
            return _PAUSE_SECONDS

    async def _next_due_at(self) -> int | None:
        aside = self._aside()
        return await self._database.read(lambda connection: outbox.next_due_at(connection, aside))

    async def _claim(self, limit: int) -> list[Job]:
        aside, now = self._aside(), self._now()

        def claim(connection: Connection) -> list[Job]:
            claimed = outbox.claim(connection, owner=self._owner, now=now, limit=limit, aside=aside)
            return [self._job(connection, row, now) for row in claimed]

        return await self._database.write(claim)

    def _job(self, connection: Connection, row: Notification, now: int) -> Job:
        """In a storm everything that the destination is owed goes in one message."""
        if is_push(row):
            return Job(row, None, target=target_of(connection, row))
        if row.destination == DESTINATION:
            return Job(row, None)
        stored = channels.get(connection, row.team_id, row.destination)
        channel = None if stored is None else self._channels.get(stored.type)
        lane = self._lanes.get(row.destination)
        # A trial of a sick receiver risks one row and not all of them.
        storms = lane is not None and lane.is_in_storm(now) and not lane.is_broken and row.action != Action.TEST.value
        if channel is None or not channel.groups or not storms:
            thread = (
                None if row.incident_id is None else outbox.receipt_of(connection, row.incident_id, row.destination)
            )
            return Job(row, stored, thread=thread)
        others = outbox.claim_rest(connection, row, owner=self._owner, now=now, limit=_DIGEST_LIMIT)
        return Job(row, stored, tuple(others))

    def _aside(self) -> Aside:
        now = self._now()
        closed = [destination for destination, lane in self._lanes.items() if not lane.takes(now)]
        return Aside(destinations=closed, ids=tuple(self._in_hand))

    def _rest(self, due_at: int | None, asked_at: int) -> float:
        """Until something is due, or a destination opens for which something may be.

        One that was left aside when the rows were asked may have opened while they answered.
        """
        now = self._now()
        instants = [lane.opens_at for lane in self._lanes.values() if lane.has_place and lane.opens_at > asked_at]
        if due_at is not None:
            instants.append(due_at)
        rest = (min(instants) - now) / 1000 if instants else _LONGEST_REST_SECONDS
        return min(max(rest, _SHORTEST_REST_SECONDS), _LONGEST_REST_SECONDS)

    def _start(self, job: Job, tasks: asyncio.TaskGroup) -> None:
        lane = self._lanes.setdefault(job.notification.destination, Lane())
        lane.enter(self._now(), self._spacing_ms(job))
        self._in_hand.update(row.id for row in job.rows)
        tasks.create_task(self._deliver(job, lane), name=f"deliver {job.notification.id}")

    def _spacing_ms(self, job: Job) -> int:
        if job.target is not None:
            return self._syncs.spacing_ms(job.target)
        channel = self._channels.get(job.kind)
        return 0 if channel is None else channel.spacing_ms

    async def _deliver(self, job: Job, lane: Lane) -> None:
        """One delivery from the opened address to the stored outcome."""
        clock = asyncio.get_running_loop().time
        try:
            attempt = self._open(job)
        except (UndeliverableError, UnpushableError) as error:
            await self._record(job, [settlement.undeliverable(str(error))] * len(job.rows), lane)
        else:
            started_at, begun = self._now(), clock()
            outcome = await self._hand_over(job, attempt)
            latency_ms = round((clock() - begun) * 1000)
            self._judge(job, lane, outcome)
            if self._groups(job) and isinstance(outcome, Delivered):
                lane.count(self._now(), len(job.rows))
            now, jitter = self._now(), self._random()
            settled = [
                settlement.settle(row, outcome, started_at=started_at, latency_ms=latency_ms, now=now, jitter=jitter)
                for row in job.rows
            ]
            await self._record(job, settled, lane)
        finally:
            lane.leave()
            self._in_hand.difference_update(row.id for row in job.rows)
            self._bus.wake(Topic.OUTBOX)  # a place is free, and what waited behind this row may go

    def _groups(self, job: Job) -> bool:
        channel = self._channels.get(job.kind)
        return job.target is None and channel is not None and channel.groups

    def _open(self, job: Job) -> Callable[[], Awaitable[Outcome]]:
        """The attempt, ready to be made."""
        if job.target is not None:
            return self._syncs.open(job.notification, job.target)
        if self._canary is not None and job.notification.destination == DESTINATION:
            return self._canary
        channel, address = self._receiver(job)
        return lambda: channel.hand_over(address, self._message(job), key=job.notification.event_id)

    def _receiver(self, job: Job) -> tuple[Channel, Secret]:
        if job.channel is None:
            raise UndeliverableError("channel_deleted")
        if not job.channel.enabled:
            raise UndeliverableError("channel_disabled")
        channel = self._channels.get(job.kind)
        if channel is None:
            raise UndeliverableError("channel_type_unknown")
        try:
            return channel, self._address(job.channel)
        except WrongKeyError:
            raise UndeliverableError("wrong_key") from None

    def _address(self, channel: StoredChannel) -> Secret:
        """The opened URL, and for those that sign their keys below it; raises WrongKeyError."""
        url = self._keyring.open(channel.place, channel.url_sealed)
        sealed = [channel.secret_sealed]
        if (channel.previous_until or 0) > self._now():
            sealed.append(channel.previous_sealed)
        keys = tuple(self._keyring.open(channel.secret_place, one).reveal() for one in sealed if one is not None)
        return Secret(HttpsReceiver(url.reveal(), keys).canonical) if keys else url

    async def _hand_over(self, job: Job, attempt: Callable[[], Awaitable[Outcome]]) -> Outcome:
        """Keeps their promises to return in time and never to raise: a defect must not stop the others."""
        row = job.notification
        try:
            async with asyncio.timeout(ATTEMPT_SECONDS + _GRACE_SECONDS):
                return await attempt()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is ours
            # The error's own words may hold the address; where it happened does not.
            where = traceback.format_tb(error.__traceback__)[-1].strip()
            log.error("delivery.defect", notification=row.id, error=type(error).__name__, where=where)  # noqa: TRY400
            return Retry(error=f"{INTERNAL}{type(error).__name__}")

    def _message(self, job: Job) -> Message:
        """What is told; a trigger can be acknowledged by whoever reads it."""
        rows = sorted(job.rows, key=lambda row: (row.created_at, row.seq, row.id))
        messages = [Message.of(row.body) for row in rows]
        if len(messages) > 1:
            return digest(messages, self._now())
        first = messages[0]
        is_open = first.action is Action.TRIGGER and first.state == IncidentState.TRIGGERED.value
        ack_key = ack_keys.key_of(self._keyring, rows[0].id) if is_open else None
        return replace(first, ack_key=ack_key, thread=job.thread, is_copy=rows[0].lease_epoch > 1)

    def _judge(self, job: Job, lane: Lane, outcome: Outcome) -> None:
        if job.notification.action == Operation.NOTE.value:
            return  # notes go another way there, which tells nothing of the one that changes of state go
        if job.notification.destination == DESTINATION:
            return  # each canary is to tell how it is now
        # A provider that answered what it was asked is well, although the row has to come again.
        if not isinstance(outcome, Retry) or (job.target is not None and outcome.status == _OK):
            lane.answered()
            return
        now = self._now()
        told = None if outcome.retry_after is None else outcome.retry_after.wait(now)
        lane.failed(now, min(told or 0, CHANNELS.longest_told))

    async def _record(self, job: Job, settled: Sequence[Settlement], lane: Lane) -> None:
        """Stores what became of it; the database may take its time, the receiver is not asked again meanwhile."""
        now, gives_up = self._now(), lane.is_broken

        def store(connection: Connection) -> tuple[list[Stored], list[Notification]]:
            stored = [
                self._store(connection, Job(one, job.channel, target=job.target), what, now)
                for one, what in zip(job.rows, settled, strict=True)
            ]
            return stored, self._give_up(connection, job, now) if gives_up else []

        while True:
            try:
                # Shielded: a message that was handed over is not forgotten because the process is told to stop.
                stored, expired = await asyncio.shield(self._database.write(store))
            except DatabaseUnavailableError as error:
                log.warning("dispatcher.database_unavailable", reason=str(error))
                await asyncio.sleep(_PAUSE_SECONDS)
            else:
                for one, what, kept in zip(job.rows, settled, stored, strict=True):
                    if kept.is_ours:
                        self._count(Job(one, job.channel, target=job.target), what)
                    if kept.turns:
                        _tell_of_turn(job, what)
                self._count_expired(job, expired)
                return

    def _store(self, connection: Connection, job: Job, settled: Settlement, now: int) -> Stored:
        """Nothing is written for a row that somebody else holds by now; the others of a digest stay theirs."""
        row, turns = job.notification, False
        try:
            if row.destination == DESTINATION:
                settlement.record(connection, row, settled, now)
            elif job.target is None:
                turns = settlement.store(connection, job, settled, now)
            else:
                self._syncs.store(connection, row, job.target, settled, now)
        except StaleLeaseError:
            log.warning("notification.stale_lease", notification=row.id, channel=row.destination)
            return Stored(is_ours=False, turns=False)
        return Stored(is_ours=True, turns=turns)

    def _give_up(self, connection: Connection, job: Job, now: int) -> list[Notification]:
        destination = job.notification.destination
        if job.target is None:
            return settlement.give_up(connection, destination, job.channel, now)
        return self._syncs.give_up(connection, destination, job.target, now)

    def _count(self, job: Job, settled: Settlement) -> None:
        row = job.notification
        if row.destination == DESTINATION:
            return
        if settled.delivery is not None:
            self._metrics.delivery_attempts.labels(job.kind, settled.delivery.ending.value).inc()
        if settled.state is not State.PENDING:
            self._metrics.notifications.labels(job.kind, settled.state.value).inc()
        if settled.state is State.DEAD:
            log.warning("notification.dead", notification=row.id, channel=row.destination, error=settled.error)

    def _count_expired(self, job: Job, expired: list[Notification]) -> None:
        row = job.notification
        for given_up in expired:
            self._metrics.notifications.labels(job.kind, State.DEAD.value).inc()
            log.warning("notification.dead", notification=given_up.id, channel=row.destination, error="expired")

    async def _release(self) -> None:
        now = self._now()
        await self._database.write(lambda connection: outbox.release(connection, self._owner, now))


def _tell_of_turn(job: Job, settled: Settlement) -> None:
    """One line when a channel begins to fail and one when it works again, however many attempts there are."""
    known = {"channel": job.notification.destination, "kind": job.kind}
    if settled.error is None:
        log.info("delivery.works_again", **known)
        return
    cause = cause_of(settled.error, None if settled.delivery is None else settled.delivery.provider_status)
    log.warning("delivery.failing", **known, cause=cause.text, cure=cause.cure)
