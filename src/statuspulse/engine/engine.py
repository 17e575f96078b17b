"""Moves everything: commits what probes ship, and watches for silence, each in a transaction of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from functools import partial
from typing import TypeVar

import structlog
from sqlalchemy import Connection

from statuspulse.bus.bus import Batch, Bus, Topic
from statuspulse.domain.times import SECOND
from statuspulse.engine import intake, stumbles
from statuspulse.engine.flaps import FlapWatch
from statuspulse.engine.intake import Tally
from statuspulse.engine.jobs import Found, Jobs
from statuspulse.engine.liveness import Liveness
from statuspulse.engine.maintenance_watch import MaintenanceWatch
from statuspulse.engine.rechecks import Outcome, Rechecks
from statuspulse.engine.refusals import Refusals
from statuspulse.engine.silence import SilenceWatch
from statuspulse.engine.stumbles import Stumbles
from statuspulse.engine.watchlist import Watchlist
from statuspulse.metrics import Metrics
from statuspulse.protocol.documents import Receipt
from statuspulse.storage import maintenance
from statuspulse.storage.database import About, Database, DatabaseUnavailableError, of_everything
from statuspulse.storage.incidents import IncidentChangedError

log = structlog.get_logger(__name__)
T = TypeVar("T")

_LOOK_AROUND_SECONDS = 1.0
# Who changes a window tells so; the first due edge is waited for exactly. In between only other processes change one.
_LOOK_FOR_EDGES_SECONDS = 5.0
# Between two parts of an edge the writer belongs to others.
_BREATH_SECONDS = 0.02


class Engine:
    """Decides about every monitor. There is one, and one transaction of it at a time: it keeps a cache of the rows.

    A transaction that fails has moved the cache and not the rows, so the cache is thrown away with it. Where
    `mutes_flapping` people hear of every change of a monitor that flaps only that it does.
    """

    def __init__(
        self,
        database: Database,
        bus: Bus,
        jobs: Jobs,
        liveness: Liveness,
        metrics: Metrics,
        *,
        mutes_flapping: bool,
        now: Callable[[], int],
    ) -> None:
        self._database = database
        self._bus = bus
        self._jobs = jobs
        self._liveness = liveness
        self._metrics = metrics
        self._now = now
        self._refusals = Refusals(metrics, now)
        self._stumbles = Stumbles()
        self._turn = asyncio.Lock()
        self._watchlist = Watchlist(mutes_flapping=mutes_flapping)
        self._silence = SilenceWatch(self._watchlist)
        self._flaps = FlapWatch(self._watchlist)
        self._maintenance = MaintenanceWatch(self._watchlist)
        self._rechecks = Rechecks(jobs, self._count_recheck)

    async def run(self) -> None:
        """Works until it is cancelled; a batch in work is committed or answered with None, never half of it."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._take_in(), name="engine-intake")
            tasks.create_task(self._look_around(), name="engine-silence")
            tasks.create_task(self._keep_windows(), name="engine-maintenance")

    async def _take_in(self) -> None:
        async for batch, reply in self._bus.batches():
            receipt = None
            try:
                receipt = await (self._separated if self._stumbles.is_hopeless(batch) else self._taken)(batch)
                self._stumbles.forget(batch)
            except DatabaseUnavailableError as error:
                log.warning("engine.batch_kept_waiting", probe=batch.probe_id, reason=str(error))
            except Exception:
                # One batch that we cannot work with must not end the watch over everybody else's.
                log.exception("engine.batch_failed", probe=batch.probe_id)
                self._stumbles.note(batch)
            reply(receipt)

    async def _taken(self, batch: Batch) -> Receipt:
        """Commits a batch, and begins what follows from it."""
        now = self._now()
        silent, blind = self._liveness.silent_regions(now), self._liveness.blind_regions(now)
        receipt, tally = await self._write(partial(self._commit, batch, silent, blind), about=_about)
        for look in tally.looks:
            self._jobs.settle(look.job_id, batch.region, Found(probe_id=batch.probe_id, result=look.result))
        self._rechecks.follow(tally.placed, tally.rechecks, self._now())
        self._count(batch, tally)
        if tally.transitions or tally.warnings:
            self._bus.wake(Topic.OUTBOX)
        return receipt

    async def _separated(self, batch: Batch) -> Receipt:
        """Commits a batch item by item up to the first that fails. That one is refused, and the rest comes again."""
        receipts: list[Receipt] = []
        for single in stumbles.singles(batch):
            try:
                receipts.append(await self._taken(single))
            except DatabaseUnavailableError:
                raise
            except Exception:
                log.exception("engine.result_given_up", probe=batch.probe_id, seq=single.results.results[0].seq)
                receipts.append(await self._write(partial(intake.give_up, batch=single, now=self._now())))
                break
        return stumbles.joined(receipts)

    def _commit(
        self, batch: Batch, silent: frozenset[str], blind: dict[str, frozenset[str]], connection: Connection
    ) -> tuple[Receipt, Tally]:
        self._watchlist.silent, self._watchlist.blind = silent, blind
        return intake.commit(connection, self._watchlist, batch, self._now())

    async def _look_around(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_AROUND_SECONDS)
            self._rechecks.expire(self._now())
            if self._is_quiet(self._now()):
                continue
            try:
                changed = await self._write(self._sweep)
            except DatabaseUnavailableError as error:
                log.warning("engine.silence_not_looked_for", reason=str(error))
                continue
            except Exception:
                # It looks again, and meanwhile results are taken in.
                log.exception("engine.silence_failed")
                continue
            if changed:
                self._bus.wake(Topic.OUTBOX)

    async def _keep_windows(self) -> None:
        while True:
            seen = self._bus.count(Topic.CATALOG)
            try:
                rest = await self._carry_out()
            except DatabaseUnavailableError as error:
                log.warning("engine.maintenance_not_carried_out", reason=str(error))
                rest = _BREATH_SECONDS
            except IncidentChangedError as error:
                # Somebody changed an incident that was about to be held: it is looked at anew.
                log.info("engine.maintenance_repeated", incident=str(error))
                rest = _BREATH_SECONDS
            except Exception:
                log.exception("engine.maintenance_failed")
                rest = _LOOK_FOR_EDGES_SECONDS
            await asyncio.sleep(_BREATH_SECONDS)
            if rest > _BREATH_SECONDS:
                await self._bus.wait(Topic.CATALOG, seen, rest - _BREATH_SECONDS)

    async def _carry_out(self) -> float:
        """Takes the first due edges on; answers after how long to look again (s)."""
        due_at = await self._database.read(maintenance.next_due_at)
        if due_at is None or due_at > self._now():
            until = _LOOK_FOR_EDGES_SECONDS if due_at is None else (due_at - self._now()) / SECOND
            return min(max(until, _BREATH_SECONDS), _LOOK_FOR_EDGES_SECONDS)
        swept = await self._write(lambda connection: self._maintenance.sweep(connection, self._now()))
        self._bus.wake(Topic.OUTBOX)
        if swept.moves_probes:
            self._bus.wake(Topic.CATALOG)
        return _BREATH_SECONDS

    def _is_quiet(self, now: int) -> bool:
        """Whether nothing is due. Where nobody is watched, the list may have still to be read."""
        silent_at, settled_at = self._silence.due_at(), self._flaps.due_at()
        return silent_at is not None and silent_at > now and (settled_at is None or settled_at > now)

    def _sweep(self, connection: Connection) -> int:
        now = self._now()
        return self._silence.sweep(connection, now) + self._flaps.sweep(connection, now)

    async def _write(self, work: Callable[[Connection], T], *, about: About[T] = of_everything) -> T:
        async with self._turn:
            try:
                return await self._database.write(work, about=about)
            except Exception:
                self._watchlist.forget()
                self._silence.forget()
                raise

    def _count_recheck(self, outcome: Outcome) -> None:
        self._metrics.rechecks.labels(outcome.value).inc()

    def _count(self, batch: Batch, tally: Tally) -> None:
        metrics = self._metrics
        metrics.intake_results.labels("accepted").inc(tally.accepted)
        metrics.intake_results.labels("duplicate").inc(tally.duplicates)
        metrics.intake_results.labels("rejected").inc(len(tally.rejected))
        if tally.rejected:
            refused = [(rejection.code, rejection.message) for rejection in tally.rejected]
            self._refusals.note(batch.probe_id, batch.region, refused)
        for (kind, verdict), count in intake.rounds(tally, self._watchlist).items():
            metrics.probe_rounds.labels(kind, verdict.value).inc(count)
        now = self._now()
        metrics.schedule_lag.observe([placed.result.lag_us / 1e6 for placed in tally.placed])
        metrics.result_delay.observe([max(0, now - placed.result.observed_at) / SECOND for placed in tally.placed])
        for missed in tally.gaps:
            metrics.slots_missed.labels(batch.region, missed.gap.reason.value).inc(missed.gap.count)


def _about(committed: tuple[Receipt, Tally]) -> Collection[int] | None:
    """The monitors whose rows a batch has changed; None where more follows from it than results and streaks."""
    tally = committed[1]
    return None if tally.transitions or tally.warnings else tally.monitor_keys
