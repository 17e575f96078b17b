"""`statuspulse admin token`: the way back for an operator who has no token left."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from statuspulse import data_dir
from statuspulse.app.store import opened
from statuspulse.catalog import setup
from statuspulse.cli.main import main
from statuspulse.domain.access import may_be_token
from statuspulse.settings import load
from statuspulse.storage import audit, tokens
from statuspulse.storage.tokens import FoundToken

NOW = 1_795_414_800_412


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A data directory with two teams, as a server leaves it."""
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.startswith("STATUSPULSE_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("STATUSPULSE_DATA_DIR", str(tmp_path / "data"))
    with opened(load(os.environ, tmp_path), NOW) as store:
        database, keyring = store.database, store.keyring
        database.submit(lambda connection: setup.set_up(connection, keyring, bootstrap_token=None, now=NOW)).result()
        database.submit(lambda connection: setup.new_team(connection, slug="payments", name="P", now=NOW)).result()
    return tmp_path


def run(*words: str) -> Result:
    return CliRunner().invoke(main, ["admin", "token", *words])


def found(folder: Path, text: str) -> FoundToken:
    with opened(load(os.environ, folder), NOW) as store:
        digest = store.keyring.digest("token", text)
        token = store.database.read_now(lambda connection: tokens.by_digest(connection, digest))
    assert token is not None
    return token


def test_a_token_is_the_only_line_on_standard_output(folder: Path) -> None:
    result = run("create", "--name", "lost the other")
    text = result.stdout.strip()
    assert (result.exit_code, may_be_token(text), text[:8]) == (0, True, "sk_live_")
    assert text not in result.stderr
    token = found(folder, text)
    assert (token.token.name, token.token.scopes, token.token.expires_at) == ("lost the other", ("admin",), None)
    assert [(team.slug, team.is_first) for team in token.teams] == [("default", True)]


def test_teams_scopes_days_and_networks_can_be_chosen(folder: Path) -> None:
    words = "--team payments --team default --scope read --scope tokens:read --days 30 --network 192.0.2.0/24"
    token = found(folder, run("create", *words.split()).stdout.strip())
    assert [team.slug for team in token.teams] == ["default", "payments"]
    assert (token.token.scopes, token.token.networks) == (("read", "tokens:read"), ("192.0.2.0/24",))
    assert token.token.expires_at == token.token.created_at + 30 * 86_400_000


def test_the_audit_log_of_every_team_tells_of_it(folder: Path) -> None:
    token = found(folder, run("create", "--team", "payments", "--team", "default").stdout.strip())
    with opened(load(os.environ, folder), NOW) as store:
        for team in token.teams:
            (entry,) = store.database.read_now(partial(audit.entries, team_id=team.id, limit=1))
            assert (entry.action, entry.actor.type, entry.resource) == ("token.created", "operator", token.token.id)


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (["--scope", "everything"], 2, "everything is no scope; there are read, write, admin"),
        (["--network", "192.0.2.7/24"], 2, "192.0.2.0/24 is meant"),
        (["--team", "nobody"], 3, "there is no team nobody; there are default, payments"),
        (["--days", "0"], 2, "--days"),
        (["--name", " "], 2, "--name must not be empty"),
    ],
)
def test_what_cannot_be_is_one_line_with_the_cure(words: list[str], status: int, told: str) -> None:
    result = run("create", *words)
    assert (result.exit_code, result.stdout) == (status, "")
    assert told in result.stderr


def test_tokens_are_listed_without_their_texts(folder: Path) -> None:
    text = run("create", "--name", "listed", "--scope", "read").stdout.strip()
    token = found(folder, text).token
    lines = run("list").stdout.splitlines()
    assert len(lines) == 2
    assert lines[1].split("  ") == [
        token.id,
        f"sk_live_…{text[-4:]}",
        "default",
        "read",
        "from anywhere",
        "used never",
        "ends never",
        "listed",
    ]
    assert text not in "".join(lines)


def test_a_token_is_revoked_by_its_id(folder: Path) -> None:
    text = run("create").stdout.strip()
    token_id = found(folder, text).token.id
    assert run("revoke", token_id).stderr == f"token {token_id} revoked\n"
    assert found(folder, text).token.revoked_at is not None
    assert run("revoke", token_id).stderr == f"token {token_id} was already revoked\n"
    assert "  revoked " in run("list").stdout
    assert run("revoke", "tok_zzzzzzzz").exit_code == 3


def test_a_running_server_keeps_it_out(folder: Path) -> None:
    with data_dir.held(folder / "data"):
        result = run("list")
    assert result.exit_code == 1
    assert "stop it first" in result.stderr


def test_before_the_first_start_there_is_no_team(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATUSPULSE_DATA_DIR", str(folder / "empty"))
    with opened(load(os.environ, folder), NOW):
        pass
    result = run("create")
    assert result.exit_code == 3
    assert "there are none before the first start of the server" in result.stderr


@pytest.mark.parametrize("words", [["create"], ["list"], ["revoke", "tok_zzzzzzzz"]], ids=" ".join)
def test_a_directory_without_a_database_is_refused_and_stays_as_it_is(
    folder: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    monkeypatch.setenv("STATUSPULSE_DATA_DIR", str(folder / "elsewhere"))
    result = run(*words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"no database in {folder / 'elsewhere'}; set STATUSPULSE_DATA_DIR" in result.stderr
    assert not (folder / "elsewhere").exists()
