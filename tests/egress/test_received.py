"""What a connection takes in, seen past libcurl."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from time import monotonic

import pytest

from statuspulse.domain.failure import FailureClass
from statuspulse.domain.specs.http import HttpSpec
from statuspulse.egress.deadline import Deadline
from statuspulse.egress.gate import Gate
from statuspulse.egress.policy import Policy, Purpose
from statuspulse.egress.received import bytes_received
from statuspulse.egress.urls import parse_url
from statuspulse.probe.http import HttpCheck
from tests.faults.hostile import HostileTarget
from tests.targets import HttpTarget, http_answer, wall_ms


@pytest.fixture
async def gate() -> AsyncIterator[Gate]:
    made = Gate(Policy())
    yield made
    made.close()


def test_the_bytes_of_a_connection_are_counted() -> None:
    ours, theirs = socket.create_server(("127.0.0.1", 0)), socket.socket()
    with ours, theirs:
        theirs.connect(ours.getsockname())
        accepted, _ = ours.accept()
        with accepted:
            accepted.sendall(b"x" * 1234)
            theirs.recv(1)
            assert bytes_received(theirs.fileno()) == 1234
            assert theirs.recv(1) == b"x"  # the socket still belongs to its owner


def test_what_is_no_connection_has_received_nothing() -> None:
    with socket.socket(socket.AF_UNIX) as sock:
        assert bytes_received(sock.fileno()) == 0
    assert bytes_received(1_000_000) == 0


async def test_a_flood_that_is_no_content_ends_long_before_the_deadline(gate: Gate) -> None:
    with HostileTarget() as foe:
        begun = monotonic()
        spec = HttpSpec(url=f"http://127.0.0.1:{foe.port}/extensions")
        seen = await HttpCheck(gate, wall_ms).run(spec, timeout_ms=20_000)
        assert monotonic() - begun < 10
    assert seen.failure is not None
    assert seen.failure.kind is FailureClass.PROTOCOL_ERROR
    assert seen.failure.detail == "the answer is much larger than its content"


async def test_a_large_body_is_cut_and_not_taken_for_a_flood(gate: Gate) -> None:
    with HttpTarget() as target:
        target.routes["/"] = http_answer(200, b"x" * (20 << 20))
        seen = await HttpCheck(gate, wall_ms).run(HttpSpec(url=target.url, max_body_bytes=1000), timeout_ms=5000)
    assert (seen.failure, seen.truncated, seen.bytes_read) == (None, True, 1000)


async def test_a_connection_that_is_kept_may_take_in_any_amount(gate: Gate) -> None:
    transfer = gate.take_transfer()
    url = parse_url("http://127.0.0.1:1/")
    deadline = Deadline.after(1000)
    transfer.prepare(url, "127.0.0.1", Purpose.CONTROL, deadline=deadline, limit=10, follows=False)
    assert transfer.most_bytes is not None
    transfer.keep_connection()
    assert transfer.most_bytes is None
    gate.give_back(transfer, renew=True)
