"""Writes `statuspulse/client/answers.py` from the OpenAPI document: `python -m tests.client.write_answers`.

The types that the client gives back cannot drift from what the API describes: a test holds the file against this.
"""

from __future__ import annotations

import keyword
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fastapi.routing import APIRoute

from statuspulse.api.app import ROUTERS
from statuspulse.api.openapi import openapi_document

TARGET = Path(__file__).parents[2] / "src" / "statuspulse" / "client" / "answers.py"

# The operations whose answers the client has types for, by the name that the type gets; of a list it is its items'.
ROOTS = {
    "Monitor": ("createMonitor", "listMonitors", "patchMonitor"),
    "MonitorConfig": ("getMonitorConfig", "patchMonitorConfig"),
    "CheckRun": ("checkMonitor",),
    "Result": ("listResults",),
    "Transition": ("listTransitions",),
    "UptimeSeries": ("getUptime",),
    "LatencySeries": ("getLatency",),
    "Explanation": ("explainMonitor",),
    "Simulation": ("simulateMonitor",),
    "Status": ("getStatus", "listStatuses"),
    "Incident": ("submitIncident", "listIncidents"),
    "TimelineEntry": ("listIncidentTimeline",),
    "Note": ("createIncidentNote",),
    "Policy": ("getEscalationPolicy", "listEscalationPolicies"),
    "Token": ("getToken", "listTokens"),
    "IssuedToken": ("createToken",),
    "Principal": ("getMe",),
    "Team": ("getTeam", "listTeams"),
    "NewTeam": ("createTeam",),
    "Member": ("addMember", "listMembers"),
    "AuditEntry": ("listAuditLog",),
    "Region": ("listRegions",),
    "Probe": ("getProbe", "listProbes"),
    "KeyedProbe": ("createProbe",),
    "Bulk": ("bulkMonitors",),
    "ConfigVersion": ("listConfigVersions",),
    "IncidentStats": ("getIncidentStats",),
    "Rehearsal": ("testEscalationPolicy",),
    "Schedule": ("getSchedule", "listSchedules"),
    "OnCall": ("getOnCall",),
    "Channel": ("getChannel", "listChannels"),
    "MadeChannel": ("createChannel",),
    "ChannelTest": ("testChannel",),
    "Notification": ("listNotifications", "retryNotification"),
    "Webhook": ("getWebhook", "listWebhooks"),
    "IssuedWebhook": ("createWebhook",),
    "WebhookDelivery": ("testWebhook", "listWebhookDeliveries"),
    "Replay": ("replayWebhook",),
    "Integration": ("getIntegration", "listIntegrations"),
    "MadeIntegration": ("createIntegration",),
    "IntegrationTest": ("testIntegration",),
    "SyncLogEntry": ("listIntegrationSyncLog",),
    "SyncAgain": ("syncIncident",),
    "Window": ("getMaintenanceWindow", "listMaintenanceWindows"),
    "PlannedOccurrence": ("listOccurrences",),
    "Slo": ("getSlo", "listSlos"),
    "SloReport": ("getSloReport", "listSloReports"),
    "Event": ("getEvent", "listEvents"),
    "Redelivery": ("redeliverEvent",),
    "StreamTicket": ("createStreamTicket",),
}
SECRETS = {
    ("IssuedToken", "token"),
    ("NewTeam", "token"),
    ("KeyedProbe", "key"),
    ("MadeChannel", "secret"),
    ("IssuedWebhook", "secret"),
    ("MadeIntegration", "secret"),
    ("StreamTicket", "ticket"),
}

_ENVELOPE = frozenset({"request_id", "message", "warnings"})
_OTHER_VIEWS = frozenset({"LatencyHeatMapAnswer"})
_SUFFIX = re.compile(r"(Answer|Item|Members)$")
_SCALARS = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
_HEAD = '''"""What the API answers, as types; written from its description by `python -m tests.client.write_answers`.

Members that one kind of an object lacks are None there. Texts of a closed set are plain ones: it may grow.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from statuspulse.client.answer import Answer, Part
from statuspulse.client.secret import Secret
'''


@dataclass
class _Writer:
    schemas: Mapping[str, Any]
    classes: dict[str, str] = field(default_factory=dict)
    promised: set[str] = field(default_factory=set)

    def root(self, name: str, schemas: list[Mapping[str, Any]]) -> None:
        """One class for several descriptions of the same object; what some of them lack may be None."""
        shapes = [self.schemas[inner] for schema in schemas for inner in _references(schema)]
        self._write(name, "Answer", shapes)

    def annotation(self, schema: Mapping[str, Any]) -> str:
        if "$ref" in schema:
            return self._part(schema["$ref"].rpartition("/")[2])
        if "const" in schema or "enum" in schema:
            values = schema.get("enum", [schema.get("const")])
            return _union(sorted({"None" if value is None else type(value).__name__ for value in values}))
        kind = schema.get("type")
        choices = schema.get("anyOf") or schema.get("oneOf")
        if isinstance(kind, list):
            choices = [{**schema, "type": inner} for inner in kind]
        return self._plain(schema, kind) if choices is None else _union([self.annotation(each) for each in choices])

    def _plain(self, schema: Mapping[str, Any], kind: str | None) -> str:
        if kind == "array":
            return f"tuple[{self.annotation(schema.get('items', {}))}, ...]"
        if kind == "object":
            values = schema.get("additionalProperties")
            return f"dict[str, {self.annotation(values) if isinstance(values, dict) and values else 'Any'}]"
        if schema.get("format") == "date-time":
            return "datetime"
        return "Any" if kind is None else _SCALARS[kind]

    def _part(self, schema: str) -> str:
        name = _SUFFIX.sub("", schema)
        if name not in self.promised:
            self.promised.add(name)
            self._write(name, "Part", [self.schemas[schema]])
        return name

    def _write(self, name: str, base: str, shapes: list[Mapping[str, Any]]) -> None:
        members = dict(self._members(name, base, shapes))
        told = shapes[0].get("description", "").partition("\n")[0]
        told = (
            re.sub(r" of a monitor of type \w+\.$", " of a monitor of any type.", told)
            or f"A part of an answer: {name}."
        )
        lines = [f"class {name}({base}, frozen=True, kw_only=True):", f'    """{told}"""', ""]
        lines += [f"    {_field(member, annotation)}" for member, annotation in members.items()] or ["    pass"]
        self.classes[name] = "\n".join(lines)

    def _members(self, name: str, base: str, shapes: list[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
        names = dict.fromkeys(member for shape in shapes for member in shape.get("properties", {}))
        for member in names:
            if base == "Answer" and member in _ENVELOPE:
                continue
            if (name, member) in SECRETS:
                found = {_union(["Secret", *(["None"] if _is_nullable(shapes, member) else [])])}
            else:
                found = {self.annotation(shape["properties"][member]) for shape in shapes if member in _of(shape)}
            kind = found.pop() if len(found) == 1 else "Any"
            is_sure = all(member in shape.get("required", ()) for shape in shapes)
            yield member, kind if is_sure else _with_none(kind) + " = None"


def _of(shape: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = shape.get("properties", {})
    return found


def _is_nullable(shapes: list[Mapping[str, Any]], member: str) -> bool:
    return any({"type": "null"} in _of(shape)[member].get("anyOf", ()) for shape in shapes)


def _references(schema: Mapping[str, Any]) -> list[str]:
    """The schemas that an answer may have."""
    choices = schema.get("oneOf") or schema.get("anyOf") or [schema]
    names = [choice["$ref"].rpartition("/")[2] for choice in choices]
    return [name for name in names if name not in _OTHER_VIEWS]


def _field(member: str, annotation: str) -> str:
    """A word of the language gets an underscore behind, and keeps its name on the wire."""
    if not keyword.iskeyword(member):
        return f"{member}: {annotation}"
    assert "=" not in annotation
    return f'{member}_: {annotation} = msgspec.field(name="{member}")'


def _with_none(annotation: str) -> str:
    return annotation if annotation == "Any" or annotation.endswith("None") else f"{annotation} | None"


def _union(parts: list[str]) -> str:
    """What msgspec can tell apart: at most one text, one array and one object; anything else stays as it came."""
    distinct = list(dict.fromkeys(parts))
    kinds = [_kind(part) for part in distinct]
    if "Any" in distinct or len(set(kinds)) < len(kinds):
        return "Any"
    return " | ".join([*(part for part in distinct if part != "None"), *(["None"] if "None" in distinct else [])])


def _kind(part: str) -> str:
    if part in {"int", "float", "bool", "None"}:
        return part
    if part in {"str", "datetime"}:
        return "text"
    return "array" if part.startswith("tuple") else "object"


def _answers(document: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The schema of the good answer of each operation; of a list that of its items."""
    found = {}
    schemas = document["components"]["schemas"]
    for item in document["paths"].values():
        for operation in item.values():
            good = next(answer for status, answer in operation["responses"].items() if status.startswith("2"))
            if "application/json" not in good["content"]:
                continue
            schema = good["content"]["application/json"]["schema"]
            named = schemas[_references(schema)[0]]["properties"]
            is_list = named.get("object", {}).get("const") == "list"
            found[operation["operationId"]] = named["data"]["items"] if is_list else schema
    return found


def written() -> str:
    """The text of the module, formatted."""
    routes = [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]
    document = openapi_document(routes, ())
    writer, answers = _Writer(document["components"]["schemas"]), _answers(document)
    writer.promised |= set(ROOTS)
    for name, operations in ROOTS.items():
        writer.root(name, [answers[operation] for operation in operations])
    kept = [text for _, text in sorted(_reachable(writer.classes).items())]
    return formatted("\n\n\n".join([_HEAD.rstrip(), *kept]) + "\n")


def _reachable(classes: Mapping[str, str]) -> dict[str, str]:
    """Without parts that only stood in a choice that nobody can tell apart."""
    found, seen = dict.fromkeys(ROOTS, ""), list(ROOTS)
    while seen:
        name = seen.pop()
        found[name] = classes[name]
        seen += [other for other in classes if other not in found and re.search(rf"\b{other}\b", classes[name])]
    return found


def formatted(text: str) -> str:
    """As `make fmt` would leave it."""
    for words in (
        ["check", "--fix", "--quiet", "--unsafe-fixes", "--select", "I,F401,UP028", "-"],
        ["format", "--quiet", "-"],
    ):
        run = [sys.executable, "-m", "ruff", words[0], *words[1:-1], "--stdin-filename", str(TARGET), "-"]
        text = subprocess.run(run, input=text, capture_output=True, text=True, check=True).stdout
    return text


if __name__ == "__main__":
    TARGET.write_text(written())
