"""What `docs/maintenance.md` shows works as it stands: plan, preview, begin, end, skip and cancel."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

from tests.system.server import TOKEN, server

_PAGE = Path(__file__).parents[2] / "docs" / "maintenance.md"


def test_the_calls_plan_preview_begin_end_skip_and_cancel(tmp_path: Path) -> None:
    plan, preview, begin, end, skip, cancel = re.findall(
        r"^```sh\n(.*?)^```$", _PAGE.read_text(), re.DOTALL | re.MULTILINE
    )
    with server(tmp_path) as served:
        served.start("--no-probe")
        monitor = served.create(name="Shop", type="http", url="https://shop.example/", tags=["prod"])
        names = {"MONITOR": monitor}

        def run(call: str) -> dict[str, Any]:
            written = call.replace("http://127.0.0.1:8080", served.url).replace("sk_live_…", TOKEN)
            shell = subprocess.run(
                ["bash", "-c", written],
                capture_output=True,
                text=True,
                check=True,
                timeout=30,
                env={**os.environ, **names},
            )
            answer: dict[str, Any] = json.loads(shell.stdout)
            return answer

        window = run(plan)
        names["WINDOW"] = window["id"]
        assert window["next_occurrence"]["start_at"] == "2030-01-06T07:00:00.000Z"
        # The clock goes forward on the tenth.
        assert [one["start_at"][5:16] for one in run(preview)["data"]] == [
            *("03-03T07:00", "03-10T07:00", "03-17T06:00", "03-24T06:00", "03-31T06:00")
        ]
        started = run(begin)
        names["STARTED"] = started["id"]
        assert started["status"] == "active"
        assert served.get(f"/status/{names['MONITOR']}")["state"] == "maintenance"
        assert run(end)["status"] == "ended"
        assert run(skip)["next_occurrence"]["start_at"] == "2030-01-13T07:00:00.000Z"
        assert run(cancel)["status"] == "cancelled"
