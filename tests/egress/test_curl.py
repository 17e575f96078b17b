"""libcurl on the event loop: both kinds of loop, both kinds of readiness, many transfers, late ones."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from time import monotonic
from typing import Any

import pycurl
import pytest
import uvloop

from statuspulse.egress import curl
from statuspulse.egress.curl import CurlLoop
from statuspulse.egress.readiness import LoopReadiness
from tests.targets import HttpTarget, Mood, http_answer, until

Run = Callable[[Coroutine[Any, Any, None]], None]


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    return asyncio.run if request.param == "asyncio" else uvloop.run


@pytest.fixture(params=["own", "of the loop"])
def each_readiness(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "of the loop":
        monkeypatch.setattr(curl, "readiness", LoopReadiness)


def handle(url: str, *, timeout_ms: int = 2000, body: bytearray | None = None) -> pycurl.Curl:
    made = pycurl.Curl()
    made.setopt(pycurl.URL, url)
    made.setopt(pycurl.NOSIGNAL, 1)
    made.setopt(pycurl.PROXY, "")
    made.setopt(pycurl.FORBID_REUSE, 1)
    made.setopt(pycurl.TIMEOUT_MS, timeout_ms)
    made.setopt(pycurl.WRITEFUNCTION, (body if body is not None else bytearray()).extend)
    return made


@pytest.mark.usefixtures("each_readiness")
def test_many_transfers_run_at_once(run: Run) -> None:
    async def main() -> None:
        loop = CurlLoop()
        handles = [handle(target.url) for _ in range(200)]
        ends = await asyncio.gather(*(loop.perform(each, monotonic() + 5) for each in handles))
        assert {code for code, _ in ends} == {0}
        again = await loop.perform(handles[0], monotonic() + 5)
        assert again == (0, "")
        loop.close()

    with HttpTarget() as target:
        target.delay_seconds = 0.01
        run(main())
        assert target.connections == 201


@pytest.mark.usefixtures("each_readiness")
def test_a_large_body_comes_whole(run: Run) -> None:
    content = bytes(range(256)) * 40_000

    async def main() -> None:
        loop, body = CurlLoop(), bytearray()
        assert await loop.perform(handle(target.url, body=body), monotonic() + 5) == (0, "")
        assert body == content
        loop.close()

    with HttpTarget() as target:
        target.routes["/"] = http_answer(200, content)
        run(main())


@pytest.mark.usefixtures("each_readiness")
def test_a_time_out_comes_in_time(run: Run) -> None:
    async def main() -> None:
        loop = CurlLoop()
        begun = monotonic()
        code, _ = await loop.perform(handle(target.url, timeout_ms=200), monotonic() + 5)
        assert code == pycurl.E_OPERATION_TIMEDOUT
        assert 0.15 < monotonic() - begun < 2
        loop.close()

    with HttpTarget(mood=Mood.SILENT) as target:
        run(main())


def test_a_shorter_time_out_is_not_held_up_by_a_longer_one(run: Run) -> None:
    async def main() -> None:
        loop = CurlLoop()
        long = loop.perform(handle(target.url, timeout_ms=1000), monotonic() + 5)
        await asyncio.sleep(0.05)
        await loop.perform(handle(target.url, timeout_ms=100), monotonic() + 5)
        assert not long.done()
        loop.close()
        assert (await long)[0] == pycurl.E_ABORTED_BY_CALLBACK

    with HttpTarget(mood=Mood.SILENT) as target:
        run(main())


def test_what_libcurl_does_not_end_is_killed(run: Run) -> None:
    async def main() -> None:
        loop = CurlLoop()
        begun = monotonic()
        end = await loop.perform(handle(target.url, timeout_ms=30_000), monotonic() + 0.2)
        assert end == (pycurl.E_OPERATION_TIMEDOUT, "killed after its deadline")
        assert monotonic() - begun < 2
        loop.close()

    with HttpTarget(mood=Mood.SILENT) as target:
        run(main())


@pytest.mark.usefixtures("each_readiness")
def test_an_abandoned_transfer_ends_and_its_handle_is_free(run: Run) -> None:
    async def main() -> None:
        loop = CurlLoop()
        used = handle(target.url)
        ignored = loop.perform(used, monotonic() + 5)
        await until(lambda: target.arrivals)
        loop.abandon(used)
        loop.abandon(used)
        target.heal()
        assert await loop.perform(used, monotonic() + 5) == (0, "")
        assert not ignored.done()
        ignored.cancel()
        loop.close()

    with HttpTarget(mood=Mood.SILENT) as target:
        run(main())


def test_closing_before_anything_began_is_quiet(run: Run) -> None:
    async def main() -> None:
        loop = CurlLoop()
        waiting = loop.perform(handle("http://127.0.0.1:1/"), monotonic() + 5)
        loop.close()
        await asyncio.sleep(0)
        assert (await waiting)[0] == pycurl.E_ABORTED_BY_CALLBACK

    run(main())


def test_one_that_gave_up_waiting_is_not_told(run: Run) -> None:
    async def main() -> None:
        loop = CurlLoop()
        cancelled = loop.perform(handle(target.url), monotonic() + 5)
        cancelled.cancel()
        assert await loop.perform(handle(target.url), monotonic() + 5) == (0, "")
        await until(lambda: target.connections == 2)
        loop.close()

    with HttpTarget() as target:
        run(main())
