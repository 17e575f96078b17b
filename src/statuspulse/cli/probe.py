"""`statuspulse probe`."""

from __future__ import annotations

import os
from pathlib import Path

from statuspulse import data_dir
from statuspulse.app import log_lines
from statuspulse.app.probe import probe
from statuspulse.cli.faults import WRONG_INPUT, told
from statuspulse.domain.secret import Secret
from statuspulse.probe.claim import FolderInUseError
from statuspulse.probe.clock import ClockBehindError
from statuspulse.settings import PREFIX, SettingsError, default_data_dir, probe_policy

_KEY = "key"
_FAULTS = (SettingsError, data_dir.DataDirError, ClockBehindError, FolderInUseError)


def run(*, server: str, key_file: Path | None, folder: Path | None, ends_with_stdin: bool) -> None:
    with told(dict.fromkeys(_FAULTS, WRONG_INPUT)):
        policy = probe_policy(os.environ, Path.cwd())
        folder = folder or default_data_dir(os.environ) / "probe"
        log_lines.configure()
        data_dir.prepare(folder)
        key = _key(key_file, folder)
        probe(server_url=server.rstrip("/"), key=key, folder=folder, policy=policy, ends_with_stdin=ends_with_stdin)


def _key(key_file: Path | None, folder: Path) -> Secret:
    """From the file that is named, else the environment, else what was kept at an earlier start."""
    kept = folder / _KEY
    given = os.environ.get(f"{PREFIX}PROBE_KEY")
    if key_file is None and given:
        data_dir.write_private(kept, given + "\n")
        return Secret(given)
    path = key_file or kept
    try:
        text = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        hint = f"set {PREFIX}PROBE_KEY or name a file with --key-file"
        raise SettingsError(f"no probe key: {path} does not exist; {hint}") from None
    except (OSError, UnicodeDecodeError):
        raise SettingsError(f"the probe key in {path} cannot be read") from None
    if not text:
        raise SettingsError(f"{path} holds no probe key")
    return Secret(text)
