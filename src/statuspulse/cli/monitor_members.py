"""The members of a monitor from what was written on the command line."""

from __future__ import annotations

import json
from io import BufferedIOBase
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from statuspulse.cli.faults import WRONG_INPUT, fail

_FORMS = "https://example.com, tcp://db.example:5432, dns://example.com?type=MX, tls://…, icmp://… or grpc://…"


def members_of(
    target: str | None, file: BufferedIOBase | None, *, settings: tuple[str, ...], **given: Any
) -> dict[str, Any]:
    """The file first, then the target, the options, and what was set by name; ends the command when there is none."""
    members = {} if file is None else _document(file.read())
    if target is not None:
        members |= _of_target(target)
    names = {"interval": "interval_seconds", "policy": "escalation_policy", "channels": "notifications"}
    members |= {names.get(name, name): value for name, value in given.items() if value not in {None, ()}}
    members |= dict(_setting(text) for text in settings)
    if not members:
        fail("there is nothing to set; name a target, an option or --file, see --help", WRONG_INPUT)
    if target is not None:
        members.setdefault("name", target)
    return members


def _document(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except ValueError as error:
        fail(f"--file is no JSON: {error}", WRONG_INPUT)
    if not isinstance(found, dict):
        fail("--file has to hold one JSON object", WRONG_INPUT)
    return found


def _setting(text: str) -> tuple[str, Any]:
    """A value that is no JSON is a text: `--set method=HEAD` is what people write."""
    name, sign, value = text.partition("=")
    if not sign or not name:
        fail("--set takes MEMBER=JSON, such as --set failure_threshold=3", WRONG_INPUT)
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _of_target(text: str) -> dict[str, Any]:
    scheme = text.partition("://")[0].lower()
    if scheme in {"http", "https"}:
        return {"type": "http", "url": text}
    try:
        url = urlsplit(text)
        host, port = url.hostname, url.port
    except ValueError:
        fail(f"{text} cannot be read; write {_FORMS}", WRONG_INPUT)
    if scheme in {"tcp", "tls", "grpc"} and host and port:
        return {"type": scheme, "host": host, "port": port}
    if scheme in {"icmp", "dns"} and host and not port:
        asked = dict(parse_qsl(url.query))
        renamed = {{"type": "record_type"}.get(name, name): value for name, value in asked.items()}
        return {"type": scheme, "host": host, **renamed}
    return fail(f"{text} names nothing that can be watched; write {_FORMS}", WRONG_INPUT)
