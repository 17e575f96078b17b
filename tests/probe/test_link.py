"""The link against a control plane on loopback that is well, away, busy, hostile or forgetful."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import pairwise
from pathlib import Path
from time import monotonic, time_ns

import msgspec
import pytest
from structlog.testing import capture_logs

from statuspulse.domain.failure import MissReason
from statuspulse.domain.result import Gap
from statuspulse.domain.secret import Secret
from statuspulse.egress.gate import Gate
from statuspulse.egress.http_client import HttpClient
from statuspulse.egress.policy import Policy
from statuspulse.probe.assignments import AssignedSet
from statuspulse.probe.backoff import Backoff
from statuspulse.probe.link import Link, Peer
from statuspulse.probe.records import gap_record
from statuspulse.probe.spool import Bounds, Spool
from statuspulse.protocol.documents import Assignments, Load, Receipt, Results
from tests.probe.control_plane import KEY, ControlPlane, a_monitor
from tests.targets import Arrival, http_answer, until


@pytest.fixture
def plane() -> Iterator[ControlPlane]:
    with ControlPlane() as made:
        yield made
    assert made.violations == []


@pytest.fixture
async def gate() -> AsyncIterator[Gate]:
    made = Gate(Policy())
    yield made
    made.close()


class Linked:
    """A link with a spool of its own; assignments that arrive are collected."""

    def __init__(self, plane: ControlPlane, gate: Gate, folder: Path) -> None:
        self.spool = Spool(folder / "spool", Bounds())
        self.assigned = AssignedSet(folder / "assignments")
        self.adopted: list[Assignments] = []
        self.blind: list[str] = []
        self.link = Link(
            client=HttpClient(gate),
            peer=Peer(server_url=plane.url, key=Secret(KEY), version="1.2.3", boot_id="boot_1", capacity=1000),
            spool=self.spool,
            assigned=self.assigned,
            now=lambda: time_ns() // 1_000_000,
            load=lambda: Load(due=1, in_flight=2, lag_p99_ms=3.5),
            adopt=self._adopt,
            blind=lambda: self.blind,
            is_stopping=lambda: False,
        )

    async def _adopt(self, answer: Assignments) -> None:
        await self.assigned.adopt(answer)
        self.adopted.append(answer)

    def put(self, count: int, *, is_urgent: bool = False) -> None:
        at = time_ns() // 1_000_000
        gap = Gap(monitor_id="mon_9x2k4p7q", region="local", from_at=at, to_at=at, count=1, reason=MissReason.OVERLOAD)
        for _ in range(count):
            self.spool.append(at, lambda seq: gap_record(seq, gap))
            self.link.notice(is_urgent=is_urgent)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as tasks:
            ongoing = [tasks.create_task(work) for work in (self.link.follow(), self.link.ship(), self.link.beat())]
            yield
            for task in ongoing:
                task.cancel()


@pytest.fixture
async def linked(plane: ControlPlane, gate: Gate, tmp_path: Path) -> Linked:
    return Linked(plane, gate, tmp_path)


def answering(path: str, *answers: bytes) -> Callable[[Arrival], bytes | None]:
    """Gives the calls of a path these answers, one after the other; then it lets them pass."""
    rest = list(answers)
    return lambda arrival: rest.pop(0) if rest and arrival.path.startswith(path) else None


async def test_a_failure_travels_at_once(plane: ControlPlane, linked: Linked) -> None:
    async with linked.running():
        await until(lambda: linked.spool.is_sure)
        begun = monotonic()
        linked.put(1, is_urgent=True)
        await until(lambda: plane.items)
    assert plane.batches[0][0] - begun < 0.15


async def test_results_travel_together_after_a_quarter_of_a_second(plane: ControlPlane, linked: Linked) -> None:
    async with linked.running():
        await until(lambda: linked.spool.is_sure)
        begun = monotonic()
        linked.put(50)
        await asyncio.sleep(0.1)
        linked.put(50)
        await until(lambda: len(plane.items) == 100)
    assert len(plane.batches) == 1
    assert 0.2 < plane.batches[0][0] - begun < 0.6


async def test_two_hundred_results_do_not_wait(plane: ControlPlane, linked: Linked) -> None:
    async with linked.running():
        await until(lambda: linked.spool.is_sure)
        begun = monotonic()
        linked.put(200)
        await until(lambda: len(plane.items) == 200)
    assert plane.batches[0][0] - begun < 0.2


async def test_what_is_under_way_hurries_nothing_that_comes_after_it(plane: ControlPlane, linked: Linked) -> None:
    loop = asyncio.get_running_loop()

    def put_more(arrival: Arrival) -> None:
        if arrival.path.startswith("/v1/agent/results") and linked.spool.next_seq == 201:
            asyncio.run_coroutine_threadsafe(put(20), loop).result()

    async def put(count: int) -> None:
        linked.put(count)

    plane.override = put_more
    async with linked.running():
        await until(lambda: linked.spool.is_sure)
        linked.put(200)
        await until(lambda: len(plane.items) == 220)
    assert plane.batches[1][0] - plane.batches[0][0] > 0.2


async def test_a_backlog_goes_out_in_batches_of_a_thousand(plane: ControlPlane, linked: Linked) -> None:
    linked.put(3500)
    async with linked.running():
        await until(lambda: not linked.spool.depth)
    assert [len(results.results) for _, results in plane.batches] == [1000, 1000, 1000, 500]
    assert [item.seq for item in plane.items] == list(range(1, 3501))


async def test_nothing_is_shipped_before_the_control_plane_has_said_how_far_it_is(
    plane: ControlPlane, linked: Linked
) -> None:
    plane.committed_through = 500
    linked.put(3)
    async with linked.running():
        await until(lambda: plane.items)
    assert [item.seq for item in plane.items] == [501, 502, 503]


async def test_before_the_first_answer_results_wait(plane: ControlPlane, linked: Linked) -> None:
    plane.override = lambda arrival: None if "results" in arrival.path else http_answer(503)
    linked.put(3, is_urgent=True)
    async with linked.running():
        await until(lambda: len(plane.calls("/v1/agent/heartbeat")) >= 4)
        assert plane.calls("/v1/agent/results") == []
        plane.override = lambda _arrival: None
        await until(lambda: plane.items)


async def test_assignments_are_polled_with_the_known_version(plane: ControlPlane, linked: Linked) -> None:
    plane.assign(a_monitor("mon_00000001", "http://127.0.0.1/"))
    async with linked.running():
        await until(lambda: linked.adopted)
        plane.assign(a_monitor("mon_00000002", "http://127.0.0.1/"))
        await until(lambda: len(linked.adopted) == 2)
        plane.remove("mon_00000001")
        await until(lambda: len(linked.adopted) == 3)
    snapshot, addition, removal = linked.adopted
    assert snapshot.base is None
    assert (addition.base, [monitor.monitor_id for monitor in addition.monitors]) == (1, ["mon_00000002"])
    assert (removal.base, removal.removed) == (2, ["mon_00000001"])
    assert list(linked.assigned.monitors) == ["mon_00000002"]


async def test_a_delta_on_another_version_leads_to_a_snapshot(plane: ControlPlane, linked: Linked) -> None:
    plane.assign(a_monitor("mon_00000001", "http://127.0.0.1/"))
    strange = msgspec.convert(
        {
            "version": 9,
            "base": 8,
            "region": "local",
            "probe_id": "prb_2d4f6h8j",
            "monitors": [],
            "removed": [],
            "policy": [],
            "heartbeat_seconds": 1,
            "server_time": "2027-01-15T00:00:00Z",
            "committed_through": 0,
        },
        Assignments,
    )
    plane.override = answering("/v1/agent/assignments", http_answer(200, msgspec.msgpack.encode(strange)))
    async with linked.running():
        await until(lambda: "mon_00000001" in linked.assigned.monitors)
    assert all("if-none-match" not in call.headers for call in plane.calls("/v1/agent/assignments")[:2])


async def test_a_refused_key_is_logged_once_with_the_cure_and_tried_again(plane: ControlPlane, linked: Linked) -> None:
    plane.key = "another"
    linked.put(1)
    with capture_logs() as logs:
        async with linked.running():
            await until(lambda: len(plane.calls("/v1/agent/assignments")) >= 4)
            plane.key = KEY
            await until(lambda: plane.items)
    failed = [line for line in logs if line["event"] == "probe.call_failed" and line["call"] == "assignments"]
    assert len(failed) == 1
    assert "the probe was deleted or its key rotated; start it with the key of a new probe" in failed[0]["reason"]


async def test_attempts_become_rarer_while_nothing_works(plane: ControlPlane, linked: Linked) -> None:
    plane.override = lambda arrival: http_answer(403) if "results" in arrival.path else None
    linked.put(1)
    async with linked.running():
        await until(lambda: len(plane.calls("/v1/agent/results")) >= 5)
    instants = [call.at for call in plane.calls("/v1/agent/results")]
    pauses = [later - earlier for earlier, later in pairwise(instants)]
    assert pauses[0] < 0.2
    assert pauses[3] > 0.55


async def test_the_server_says_when_to_come_again(plane: ControlPlane, linked: Linked) -> None:
    plane.override = answering("/v1/agent/results", http_answer(503, b"", "Retry-After: 1"))
    linked.put(1, is_urgent=True)
    async with linked.running():
        await until(lambda: plane.items)
    refused, accepted = (call.at for call in plane.calls("/v1/agent/results"))
    assert 1.0 <= accepted - refused < 1.5


async def test_after_an_outage_everything_goes_on_at_once(plane: ControlPlane, linked: Linked) -> None:
    async with linked.running():
        await until(lambda: plane.heartbeats)
        await asyncio.to_thread(plane.stop)
        linked.put(5)
        await asyncio.sleep(3)
        await asyncio.to_thread(plane.start)
        begun = monotonic()
        await until(lambda: len(plane.items) == 5)
        assert monotonic() - begun < 2
        plane.assign(a_monitor("mon_00000001", "http://127.0.0.1/"))
        await until(lambda: linked.assigned.monitors)
        assert monotonic() - begun < 3


async def test_an_answer_that_never_came_is_asked_for_again_without_loss(plane: ControlPlane, linked: Linked) -> None:
    """The batch was committed, only its receipt was lost: it is sent again from the first number that we know open."""

    def receive_and_say_nothing(arrival: Arrival) -> bytes | None:
        if "results" not in arrival.path or plane.items:
            return None
        plane._results(msgspec.msgpack.decode(arrival.body, type=Results))
        return b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\nConnection: close\r\n\r\n"

    plane.override = receive_and_say_nothing
    linked.put(3, is_urgent=True)
    async with linked.running():
        await until(lambda: plane.items)
        await until(lambda: linked.spool.depth == 0)
    assert [item.seq for item in plane.items] == [1, 2, 3]


async def test_what_is_received_but_not_committed_is_sent_again_but_not_at_once(
    plane: ControlPlane, linked: Linked
) -> None:
    received = msgspec.msgpack.encode(Receipt(accepted=1000, duplicates=0, rejected=[], committed_through=0))
    plane.override = answering("/v1/agent/results", http_answer(200, received), http_answer(200, received))
    linked.put(1500, is_urgent=True)
    async with linked.running():
        await until(lambda: len(plane.items) == 1500)
    first, second, third = (call.at for call in plane.calls("/v1/agent/results")[:3])
    assert second - first >= 0.07
    assert third - second >= 0.14
    assert [item.seq for item in plane.items] == list(range(1, 1501))


async def test_a_record_that_the_server_cannot_read_is_given_up_alone(plane: ControlPlane, linked: Linked) -> None:
    def refuse_the_third(arrival: Arrival) -> bytes | None:
        if "results" not in arrival.path:
            return None
        numbers = [item.seq for item in msgspec.msgpack.decode(arrival.body, type=Results).results]
        return http_answer(422) if 3 in numbers else None

    plane.override = refuse_the_third
    linked.put(10, is_urgent=True)
    async with linked.running():
        await until(lambda: len(plane.items) == 9)
    assert [item.seq for item in plane.items] == [1, 2, 4, 5, 6, 7, 8, 9, 10]
    assert linked.spool.dropped_total == 1


async def test_a_heartbeat_says_how_we_are(plane: ControlPlane, linked: Linked) -> None:
    plane.assign(a_monitor("mon_00000001", "http://127.0.0.1/"))
    async with linked.running():
        await until(lambda: len(plane.heartbeats) >= 3)
    first, second, third = plane.heartbeats[:3]
    assert second[0] - first[0] == pytest.approx(1.0, abs=0.4) or third[0] - second[0] == pytest.approx(1.0, abs=0.4)
    latest = third[1]
    assert (latest.version, latest.boot_id, latest.assignments_version) == ("1.2.3", "boot_1", 1)
    assert latest.assignments_digest == linked.assigned.digest != "0" * 16
    assert latest.load == Load(due=1, in_flight=2, lag_p99_ms=3.5)
    assert latest.spool.depth == 0


async def test_a_farewell_hands_over_what_is_left(plane: ControlPlane, linked: Linked) -> None:
    await linked.spool.commit(0)
    linked.put(1200)
    await linked.link.say_farewell()
    assert len(plane.items) == 1200


def test_pauses_double_up_to_their_limit_with_a_quarter_of_jitter() -> None:
    backoff = Backoff(5.0)
    pauses = [backoff.grow() for _ in range(10)]
    expected = [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0, 5.0]
    assert all(0.75 * full <= pause <= full for pause, full in zip(pauses, expected, strict=True))
    backoff.reset()
    assert backoff.grow() <= 0.1
