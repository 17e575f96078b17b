"""The HTTP check and curl look at the same nginx and see the same."""

from __future__ import annotations

from dataclasses import asdict
from time import time_ns
from typing import Any, Literal

import pytest

from statuspulse.domain.assertion import Assertion, Operator, Source
from statuspulse.domain.failure import FailureClass
from statuspulse.domain.specs.http import HttpSpec
from statuspulse.egress.gate import Gate
from statuspulse.probe.http import HttpCheck
from tests.peers.agreement import Phases, disagreements
from tests.peers.conftest import GOOD, SLOW_SECONDS
from tests.peers.curl import Curl
from tests.peers.nginx import PAGE, Web

_SLOW_US = int(SLOW_SECONDS * 1_000_000)


@pytest.fixture
def check(gate: Gate) -> HttpCheck:
    return HttpCheck(gate, lambda: time_ns() // 1_000_000)


async def differing(check: HttpCheck, curl: Curl, url: str, slow: str | None) -> list[str]:
    """Where the two differ; the slow phase was slow for both."""

    async def ours() -> Phases:
        seen = await check.run(HttpSpec(url=url), timeout_ms=10_000)
        assert seen.failure is None
        assert seen.latency_us is not None
        phases = {name: us for name, us in asdict(seen.phases).items() if us is not None}
        assert slow is None or phases[slow] > _SLOW_US / 2
        return phases | {"total": seen.latency_us}

    async def reference() -> Phases:
        return (await curl.get(url)).phases

    return await disagreements(ours, reference)


@pytest.mark.parametrize(("path", "slow"), [("/page", None), ("/slow", "ttfb_us"), ("/large", "transfer_us")])
async def test_the_phases_are_those_of_curl(
    check: HttpCheck, web: Web, curl: Curl, path: str, slow: str | None
) -> None:
    assert await differing(check, curl, web.url + path, slow) == []


@pytest.mark.parametrize(("path", "slow"), [("/page", None), ("/slow", "ttfb_us"), ("/large", "transfer_us")])
async def test_the_phases_over_tls_are_those_of_curl(
    check: HttpCheck, web: Web, curl: Curl, path: str, slow: str | None
) -> None:
    assert await differing(check, curl, web.url_of(GOOD) + path, slow) == []


async def test_a_slow_handshake_is_the_tls_phase_for_both(check: HttpCheck, waiting: int, curl: Curl) -> None:
    assert await differing(check, curl, f"https://{GOOD}:{waiting}/page", "tls_us") == []


@pytest.mark.parametrize("members", [{}, {"http_version": "2"}, {"http_version": "1.1"}])
async def test_status_and_size_are_those_of_curl(
    check: HttpCheck, web: Web, curl: Curl, members: dict[str, Any]
) -> None:
    options = {"2": ["--http2"], "1.1": ["--http1.1"]}.get(members.get("http_version", ""), [])
    for path in ("/page", "/large", "/nowhere"):
        url = web.url_of(GOOD) + path
        seen = await check.run(HttpSpec(url=url, expected_status=((200, 499),), **members), timeout_ms=5000)
        told = await curl.get(url, *options)
        assert (seen.failure, seen.status_code, seen.bytes_read) == (None, told.status, told.size)
        assert told.http_version == members.get("http_version", "2")


@pytest.mark.parametrize(("version", "protocol"), [("2", "HTTP/2.0"), ("1.1", "HTTP/1.1")])
async def test_nginx_is_asked_in_the_version_that_is_wanted(
    check: HttpCheck, web: Web, version: Literal["1.1", "2"], protocol: str
) -> None:
    rule = Assertion(Source.BODY, None, Operator.EQ, protocol)
    spec = HttpSpec(url=web.url_of(GOOD) + "/version", http_version=version, assertions=(rule,))
    assert (await check.run(spec, timeout_ms=5000)).failure is None


async def test_nginx_does_not_speak_http_2_in_the_clear(check: HttpCheck, web: Web) -> None:
    plain = await check.run(HttpSpec(url=web.url + "/version", http_version="2"), timeout_ms=5000)
    assert plain.failure is not None
    assert plain.failure.kind is FailureClass.PROTOCOL_ERROR


async def test_a_redirect_takes_as_long_as_curl_says(check: HttpCheck, web: Web, curl: Curl) -> None:
    url = web.url + "/moved"

    async def ours() -> Phases:
        seen = await check.run(HttpSpec(url=url), timeout_ms=5000)
        assert (seen.failure, seen.status_code) == (None, 200)
        assert seen.latency_us is not None
        return {"total": seen.latency_us}

    async def reference() -> Phases:
        told = await curl.get(url, "--location")
        assert told.status == 200
        return {"total": told.phases["total"]}

    assert await disagreements(ours, reference) == []
    stays = await check.run(HttpSpec(url=url, follow_redirects=False, expected_status=((301, 301),)), timeout_ms=5000)
    assert (stays.failure, (await curl.get(url)).status) == (None, 301)


@pytest.mark.parametrize("version", ["1.1", "2"])
async def test_what_nginx_compresses_is_judged_as_it_was_written(
    check: HttpCheck, web: Web, version: Literal["1.1", "2"]
) -> None:
    rules = (
        Assertion(Source.HEADER, "content-encoding", Operator.EQ, "gzip"),
        Assertion(Source.BODY, None, Operator.EQ, PAGE),
    )
    spec = HttpSpec(url=web.url_of(GOOD) + "/page", http_version=version, assertions=rules)
    seen = await check.run(spec, timeout_ms=5000)
    assert seen.failure is None, seen
    assert seen.bytes_read < len(PAGE)
