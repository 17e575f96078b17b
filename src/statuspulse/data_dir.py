"""The data directory: who may use it, and the secret key that it keeps."""

from __future__ import annotations

import errno
import fcntl
import os
import pwd
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from statuspulse.storage.sealing import KEY_BYTES, Keyring

_LOCK = "lock"
_KEY = "secret.key"
_PRIVATE = 0o600
_PRIVATE_FOLDER = 0o700
_OR_ANOTHER = "or name another with STATUSPULSE_DATA_DIR"
_A_FILE = ("a file stands in its place, or in its path", "move that away")
# What hinders and the cure, by the number of the error.
_KNOWN = {
    errno.EEXIST: _A_FILE,
    errno.ENOTDIR: _A_FILE,
    errno.EISDIR: ("a directory stands in its place", "move that away"),
    errno.EROFS: ("the file system takes no changes", "mount it for writing"),
    errno.ENOSPC: ("the disk is full", "make room on it"),
    errno.EDQUOT: ("the disk is full", "make room on it"),
}


class DataDirError(Exception):
    """The directory cannot be used: one line that says why and what to do."""


class InUseError(DataDirError):
    """Another process works on it."""


def prepare(folder: Path) -> None:
    """Makes the directory where there is none."""
    try:
        folder.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
    except OSError as error:
        reason, cure = _words(error, folder.parent)
        raise DataDirError(f"the data directory {folder} cannot be made: {reason}; {cure}, {_OR_ANOTHER}") from None
    if not os.access(folder, os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids):
        reason, cure = _not_allowed(folder, folder.stat().st_uid, os.geteuid())
        raise DataDirError(f"the data directory {folder} cannot be written: {reason}; {cure}, {_OR_ANOTHER}")


def check_free(folder: Path) -> None:
    """Raises InUseError where another process works on the directory; makes nothing."""
    try:
        descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return
    try:
        _lock(descriptor, folder)
    finally:
        os.close(descriptor)


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Keeps every other process out for as long as this one lives, even if it is killed."""
    descriptor = _opened(folder / _LOCK)
    try:
        _lock(descriptor, folder)
        yield
    finally:
        os.close(descriptor)


def keyring(folder: Path, *, may_make: bool) -> Keyring:
    """The keyring of the key in the directory; a fresh key only where nothing was sealed under another one yet."""
    path = folder / _KEY
    try:
        text = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        if not may_make:
            message = f"the database was filled under a secret key that is gone; restore {path} from the backup"
            raise DataDirError(message) from None
        text = secrets.token_hex(KEY_BYTES)
        write_private(path, text + "\n")
    except UnicodeDecodeError:
        raise DataDirError(_no_key(path)) from None
    except OSError as error:
        raise _unusable(path, "read", error) from None
    try:
        return Keyring(bytes.fromhex(text))
    except ValueError:
        raise DataDirError(_no_key(path)) from None


def _no_key(path: Path) -> str:
    return f"{path} does not hold a secret key of {KEY_BYTES} bytes; restore it from the backup"


def _unusable(path: Path, done: str, error: OSError) -> DataDirError:
    reason, cure = _words(error, path)
    return DataDirError(f"{path} cannot be {done}: {reason}; {cure}")


def _words(error: OSError, path: Path) -> tuple[str, str]:
    """What hinders, and the cure; `path` is what has to be changed for it where its owner or mode hinders."""
    number = error.errno or 0
    if number in (errno.EACCES, errno.EPERM):
        try:
            return _not_allowed(path, path.stat().st_uid, os.geteuid())
        except OSError:
            return "permission denied", f"let {_user(os.geteuid())} in there"
    return _KNOWN.get(number) or ((error.strerror or type(error).__name__).lower(), "mend that")


def _not_allowed(path: Path, owner: int, user: int) -> tuple[str, str]:
    """Who may not do what, and the cure."""
    if owner == user:
        return f"the mode of {path} forbids it", f"chmod u+rwX {path}"
    reason = f"{path} belongs to {_user(owner)}, and this process runs as {_user(user)}"
    return reason, f"run it as {_user(owner)}, or chown it"


def _user(number: int) -> str:
    try:
        return f"user {pwd.getpwuid(number).pw_name}"
    except KeyError:
        return f"user {number}"


def _lock(descriptor: int, folder: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise InUseError(f"a running StatusPulse uses {folder}; stop it first") from None


def write_private(path: Path, text: str) -> None:
    """Writes a file that only its owner reads, whole or not at all, and durably; raises DataDirError."""
    try:
        _replace(path, text)
    except OSError as error:
        raise _unusable(path, "written", error) from None


def ensure_private(path: Path) -> None:
    """Makes the file where there is none, readable by its owner alone; raises DataDirError."""
    os.close(_opened(path))


def _opened(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _PRIVATE)
    except OSError as error:
        raise _unusable(path, "opened", error) from None


def _replace(path: Path, text: str) -> None:
    scratch = path.with_name(f"{path.name}.new")
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, _PRIVATE)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    scratch.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
