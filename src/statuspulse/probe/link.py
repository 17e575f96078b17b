"""The agent protocol: what to check comes in, what was seen goes out, a heartbeat says that we live."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import TypeVar

import msgspec
import structlog

from statuspulse.domain.secret import Secret
from statuspulse.domain.times import to_datetime
from statuspulse.egress.http_client import Answer, HttpClient, Unreachable
from statuspulse.egress.policy import Purpose
from statuspulse.probe.assignments import AssignedSet
from statuspulse.probe.backoff import Backoff
from statuspulse.probe.spool import Batch, Spool
from statuspulse.protocol.documents import Assignments, Heartbeat, HeartbeatAnswer, Load, Receipt, SpoolState

log = structlog.get_logger(__name__)
Document = TypeVar("Document", Assignments, Receipt, HeartbeatAnswer)

MSGPACK = "application/msgpack"

_WAIT_SECONDS = 30
_ANSWER_SECONDS = 10
_HEARTBEAT_SECONDS = 5
_TOGETHER_SECONDS = 0.25
_TOGETHER_RESULTS = 200
_MOST_RESULTS = 1000
_MOST_BYTES = 3 << 19
_LARGEST_ANSWER = 64 << 20
_LONGEST_BACKOFF_SECONDS = 5.0
# While nothing is reachable the heartbeat is the lookout: when it comes through, everything else goes on at once.
_LOOKOUT_SECONDS = 0.8
_LONGEST_RETRY_AFTER = 60.0
# A poll that comes back empty sooner than this did not wait.
_SHORT_POLL_SECONDS = 1.0
_UNREADABLE = frozenset({400, 413, 422})
_NO_KEY = (
    "status 401: the server does not know this probe's key any more, because the probe was deleted or its key rotated; "
    "start it with the key of a new probe or of POST /v1/probes/{id}/rotate-key"
)


class _Shipment(msgspec.Struct, kw_only=True):
    """The document of `Results`, made of records that are encoded already."""

    sent_at: datetime
    dropped_through: int | None
    results: list[msgspec.Raw]


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """The control plane, and who we are to it; `capacity` is how many checks may run here at once."""

    server_url: str
    key: Secret
    version: str
    boot_id: str
    capacity: int


class Link:
    """Three tasks of one probe: `follow`, `ship` and `beat` run until they are cancelled.

    `adopt` takes assignments and has persisted them on return; `load` tells how busy the probe is, `blind` what it
    cannot see; `now` is the clock that results are labelled with. While the probe `is_stopping` no trouble is logged.
    """

    def __init__(
        self,
        *,
        client: HttpClient,
        peer: Peer,
        spool: Spool,
        assigned: AssignedSet,
        now: Callable[[], int],
        load: Callable[[], Load],
        adopt: Callable[[Assignments], Awaitable[None]],
        blind: Callable[[], list[str]],
        is_stopping: Callable[[], bool],
    ) -> None:
        self._client = client
        self._peer = peer
        self._spool = spool
        self._assigned = assigned
        self._now = now
        self._load = load
        self._adopt = adopt
        self._blind = blind
        self._is_stopping = is_stopping
        self._heartbeat_seconds: float = _HEARTBEAT_SECONDS
        self._most_results = _MOST_RESULTS
        self._shipped_before = spool.next_seq
        self._troubles: dict[str, str] = {}
        self._some = asyncio.Event()
        self._urgent = asyncio.Event()
        self._sure = asyncio.Event()
        self._lost = asyncio.Event()
        self._back = asyncio.Event()

    def notice(self, *, is_urgent: bool) -> None:
        """Something was put into the spool."""
        self._some.set()
        # What is under way is not committed yet, but it waits for no shipment either.
        if is_urgent or self._spool.next_seq - self._shipped_before >= _TOGETHER_RESULTS:
            self._urgent.set()

    def beat_now(self) -> None:
        """What the heartbeat says has changed."""
        self._lost.set()

    async def follow(self) -> None:
        """Keeps the assignments up to date."""
        backoff = Backoff(_LONGEST_BACKOFF_SECONDS)
        while True:
            version = self._assigned.version
            headers = {} if version is None else {"If-None-Match": f'"{version}"'}
            path = f"/v1/agent/assignments?epoch={self._assigned.sharing.epoch}&wait={_WAIT_SECONDS}"
            outcome = await self._call("GET", path, None, headers, _WAIT_SECONDS + _ANSWER_SECONDS)
            if isinstance(outcome, Answer) and outcome.status == 304:
                if outcome.elapsed_ms < _SHORT_POLL_SECONDS * 1000:
                    await asyncio.sleep(_SHORT_POLL_SECONDS)
            elif (answer := self._read("assignments", outcome, Assignments)) is not None:
                self._heartbeat_seconds = max(answer.heartbeat_seconds, 1)
                await self._commit(answer.committed_through)
                await self._adopt(answer)
                # Changes often come in a row, and every time all that is assigned is written to disk.
                await asyncio.sleep(_TOGETHER_SECONDS)
            else:
                await self._pause(backoff, outcome)
                continue
            backoff.reset()

    async def ship(self) -> None:
        """Hands over what is in the spool: failures at once, the rest in batches; one batch is under way at a time."""
        await self._sure.wait()
        backoff = Backoff(_LONGEST_BACKOFF_SECONDS)
        if self._spool.depth:
            self.notice(is_urgent=False)
        while True:
            await self._some.wait()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_TOGETHER_SECONDS):
                    await self._urgent.wait()
            self._some.clear()
            self._urgent.clear()
            depth = self._spool.depth
            outcome = await self._ship_once()
            if outcome is None:
                backoff.reset()
            else:
                await self._pause(backoff, outcome)
            if self._spool.depth:
                self.notice(is_urgent=outcome is not None or depth > _MOST_RESULTS)

    async def say_farewell(self) -> None:
        """Hands over what is left, as long as that goes well."""
        while self._spool.is_sure and self._spool.depth:
            if await self._ship_once() is not None:
                return

    async def _ship_once(self) -> Answer | Unreachable | None:
        """One batch; None if it went well, otherwise what came instead."""
        batch = await self._spool.batch(limit=self._most_results, limit_bytes=_MOST_BYTES)
        if batch is None:
            return None
        self._shipped_before = batch.first + len(batch.records)
        shipment = _Shipment(
            sent_at=to_datetime(self._now()),
            dropped_through=batch.dropped_through,
            results=[msgspec.Raw(record) for record in batch.records],
        )
        outcome = await self._call("POST", "/v1/agent/results", msgspec.msgpack.encode(shipment), {}, _ANSWER_SECONDS)
        receipt = self._read("results", outcome, Receipt)
        if receipt is None:
            if isinstance(outcome, Answer) and outcome.status in _UNREADABLE:
                self._narrow(batch)
            return outcome
        if receipt.rejected:
            log.info("probe.results_rejected", count=len(receipt.rejected), first=receipt.rejected[0].message)
        self._most_results = _MOST_RESULTS
        await self._commit(receipt.committed_through)
        # Received but not committed yet: the contract has us send it again, so not at once.
        return None if receipt.committed_through >= batch.first else outcome

    async def beat(self) -> None:
        """Says that the probe lives; while nothing is reachable, it looks out."""
        lookout = Backoff(_LOOKOUT_SECONDS)
        has_failed = False
        while True:
            body = msgspec.msgpack.encode(self._heartbeat())
            outcome = await self._call("POST", "/v1/agent/heartbeat", body, {}, _HEARTBEAT_SECONDS)
            answer = self._read("heartbeat", outcome, HeartbeatAnswer)
            if answer is None and _is_away(outcome):
                has_failed = True
                await asyncio.sleep(_retry_after(outcome) or lookout.grow())
                continue
            lookout.reset()
            self._lost.clear()
            if answer is not None:
                await self._commit(answer.committed_through)
            if has_failed:
                has_failed = False
                self._back.set()
                self._back.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._heartbeat_seconds):
                    await self._lost.wait()

    def _heartbeat(self) -> Heartbeat:
        spool = self._spool
        oldest_at = spool.oldest_at
        return Heartbeat(
            clock=to_datetime(self._now()),
            boot_id=self._peer.boot_id,
            version=self._peer.version,
            assignments_version=self._assigned.version,
            assignments_digest=self._assigned.digest,
            blind=self._blind(),
            capacity=self._peer.capacity,
            load=self._load(),
            spool=SpoolState(
                depth=spool.depth,
                oldest_at=None if oldest_at is None else to_datetime(oldest_at),
                dropped_total=spool.dropped_total,
            ),
        )

    def _read(self, what: str, outcome: Answer | Unreachable, kind: type[Document]) -> Document | None:
        """The document of a good answer. Trouble is logged when it begins and when it changes, not at every attempt."""
        document, trouble = None, ""
        if isinstance(outcome, Unreachable):
            trouble = outcome.text
        elif outcome.status != 200:
            trouble = _NO_KEY if outcome.status == HTTPStatus.UNAUTHORIZED else f"status {outcome.status}"
        else:
            try:
                document = msgspec.msgpack.decode(outcome.body, type=kind)
            except msgspec.DecodeError as error:
                trouble = f"unreadable answer: {error}"
        if trouble and self._is_stopping():
            return None  # the server may be gone before us, which nobody needs to hear
        if trouble and self._troubles.get(what) != trouble:
            log.warning("probe.call_failed", call=what, reason=trouble)
        elif not trouble and what in self._troubles:
            log.info("probe.call_works_again", call=what)
        if trouble:
            self._troubles[what] = trouble
        else:
            self._troubles.pop(what, None)
        return document

    async def _pause(self, backoff: Backoff, outcome: Answer | Unreachable) -> None:
        """Waits before the next attempt: as long as the server says, or until the lookout gets through."""
        seconds = backoff.grow()
        retry_after = _retry_after(outcome)
        if retry_after is not None:
            await asyncio.sleep(retry_after)
            return
        if _is_away(outcome):
            self._lost.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._back.wait()
                backoff.reset()

    async def _commit(self, through: int) -> None:
        await self._spool.commit(through)
        self._sure.set()

    def _narrow(self, batch: Batch) -> None:
        """A batch that the control plane cannot read: halves it until the record that spoils it stands alone."""
        if len(batch.records) > 1:
            self._most_results = len(batch.records) // 2
            return
        log.error("probe.result_unreadable", seq=batch.first)
        self._spool.give_up_first()

    async def _call(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str], timeout_s: float
    ) -> Answer | Unreachable:
        lines = {"Authorization": f"Bearer {self._peer.key.reveal()}", "Accept": MSGPACK, **headers}
        if body is not None:
            lines["Content-Type"] = MSGPACK
        return await self._client.request(
            method=method,
            url=self._peer.server_url.rstrip("/") + path,
            headers=lines,
            body=body,
            purpose=Purpose.CONTROL,
            timeout_s=timeout_s,
            max_bytes=_LARGEST_ANSWER,
        )


def _is_away(outcome: Answer | Unreachable) -> bool:
    """Whether nobody is there who could refuse us."""
    return isinstance(outcome, Unreachable) or outcome.status >= 500


def _retry_after(outcome: Answer | Unreachable) -> float | None:
    """Seconds that the server asks us to stay away."""
    if isinstance(outcome, Unreachable):
        return None
    text = outcome.headers.get("retry-after", "")
    return min(float(text), _LONGEST_RETRY_AFTER) if text.isdecimal() else None
