"""The recipes of `docs/retries.md` reach their end against a server that throttles them."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.peers.programs import program
from tests.system.server import TOKEN, Server, server

_PAGE = Path(__file__).parents[2] / "docs" / "retries.md"
_CALLS = 4


@pytest.fixture
def throttled(tmp_path: Path) -> Iterator[Server]:
    """A server that takes two writes at once, and one more each second."""
    with server(tmp_path) as served:
        served.settings["RATE_LIMITS"] = "api=0,writes=2/2,ip=0"
        served.start("--no-probe")
        yield served


def _block(language: str) -> str:
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", _PAGE.read_text(), re.DOTALL | re.MULTILINE)
    return str(found)


def test_the_line_for_a_shell_waits_and_gets_through(throttled: Server) -> None:
    line = _block("sh").replace("http://127.0.0.1:8080", throttled.url)
    curl = program("curl")
    environment = {**curl.environment(), "PATH": f"{curl.path.parent}{os.pathsep}{os.environ['PATH']}"}
    environment["STATUSPULSE_TOKEN"] = TOKEN
    for _ in range(_CALLS):
        subprocess.run(["bash", "-c", line], env=environment, check=True, timeout=60, capture_output=True)
    assert len(throttled.get("/monitors")["data"]) == _CALLS


def test_the_function_in_python_waits_and_gets_through(throttled: Server) -> None:
    named: dict[str, Any] = {}
    exec(compile(_block("python"), str(_PAGE), "exec"), named)
    statuses: list[int] = []

    class Watched(requests.Session):
        def request(self, *words: Any, **given: Any) -> requests.Response:
            answer = super().request(*words, **given)
            statuses.append(answer.status_code)
            return answer

    with Watched() as session:
        session.headers["Authorization"] = f"Bearer {TOKEN}"
        for number in range(_CALLS):
            body = {"name": f"Shop {number}", "type": "http", "url": "https://shop.example/"}
            answer = named["call"](session, "POST", f"{throttled.url}/v1/monitors", json=body)
            assert answer.status_code == 201
        refused = named["call"](session, "GET", f"{throttled.url}/v1/monitors/mon_zzzzzzzz")
    assert refused.status_code == 404
    assert statuses.count(429) >= 1
    assert statuses.count(201) == _CALLS
    assert statuses[-1:] == [404]
