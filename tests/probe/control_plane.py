"""A control plane on loopback that keeps to the agent protocol and holds the probe to it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any

import msgspec

from statuspulse.protocol.documents import (
    AssignedMonitor,
    Assignments,
    Heartbeat,
    HeartbeatAnswer,
    Item,
    Job,
    Receipt,
    Results,
    RetryDocument,
)
from tests.targets import Arrival, Target, _read_request, http_answer

KEY = "prb_test_key"
PROBE_ID = "prb_2d4f6h8j"


def a_monitor(monitor_id: str, url: str, **members: Any) -> AssignedMonitor:
    """An HTTP monitor at one second, the shortest that there is."""
    document: dict[str, Any] = {
        "monitor_id": monitor_id,
        "team_id": "team_a1b2c3d4",
        "config_version": 1,
        "type": "http",
        "interval_seconds": 1,
        "timeout_ms": 500,
        "retry": RetryDocument(count=0, delay_ms=0),
        "region_index": 0,
        "region_count": 1,
        "region_strategy": "parallel",
        "spec": {"url": url},
    }
    return AssignedMonitor(**(document | members))


def a_job(job_id: str, url: str, **members: Any) -> Job:
    """A look at an HTTP target that has to begin within 5 s."""
    now = datetime.now(UTC)
    document: dict[str, Any] = {
        "job_id": job_id,
        "kind": "test",
        "monitor_id": None,
        "config_version": 1,
        "type": "http",
        "spec": {"url": url},
        "timeout_ms": 500,
        "not_before": now,
        "deadline_at": now + timedelta(seconds=5),
    }
    return Job(**(document | members))


class ControlPlane(Target):
    """Commits every batch at once. `override` may answer a call instead, None lets it pass.

    Jobs are offered with every answer to a poll, again every 0.2 s, until their results are in. `skew` is how far its
    clock is ahead of ours.

    `violations` lists what no probe may do.
    """

    def __init__(self, *, port: int = 0) -> None:
        super().__init__(port=port)
        self.key = KEY
        self.version = 0
        self.monitors: dict[str, AssignedMonitor] = {}
        self.committed_through = 0
        self.policy: list[str] = []
        self.heartbeat_seconds = 1
        self.items: list[Item] = []
        self.batches: list[tuple[float, Results]] = []
        self.heartbeats: list[tuple[float, Heartbeat]] = []
        self.violations: list[str] = []
        self.jobs: list[Job] = []
        self.skew = timedelta()
        self.override: Callable[[Arrival], bytes | None] = lambda _arrival: None
        self.members: list[str] = []
        self.epoch = 0
        self._changes: list[tuple[int, str]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def results(self) -> list[Item]:
        return [item for item in self.items if item.kind != "gap"]

    @property
    def gaps(self) -> list[Item]:
        return [item for item in self.items if item.kind == "gap"]

    def assign(self, *monitors: AssignedMonitor) -> None:
        for monitor in monitors:
            self.monitors[monitor.monitor_id] = monitor
        self._changed(monitor.monitor_id for monitor in monitors)

    def share(self, *members: str) -> None:
        """From now on these are the live probes of the region; ours is PROBE_ID."""
        self.members = list(members)
        self.epoch += 1

    def ask(self, *jobs: Job) -> None:
        self.jobs += jobs

    def looks(self, job_id: str) -> list[Item]:
        return [item for item in self.items if item.job_id == job_id]

    def remove(self, monitor_id: str) -> None:
        del self.monitors[monitor_id]
        self._changed([monitor_id])

    def calls(self, path: str) -> list[Arrival]:
        return [arrival for arrival in self.arrivals if arrival.path.startswith(path)]

    def _changed(self, ids: Any) -> None:
        self._changes += [(self.version + 1, monitor_id) for monitor_id in ids]
        self.version += 1

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while arrival := await _read_request(reader):
            self.arrivals.append(arrival)
            answer = self.override(arrival)
            writer.write(await self._respond(arrival) if answer is None else answer)
            await writer.drain()

    async def _respond(self, arrival: Arrival) -> bytes:
        if arrival.headers.get("authorization") != f"Bearer {self.key}":
            return http_answer(401, b"")
        if arrival.headers.get("accept") != "application/msgpack":
            self.violations.append(f"accept: {arrival.headers.get('accept')}")
        match arrival.path.partition("?")[0]:
            case "/v1/agent/assignments":
                return await self._assignments(arrival)
            case "/v1/agent/results":
                return self._results(msgspec.msgpack.decode(arrival.body, type=Results))
            case "/v1/agent/heartbeat":
                return self._heartbeat(msgspec.msgpack.decode(arrival.body, type=Heartbeat))
            case _:
                return http_answer(404)

    async def _assignments(self, arrival: Arrival) -> bytes:
        text = arrival.headers.get("if-none-match", "").strip('"')
        known = int(text) if text else None
        until = monotonic() + int(arrival.path.rpartition("wait=")[2])
        if known is not None and self._offered():
            await asyncio.sleep(0.2)
        told = int(arrival.path.partition("epoch=")[2].partition("&")[0])
        while known == self.version and told == self.epoch and not self._offered():
            if monotonic() > until:
                return http_answer(304, b"")
            await asyncio.sleep(0.01)
        named = {monitor_id for version, monitor_id in self._changes if known is None or version > known}
        return _document(
            Assignments(
                version=self.version,
                base=known,
                region="local",
                probe_id=PROBE_ID,
                monitors=[self.monitors[monitor_id] for monitor_id in sorted(named & self.monitors.keys())],
                removed=[] if known is None else sorted(named - self.monitors.keys()),
                policy=self.policy,
                heartbeat_seconds=self.heartbeat_seconds,
                server_time=datetime.now(UTC) + self.skew,
                committed_through=self.committed_through,
                jobs=self._offered(),
                members=self.members,
                epoch=self.epoch,
            )
        )

    def _offered(self) -> list[Job]:
        """What nobody has told of yet."""
        return [job for job in self.jobs if not self.looks(job.job_id)]

    def _results(self, results: Results) -> bytes:
        self.batches.append((monotonic(), results))
        items, reach = results.results, max(self.committed_through, results.dropped_through or 0)
        numbers = [item.seq for item in items]
        if len(items) > 1000 or not items or numbers != list(range(numbers[0], numbers[0] + len(numbers))):
            self.violations.append(f"numbers {numbers[:3]}… of {len(numbers)}")
        elif numbers[0] > reach + 1:
            self.violations.append(f"a batch from {numbers[0]} after {reach}")
        new = [item for item in items if item.seq > self.committed_through]
        self.items += new
        self.committed_through = max(reach, numbers[-1])
        return _document(
            Receipt(
                accepted=len(new),
                duplicates=len(items) - len(new),
                rejected=[],
                committed_through=self.committed_through,
            )
        )

    def _heartbeat(self, heartbeat: Heartbeat) -> bytes:
        self.heartbeats.append((monotonic(), heartbeat))
        return _document(
            HeartbeatAnswer(
                server_time=datetime.now(UTC),
                assignments_version=self.version,
                committed_through=self.committed_through,
                draining=False,
            )
        )


def _document(document: msgspec.Struct) -> bytes:
    return http_answer(200, msgspec.msgpack.encode(document), "Content-Type: application/msgpack")
