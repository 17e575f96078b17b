"""The data directory: one process at a time, and a key that is made once and never replaced in silence."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from statuspulse import data_dir
from statuspulse.data_dir import DataDirError, InUseError
from statuspulse.storage.sealing import KEY_BYTES, Keyring


def test_it_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    data_dir.prepare(folder)
    data_dir.prepare(folder)
    assert folder.stat().st_mode & 0o777 == 0o700


def test_it_cannot_be_where_a_file_is(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataDirError, match="a file stands in its place, or in its path; move that"):
        data_dir.prepare(tmp_path / "file" / "data")


def test_a_directory_of_another_user_names_both_and_the_cure(tmp_path: Path) -> None:
    reason, cure = data_dir._not_allowed(tmp_path, 0, 4_000_000)
    assert reason == f"{tmp_path} belongs to user root, and this process runs as user 4000000"
    assert cure == "run it as user root, or chown it"
    assert data_dir._not_allowed(tmp_path, 7, 7)[1] == f"chmod u+rwX {tmp_path}"


_UNPRIVILEGED = 65534


@pytest.mark.skipif(os.geteuid() != 0, reason="to be somebody else takes root")
@pytest.mark.parametrize("name", ["", "below"])
def test_who_may_not_write_there_is_told_whose_it_is(name: str) -> None:
    with tempfile.TemporaryDirectory() as made:
        Path(made).chmod(0o755)
        with pytest.raises(DataDirError, match="belongs to user root, and this process runs as user") as caught:
            _as_somebody_else(lambda: data_dir.prepare(Path(made) / name))
    assert "or name another with STATUSPULSE_DATA_DIR" in str(caught.value)


def _as_somebody_else(work: Callable[[], None]) -> None:
    os.seteuid(_UNPRIVILEGED)
    try:
        work()
    finally:
        os.seteuid(0)


def test_one_process_at_a_time_holds_it(tmp_path: Path) -> None:
    with data_dir.held(tmp_path), pytest.raises(InUseError, match="stop it first"), data_dir.held(tmp_path):
        pass
    with data_dir.held(tmp_path):
        pass


def test_a_key_is_made_once(tmp_path: Path) -> None:
    made = data_dir.keyring(tmp_path, may_make=True)
    assert (tmp_path / "secret.key").stat().st_mode & 0o777 == 0o600
    assert data_dir.keyring(tmp_path, may_make=True).fingerprint == made.fingerprint
    assert data_dir.keyring(tmp_path, may_make=False).fingerprint == made.fingerprint


def test_a_key_that_is_gone_is_not_replaced(tmp_path: Path) -> None:
    with pytest.raises(DataDirError, match=r"restore .*secret\.key from the backup"):
        data_dir.keyring(tmp_path, may_make=False)
    assert not (tmp_path / "secret.key").exists()


@pytest.mark.parametrize("text", ["", "no key", "00" * (KEY_BYTES - 1), "00" * (KEY_BYTES + 1)])
def test_a_file_that_holds_no_key_is_refused_without_being_quoted(tmp_path: Path, text: str) -> None:
    (tmp_path / "secret.key").write_text(text)
    with pytest.raises(DataDirError, match="does not hold a secret key of 32 bytes") as caught:
        data_dir.keyring(tmp_path, may_make=True)
    assert not text or text not in str(caught.value)
    assert (tmp_path / "secret.key").read_text() == text


def test_a_key_that_was_written_by_hand_is_taken(tmp_path: Path) -> None:
    (tmp_path / "secret.key").write_text("AB" * KEY_BYTES)
    assert data_dir.keyring(tmp_path, may_make=False).fingerprint == Keyring(b"\xab" * KEY_BYTES).fingerprint


@pytest.mark.parametrize("name", ["lock", "secret.key"])
def test_a_directory_in_the_place_of_a_file_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    with pytest.raises(DataDirError, match=name), data_dir.held(tmp_path):
        data_dir.keyring(tmp_path, may_make=True)


def test_a_private_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "key"
    data_dir.write_private(path, "first\n")
    data_dir.write_private(path, "second\n")
    assert path.read_text() == "second\n"
    assert path.stat().st_mode & 0o777 == 0o600
    (tmp_path / "key.new").mkdir()
    with pytest.raises(DataDirError, match="key cannot be written"):
        data_dir.write_private(path, "third\n")
    assert path.read_text() == "second\n"
