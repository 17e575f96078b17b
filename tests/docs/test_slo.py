"""What `docs/slo.md` shows works as it stands: objectives are made, and reported on in three forms."""

from __future__ import annotations

import json
import re
import subprocess
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from tests.system.server import TOKEN, Server, server

_PAGE = Path(__file__).parents[2] / "docs" / "slo.md"
_ZONE = ZoneInfo("America/New_York")  # of the month that is reported on
_ONE = {"name": "Checkout", "type": "http", "url": "http://127.0.0.1:9/", "interval_seconds": 3600, "tags": ["prod"]}


def test_objectives_are_made_and_reported_on(tmp_path: Path) -> None:
    own, others, reports = re.findall(r"^```sh\n(.*?)^```$", _PAGE.read_text(), re.DOTALL | re.MULTILINE)
    with server(tmp_path) as served:
        served.start("--no-probe")
        names = {"mon_9x2k4p7q": served.create(**_ONE), "2026-10": f"{datetime.now(_ZONE):%Y-%m}"}
        (changed,) = _run(served, own, names, tmp_path)
        assert changed["sla"] == {"objective_pct": 99.9, "window": "30d", "latency_threshold_ms": None}
        month, latency = _run(served, others, names, tmp_path)
        assert (month["window"], month["status"], len(month["notify"])) == ("calendar_month", "no_data", 1)
        assert (latency["tags"], latency["latency_threshold_ms"]) == (["prod"], 300)
        (told,) = _run(served, reports, names | {"slo_3c5e7g9j": month["id"]}, tmp_path)
        assert (told["object"], told["met"]) == ("slo_report", None)
        assert (tmp_path / "report.csv").read_text().startswith('"row","slo_id",')
        assert (tmp_path / "report.html").read_text().startswith("<!doctype html>")
        assert len(served.get("/slos")["data"]) == 3


def _run(served: Server, shown: str, names: dict[str, str], folder: Path) -> list[dict[str, Any]]:
    """The answers that a block of calls prints."""
    script = shown.replace("http://127.0.0.1:8080", served.url).replace("sk_live_…", TOKEN)
    for name, value in names.items():
        script = script.replace(name, value)
    run = subprocess.run(
        ["bash", "-e", "-c", script], capture_output=True, text=True, check=True, timeout=60, cwd=folder
    )
    decoder, text, answers = json.JSONDecoder(), run.stdout, []
    while text:
        answer, end = decoder.raw_decode(text)
        answers.append(answer)
        text = text[end:].lstrip()
    return answers
