"""Bodies of answers: judged where a rule looks at them, bounded always."""

from __future__ import annotations

import asyncio
import gzip
import json
import resource
import zlib
from time import monotonic

import pytest

from statuspulse.domain.assertion import Assertion, Operator, Source
from statuspulse.domain.failure import FailureClass
from statuspulse.domain.result import Observation
from statuspulse.domain.specs.http import HttpSpec
from statuspulse.probe.http import HttpCheck
from tests.targets import Arrival, HttpTarget, http_answer

OK_STATUS = Assertion(Source.JSON, "$.status", Operator.EQ, "ok")
GOOD = json.dumps({"status": "ok", "padding": [*range(100)]}).encode()
CAP = 1 << 20


def raw_deflate(content: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return stream.compress(content) + stream.flush()


def coded(coding: str, content: bytes, status: int = 200) -> bytes:
    return http_answer(status, content, f"Content-Encoding: {coding}")


def failed(seen: Observation, kind: FailureClass) -> str:
    assert seen.failure is not None, seen
    assert seen.failure.kind is kind, seen.failure
    return seen.failure.detail


@pytest.mark.parametrize(
    "answer",
    [
        http_answer(200, GOOD),
        coded("identity", GOOD),
        coded("gzip", gzip.compress(GOOD)),
        coded("deflate", zlib.compress(GOOD)),
        coded("deflate", raw_deflate(GOOD)),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(GOOD), GOOD),
    ],
)
async def test_a_rule_on_the_body_is_judged_whatever_its_coding(
    check: HttpCheck, target: HttpTarget, answer: bytes
) -> None:
    target.routes["/"] = answer
    seen = await check.run(HttpSpec(url=target.url, assertions=(OK_STATUS,)), timeout_ms=1000)
    assert seen.failure is None
    assert target.arrivals[0].headers["accept-encoding"] == "gzip, deflate"


async def test_a_coding_is_offered_only_where_a_rule_looks_at_the_body(check: HttpCheck, target: HttpTarget) -> None:
    rules = (Assertion(Source.STATUS, None, Operator.LT, 300), Assertion(Source.LATENCY_MS, None, Operator.LT, 900))
    seen = await check.run(HttpSpec(url=target.url, assertions=rules), timeout_ms=1000)
    assert seen.failure is None
    assert "accept-encoding" not in target.arrivals[0].headers


async def test_a_rule_that_does_not_hold_fails_the_check(check: HttpCheck, target: HttpTarget) -> None:
    target.routes["/"] = http_answer(200, b'{"status": "degraded"}')
    seen = await check.run(HttpSpec(url=target.url, assertions=(OK_STATUS,)), timeout_ms=1000)
    words = failed(seen, FailureClass.ASSERTION_FAILED)
    assert words == 'json $.status eq "ok" does not hold: it is "degraded"'
    assert seen.status_code == 200


async def test_another_status_is_told_before_any_rule(check: HttpCheck, target: HttpTarget) -> None:
    target.routes["/"] = coded("br", b"\x00" * 100, 503)
    seen = await check.run(HttpSpec(url=target.url, assertions=(OK_STATUS,)), timeout_ms=1000)
    failed(seen, FailureClass.STATUS_MISMATCH)


async def test_rules_look_at_the_answer_behind_a_redirect(check: HttpCheck, target: HttpTarget) -> None:
    target.routes["/"] = http_answer(302, gzip.compress(bytes(1 << 20)), "Location: /end", "Content-Encoding: gzip")
    target.routes["/end"] = coded("gzip", gzip.compress(GOOD))
    seen = await check.run(HttpSpec(url=target.url, assertions=(OK_STATUS,)), timeout_ms=1000)
    assert seen.failure is None


BOMBS = [
    http_answer(200, bytes(3 << 20)),
    coded("gzip", gzip.compress(bytes(50 << 20), 9)),
    coded("deflate", zlib.compress(bytes(50 << 20), 9)),
    coded("deflate", raw_deflate(bytes(50 << 20))),
    coded("gzip, gzip", gzip.compress(gzip.compress(bytes(50 << 20), 9), 9)),
    coded("br", b"\x5b\xff\xff\x03" * 1000),
    coded("zstd", b"\x28\xb5\x2f\xfd" * 1000),
]


@pytest.mark.parametrize("bomb", BOMBS)
async def test_a_bomb_is_not_undone_beyond_the_bounds(check: HttpCheck, target: HttpTarget, bomb: bytes) -> None:
    target.routes["/"] = bomb
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begun = monotonic()
    seen = await check.run(HttpSpec(url=target.url, assertions=(OK_STATUS,)), timeout_ms=5000)
    assert monotonic() - begun < 2
    assert seen.failure is not None
    assert seen.failure.kind in {FailureClass.BODY_TOO_LARGE, FailureClass.PROTOCOL_ERROR}
    assert seen.bytes_read <= CAP + (64 << 10)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 16 << 10


@pytest.mark.parametrize("bomb", BOMBS)
async def test_without_a_rule_a_bomb_is_a_status_like_any_other(
    check: HttpCheck, target: HttpTarget, bomb: bytes
) -> None:
    target.routes["/"] = bomb
    seen = await check.run(HttpSpec(url=target.url), timeout_ms=5000)
    assert seen.failure is None
    assert seen.bytes_read <= CAP + (64 << 10)


async def test_a_body_above_the_cap_cannot_be_judged(check: HttpCheck, target: HttpTarget) -> None:
    target.routes["/"] = http_answer(200, b'{"status": "ok"}' + b" " * 5000)
    spec = HttpSpec(url=target.url, assertions=(OK_STATUS,), max_body_bytes=4096)
    seen = await check.run(spec, timeout_ms=1000)
    assert "4096 bytes" in failed(seen, FailureClass.BODY_TOO_LARGE)


@pytest.mark.parametrize(
    ("rule", "body"),
    [
        (Assertion(Source.BODY, None, Operator.MATCHES, "(a+)+$"), b"a" * 200_000 + b"!" * 800_000),
        (OK_STATUS, b'{"a":' * 10_000 + b"1" + b"}" * 10_000),
        (OK_STATUS, b'{"status": ' + b"1" * 1_000_000 + b"}"),
        (OK_STATUS, b"[" + b"[]," * 300_000 + b"1]"),
    ],
)
async def test_no_body_holds_the_loop_up(check: HttpCheck, target: HttpTarget, rule: Assertion, body: bytes) -> None:
    target.routes["/"] = http_answer(200, body)
    longest = 0.0

    async def watch() -> None:
        nonlocal longest
        while True:
            begun = monotonic()
            await asyncio.sleep(0.001)
            longest = max(longest, monotonic() - begun)

    async with asyncio.TaskGroup() as tasks:
        watching = tasks.create_task(watch(), name="watch")
        seen = await check.run(HttpSpec(url=target.url, assertions=(rule,)), timeout_ms=5000)
        watching.cancel()
    assert seen.failure is not None
    assert longest < 0.3


async def test_many_checks_with_rules_do_not_mix(check: HttpCheck, target: HttpTarget) -> None:
    def echo(arrival: Arrival) -> bytes:
        return http_answer(200, json.dumps({"path": arrival.path}).encode())

    paths = [f"/{number}" for number in range(50)]
    target.routes.update(dict.fromkeys(paths, echo))
    specs = [
        HttpSpec(url=target.url + path, assertions=(Assertion(Source.JSON, "$.path", Operator.EQ, path),))
        for path in paths
    ]
    seen = await asyncio.gather(*(check.run(spec, timeout_ms=3000) for spec in specs))
    assert [each.failure for each in seen] == [None] * 50
