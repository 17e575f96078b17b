"""The way to a probe in another region is gone as `docs/operating.md` shows it."""

from __future__ import annotations

import json
import re
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

from tests.forks import PROGRAM
from tests.system.server import TOKEN, eventually, server

_PAGE = Path(__file__).parents[2] / "docs" / "operating.md"


def _block(language: str, word: str) -> str:
    """The one block of the page that says the word."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", _PAGE.read_text(), re.DOTALL | re.MULTILINE)
    (found,) = [block for block in blocks if word in block]
    return str(found)


def test_a_probe_in_another_region_is_made_and_joins(tmp_path: Path) -> None:
    with server(tmp_path) as served:
        served.start("--no-probe")
        call = _block("sh", "/v1/probes").replace("http://127.0.0.1:8080", served.url).replace("sk_live_…", TOKEN)
        answer = subprocess.run(["bash", "-c", call], capture_output=True, text=True, check=True, timeout=30)
        made = json.loads(answer.stdout)
        join = _block("text", "PROBE_KEY").strip().replace("https://status.example.com", served.url)
        join = join.replace("prb_live_…", made["key"]).replace(" statuspulse ", f" exec {PROGRAM} ")
        with (tmp_path / "log").open("wb") as log:
            words = ["bash", "-c", f"export {join.replace(' exec', '; exec')} --data-dir {tmp_path / 'far'}"]
            probe = subprocess.Popen(words, env=served.environment(), stdout=log, stderr=log)
        try:
            path = f"/probes/{made['id']}"
            eventually(lambda: served.get(path)["status"] == "online", told=(tmp_path / "log").read_text)
            (region,) = [found for found in served.get("/regions")["data"] if found["slug"] == "eu-west"]
            assert (region["name"], region["probes_online"]) == ("Frankfurt", 1)
            kept = tmp_path / "far" / "key"
            assert (kept.read_text().strip(), kept.stat().st_mode & 0o777) == (made["key"], 0o600)
        finally:
            probe.send_signal(signal.SIGTERM)
            assert probe.wait(20) == 0


def test_the_backup_of_a_running_server_holds_what_was_stored(tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    backup.mkdir()
    with server(tmp_path) as served:
        served.start("--no-probe")
        folder = served.environment()["STATUSPULSE_DATA_DIR"]
        command = (
            _block("text", "VACUUM INTO").replace("/var/lib/statuspulse", folder).replace("/backup/", f"{backup}/")
        )
        command = command.replace("python -c", f"{sys.executable} -c", 1)
        subprocess.run(["bash", "-c", command], check=True, timeout=30)
    database = sqlite3.connect(backup / "statuspulse.db")
    try:
        assert database.execute("SELECT slug FROM teams").fetchall() == [("default",)]
    finally:
        database.close()
    assert (backup / "secret.key").stat().st_size > 0
