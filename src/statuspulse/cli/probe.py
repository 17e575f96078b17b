"""`statuspulse probe`."""

from __future__ import annotations

import os
import sys
from ipaddress import ip_address
from pathlib import Path

import click

from statuspulse import data_dir
from statuspulse.app import log_lines
from statuspulse.app.probe import probe
from statuspulse.cli.faults import WRONG_INPUT, told
from statuspulse.domain.access import PROBE_KEY_PREFIX, may_be_token
from statuspulse.domain.secret import Secret
from statuspulse.egress.urls import Url, parse_url
from statuspulse.probe.claim import FolderInUseError
from statuspulse.probe.clock import ClockBehindError
from statuspulse.probe.greeting import NotWelcomeError
from statuspulse.settings import PREFIX, SettingsError, default_data_dir, probe_anchors, probe_policy

_KEY = "key"
_FAULTS = (SettingsError, data_dir.DataDirError, ClockBehindError, FolderInUseError, NotWelcomeError)


def run(*, server: str, key_file: Path | None, folder: Path | None, ends_with_stdin: bool) -> None:
    with told(dict.fromkeys(_FAULTS, WRONG_INPUT)):
        policy = probe_policy(os.environ, Path.cwd())
        anchors = probe_anchors(os.environ, Path.cwd())
        # The child of a server calls it on whatever address it listens, and the key never leaves the host.
        server_url = _server_url(server, may_be_plain=ends_with_stdin)
        folder = folder or default_data_dir(os.environ) / "probe"
        log_lines.configure()
        key = _key(key_file, folder)
        data_dir.prepare(folder)
        if key_file is None:
            data_dir.write_private(folder / _KEY, key.reveal() + "\n")
        probe(
            server_url=server_url,
            key=key,
            folder=folder,
            policy=policy,
            anchors=anchors,
            ends_with_stdin=ends_with_stdin,
        )


def _server_url(text: str, *, may_be_plain: bool) -> str:
    """The key goes with every call, so it is encrypted wherever it could be read on the way."""
    try:
        url = parse_url(text)
    except ValueError as error:
        raise SettingsError(f"--server: {error}; an example is https://status.example.com") from None
    if "?" in text or "#" in text:
        raise SettingsError("--server: must have neither query nor fragment")
    if url.scheme == "http" and not may_be_plain and not _is_this_host(url):
        raise SettingsError("--server: http would send the probe's key in clear; use https, or http to 127.0.0.1")
    return text.rstrip("/")


def _is_this_host(url: Url) -> bool:
    if url.ip is None:
        return url.host == "localhost"
    return ip_address(url.ip).is_loopback


def _key(key_file: Path | None, folder: Path) -> Secret:
    """From the file that is named, else the environment, else what was kept at an earlier start, else from a person."""
    kept = folder / _KEY
    given = os.environ.get(f"{PREFIX}PROBE_KEY")
    if key_file is None and given:
        return _checked(given, f"{PREFIX}PROBE_KEY")
    path = key_file or kept
    if key_file is None and not kept.exists() and sys.stdin.isatty():
        typed = click.prompt("Key of the probe", hide_input=True, err=True)
        return _checked(typed, "what was typed")
    try:
        text = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        hint = f"set {PREFIX}PROBE_KEY or name a file with --key-file"
        raise SettingsError(f"no probe key: {path} does not exist; {hint}") from None
    except (OSError, UnicodeDecodeError):
        raise SettingsError(f"the probe key in {path} cannot be read") from None
    return _checked(text, str(path))


def _checked(text: str, place: str) -> Secret:
    """A key that cannot be one is refused here, where the mistake is; the text is never quoted."""
    if not text.startswith(PROBE_KEY_PREFIX) or not may_be_token(text):
        raise SettingsError(f"{place} holds no probe key; one begins with {PROBE_KEY_PREFIX}")
    return Secret(text)
