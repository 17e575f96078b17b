"""The client of deliveries and of the probe's link against real servers on loopback."""

from __future__ import annotations

import asyncio
import gzip
import ssl
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from time import monotonic

import pytest
import trustme

from statuspulse.egress.gate import Gate
from statuspulse.egress.http_client import Answer, HttpClient, Unreachable, UnreachableKind
from statuspulse.egress.policy import Policy, Purpose
from tests.targets import HttpTarget, Mood, TcpTarget, http_answer, until

OPEN = Policy.parse(probe_deny="", delivery_allow="127.0.0.0/8", operator_urls=())


@pytest.fixture
def target() -> Iterator[HttpTarget]:
    with HttpTarget() as made:
        yield made


@pytest.fixture
async def gate() -> AsyncIterator[Gate]:
    made = Gate(OPEN)
    yield made
    made.close()


async def send(
    gate: Gate,
    url: str,
    *,
    method: str = "POST",
    headers: dict[str, str] | None = None,
    body: bytes | None = b"{}",
    purpose: Purpose = Purpose.DELIVERY_WEBHOOK,
    timeout_s: float = 2.0,
    max_bytes: int = 65536,
) -> Answer | Unreachable:
    return await HttpClient(gate).request(
        method=method,
        url=url,
        headers=headers or {},
        body=body,
        purpose=purpose,
        timeout_s=timeout_s,
        max_bytes=max_bytes,
    )


def answered(outcome: Answer | Unreachable) -> Answer:
    assert isinstance(outcome, Answer), outcome
    return outcome


def kind(outcome: Answer | Unreachable) -> UnreachableKind:
    assert isinstance(outcome, Unreachable), outcome
    return outcome.kind


async def test_a_request_arrives_as_it_was_given(gate: Gate, target: HttpTarget) -> None:
    headers = {"Content-Type": "application/json", "X-Empty": "", "X-Name": "Zoë"}
    target.routes["/hook"] = http_answer(202, b'{"ok":true}', "X-Seen: yes", "X-Seen: twice")
    answer = answered(await send(gate, f"{target.url}/hook?a=1", headers=headers, body=b'{"a":1}'))
    assert (answer.status, answer.body, answer.headers["x-seen"]) == (202, b'{"ok":true}', "twice")
    assert answer.elapsed_ms < 1000
    arrival = target.arrivals[0]
    assert (arrival.what, arrival.body) == ("POST /hook?a=1 HTTP/1.1", b'{"a":1}')
    assert arrival.headers["content-type"] == "application/json"
    assert arrival.headers["x-empty"] == ""
    assert arrival.headers["x-name"] == "Zoë".encode().decode("latin-1")
    assert arrival.headers["user-agent"].startswith("StatusPulse/")


@pytest.mark.parametrize(
    ("method", "body", "length"),
    [
        ("GET", None, None),
        ("DELETE", None, None),
        ("POST", None, "0"),
        ("PUT", b"x", "1"),
        ("PATCH", b"", "0"),
        ("HEAD", None, None),
    ],
)
async def test_every_method_is_sent_with_its_body_and_no_type_is_invented(
    gate: Gate, target: HttpTarget, method: str, body: bytes | None, length: str | None
) -> None:
    target.routes["/"] = http_answer(200, b"")
    answer = answered(await send(gate, target.url, method=method, body=body))
    assert answer.status == 200
    arrival = target.arrivals[0]
    assert arrival.what.startswith(f"{method} / ")
    assert arrival.headers.get("content-length") == length
    assert "content-type" not in arrival.headers


async def test_a_large_body_goes_out_without_asking_for_leave(gate: Gate, target: HttpTarget) -> None:
    body = b"x" * 2_000_000
    answered(await send(gate, target.url, body=body))
    assert "expect" not in target.arrivals[0].headers
    assert target.arrivals[0].body == body
    assert "expect" not in target.arrivals[0].headers


async def test_redirects_are_answers_and_not_followed(gate: Gate, target: HttpTarget) -> None:
    target.routes["/"] = http_answer(302, b"", "Location: /elsewhere")
    answer = answered(await send(gate, target.url))
    assert (answer.status, answer.headers["location"]) == (302, "/elsewhere")
    assert len(target.arrivals) == 1


async def test_a_large_answer_is_cut(gate: Gate, target: HttpTarget) -> None:
    target.routes["/"] = http_answer(200, b"y" * 1_000_000)
    assert answered(await send(gate, target.url, max_bytes=1000)).body == b"y" * 1000


async def test_nothing_is_decoded(gate: Gate, target: HttpTarget) -> None:
    bomb = gzip.compress(b"0" * 10_000_000)
    target.routes["/"] = http_answer(200, bomb, "Content-Encoding: gzip")
    assert answered(await send(gate, target.url)).body == bomb


async def test_headers_of_interim_answers_are_forgotten(gate: Gate, target: HttpTarget) -> None:
    target.routes["/"] = b"HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\n" + http_answer(200, b"", "X-Late: 1")
    answer = answered(await send(gate, target.url))
    assert (answer.status, dict(answer.headers)) == (200, {"content-length": "0", "x-late": "1"})


@pytest.mark.parametrize(
    "headers",
    [
        {"X\r\nEvil": "1"},
        {"X": "1\r\nEvil: 2"},
        {"X": "\x00"},
        {"": "1"},
        {"X Y": "1"},
        {"X: 1\tY": "1"},
        {"X:Y": "1"},
        {"Ü": "1"},
    ],
)
async def test_a_header_cannot_smuggle_in_another(gate: Gate, target: HttpTarget, headers: dict[str, str]) -> None:
    assert kind(await send(gate, target.url, headers=headers)) is UnreachableKind.PROTOCOL
    assert target.connections == 0


@pytest.mark.parametrize("method", ["", "GET /x", "GET\r\nX: 1"])
async def test_a_method_cannot_smuggle_in_a_header(gate: Gate, target: HttpTarget, method: str) -> None:
    assert kind(await send(gate, target.url, method=method)) is UnreachableKind.PROTOCOL
    assert target.connections == 0


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:1/x?token=hush", UnreachableKind.REFUSED),
        ("http://10.0.0.1/hush", UnreachableKind.BLOCKED_BY_POLICY),
        ("ftp://127.0.0.1/hush", UnreachableKind.PROTOCOL),
        ("http://user:hush@127.0.0.1/", UnreachableKind.PROTOCOL),
        ("http://nobody.invalid/hush", UnreachableKind.DNS),
    ],
)
async def test_what_cannot_be_reached_says_why_without_secrets(url: str, expected: UnreachableKind) -> None:
    gate = Gate(OPEN, nameservers=("127.0.0.1:1",))
    try:
        outcome = await send(gate, url, headers={"Authorization": "Bearer hush"}, body=b"hush")
        assert kind(outcome) is expected
        assert "hush" not in str(outcome)
    finally:
        gate.close()


async def test_a_silent_receiver_is_a_timeout(gate: Gate, target: HttpTarget) -> None:
    target.mood = Mood.SILENT
    begun = monotonic()
    assert kind(await send(gate, target.url, timeout_s=0.3)) is UnreachableKind.TIMEOUT
    assert monotonic() - begun < 2


async def test_a_cut_answer_is_a_protocol_error(gate: Gate, target: HttpTarget) -> None:
    target.mood = Mood.CUTTING
    assert kind(await send(gate, target.url)) is UnreachableKind.PROTOCOL


async def test_a_receiver_that_resets_is_a_protocol_error(gate: Gate) -> None:
    with TcpTarget(mood=Mood.CUTTING) as target:
        outcome = await send(gate, f"http://127.0.0.1:{target.port}/")
        assert kind(outcome) in {UnreachableKind.PROTOCOL, UnreachableKind.CONNECT}


async def test_an_untrusted_certificate_is_refused_and_a_trusted_one_is_not(tmp_path: Path) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    trusted = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(trusted))
    with HttpTarget(tls=context) as target:
        stranger, friend = Gate(OPEN), Gate(OPEN, ca_file=str(trusted))
        try:
            assert kind(await send(stranger, target.url)) is UnreachableKind.TLS
            assert answered(await send(friend, target.url)).status == 200
        finally:
            stranger.close()
            friend.close()


async def test_connections_are_kept_for_control_only(gate: Gate, target: HttpTarget) -> None:
    for _ in range(3):
        answered(await send(gate, target.url, purpose=Purpose.CONTROL))
    assert target.connections == 1
    for _ in range(2):
        answered(await send(gate, target.url))
    assert target.connections == 3


async def test_a_kept_connection_that_has_ended_is_replaced(gate: Gate, target: HttpTarget) -> None:
    answered(await send(gate, target.url, purpose=Purpose.CONTROL))
    target.mood = Mood.REFUSING
    target.heal()
    assert answered(await send(gate, target.url, purpose=Purpose.CONTROL)).status == 200


async def test_an_idle_kept_connection_does_not_spin(gate: Gate, target: HttpTarget) -> None:
    """The server ends it while nobody uses it: that is reported once, not for ever."""
    answered(await send(gate, target.url, purpose=Purpose.CONTROL))
    turns = 0
    readiness = gate._curl._readiness
    original = gate._curl._settle

    def counted(running: int) -> None:
        nonlocal turns
        turns += 1
        original(running)

    readiness._settle = counted  # type: ignore[attr-defined]  # both kinds have it
    target.mood = Mood.REFUSING
    await asyncio.sleep(0.1)
    assert turns <= 3


async def test_requests_of_control_and_checks_share_nothing(gate: Gate, target: HttpTarget) -> None:
    await send(gate, target.url, purpose=Purpose.CONTROL, headers={"Authorization": "Bearer hush"}, body=b"hush")
    await send(gate, target.url, method="GET", body=None)
    assert "authorization" not in target.arrivals[1].headers
    assert target.arrivals[1].body == b""


async def test_the_other_addresses_of_this_host_are_tried_when_one_refuses(target: HttpTarget, tmp_path: Path) -> None:
    hosts = tmp_path / "hosts"
    hosts.write_text("127.0.0.2 twin\n127.0.0.1 twin\n127.0.0.3 twin\n")
    gate = Gate(OPEN, hosts_file=hosts)
    try:
        assert answered(await send(gate, f"http://twin:{target.port}/")).status == 200
        assert kind(await send(gate, f"http://twin:{free_port()}/")) is UnreachableKind.REFUSED
    finally:
        gate.close()


def free_port() -> int:
    with TcpTarget() as target:
        return target.port


async def test_a_closed_gate_answers_who_waits(target: HttpTarget) -> None:
    gate = Gate(OPEN)
    target.mood = Mood.SILENT
    waiting = asyncio.ensure_future(send(gate, target.url))
    await until(lambda: target.arrivals)
    gate.close()
    assert isinstance(await asyncio.wait_for(waiting, 1), Unreachable)
