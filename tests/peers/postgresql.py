"""A PostgreSQL that speaks TLS, which the one of the storage tests does not."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.peers.pki import Pair
from tests.peers.programs import Program, program
from tests.postgres import account_for, listening_postgres

_BINARIES = ("usr/lib/postgresql/*/bin", "usr/bin")


@contextmanager
def postgresql(pair: Pair) -> Iterator[int]:
    """The port on which it takes connections in the clear and, when asked, with TLS."""
    folder = Path(tempfile.mkdtemp(prefix="sp-pg-tls-"))
    try:
        found = _reachable(program("postgres", folders=_BINARIES), folder)
        files = [shutil.copy(path, folder) for path in (pair.chain, pair.key)]
        for file in map(Path, files):
            file.chmod(0o600)
            account_for(file)
        settings = ("ssl=on", f"ssl_cert_file={files[0]}", f"ssl_key_file={files[1]}")
        with listening_postgres(*settings, install=found.path.parents[1], environment=found.environment()) as port:
            yield port
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _reachable(found: Program, folder: Path) -> Program:
    """The program where the account that will run it can reach it, if need be a copy."""
    account = account_for(folder)
    try:
        asked = subprocess.run(
            [found.path, "--version"], check=False, capture_output=True, env=found.environment(), **account
        )
    except PermissionError:
        asked = None
    if asked is not None and asked.returncode == 0:
        return found
    root = shutil.copytree(found.root, folder / "root", symlinks=True)
    return Program(root / found.path.relative_to(found.root), root)
