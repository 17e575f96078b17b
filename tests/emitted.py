"""Holds every event that any test has stored against the closed schema of events."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from sqlalchemy import Connection, Insert

import statuspulse.api
from statuspulse.storage.schema import events

SCHEMA_FILE = Path(statuspulse.api.__file__).with_name("events.schema.json")
BYTES_LIMIT = 20_000

# What was wrong with events that were stored lately; whoever looks takes it away.
_found: list[str] = []


def watch(_connection: Connection, statement: Any, multiple: Any, single: Any, _options: Any) -> None:
    """A listener of SQLAlchemy's `before_execute`: it sees every insert, in whatever thread."""
    if isinstance(statement, Insert) and statement.table is events:
        for values in multiple or [single]:
            _found.extend(problems(values["body"]))


def take_problems() -> list[str]:
    taken, _found[:] = list(_found), []
    return taken


def problems(body: str) -> list[str]:
    """What the schema says against an event, as JSON text."""
    document = json.loads(body)
    kind = document.get("type")
    if f"data.{kind}" not in schema()["$defs"]:
        return [f"there is no event {kind}"]
    told = [f"{kind}: {error.json_path}: {error.message[:300]}" for error in _validator(kind).iter_errors(document)]
    if len(body.encode()) > BYTES_LIMIT:
        told.append(f"{kind}: {len(body.encode())} bytes")
    return told


@cache
def schema() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(SCHEMA_FILE.read_text())
    return found


@cache
def _validator(kind: str) -> Draft202012Validator:
    """The whole schema without the look for the one type among all that fits."""
    head = {name: part for name, part in schema().items() if name != "oneOf"}
    data = {"properties": {"data": {"$ref": f"#/$defs/data.{kind}"}}}
    return Draft202012Validator({**head, "allOf": [data]}, format_checker=FormatChecker())
