"""Liveness, readiness, metrics and what answers here."""

from __future__ import annotations

import asyncio
from pathlib import Path

from statuspulse import __version__
from statuspulse.api.dependencies import CheckOutcome
from tests.api.server import PUBLIC_URL, READER, Api, running


def test_the_root_says_what_answers(api: Api) -> None:
    document = api.call("GET", "/v1", token=None).json()
    assert (document["object"], document["version"]) == ("api", __version__)
    assert document["docs_url"] == f"{PUBLIC_URL}/docs"


def test_health_needs_no_token_and_no_envelope(api: Api) -> None:
    answer = api.call("GET", "/healthz", token=None)
    assert (answer.status_code, answer.json()) == (200, {"object": "health", "status": "pass"})


def test_readiness_tells_every_check_and_the_failing_ones(tmp_path: Path) -> None:
    async def holds() -> CheckOutcome:
        return CheckOutcome(ok=True, value=None)

    async def lags() -> CheckOutcome:
        return CheckOutcome(ok=False, value=12.5)

    async def breaks() -> CheckOutcome:
        raise OSError("secret reason")

    async def hangs() -> CheckOutcome:
        await asyncio.Event().wait()
        raise AssertionError

    with running(
        tmp_path, checks={"database": holds, "scheduler_lag_seconds": lags, "clock": breaks, "bus": hangs}
    ) as api:
        answer = api.call("GET", "/readyz", token=None)
    assert answer.status_code == 503
    assert answer.json() == {
        "object": "readiness",
        "status": "fail",
        "checks": {"database": "pass", "scheduler_lag_seconds": 12.5, "clock": "fail", "bus": "fail"},
        "failing": ["scheduler_lag_seconds", "clock", "bus"],
    }
    assert "secret" not in answer.text


def test_a_ready_instance_answers_200(api: Api) -> None:
    answer = api.call("GET", "/readyz", token=None)
    assert (answer.status_code, answer.json()["status"], answer.json()["checks"]) == (200, "pass", {"database": "pass"})


def test_metrics_show_a_team_only_to_its_token(api: Api) -> None:
    alone = api.call("GET", "/metrics", token=None)
    assert alone.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert "# team None" in alone.text
    assert "# team team_" in api.call("GET", "/metrics", token=READER).text
    assert api.call("GET", "/metrics", token="sk_live_0000000000000000").status_code == 401
    assert api.call("GET", "/metrics", token=api.probe_key).status_code == 403
