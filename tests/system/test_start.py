"""How the process begins and what keeps it from beginning: one line and an exit status, never a traceback."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from statuspulse.storage.connect import sqlite_module
from tests.forks import PROGRAM
from tests.system.server import START_SECONDS, TOKEN, Server, server

_HEAVY = ("fastapi", "pydantic", "sqlalchemy", "uvicorn", "pycurl", "msgspec", "structlog", "cryptography", "asyncio")


@pytest.fixture
def stopped(tmp_path: Path) -> Iterator[Server]:
    with server(tmp_path) as served:
        yield served


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data directory of a server that has run."""
    with server(tmp_path_factory.mktemp("filled")) as served:
        served.start("--no-probe")
        assert served.stop() == 0
        return served.data_dir


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One that runs, with a name among its settings that it does not know, where somebody had made the directory."""
    with server(tmp_path_factory.mktemp("started"), LISTN="127.0.0.1:9") as served:
        served.data_dir.mkdir(mode=0o755)
        served.start()
        yield served


def _refused(served: Server, *words: str) -> str:
    """The one line of a start that fails, or of another command."""
    run = served.launch(*words)
    assert served.ends(START_SECONDS) == 2
    assert run.said == ""
    return _only_line(run.complained)


def _only_line(text: str) -> str:
    """Log lines of a start are JSON; beside them stands what the operator shall read."""
    told = [line for line in text.splitlines() if not line.startswith("{")]
    assert len(told) == 1, text
    assert told[0].startswith("statuspulse: "), text
    return told[0].removeprefix("statuspulse: ")


def _change_database(served: Server, statement: str) -> None:
    connection = sqlite_module().connect(served.data_dir / "statuspulse.db")
    with connection:
        connection.execute(statement)
    connection.close()


def test_the_first_start_shows_address_data_and_token_and_the_second_no_token(stopped: Server) -> None:
    stopped.settings["BOOTSTRAP_TOKEN"] = ""
    stopped.is_installed = True
    said = stopped.start("--no-probe").said
    token = re.search(r"sk_live_\w+", said)
    assert token is not None
    assert said.count(token[0]) == 2
    assert re.search(r"api +http://127\.0\.0\.1:[1-9]\d*/v1 ", said)
    assert str(stopped.data_dir) in said
    assert stopped.call("GET", "/monitors", token=token[0]).status_code == 200
    # The printed command makes the first monitor as it stands.
    command = re.search(r"curl .*?\}'", said, re.DOTALL)
    assert command is not None
    made = subprocess.run(["sh", "-c", command[0]], capture_output=True, text=True, check=True, timeout=30)
    assert json.loads(made.stdout)["name"] == "Example"
    assert stopped.stop() == 0

    assert "sk_live_" not in stopped.start("--no-probe").said
    assert stopped.call("GET", "/monitors", token=token[0]).status_code == 200
    assert stopped.probe_pids == []
    assert "no probe" in stopped.run.said


def test_a_given_token_works_verbatim_and_is_not_shown(started: Server) -> None:
    assert started.call("GET", "/monitors").status_code == 200
    assert TOKEN not in started.run.said + started.run.complained
    assert "STATUSPULSE_BOOTSTRAP_TOKEN" in started.run.said


def test_a_name_that_is_not_known_is_remarked_on(started: Server) -> None:
    assert "STATUSPULSE_LISTN is not known; perhaps STATUSPULSE_LISTEN is meant" in started.run.said


def test_a_bad_setting_is_named_in_one_line_that_does_not_repeat_a_secret(stopped: Server) -> None:
    """Of every kind of setting: tests/cli/test_commands.py."""
    stopped.settings["BOOTSTRAP_TOKEN"] = "too short"
    told = _refused(stopped)
    assert "STATUSPULSE_BOOTSTRAP_TOKEN" in told
    assert "too short" not in told


def test_a_file_of_settings_that_is_none_is_named_in_one_line(stopped: Server) -> None:
    (stopped.folder / "statuspulse.toml").write_text("listen = 127.0.0.1:8080\n")
    assert _refused(stopped).startswith("statuspulse.toml: cannot be read")


def test_a_port_in_use_is_one_line_with_the_cure(stopped: Server) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        stopped.settings["LISTEN"] = address
        told = _refused(stopped)
    assert told == f"cannot listen on {address}: address already in use; choose another with STATUSPULSE_LISTEN"
    assert not stopped.data_dir.exists()


@pytest.mark.parametrize("host", ["203.0.113.7", "no.such.host.invalid", "::ffff:203.0.113.7"])
def test_an_address_that_is_not_ours_leaves_nothing_behind(stopped: Server, host: str) -> None:
    stopped.settings["LISTEN"] = f"[{host}]:8080" if ":" in host else f"{host}:8080"
    assert "STATUSPULSE_LISTEN" in _refused(stopped)
    assert not stopped.data_dir.exists()


def test_a_data_directory_that_cannot_be_made_is_one_line(stopped: Server) -> None:
    (stopped.folder / "data").write_text("a file stands where the directory should be")
    told = "a file stands in its place, or in its path; move that away, or name another with STATUSPULSE_DATA_DIR"
    assert _refused(stopped) == f"the data directory {stopped.data_dir} cannot be made: {told}"


def test_a_database_that_is_none_is_one_line(stopped: Server) -> None:
    stopped.data_dir.mkdir()
    (stopped.data_dir / "statuspulse.db").write_text("this has been something else all along\n" * 100)
    told = _refused(stopped)
    cure = "restore it from the backup"
    assert told == f"the database {stopped.data_dir}/statuspulse.db cannot be used: file is not a database; {cure}"


@pytest.mark.parametrize("name", ["lock", "secret.key", "probe-local"])
def test_a_file_that_cannot_be_used_is_one_line(stopped: Server, name: str) -> None:
    stopped.data_dir.mkdir()
    if name == "probe-local":
        (stopped.data_dir / name).write_text("no directory")
    else:
        (stopped.data_dir / name).mkdir()
    assert str(stopped.data_dir / name) in _refused(stopped)


def test_a_second_server_on_the_same_data_is_one_line(started: Server, tmp_path: Path) -> None:
    second = Server(tmp_path, {**started.settings, "DATA_DIR": str(started.data_dir)})
    assert _refused(second) == f"a running StatusPulse uses {started.data_dir}; stop it first"
    assert started.is_ready()
    second.settings["LISTEN"] = started.url.removeprefix("http://")
    assert _refused(second) == f"a running StatusPulse uses {started.data_dir}; stop it first"


def test_a_key_that_is_not_the_database_s_own_is_one_line(stopped: Server, filled: Path) -> None:
    shutil.copytree(filled, stopped.data_dir)
    (stopped.data_dir / "secret.key").write_text("00" * 32 + "\n")
    told = _refused(stopped)
    assert told == "the secret key is not the one that the database was filled under; restore secret.key"


def test_a_key_that_is_gone_is_one_line_and_no_other_is_made(stopped: Server, filled: Path) -> None:
    shutil.copytree(filled, stopped.data_dir)
    path = stopped.data_dir / "secret.key"
    path.unlink()
    told = _refused(stopped)
    assert told == f"the database was filled under a secret key that is gone; restore {path} from the backup"
    assert not path.exists()


def test_a_newer_schema_is_left_alone_in_one_line(stopped: Server, filled: Path) -> None:
    shutil.copytree(filled, stopped.data_dir)
    _change_database(stopped, "UPDATE alembic_version SET version_num = '9999'")
    assert "newer StatusPulse" in _refused(stopped)
    assert stopped.value("SELECT version_num FROM alembic_version") == "9999"


def test_a_data_directory_may_have_any_name(tmp_path: Path) -> None:
    folder = tmp_path / "50% of a b?c=d#e é"
    folder.mkdir()
    with server(folder) as served:
        served.start()
        assert served.stop() == 0
        assert sorted(path.name for path in served.data_dir.iterdir()) == [
            "ballast",
            "lock",
            "probe-local",
            "secret.key",
            "statuspulse.db",
        ]


def test_what_is_kept_is_for_its_owner_alone(started: Server) -> None:
    kept = {path.name: path.stat().st_mode & 0o077 for path in started.data_dir.iterdir()}
    assert {"statuspulse.db", "statuspulse.db-wal", "secret.key", "probe-local"} <= kept.keys()
    assert kept == dict.fromkeys(kept, 0)


def test_the_version_is_told_without_loading_the_product(stopped: Server) -> None:
    asked = (
        "import sys\n"
        "from statuspulse.cli.main import main\n"
        "try: main(['--version'])\n"
        f"except SystemExit: print([name for name in {_HEAVY!r} if name in sys.modules])\n"
    )
    python = PROGRAM.with_name("python")
    told = subprocess.run([python, "-c", asked], capture_output=True, text=True, check=True, timeout=30)
    assert told.stdout.splitlines() == [stopped.command("--version").stdout.strip(), "[]"]


def test_the_reference_that_the_api_names_is_alive_with_all_it_needs(started: Server) -> None:
    page = started.session.get(started.get("")["docs_url"], timeout=30)
    assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assets = re.findall(r'(?:href|src)="(/docs/assets/[^"]+)"', page.text)
    root = started.url.removesuffix("/v1")
    assert [started.session.get(root + path, timeout=30).status_code for path in assets] == [200, 200, 200]
    refused = started.get_raw("/v1/monitors").json()
    assert started.session.get(refused["error"]["doc_url"], timeout=30).status_code == 200
