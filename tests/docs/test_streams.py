"""What `docs/streams.md` shows works as it stands: the call hears what happens."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from tests.system.server import TOKEN, eventually, server

_PAGE = Path(__file__).parents[2] / "docs" / "streams.md"


def test_the_call_hears_what_happens(tmp_path: Path) -> None:
    (shown,) = re.findall(r"^```sh\n(.*?)^```$", _PAGE.read_text(), re.DOTALL | re.MULTILINE)
    heard = tmp_path / "heard"
    with server(tmp_path) as served, heard.open("wb") as output:
        served.start("--no-probe")
        call = shown.replace("http://127.0.0.1:8080", served.url).replace("sk_live_…", TOKEN)
        with subprocess.Popen(["bash", "-c", f"exec {call}"], stdout=output) as curl:
            try:
                eventually(lambda: "retry: 3000" in heard.read_text())
                monitor_id = served.create(name="Shop", type="http", url="http://127.0.0.1:9/", interval_seconds=3600)
                eventually(lambda: "event: monitor.created" in heard.read_text(), told=heard.read_text)
                assert monitor_id in heard.read_text()
            finally:
                curl.terminate()
