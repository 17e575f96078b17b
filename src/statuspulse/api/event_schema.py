"""The schema of events and one example of each, as files of the package: served, and told by the OpenAPI document."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from statuspulse.domain.event import EventType

_PREFIX = "event."
_HEADERS = {
    "webhook-id": "The id of the event; every copy has the same one.",
    "webhook-timestamp": "When this attempt was made, in seconds since the epoch.",
    "webhook-signature": "`v1,` and the HMAC-SHA-256 of `id.timestamp.body` in base64; during a rotation two of them.",
}


@cache
def schema_text() -> str:
    """The normative schema, closed."""
    return _text("events.schema.json")


@cache
def examples() -> dict[str, dict[str, Any]]:
    """One event of each type."""
    found: list[dict[str, Any]] = json.loads(_text("events.examples.json"))
    return {event["type"]: event for event in found}


def components() -> dict[str, Any]:
    """The definitions of the schema under names of their own, open for members to come."""
    defined = json.loads(schema_text())["$defs"]
    return {f"{_PREFIX}{name}": _opened(schema) for name, schema in defined.items()}


def webhooks() -> dict[str, Any]:
    """What is sent to webhook endpoints, by type."""
    head = json.loads(schema_text())["properties"]
    return {kind.value: {"post": _webhook(kind, head)} for kind in EventType}


def _webhook(kind: EventType, head: Mapping[str, Any]) -> dict[str, Any]:
    data = {"$ref": f"#/components/schemas/{_PREFIX}data.{kind.value}"}
    properties = {name: _opened(schema) for name, schema in head.items()} | {
        "type": {"const": kind.value},
        "data": data,
    }
    schema = {"type": "object", "required": list(head), "properties": properties}
    example = {"value": examples()[kind.value]}
    return {
        "summary": f"An event of type {kind.value}",
        "operationId": f"on_{kind.value.replace('.', '_')}",
        "tags": ["Webhooks"],
        "parameters": [
            {"name": name, "in": "header", "required": True, "description": text, "schema": {"type": "string"}}
            for name, text in _HEADERS.items()
        ],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": schema, "examples": {"event": example}}},
        },
        "responses": {"2XX": {"description": "Taken. Any other answer is a failure, and the event is sent again."}},
    }


def _opened(node: Any) -> Any:
    if isinstance(node, list):
        return [_opened(one) for one in node]
    if not isinstance(node, dict):
        return node
    opened = {name: _opened(value) for name, value in node.items() if (name, value) != ("additionalProperties", False)}
    if isinstance(opened.get("$ref"), str):
        opened["$ref"] = opened["$ref"].replace("#/$defs/", f"#/components/schemas/{_PREFIX}")
    return opened


def _text(name: str) -> str:
    return files("statuspulse.api").joinpath(name).read_text(encoding="utf-8")
