"""What the operator reads at a start."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from statuspulse.app import welcome
from statuspulse.app.store import opened
from statuspulse.catalog import setup
from statuspulse.catalog.setup import FirstStart
from statuspulse.settings import load

NOW = 1_795_414_800_412


def test_the_command_for_a_lost_token_works_as_it_is_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "my data"
    settings = load({"STATUSPULSE_DATA_DIR": str(folder)}, tmp_path)
    with opened(settings, NOW) as store:
        keyring = store.keyring
        store.database.submit(
            lambda connection: setup.set_up(connection, keyring, bootstrap_token=None, now=NOW)
        ).result()
    monkeypatch.setattr(sys, "argv", [str(Path(welcome.__file__).parents[1] / "__main__.py"), "serve"])
    later = FirstStart(team_id="team_00000001", admin_token=None, local_probe_key=None)
    welcome.greet(settings, "http://127.0.0.1:8080", later)
    printed = capsys.readouterr().out
    command = printed.partition("make another: ")[2].splitlines()[0]
    assert command.startswith(f"STATUSPULSE_DATA_DIR={shlex.quote(str(folder))} {sys.executable} -m statuspulse")
    made = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=30)
    assert made.stdout.startswith("sk_live_")
