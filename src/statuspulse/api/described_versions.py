"""Versions in the OpenAPI document: which answers carry an ETag, and which calls may be made on a condition of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from statuspulse.api import described_headers

_CONDITION_FAILED, _NOT_MODIFIED = "412", "304"
_TOLD_BY = ("get", "put", "patch")
_GOOD = ("200", "201", _NOT_MODIFIED)


def add(paths: Mapping[str, Any]) -> None:
    """Adds headers and parameters to a document in which the statuses of every operation stand."""
    for item in paths.values():
        for operation in item.values():
            responses = operation["responses"]
            if _CONDITION_FAILED in responses:
                operation["parameters"] = [*operation.get("parameters", ()), described_headers.IF_MATCH]
            if _NOT_MODIFIED in responses:
                operation["parameters"] = [*operation.get("parameters", ()), described_headers.IF_NONE_MATCH]
    versioned = [item for item in paths.values() if _has_versions(item)]
    shapes = [shape for item in versioned for method in _TOLD_BY for shape in _shapes(item.get(method, {}))]
    for operation in (one for item in paths.values() for one in item.values()):
        if any(shape in shapes for shape in _shapes(operation)):
            for status in _GOOD:
                if status in operation["responses"]:
                    operation["responses"][status]["headers"] |= described_headers.ETAG


def _has_versions(item: Mapping[str, Any]) -> bool:
    """Whether something of this path is asked for, or changed, on a condition."""
    return any(status in one["responses"] for one in item.values() for status in (_CONDITION_FAILED, _NOT_MODIFIED))


def _shapes(operation: Mapping[str, Any]) -> Iterator[Any]:
    """The schemas of its good answers: whatever answers with a thing that has versions tells which."""
    for status in _GOOD:
        for content in operation.get("responses", {}).get(status, {}).get("content", {}).values():
            yield content["schema"]
