"""The digest by which probe and control plane notice that they do not mean the same set."""

from __future__ import annotations

from statuspulse.domain.schedule import hashed


def share(monitor_id: str, config_version: int) -> int:
    """What one monitor adds to the digest of a set; the digest is the XOR of all, so order does not matter."""
    return hashed(f"{monitor_id}:{config_version}", "sp-digest")


def digest_text(digest: int) -> str:
    """As it travels in heartbeats."""
    return f"{digest:016x}"
