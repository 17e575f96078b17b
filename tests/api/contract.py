"""Holds answers against the OpenAPI document, closed: a member that the document does not tell of is a mistake."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import requests
from jsonschema import Draft202012Validator

# What "consistent" means: this and nothing else holds for every JSON answer under /v1.
ENVELOPE_BASE: dict[str, Any] = {
    "type": "object",
    "required": ["object", "request_id", "message"],
    "properties": {
        "object": {"type": "string", "minLength": 1},
        "request_id": {"type": "string", "pattern": "^req_[0-9a-hjkmnp-tv-z]{26}$"},
        "message": {"type": "string", "minLength": 1, "maxLength": 500},
    },
    "if": {"properties": {"object": {"const": "error"}}},
    "then": {"required": ["error", "type", "title", "status", "detail", "instance"]},
    "else": {"required": ["warnings"], "not": {"required": ["error"]}},
}
# What is answered as a file, where the document says so.
_FILES = ("text/csv", "text/html")
_BARE = ("/v1/openapi.json", "/v1/openapi.yaml", "/v1/schemas/events.json")


class Contract:
    """The document with every answer schema closed."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self._closed = closed(document)
        self._paths = [(_pattern(path), item) for path, item in self._closed["paths"].items()]

    def check(self, method: str, path: str, answer: requests.Response) -> None:
        """Raises AssertionError when the answer is not what the document promises."""
        route = urlsplit(path).path
        if route in _BARE or not route.startswith("/v1") or answer.status_code == 304:
            return
        kind = answer.headers["Content-Type"].partition(";")[0]
        if kind in _FILES:
            assert kind in self._response(method, route, answer.status_code)["content"]
            return
        body = answer.json()
        _hold(body, ENVELOPE_BASE, self._closed)
        if "Idempotent-Replayed" not in answer.headers:
            assert body["request_id"] == answer.headers["Request-Id"]
        told = self._response(method, route, answer.status_code).get("headers", {})
        is_stored = "dry_run=true" not in path
        assert ("ETag" in answer.headers) is ("ETag" in told and is_stored), f"{method} {route} and its ETag"
        schema = self._schema(method, route, answer.status_code)
        _hold(body, schema, self._closed)
        if answer.status_code >= 400:
            assert body["detail"] == body["message"]
            assert body["status"] == answer.status_code

    def _schema(self, method: str, route: str, status: int) -> dict[str, Any]:
        schema: dict[str, Any] = self._response(method, route, status)["content"]["application/json"]["schema"]
        return schema

    def _response(self, method: str, route: str, status: int) -> dict[str, Any]:
        inner = route.removeprefix("/v1").rstrip("/") or "/"
        for pattern, item in self._paths:
            if pattern.fullmatch(inner) and method.lower() in item:
                response: dict[str, Any] | None = item[method.lower()]["responses"].get(str(status))
                assert response is not None, f"{method} {route} does not tell of {status}"
                return response
        assert status in {404, 405}, f"{method} {route} answers {status} and stands nowhere"
        return {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}}


def closed(document: dict[str, Any]) -> dict[str, Any]:
    """A copy in which no object takes members that it does not name."""
    copied = copy.deepcopy(document)
    for schema in subschemas(copied["components"]["schemas"]):
        if "properties" in schema:
            schema.setdefault("additionalProperties", False)
    return copied


def subschemas(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from subschemas(value)
    elif isinstance(node, list):
        for value in node:
            yield from subschemas(value)


def _hold(body: Any, schema: dict[str, Any], document: dict[str, Any]) -> None:
    validator = Draft202012Validator({**schema, "components": document["components"]})
    problems = [f"{error.json_path}: {error.message[:200]}" for error in validator.iter_errors(body)]
    assert not problems, problems[:5]


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{[^}]+\}", "[^/]+", path))
