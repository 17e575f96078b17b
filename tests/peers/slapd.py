"""slapd, the LDAP server of OpenLDAP, without any directory behind it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.peers.daemon import HOST, free_port, running
from tests.peers.pki import Pair
from tests.peers.programs import program


@contextmanager
def slapd(folder: Path, pair: Pair) -> Iterator[int]:
    """The port on which it offers StartTLS."""
    port = free_port()
    path = folder / "slapd.conf"
    path.write_text(f"TLSCertificateFile {pair.chain}\nTLSCertificateKeyFile {pair.key}\n")
    arguments: list[str | Path] = ["-d", "0", "-f", path, "-h", f"ldap://{HOST}:{port}/"]
    with running(program("slapd"), arguments, folder, port):
        yield port
