"""The script of the TCP check: what is sent, what has to come, and what is told when it does not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from statuspulse.domain.failure import FailureClass
from statuspulse.domain.result import Observation
from statuspulse.domain.specs.tcp import Step, TcpSpec
from statuspulse.egress.gate import Gate
from statuspulse.egress.policy import Policy
from statuspulse.probe.tcp import TcpCheck
from tests.starttls_peers import SpeakingTarget, echo, smtp
from tests.targets import Mood, TcpTarget, reset


@pytest.fixture
async def check() -> AsyncIterator[TcpCheck]:
    gate = Gate(Policy())
    yield TcpCheck(gate)
    gate.close()


def failed(seen: Observation, kind: FailureClass) -> str:
    assert seen.failure is not None, seen
    assert seen.failure.kind is kind
    return seen.failure.detail


def spec(port: int, *steps: Step) -> TcpSpec:
    return TcpSpec(host="127.0.0.1", port=port, steps=steps)


async def test_what_is_sent_is_answered_and_the_answer_holds(check: TcpCheck) -> None:
    with SpeakingTarget(echo) as target:
        seen = await check.run(spec(target.port, Step(send="PING ü\n"), Step(expect="PING ü")), timeout_ms=1000)
    assert seen.failure is None
    assert target.heard == ["PING ü".encode()]
    assert seen.bytes_read >= len(b"hello\r\nPING u\n")


async def test_no_line_end_is_added(check: TcpCheck) -> None:
    async def until_the_end(_peer: SpeakingTarget, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(repr(await reader.readexactly(3)).encode())
        await reader.read()

    with SpeakingTarget(until_the_end) as target:
        seen = await check.run(spec(target.port, Step(send="a\x00b"), Step(expect=r"b'a\x00b'")), timeout_ms=1000)
    assert seen.failure is None


async def test_the_parts_of_the_time_make_the_whole(check: TcpCheck) -> None:
    with TcpTarget(banner=b"ready") as target:
        target.delay_seconds = 0.05
        seen = await check.run(spec(target.port, Step(expect="ready")), timeout_ms=1000)
    phases = seen.phases
    assert phases.connect_us is not None
    assert phases.ttfb_us is not None
    assert phases.transfer_us is not None
    assert phases.ttfb_us >= 45_000
    assert phases.tls_us is None
    assert seen.latency_us == phases.connect_us + phases.ttfb_us + phases.transfer_us


async def test_an_answer_in_pieces_is_one_answer(check: TcpCheck) -> None:
    async def slowly(_peer: SpeakingTarget, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for piece in (b"rea", b"d", b"y to serve"):
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.01)
        await reader.read()

    with SpeakingTarget(slowly) as target:
        steps = (Step(expect="ready"), Step(expect="serve"))
        assert (await check.run(spec(target.port, *steps), timeout_ms=1000)).failure is None


async def test_each_expectation_looks_behind_the_one_before(check: TcpCheck) -> None:
    with TcpTarget(banner=b"one two") as target:
        for second, kind in (("two", None), ("one", FailureClass.TIMEOUT)):
            seen = await check.run(spec(target.port, Step(expect="one"), Step(expect=second)), timeout_ms=300)
            assert (seen.failure and seen.failure.kind) == kind


async def test_a_wrong_answer_is_assertion_failed_and_is_shown(check: TcpCheck) -> None:
    with TcpTarget(banner=b'554 "no"\r\n\x00\xff') as target:
        seen = await check.run(spec(target.port, Step(expect="220 ")), timeout_ms=200)
    detail = failed(seen, FailureClass.ASSERTION_FAILED)
    assert detail == 'expected "220 ", got "554 \\"no\\"\\r\\n\\x00\\xff"'


async def test_a_wrong_answer_before_the_end_is_wrong_at_once(check: TcpCheck) -> None:
    async def refuse(_peer: SpeakingTarget, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"554 go away\r\n")

    with SpeakingTarget(refuse) as target:
        seen = await check.run(spec(target.port, Step(expect="220 ")), timeout_ms=5000)
    assert "554 go away" in failed(seen, FailureClass.ASSERTION_FAILED)
    assert seen.latency_us is not None
    assert seen.latency_us < 2_000_000


async def test_later_failures_name_their_step_and_show_the_banner(check: TcpCheck) -> None:
    with SpeakingTarget(echo) as target:
        steps = (Step(expect="hello\r\n"), Step(send="x\n"), Step(expect="y"))
        seen = await check.run(spec(target.port, *steps), timeout_ms=300)
    expected = 'step 3: expected "y", got "x\\n"; the server began with "hello\\r\\n"'
    assert failed(seen, FailureClass.ASSERTION_FAILED) == expected


async def test_only_the_first_256_bytes_of_the_banner_are_kept(check: TcpCheck) -> None:
    with TcpTarget(banner=b"a" * 256 + b"b") as target:
        seen = await check.run(spec(target.port, Step(expect="c")), timeout_ms=200)
    assert failed(seen, FailureClass.ASSERTION_FAILED).endswith('got "' + "a" * 256 + '"')


@pytest.mark.parametrize("step", [Step(expect="b"), Step(expect="a*b", regex=True)])
async def test_4096_bytes_are_read_and_no_more(check: TcpCheck, step: Step) -> None:
    with TcpTarget(banner=b"a" * 4095 + b"b") as target:
        assert (await check.run(spec(target.port, step), timeout_ms=1000)).failure is None
        target.banner = b"a" * 4096 + b"b"
        seen = await check.run(spec(target.port, step), timeout_ms=5000)
    failed(seen, FailureClass.ASSERTION_FAILED)
    assert seen.bytes_read == 4096


async def test_silence_is_a_time_out_in_time(check: TcpCheck) -> None:
    with TcpTarget(mood=Mood.SILENT) as target:
        seen = await check.run(spec(target.port, Step(expect="x")), timeout_ms=200)
    assert failed(seen, FailureClass.TIMEOUT) == 'no answer within 200 ms, expected "x"'
    assert seen.latency_us is not None
    assert 150_000 < seen.latency_us < 450_000
    assert seen.phases.transfer_us is None


async def test_silence_after_an_answer_is_a_time_out_too(check: TcpCheck) -> None:
    with TcpTarget(banner=b"220 ready\r\n") as target:
        seen = await check.run(spec(target.port, Step(expect="220"), Step(expect="250")), timeout_ms=200)
    assert failed(seen, FailureClass.TIMEOUT).startswith("step 2: no answer within 200 ms")


async def test_a_close_in_the_middle_is_a_protocol_error(check: TcpCheck) -> None:
    async def leave(_peer: SpeakingTarget, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 ready\r\n")
        await reader.readline()

    with SpeakingTarget(leave) as target:
        steps = (Step(expect="220 ready\r\n"), Step(send="EHLO a\r\n"), Step(expect="250"))
        seen = await check.run(spec(target.port, *steps), timeout_ms=1000)
    assert failed(seen, FailureClass.PROTOCOL_ERROR) == (
        'step 3: the connection was closed, expected "250"; the server began with "220 ready\\r\\n"'
    )


async def test_a_reset_in_the_middle_is_a_protocol_error(check: TcpCheck) -> None:
    async def break_off(_peer: SpeakingTarget, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        reset(writer)

    with SpeakingTarget(break_off) as target:
        steps = (Step(send="x\n"), Step(expect="y"))
        failed(await check.run(spec(target.port, *steps), timeout_ms=1000), FailureClass.PROTOCOL_ERROR)


@pytest.mark.parametrize(
    ("pattern", "holds"),
    [
        (r"^220[ -].*ESMTP", True),
        (r"(?i)esmtp", True),
        (r"^ESMTP", False),
        (r"\d{3}-mail\.test", True),
        (r"(?m)^220 be polite\r$", True),
    ],
)
async def test_a_pattern_may_stand_for_the_answer(check: TcpCheck, pattern: str, holds: bool) -> None:
    with SpeakingTarget(smtp) as target:
        seen = await check.run(spec(target.port, Step(expect=pattern, regex=True)), timeout_ms=300)
    assert (seen.failure is None) == holds


async def test_a_pattern_that_would_explode_elsewhere_is_answered_at_once(check: TcpCheck) -> None:
    with TcpTarget(banner=b"a" * 4096) as target:
        seen = await check.run(spec(target.port, Step(expect="(a+)+$b", regex=True)), timeout_ms=5000)
    failed(seen, FailureClass.ASSERTION_FAILED)
    assert seen.latency_us is not None
    assert seen.latency_us < 2_000_000


async def test_a_pattern_that_is_none_is_our_fault(check: TcpCheck) -> None:
    seen = await check.run(spec(1, Step(expect="(?=x)", regex=True)), timeout_ms=1000)
    assert failed(seen, FailureClass.PROBE_ERROR).startswith("assertion_invalid: ")


async def test_data_that_nobody_takes_is_a_time_out(check: TcpCheck) -> None:
    async def stare(_peer: SpeakingTarget, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reader._transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.sleep(5)
        del writer

    with SpeakingTarget(stare) as target:
        seen = await check.run(spec(target.port, *(Step(send="x" * (1 << 24)),) * 2), timeout_ms=300)
    assert "not taken within 300 ms" in failed(seen, FailureClass.TIMEOUT)
