"""The README is run as it stands: every block of shell, in order, in one shell, against a server of its own."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

from tests.delivery.receiver import Receiver
from tests.system.server import TOKEN, server
from tests.targets import HttpTarget

_ROOT = Path(__file__).parents[2]
_PATIENCE_SECONDS = 100.0
# A block that fails ends the script, and whatever ends the script ends what it has started.
_BEFORE = "set -eu -o pipefail\ntrap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n"


def _script() -> str:
    blocks = re.findall(r"^```sh\n(.*?)^```$", (_ROOT / "README.md").read_text(), re.DOTALL | re.MULTILINE)
    assert blocks
    return "\n".join(blocks)


def _free_port() -> int:
    """A port that nobody listens on, for connections and for datagrams."""
    while True:
        with socket.create_server(("127.0.0.1", 0)) as stream, socket.socket(type=socket.SOCK_DGRAM) as datagrams:
            port: int = stream.getsockname()[1]
            with contextlib.suppress(OSError):
                datagrams.bind(("127.0.0.1", port))
                return port


def _led_here(script: str, server_url: str, target_url: str) -> str:
    """The script with what is particular to a place: addresses, ports, the token and the interpreter."""
    here = {
        "http://127.0.0.1:8080": server_url,
        "https://api.acmecorp.com": target_url,
        "sk_live_…": TOKEN,
        ".venv/bin/python": sys.executable,
    }
    for said, meant in here.items():
        assert said in script, f"the README does not say {said} any more"
        script = script.replace(said, meant)
    ports = {port: str(_free_port()) for port in sorted(set(re.findall(r"\b91\d\d\b", script)))}
    return re.sub(r"\b91\d\d\b", lambda found: ports[found[0]], script)


def _run(script: str, folder: Path) -> tuple[int, str]:
    """Exit status and everything it printed; ends it with all that it has started."""
    told = folder / "told"
    with told.open("wb") as output:
        shell = subprocess.Popen(
            ["bash", "-c", _BEFORE + script],
            cwd=_ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            status = shell.wait(_PATIENCE_SECONDS)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(shell.pid, signal.SIGKILL)
            shell.wait()
    return status, told.read_text()


def test_the_check_of_the_tour_does_not_take_a_dead_server_for_a_good_one(tmp_path: Path) -> None:
    block = re.search(r"^triggered\(\) \{.*?nothing is open\"$", _script(), re.DOTALL | re.MULTILINE)
    assert block is not None
    names = ("PYTHON", "SHOP", "ORDERS", "NAMES", "STATUSPULSE_TOKEN")
    given = "".join(f"{name}={sys.executable}\n" for name in names) + f"API=http://127.0.0.1:{_free_port()}/v1\n"
    once = block[0].replace("seq 50", "seq 1")
    _, told = _run(f"{given}{once} || echo 'something is wrong'", tmp_path)
    assert "Failed to connect" in told or "onnection refused" in told
    assert "nothing is open" not in told
    assert told.endswith("something is wrong\n")


def test_the_readme_does_what_it_says(tmp_path: Path) -> None:
    with Receiver() as slack, HttpTarget() as target, server(tmp_path, SLACK_BASE_URL=slack.url) as served:
        served.start()
        status, told = _run(_led_here(_script(), served.url, target.url), tmp_path)
        assert status == 0, told
        for name in ("Shop", "Orders database", "Shop address"):
            shown = re.findall(rf"\b{name} is (\w+)\b.* \| \[(?:None|\{{'class': '(\w+)'.*)\]$", told, re.MULTILINE)
            assert shown == [("up", ""), ("down", "connect_refused"), ("up", "")], told
        assert "nothing is open" in told.splitlines()
        assert slack.arrivals == []
