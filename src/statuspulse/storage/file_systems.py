"""Which file system a path lies on: SQLite's locks and shared memory do not hold on network file systems."""

from __future__ import annotations

import re
from pathlib import Path

_MOUNTS = Path("/proc/mounts")
_NETWORK = frozenset(
    {
        "afs",
        "beegfs",
        "ceph",
        "cifs",
        "fuse.ceph",
        "fuse.glusterfs",
        "fuse.s3fs",
        "fuse.sshfs",
        "glusterfs",
        "lustre",
        "ncpfs",
        "nfs",
        "nfs4",
        "smb3",
        "smbfs",
    }
)
_OCTAL = re.compile(r"\\([0-7]{3})")


def network_file_system(path: Path, mounts: str) -> str | None:
    """The type of the network file system that holds the path, None on a local one; `mounts` as in /proc/mounts."""
    kind, depth = "", -1
    for line in mounts.splitlines():
        _, point, found, *_ = line.split(" ")
        mount = Path(_OCTAL.sub(lambda match: chr(int(match.group(1), 8)), point))
        # Later lines lie over earlier ones on the same place.
        if len(mount.parts) >= depth and path.is_relative_to(mount):
            kind, depth = found, len(mount.parts)
    return kind if kind in _NETWORK else None


def current_mounts() -> str:
    """The mounts of this process; empty where the system does not tell."""
    try:
        return _MOUNTS.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return ""
