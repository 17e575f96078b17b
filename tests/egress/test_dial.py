"""Connections by hand, the errors of the operating system, and the certificates of this host."""

from __future__ import annotations

import contextlib
import errno
import resource
import socket
from collections.abc import Iterator
from time import monotonic

import pytest

from statuspulse.domain.failure import Failure, FailureClass
from statuspulse.egress.certificates import earliest_end, trusted_bundle
from statuspulse.egress.curl_errors import transfer_failure
from statuspulse.egress.deadline import Deadline
from statuspulse.egress.dial import Stream, ask, connect, stray_peer
from statuspulse.egress.faults import connect_failure, connect_timeout, has_route, own_fault
from statuspulse.egress.guard import Located
from statuspulse.egress.policy import Purpose
from tests.targets import Mood, TcpTarget


def at(*addresses: str) -> Located:
    return Located(addresses[0], addresses[1:], Purpose.CHECK_TCP)


@contextlib.contextmanager
def no_descriptors() -> Iterator[None]:
    """The file limit lies at what is open already."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with socket.socket() as probe:
        lowest_free = probe.fileno()
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_a_connection_carries_bytes_both_ways() -> None:
    with TcpTarget(banner=b"hello") as target:
        stream = await connect(at("127.0.0.1"), target.port, Deadline.after(1000))
        assert isinstance(stream, Stream)
        await stream.send(b"x")
        assert await stream.receive_exactly(5) == b"hello"
        stream.close()


async def test_a_refusal_is_a_value() -> None:
    with TcpTarget(mood=Mood.REFUSING) as target:
        expected = Failure(FailureClass.CONNECT_REFUSED, f"connection refused by 127.0.0.1:{target.port}")
        assert await connect(at("127.0.0.1"), target.port, Deadline.after(1000)) == expected


async def test_the_next_address_of_this_host_is_tried_after_a_refusal_only() -> None:
    with TcpTarget() as target:
        stream = await connect(at("127.0.0.2", "127.0.0.1"), target.port, Deadline.after(1000))
        assert isinstance(stream, Stream)
        assert stream.ip == "127.0.0.1"
        stream.close()
        stream = await connect(at("127.0.0.1", "127.0.0.2"), target.port, Deadline.after(1000))
        assert isinstance(stream, Stream)
        assert stream.ip == "127.0.0.1"
        stream.close()


async def test_a_full_queue_is_a_time_out_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        port = listener.getsockname()[1]
        fillers = []
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
            fillers.append(filler)
        begun = monotonic()
        outcome = await connect(at("127.0.0.1"), port, Deadline.after(200))
        assert monotonic() - begun < 2
        assert outcome == connect_timeout("127.0.0.1", port, 200)
        for filler in fillers:
            filler.close()


async def test_a_stream_that_ends_early_says_so() -> None:
    with TcpTarget(banner=b"abc") as target:
        stream = await connect(at("127.0.0.1"), target.port, Deadline.after(300))
        assert isinstance(stream, Stream)
        with pytest.raises(TimeoutError):
            await stream.receive_exactly(4)
        stream.close()


async def test_a_stream_that_is_closed_is_the_end() -> None:
    with TcpTarget(banner=b"abc") as target:
        stream = await connect(at("127.0.0.1"), target.port, Deadline.after(1000))
        assert isinstance(stream, Stream)
        assert await stream.receive_exactly(3) == b"abc"
        target.mood = Mood.REFUSING
        with pytest.raises((EOFError, ConnectionResetError)):
            await stream.receive_exactly(1)
        stream.close()


async def test_a_refused_datagram_is_a_refusal_and_silence_is_none() -> None:
    with TcpTarget(mood=Mood.REFUSING) as target:
        refused = await ask("127.0.0.1", target.port, b"x", lambda data: data, Deadline.after(1000))
        assert isinstance(refused, Failure)
        assert refused.kind is FailureClass.CONNECT_REFUSED
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mute:
        mute.bind(("127.0.0.1", 0))
        port = mute.getsockname()[1]
        assert await ask("127.0.0.1", port, b"x", lambda data: data, Deadline.after(100)) is None


async def test_the_peer_is_compared_with_the_judged_address() -> None:
    with TcpTarget() as target, socket.create_connection(("127.0.0.1", target.port)) as sock:
        assert stray_peer(sock, "127.0.0.1") is None
        stray = stray_peer(sock, "127.0.0.2")
        assert stray is not None
        assert stray.kind is FailureClass.BLOCKED_BY_POLICY
    with socket.socket() as alone:
        assert stray_peer(alone, "127.0.0.1") is None


async def test_without_descriptors_the_fault_is_ours() -> None:
    with no_descriptors():
        outcome = await connect(at("127.0.0.1"), 1, Deadline.after(1000))
        asked = await ask("127.0.0.1", 1, b"x", lambda data: data, Deadline.after(1000))
    assert isinstance(outcome, Failure)
    assert outcome.kind is FailureClass.PROBE_ERROR
    assert outcome.detail.startswith("no_descriptors: ")
    assert asked == outcome


@pytest.mark.parametrize(
    ("code", "ip", "beginning"),
    [
        (errno.EMFILE, "127.0.0.1", "no_descriptors: "),
        (errno.ENFILE, "127.0.0.1", "no_descriptors: "),
        (errno.ENOBUFS, "127.0.0.1", "no_descriptors: "),
        (errno.EADDRNOTAVAIL, "127.0.0.1", "no_descriptors: "),
        (errno.EADDRNOTAVAIL, "::1", "no_route: "),
        (errno.EAFNOSUPPORT, "::1", "no_route: "),
        (errno.EPERM, "127.0.0.1", "no_route: "),
    ],
)
def test_errors_of_our_side_are_never_the_targets(code: int, ip: str, beginning: str) -> None:
    failure = connect_failure(code, ip, 80)
    assert failure.kind is FailureClass.PROBE_ERROR
    assert failure.detail.startswith(beginning)


@pytest.mark.parametrize(
    ("code", "expected", "detail"),
    [
        (errno.ECONNREFUSED, FailureClass.CONNECT_REFUSED, "connection refused by [::1]:80"),
        (errno.ETIMEDOUT, FailureClass.CONNECT_TIMEOUT, "[::1]:80 did not answer"),
        (errno.EHOSTUNREACH, FailureClass.CONNECT_ERROR, "connection to [::1]:80 failed: no route to host"),
        (0, FailureClass.CONNECT_ERROR, "connection to [::1]:80 failed: no reason given"),
    ],
)
def test_errors_of_the_other_side_are_put_into_words(code: int, expected: FailureClass, detail: str) -> None:
    assert connect_failure(code, "::1", 80) == Failure(expected, detail)


def test_an_unreachable_network_is_ours_only_if_we_have_no_way() -> None:
    assert has_route("127.0.0.1")
    assert own_fault(errno.ENETUNREACH, "127.0.0.1") is None
    assert not has_route("not an address")


@pytest.mark.parametrize(
    ("code", "connected", "expected", "beginning"),
    [
        (77, True, FailureClass.PROBE_ERROR, "storage: words"),
        (3, False, FailureClass.PROBE_ERROR, "internal: words"),
        (27, True, FailureClass.PROTOCOL_ERROR, "words"),
        (52, True, FailureClass.PROTOCOL_ERROR, "the answer is empty"),
        (35, True, FailureClass.TLS_ERROR, "words"),
        (28, True, FailureClass.TIMEOUT, "no complete answer within 5 ms"),
        (28, False, FailureClass.CONNECT_TIMEOUT, "no connection to 127.0.0.1:80 within 5 ms"),
    ],
)
def test_codes_of_libcurl_have_a_class_each(code: int, connected: bool, expected: FailureClass, beginning: str) -> None:
    failure = transfer_failure(
        code,
        "words",
        os_errno=0,
        verify_result=0,
        host="x",
        chain=(),
        ip="127.0.0.1",
        port=80,
        connected=connected,
        timeout_ms=5,
    )
    assert failure.kind is expected
    assert failure.detail.startswith(beginning)


def test_a_full_kernel_while_reading_is_ours() -> None:
    failure = transfer_failure(
        56,
        "x",
        os_errno=errno.ENOBUFS,
        verify_result=0,
        host="x",
        chain=(),
        ip="127.0.0.1",
        port=80,
        connected=True,
        timeout_ms=5,
    )
    assert failure.kind is FailureClass.PROBE_ERROR


def test_the_first_end_of_a_chain_counts() -> None:
    chain = [
        [(b"Subject", b"x"), (b"Expire date", b"Nov  4 08:58:00 2026 GMT")],
        [(b"Expire date", b"Jan 14 00:00:01 2026 GMT")],
        [(b"Expire date", b"garbage")],
    ]
    assert earliest_end(chain) == 1768348801000
    assert earliest_end([]) is None
    assert earliest_end([[(b"Expire date", b"Foo 14 00:00:01 2026 GMT")]]) is None


def test_this_host_trusts_somebody_or_says_so() -> None:
    bundle = trusted_bundle()
    assert bundle is None or bundle.startswith("/")


def test_a_deadline_is_never_negative() -> None:
    passed = Deadline(monotonic() - 5, 100)
    assert passed.rest_seconds() == 0.0
    assert passed.rest_ms() == 1
    assert 99 <= Deadline.after(100).rest_ms() <= 100
