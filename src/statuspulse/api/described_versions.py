"""Versions in the OpenAPI document: which answers carry an ETag, and which calls may be made on a condition of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from statuspulse.api import described_headers

# The status that answers a condition, and the header that sets it.
_CONDITIONS = {"412": described_headers.IF_MATCH, "304": described_headers.IF_NONE_MATCH}
_TOLD_BY = ("get", "put", "patch")
_GOOD = ("200", "201", "304")


def add(paths: Mapping[str, Any]) -> None:
    """Adds headers and parameters to a document in which the statuses of every operation stand."""
    for item in paths.values():
        for operation in item.values():
            told = [header for status, header in _CONDITIONS.items() if status in operation["responses"]]
            if told:
                operation["parameters"] = [*operation.get("parameters", ()), *told]
    versioned = {path: item for path, item in paths.items() if _has_versions(item)}
    tellers = [item.get(method, {}) for item in versioned.values() for method in _TOLD_BY]
    # What makes one may answer with more than the one: with a secret that is shown once.
    tellers += [paths.get(path.rpartition("/")[0], {}).get("post", {}) for path in versioned]
    shapes = [shape for operation in tellers for shape in _shapes(operation)]
    for operation in (one for item in paths.values() for one in item.values()):
        if any(shape in shapes for shape in _shapes(operation)):
            for status in _GOOD:
                if status in operation["responses"]:
                    operation["responses"][status]["headers"] |= described_headers.ETAG


def _has_versions(item: Mapping[str, Any]) -> bool:
    """Whether something of this path is asked for, or changed, on a condition."""
    return any(status in operation["responses"] for operation in item.values() for status in _CONDITIONS)


def _shapes(operation: Mapping[str, Any]) -> Iterator[Any]:
    """The schemas of its good answers: whatever answers with a thing that has versions tells which."""
    for status in _GOOD:
        for content in operation.get("responses", {}).get(status, {}).get("content", {}).values():
            yield content["schema"]
