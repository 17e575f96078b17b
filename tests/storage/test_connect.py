"""How the database is opened: durable, with one writer, read-only readers, and never on a network file system."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from statuspulse.storage import file_systems
from statuspulse.storage.connect import UnsuitableStorageError, open_engines, sqlite_url
from statuspulse.storage.database import Database
from statuspulse.storage.file_systems import network_file_system

MOUNTS = """\
/dev/vda / ext4 rw,relatime 0 0
server:/export /srv/share nfs4 rw,vers=4.2 0 0
tmpfs /srv/share/local tmpfs rw 0 0
//nas/backup /mnt/my\\040backup cifs rw 0 0
user@host: /home/user/remote fuse.sshfs rw 0 0
/dev/vdb /data ext4 rw 0 0
server:/data /data nfs rw 0 0
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/lib/statuspulse/statuspulse.db", None),
        ("/srv/share/statuspulse.db", "nfs4"),
        ("/srv/shared/statuspulse.db", None),
        ("/srv/share/local/statuspulse.db", None),
        ("/mnt/my backup/statuspulse.db", "cifs"),
        ("/home/user/remote/deep/down.db", "fuse.sshfs"),
        ("/data/statuspulse.db", "nfs"),
    ],
)
def test_a_network_file_system_is_known_by_the_last_mount_over_the_path(path: str, kind: str | None) -> None:
    assert network_file_system(Path(path), MOUNTS) == kind


def test_a_database_on_a_network_file_system_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(f"server:/x {tmp_path} nfs rw 0 0\n", encoding="utf-8")
    monkeypatch.setattr(file_systems, "_MOUNTS", mounts)
    with pytest.raises(UnsuitableStorageError, match=r"network file system .nfs.*STATUSPULSE_DATABASE_URL"):
        Database(sqlite_url(tmp_path / "statuspulse.db"))


def test_a_system_without_a_list_of_mounts_is_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_systems, "_MOUNTS", tmp_path / "none")
    open_engines(sqlite_url(tmp_path / "statuspulse.db")).dispose()


def test_sqlite_keeps_what_it_has_committed_through_a_power_cut(sqlite_database: Database) -> None:
    def pragmas(connection: Connection) -> list[object]:
        names = ("journal_mode", "synchronous", "wal_autocheckpoint", "busy_timeout", "foreign_keys", "trusted_schema")
        return [connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in (*names, "query_only")]

    assert sqlite_database.submit(pragmas).result(10) == ["wal", 2, 0, 5000, 1, 0, 0]
    assert sqlite_database.read_now(pragmas) == ["wal", 2, 0, 5000, 1, 0, 1]


def test_postgres_gives_up_in_time_and_commits_durably(postgres_emptied: str) -> None:
    def shown(connection: Connection) -> list[object]:
        names = (
            "timezone",
            "lock_timeout",
            "statement_timeout",
            "idle_in_transaction_session_timeout",
            "synchronous_commit",
            "transaction_isolation",
            "transaction_read_only",
        )
        return [connection.execute(text(f"SHOW {name}")).scalar_one() for name in names]

    database = Database(postgres_emptied)
    try:
        assert database.submit(shown).result(10) == ["UTC", "2s", "15s", "10s", "on", "read committed", "off"]
        assert database.read_now(shown) == ["UTC", "2s", "15s", "10s", "on", "repeatable read", "on"]
    finally:
        database.close()


def test_a_server_that_is_not_there_is_named_as_the_reason() -> None:
    engines = open_engines("postgresql://postgres@127.0.0.1:1/statuspulse")
    with pytest.raises(Exception, match="Connection refused"):
        engines.writer.connect()
    engines.dispose()
