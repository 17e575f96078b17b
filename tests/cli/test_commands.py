"""What commands have in common: how they end when something is wrong, and the help that shows how to begin."""

from __future__ import annotations

import gc
import os
import re
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from statuspulse import __version__
from statuspulse.cli.faults import REFUSED, WRONG_INPUT, told
from statuspulse.cli.main import main


@pytest.fixture(autouse=True)
def _away_from_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.startswith("STATUSPULSE_"):
            monkeypatch.delenv(name)


def _commands() -> list[list[str]]:
    """The words of every command and group."""
    found: list[list[str]] = []

    def walk(command: click.Command, words: list[str]) -> None:
        found.append(words)
        if isinstance(command, click.Group):
            for name, inner in command.commands.items():
                walk(inner, [*words, name])

    walk(main, [])
    return found


def test_an_error_becomes_one_line_and_the_status_of_its_kind(capsys: pytest.CaptureFixture[str]) -> None:
    statuses: dict[type[Exception], int] = {KeyError: REFUSED, LookupError: WRONG_INPUT}
    with pytest.raises(SystemExit) as ended, told(statuses):
        raise LookupError("first line\n  second line")
    assert ended.value.code == WRONG_INPUT
    assert capsys.readouterr().err == "statuspulse: first line second line\n"
    with pytest.raises(SystemExit) as ended, told(statuses):
        raise KeyError("a subclass")
    assert ended.value.code == REFUSED


def test_an_error_that_nobody_expected_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError), told({LookupError: REFUSED}):
        raise ZeroDivisionError


def test_the_version_is_told() -> None:
    assert CliRunner().invoke(main, ["--version"]).output == f"statuspulse {__version__}\n"


@pytest.mark.parametrize("words", _commands(), ids=" ".join)
def test_help_has_two_examples_of_commands_that_exist(words: list[str]) -> None:
    answered = CliRunner().invoke(main, [*words, "--help"])
    assert answered.exit_code == 0
    examples = answered.output.partition("Examples:\n")[2].partition("\n\n")[0].splitlines()
    assert len(examples) == 2
    for example in examples:
        called = re.search(r"statuspulse ((?:[a-z]+ )*[a-z]+)(?![a-z_])", example)
        assert called is not None
        assert called[1].split() in [*_commands(), ["admin"]]


@pytest.mark.parametrize("words", [["serve", "--port", "80"], ["admin", "seed"], ["probe"], ["sing"]], ids=" ".join)
def test_wrong_usage_is_status_two(words: list[str]) -> None:
    answered = CliRunner().invoke(main, words)
    assert answered.exit_code == WRONG_INPUT
    assert "Traceback" not in answered.output


@pytest.mark.parametrize("words", [["serve"], ["admin", "seed", "--file", "-"]], ids=" ".join)
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("LISTEN", "8080"),
        ("PUBLIC_URL", "status.example.com"),
        ("BOOTSTRAP_TOKEN", "too short"),
        ("MIN_INTERVAL_SECONDS", "0"),
        ("PROBE_DENY", "everything"),
        ("DELIVERY_ALLOW", "10.1.0.0/33"),
        ("SLACK_BASE_URL", "ftp://slack.example.com"),
        ("ROLES", "api,cook"),
        ("DATABASE_URL", "postgresql://localhost/statuspulse"),
        ("NATS_URL", "nats://localhost"),
    ],
)
def test_a_bad_setting_ends_a_command_before_it_touches_anything(
    tmp_path: Path, words: list[str], name: str, text: str
) -> None:
    given = {"STATUSPULSE_DATA_DIR": str(tmp_path / "data"), f"STATUSPULSE_{name}": text}
    answered = CliRunner().invoke(main, words, env=given, input="{}")
    assert answered.exit_code == WRONG_INPUT
    assert answered.stdout == ""
    assert answered.stderr.startswith(f"statuspulse: STATUSPULSE_{name}: ")
    assert answered.stderr.count("\n") == 1
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe"], ids=["none", "empty", "no text"])
def test_a_probe_without_a_key_is_one_line(tmp_path: Path, content: bytes | None) -> None:
    key = tmp_path / "key"
    if content is not None:
        key.write_bytes(content)
    words = ["probe", "--server", "http://127.0.0.1:9", "--data-dir", str(tmp_path / "probe"), "--key-file", str(key)]
    answered = CliRunner().invoke(main, words)
    assert answered.exit_code == WRONG_INPUT
    assert answered.stderr.startswith("statuspulse: ")
    assert str(key) in answered.stderr
    assert answered.stderr.count("\n") == 1
    assert not (tmp_path / "probe").exists()


def test_a_probe_without_any_key_makes_no_data_directory(tmp_path: Path) -> None:
    given = {"XDG_DATA_HOME": str(tmp_path / "share"), "HOME": str(tmp_path)}
    folder = tmp_path / "far"
    words = ["probe", "--server", "http://127.0.0.1:9", "--data-dir", str(folder)]
    answered = CliRunner().invoke(main, words, env=given)
    assert answered.exit_code == WRONG_INPUT
    assert "set STATUSPULSE_PROBE_KEY or name a file with --key-file" in answered.stderr
    assert not folder.exists()
    assert "--end-with-stdin" not in CliRunner().invoke(main, ["probe", "--help"]).output


def test_a_seed_that_is_no_json_is_named(tmp_path: Path) -> None:
    file = tmp_path / "objects.json"
    file.write_text("{]")
    given = {"STATUSPULSE_DATA_DIR": str(tmp_path / "data")}
    answered = CliRunner().invoke(main, ["admin", "seed", "--file", str(file)], env=given)
    assert answered.exit_code == WRONG_INPUT
    assert answered.stderr.startswith(f"statuspulse: {file} is not valid JSON: ")


def test_a_command_searches_its_memory_less_often_than_python_would() -> None:
    before, usual = gc.get_threshold(), (700, 10, 10)
    gc.set_threshold(*usual)
    try:
        assert CliRunner().invoke(main, ["serve", "--help"]).exit_code == 0
        assert all(ours > theirs for ours, theirs in zip(gc.get_threshold(), usual, strict=True))
    finally:
        gc.set_threshold(*before)
