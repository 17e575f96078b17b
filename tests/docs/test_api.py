"""What `docs/api.md` shows of changes on a condition works as it stands."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import requests

from tests.peers.programs import program
from tests.system.server import TOKEN, server

_PAGE = Path(__file__).parents[2] / "docs" / "api.md"


def test_a_change_on_a_condition_is_made_once(tmp_path: Path) -> None:
    section = _PAGE.read_text().split("\n## Changes on a condition\n")[1].split("\n## ")[0]
    (block,) = re.findall(r"^```sh\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)
    curl = program("curl")
    environment = {**curl.environment(), "PATH": f"{curl.path.parent}{os.pathsep}{os.environ['PATH']}"}
    environment["STATUSPULSE_TOKEN"] = TOKEN
    with server(tmp_path) as served:
        served.start("--no-probe")
        made = requests.post(
            f"{served.url}/v1/channels",
            json={"url": "https://ops.example/hooks/alerts"},
            headers={"Authorization": f"Bearer {TOKEN}"},
            timeout=30,
        ).json()
        script = block.replace("http://127.0.0.1:8080", served.url).replace("nch_8k2m4p6q", made["id"])

        def answer(lines: str) -> Any:
            run = subprocess.run(
                ["bash", "-e", "-c", lines], env=environment, cwd=tmp_path, check=True, timeout=60, capture_output=True
            )
            return json.loads(run.stdout)

        changed = answer(script)
        assert (changed["name"], changed["version"]) == ("Night shift", made["version"] + 1)
        again = answer("curl -sS -X PATCH" + script.split("curl -sS -X PATCH")[1])
        assert again["error"]["code"] == "precondition_failed"
        assert again["error"]["details"][0]["current_version"] == changed["version"]
