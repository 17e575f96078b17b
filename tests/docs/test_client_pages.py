"""`docs/cli.md` and `docs/client.md` are run as they stand, against a server of their own."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.system.server import TOKEN, Server, server

_DOCS = Path(__file__).parents[2] / "docs"
_USUAL = "http://127.0.0.1:8080"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with server(tmp_path_factory.mktemp("pages")) as running:
        running.start("--no-probe")
        yield running


def _blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", (_DOCS / page).read_text(), re.DOTALL | re.MULTILINE)


def test_the_commands_do_what_the_page_says(served: Server) -> None:
    (script,) = _blocks("cli.md", "sh")
    assert _USUAL in script
    script = script.replace(_USUAL, served.url).replace("sk_live_…", TOKEN)
    command = f'statuspulse() {{ {sys.executable} -m statuspulse "$@"; }}\n'
    told = subprocess.run(
        ["bash", "-c", f"set -eu\n{command}{script}"],
        cwd=served.folder,
        env=served.environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert told.returncode == 0, told.stderr
    assert "Shop" in told.stdout
    assert "Deploy 42 failed" in told.stdout


def test_the_program_does_what_the_page_says(served: Server, capsys: pytest.CaptureFixture[str]) -> None:
    program, webhook = _blocks("client.md", "python")
    assert _USUAL in program
    names: dict[str, Any] = {"token": TOKEN}
    exec(program.replace(_USUAL, served.url), names)
    assert "Shop pending None" in capsys.readouterr().out
    assert names["incident"].state == "triggered"
    exec(webhook.partition("\n\n")[0], names)
    with pytest.raises(names["WebhookError"]):
        names["verify"]("whsec_", {}, b"", 0)
