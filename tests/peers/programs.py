"""Servers and clients that others have written: those of this host, else those of its distribution."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.peers.debian import fetched, is_debian

# Where daemons lie, which the PATH of a user often leaves out.
_SYSTEM_PATHS = ("/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin", "/bin")
_FOLDERS = ("usr/sbin", "usr/bin", "sbin", "bin")
# Debian's packages for each program. They are fetched together, the first time that one of them is missed.
_PACKAGES = {
    "caddy": ("caddy",),
    "curl": ("curl",),
    "dig": ("bind9-dnsutils",),
    "haproxy": ("haproxy",),
    "nginx": ("nginx", "libnginx-mod-mail"),
    "postgres": ("postgresql",),
    "slapd": ("slapd",),
    "unbound": ("unbound",),
}


class ProgramMissingError(Exception):
    """The host has no such program, and its distribution is none that it could be fetched from."""


@dataclass(frozen=True, slots=True)
class Program:
    """An executable and the root of the tree that its package lies in: `/`, or a folder of the cache."""

    path: Path
    root: Path

    def environment(self) -> dict[str, str]:
        """What it is started with: libraries that came with it are found before those of the host."""
        folders = [path for pattern in ("usr/lib/*-linux-*", "lib/*-linux-*") for path in self.root.glob(pattern)]
        if self.root == Path("/") or not folders:
            return {**os.environ}
        return {**os.environ, "LD_LIBRARY_PATH": os.pathsep.join(map(str, folders))}


def program(name: str, *, beside: tuple[str, ...] = (), folders: Iterable[str] = _FOLDERS) -> Program:
    """The program of this host if it has one with all the files `beside` it, else the one in Debian's packages.

    `beside` and `folders` are patterns below the root. Raises ProgramMissingError where there is neither, FetchError
    where the packages cannot be had.
    """
    searched = os.pathsep.join((os.environ.get("PATH", ""), *_SYSTEM_PATHS))
    found = shutil.which(name, path=searched) or _found(Path("/"), name, folders)
    if found is not None and all(any(Path("/").glob(pattern)) for pattern in beside):
        return Program(Path(found), Path("/"))
    if not is_debian():
        raise ProgramMissingError(f"this host has no {name}; on Debian it is in {' and '.join(_PACKAGES[name])}")
    root = fetched([package for packages in _PACKAGES.values() for package in packages])
    path = _found(root, name, folders)
    assert path is not None, f"{name} is not among the packages in {root}"
    return Program(path, root)


def _found(root: Path, name: str, folders: Iterable[str]) -> Path | None:
    return next((path for folder in folders for path in sorted(root.glob(f"{folder}/{name}"))), None)
