"""What the figures were measured on: they mean little without it."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import pycurl

from statuspulse import __version__
from statuspulse.storage.connect import sqlite_module


def machine() -> dict[str, str]:
    """Hardware and versions by name."""
    return {
        "processor": f"{len(os.sched_getaffinity(0))} cores, {_model()}",
        "kernel": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "libcurl": pycurl.version_info()[1],
        "sqlite": sqlite_module().sqlite_version,
        "statuspulse": __version__,
    }


def _model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()
