"""Packages of Debian and its kin, unpacked into a folder beside the tests' own: no root, nothing installed."""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

_TOOLS = ("apt-get", "dpkg-deb")
_TIMEOUT_SECONDS = 90
_OPTIONS = (
    "-q",
    "-o",
    "APT::Sandbox::User=root",  # as root apt would download as somebody who may not write into our folder
    "-o",
    "Acquire::http::Timeout=10",
    "-o",
    "Acquire::https::Timeout=10",
    "-o",
    "Acquire::Retries=2",
    "-o",
    "Acquire::Languages=none",
)
# The C library has to be that of the loader, which is the host's; the others are large and nothing here needs them.
_LEFT_OUT = ("libc6", "libc-bin", "libllvm", "perl", "libperl", "dpkg", "init-system-helpers", "adduser", "debconf")


class FetchError(Exception):
    """A package cannot be had; the text tells what apt said."""


def is_debian() -> bool:
    return all(shutil.which(tool) for tool in _TOOLS)


def fetched(packages: Sequence[str]) -> Path:
    """The root of a tree with these packages and what they need, from the cache or by apt. FetchError if it fails."""
    outcome = _outcome(tuple(packages))
    if isinstance(outcome, FetchError):
        raise outcome
    return outcome


@cache
def _outcome(packages: tuple[str, ...]) -> Path | FetchError:
    """Tried once in a run: whatever keeps the first test from its server would keep every other, too."""
    try:
        return _kept(packages)
    except FetchError as error:
        return error


def _kept(packages: Sequence[str]) -> Path:
    place = _place()
    root = place / hashlib.sha256(" ".join(packages).encode()).hexdigest()[:12]
    with _locked(place):
        if not root.is_dir():
            with tempfile.TemporaryDirectory(dir=place, prefix="fetching-") as folder:
                _download(packages, Path(folder))
                _unpack(Path(folder)).rename(root)
    return root


def _place() -> Path:
    """In the virtual environment, so that it goes with it; packages of another release do not fit."""
    release = platform.freedesktop_os_release()
    name = f"{release['ID']}-{release.get('VERSION_ID', 'rolling')}-{platform.machine()}"
    place = Path(sys.prefix) / "peers" / name
    place.mkdir(parents=True, exist_ok=True)
    return place


@contextmanager
def _locked(place: Path) -> Iterator[None]:
    """One process at a time fetches; the others wait and find what it has fetched."""
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _download(packages: Sequence[str], folder: Path) -> None:
    try:
        _get(packages, folder)
    except FetchError:
        # The host's lists are missing, as in most images, or older than what the mirror has. These are our own.
        own = ("-o", f"Dir::State::lists={folder}/lists", "-o", f"Dir::Cache={folder}/apt")
        for place in ("lists/partial", "apt/archives/partial"):
            (folder / place).mkdir(parents=True)
        told = _apt(("update",), folder, own)
        try:
            _get(packages, folder, own)
        except FetchError as error:  # apt calls an update a success though it has reached nobody
            raise FetchError(f"{told[-2000:]}\n{error}") from None


def _get(packages: Sequence[str], folder: Path, options: Sequence[str] = ()) -> None:
    told = _apt(("install", "--simulate", "--no-install-recommends", *packages), folder, options)
    needed = [line.split()[1] for line in told.splitlines() if line.startswith("Inst ")]
    wanted = [name for name in needed if not name.startswith(_LEFT_OUT)]
    # What the host has already is not listed, though here it may be the program itself that is wanted.
    _apt(("download", *dict.fromkeys((*packages, *wanted))), folder, options)


def _apt(words: Sequence[str], folder: Path, options: Sequence[str]) -> str:
    return _run(("apt-get", *_OPTIONS, *options, *words), folder)


def _unpack(folder: Path) -> Path:
    root = folder / "root"
    root.mkdir()
    for package in folder.glob("*.deb"):
        _run(("dpkg-deb", "--extract", str(package), str(root)), folder)
    return root


def _run(command: Sequence[str], folder: Path) -> str:
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=_TIMEOUT_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise FetchError(f"{' '.join(command)}\ndid not end within {_TIMEOUT_SECONDS} s") from None
    if done.returncode != 0:
        raise FetchError(f"{' '.join(command)}\n{done.stdout[-2000:]}")
    return done.stdout
