"""The operations of the OpenAPI document as the generated tests call them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

METHODS = ("get", "put", "post", "patch", "delete")
# Ids of the right form that nobody has; slugs that no team uses.
RANDOM_IDS = {
    "monitor_id": "mon_zzzzzzzz",
    "incident_id": "inc_zzzzzzzz",
    "slug": "nobody-has-this",
    "token_id": "tok_zzzzzzzz",
    "team_id": "team_zzzzzzzz",
    "user_id": "usr_zzzzzzzz",
    "probe_id": "prb_zzzzzzzz",
    "channel_id": "nch_zzzzzzzz",
    "notification_id": "ntf_zzzzzzzzzzzzzzzzzzzzzzzzzz",
    "webhook_id": "whk_zzzzzzzz",
    "delivery_id": "whd_zzzzzzzzzzzzzzzzzzzzzzzzzz",
    "event_id": "evt_zzzzzzzzzzzzzzzzzzzzzzzzzz",
    "schedule_id": "sch_zzzzzzzz",
    "integration_id": "int_zzzzzzzz",
    "slo_id": "slo_zzzzzzzz",
    "window_id": "mwn_zzzzzzzz",
}
_REF = re.compile(r"#/components/schemas/(\w+)")


@dataclass(frozen=True)
class Called:
    """One operation: `scope` is None without a token and "" where any will do, `body` is an example of the document."""

    method: str
    path: str
    tag: str
    scope: str | None
    parameters: tuple[str, ...]
    query: tuple[str, ...]
    body: Any
    members: frozenset[str]
    is_stream: bool

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def is_of_probes(self) -> bool:
        return self.path.startswith("/agent/")

    @property
    def is_of_others(self) -> bool:
        """Called by other systems, which prove themselves by a signature."""
        return self.path == "/integrations/{integration_id}/webhook"

    def url(self, ids: Mapping[str, str]) -> str:
        return "/v1" + re.sub(r"\{(\w+)\}", lambda found: ids[found[1]], self.path).removesuffix("/")


def operations(document: dict[str, Any]) -> list[Called]:
    return list(_operations(document))


def _operations(document: dict[str, Any]) -> Iterator[Called]:
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield _called(document, method.upper(), path, item[method])


def _called(document: dict[str, Any], method: str, path: str, operation: dict[str, Any]) -> Called:
    scopes = operation.get("x-required-scopes")
    assert scopes is None or len(scopes) <= 1, path
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    examples = content.get("examples", {})
    return Called(
        method=method,
        path=path,
        tag=operation["tags"][0],
        scope=None if scopes is None else "".join(scopes),
        parameters=tuple(re.findall(r"\{(\w+)\}", path)),
        query=tuple(one["name"] for one in operation.get("parameters", []) if one["in"] == "query"),
        body=next((example["value"] for example in examples.values()), None),
        members=frozenset(_members(document, content.get("schema", {}))),
        is_stream="text/event-stream" in operation["responses"].get("200", {}).get("content", {}),
    )


def _members(document: dict[str, Any], schema: dict[str, Any]) -> Iterator[str]:
    """Names at the top of a body that a caller may set."""
    found = _REF.fullmatch(schema.get("$ref", ""))
    if found is not None:
        yield from _members(document, document["components"]["schemas"][found[1]])
    for way in (*schema.get("oneOf", ()), *schema.get("anyOf", ())):
        yield from _members(document, way)
    for name, member in schema.get("properties", {}).items():
        if not member.get("readOnly"):
            yield name
