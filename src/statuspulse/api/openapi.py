"""The OpenAPI document: the framework's, with our errors, credentials, servers and request bodies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from fastapi.openapi.utils import get_openapi
from fastapi.routing import RouteContext, iter_route_contexts
from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import JsonSchemaMode, models_json_schema
from starlette.routing import BaseRoute

from statuspulse import __version__
from statuspulse.api import described_headers, described_versions, event_schema
from statuspulse.api.answers.common import Error, Later
from statuspulse.api.examples import common as examples
from statuspulse.api.route import FURTHER_STATUSES, OWN_TOKEN, SCOPE_MEMBER, TAKES_TICKET, WAITS, DescribedRoute
from statuspulse.catalog.incident_moves import EscalateRequest, SnoozeRequest
from statuspulse.catalog.kinds.registry import KINDS
from statuspulse.catalog.members import incident as incident_members
from statuspulse.catalog.members import maintenance as maintenance_members
from statuspulse.catalog.members import policy as policy_members
from statuspulse.catalog.members import schedule as schedule_members
from statuspulse.catalog.members import slo as slo_members
from statuspulse.catalog.members import team as team_members
from statuspulse.catalog.members.channel import ChannelEdit, ChannelRequest
from statuspulse.catalog.members.incident import IncidentEdit, IncidentRequest, NoteRequest
from statuspulse.catalog.members.integration import EDITS as INTEGRATION_EDITS
from statuspulse.catalog.members.integration import REQUESTS as INTEGRATION_REQUESTS
from statuspulse.catalog.members.maintenance import MaintenanceRequest, WindowEdit, WindowRequest
from statuspulse.catalog.members.policy import PolicyEdit, PolicyRequest, PolicyTrial
from statuspulse.catalog.members.probe import KeyExchange, KeyRotation, ProbeEdit, ProbeRequest
from statuspulse.catalog.members.schedule import ScheduleEdit, ScheduleRequest
from statuspulse.catalog.members.slo import SloEdit, SloRequest
from statuspulse.catalog.members.team import MemberEdit, MemberRequest, TeamEdit, TeamRequest
from statuspulse.catalog.members.token import TokenRequest
from statuspulse.catalog.members.webhook import RedeliverRequest, ReplayRequest, WebhookEdit, WebhookRequest
from statuspulse.catalog.merging import READ_ONLY
from statuspulse.protocol.documents import Heartbeat, Results

_PREFIX = "/v1"
_REF = "#/components/schemas/{model}"
_DESCRIPTION = (
    "Watches HTTP, TCP, DNS, TLS, ICMP and gRPC targets, waits for jobs that call, and gets the right person to act. "
    "Every answer has the members of one envelope; "
    "refusals carry `error` and are problem documents of RFC 9457."
)
_SERVERS = [{"url": "{base}/v1", "variables": {"base": {"default": "https://api.statuspulse.io"}}}]
_REASONS = {
    304: "Nothing changed",
    400: "It cannot be read",
    401: "No valid token",
    403: "The token lacks a scope",
    404: "It does not exist",
    405: "The path takes other methods",
    409: "It conflicts with the state of the object",
    410: "The cursor has expired",
    412: "It has another version than the caller expects",
    413: "The body is too large",
    415: "The body is of another type",
    422: "It can be read and does not hold",
    428: "A precondition is required",
    429: "Too many calls",
    500: "Something failed on our side",
    503: "The instance is too busy or takes no changes",
}
_REQUESTS = (
    IncidentRequest,
    IncidentEdit,
    NoteRequest,
    ProbeRequest,
    ProbeEdit,
    KeyRotation,
    KeyExchange,
    TokenRequest,
    TeamRequest,
    TeamEdit,
    MemberRequest,
    MemberEdit,
    ChannelRequest,
    ChannelEdit,
    WebhookRequest,
    WebhookEdit,
    ReplayRequest,
    RedeliverRequest,
    PolicyRequest,
    PolicyEdit,
    PolicyTrial,
    EscalateRequest,
    SnoozeRequest,
    ScheduleRequest,
    ScheduleEdit,
    SloRequest,
    SloEdit,
    WindowRequest,
    WindowEdit,
    MaintenanceRequest,
)
_OPEN_STATUSES = (405, 413, 422, 429, 500, 503)
_TOKEN_STATUSES = (400, 401, 403)
_METHODS_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


def openapi_document(routes: Sequence[BaseRoute], tags: Sequence[str]) -> dict[str, Any]:
    """The document of all routes under `/v1`."""
    document = get_openapi(
        title="StatusPulse",
        version=__version__,
        openapi_version="3.1.0",
        description=_DESCRIPTION,
        routes=routes,
        tags=[{"name": tag} for tag in tags],
        servers=_SERVERS,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
    )
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for leftover in ("HTTPValidationError", "ValidationError"):
        schemas.pop(leftover, None)
    answers, of_answers = _answers(routes)
    document["components"] = {
        "schemas": _without_titles({**schemas, **of_answers, **_components()}),
        "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "sk_live_*"}},
        "headers": described_headers.COMPONENTS,
    }
    document["components"]["schemas"] |= event_schema.components()
    document["webhooks"] = event_schema.webhooks()
    document["paths"] = _without_titles(document["paths"])
    for route in iter_route_contexts(routes):
        item = document["paths"].get(route.path_format, {})
        for method in route.methods or ():
            if method.lower() in item:
                _finish(item[method.lower()], route, answers.get(str(route.operation_id)))
    document["paths"] = {path.removeprefix(_PREFIX) or "/": item for path, item in document["paths"].items()}
    described_versions.add(document["paths"])
    return document


def _answers(routes: Sequence[BaseRoute]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The schema of each operation's answer by its id, and the components that they refer to."""
    shapes: dict[str, TypeAdapter[Any]] = {}
    for route in iter_route_contexts(routes):
        if isinstance(route.original_route, DescribedRoute) and route.original_route.answer is not None:
            answer = route.original_route.answer
            shapes[str(route.operation_id)] = TypeAdapter(answer.shape if isinstance(answer, Later) else answer)
    wanted: list[tuple[str, JsonSchemaMode, TypeAdapter[Any]]]
    wanted = [(name, "serialization", adapter) for name, adapter in shapes.items()]
    schemas, defined = TypeAdapter.json_schemas(wanted, ref_template=_REF)
    return {name: schema for (name, _), schema in schemas.items()}, defined.get("$defs", {})


def _finish(operation: dict[str, Any], route: RouteContext, answer: dict[str, Any] | None) -> None:
    """Adds what the framework does not know, and the examples, in which it drops every null."""
    has_token = SCOPE_MEMBER in operation
    statuses = _refusals(operation, route)
    for name in (WAITS, TAKES_TICKET, OWN_TOKEN, FURTHER_STATUSES):
        operation.pop(name, None)
    operation["security"] = [{"bearer": []}] if has_token else []
    responses = operation["responses"]
    for status, told in route.responses.items():
        for media_type, content in told["content"].items():
            shown = responses[str(status)]["content"][media_type]
            shown["examples"] = content["examples"]
            if answer is not None:
                shown["schema"] = answer
    for status in sorted(statuses):
        responses[str(status)] = _refusal(status)
    is_keyed = has_token and "POST" in (route.methods or ())
    if is_keyed:
        operation["parameters"] = [*operation.get("parameters", ()), described_headers.IDEMPOTENCY_KEY]
    for status, response in responses.items():
        response["headers"] = described_headers.of_answer(int(status), has_token=has_token, is_keyed=is_keyed)
    if "requestBody" in (route.openapi_extra or {}):
        operation["requestBody"] = route.openapi_extra["requestBody"]


def _refusals(operation: Mapping[str, Any], route: RouteContext) -> set[int]:
    """Statuses that stand beside those of the answer itself: those of every operation of its kind, and its own."""
    statuses = {*_OPEN_STATUSES, *operation.get(FURTHER_STATUSES, ())}
    if SCOPE_MEMBER in operation:
        statuses |= {*_TOKEN_STATUSES}
        if _METHODS_WITH_BODY & (route.methods or set()):
            statuses.add(415)
    if "{" in (route.path or "") and SCOPE_MEMBER in operation:  # to whom proves nothing, what is not there is closed
        statuses.add(404)
    if WAITS in operation:  # under a key whose first call is still waiting
        statuses.add(409)
    return statuses


def _without_titles(node: Any) -> Any:
    """The framework titles every member with its own name."""
    if isinstance(node, dict):
        return {
            name: _without_titles(value)
            for name, value in node.items()
            if not (name == "title" and isinstance(value, str))
        }
    return [_without_titles(item) for item in node] if isinstance(node, list) else node


def _refusal(status: int) -> dict[str, Any]:
    response: dict[str, Any] = {"description": _REASONS[status]}
    if status >= 400:
        error = {"schema": {"$ref": _REF.format(model="Error")}}
        shown = {"examples": {"too_short": {"value": examples.ERROR}}} if status == 422 else {}
        response["content"] = {"application/json": {**error, **shown}, "application/problem+json": error}
    return response


def _components() -> dict[str, Any]:
    kinds = KINDS.values()
    of_integrations = (*INTEGRATION_REQUESTS.values(), *INTEGRATION_EDITS.values())
    models: list[type[BaseModel]] = [*(kind.model for kind in kinds), *_REQUESTS, *of_integrations]
    _, defined = models_json_schema([(model, "validation") for model in models], ref_template=_REF)
    schemas: dict[str, Any] = {**defined["$defs"], **_answer_components(), **_agent_components()}
    schemas["IncidentEdit"]["properties"] |= _ignored(incident_members.READ_ONLY)
    schemas["TeamEdit"]["properties"] |= _ignored(team_members.READ_ONLY_OF_TEAM)
    schemas["MemberEdit"]["properties"] |= _ignored(team_members.READ_ONLY)
    schemas["ScheduleEdit"]["properties"] |= _ignored(schedule_members.READ_ONLY)
    schemas["SloEdit"]["properties"] |= _ignored(slo_members.READ_ONLY)
    schemas["WindowEdit"]["properties"] |= _ignored(maintenance_members.READ_ONLY)
    schemas["PolicyEdit"]["properties"] |= _ignored(policy_members.READ_ONLY)
    names = {kind.name: kind.model.__name__ for kind in kinds}
    for kind in kinds:
        if kind.ways:
            _either_way(schemas[kind.model.__name__], kind.aliases, kind.ways)
    edits = {f"{name}Edit": _edit(schemas[name]) for name in names.values()}
    schemas["MonitorRequest"] = {
        "description": "A new monitor; `type` tells which members it has.",
        "oneOf": [{"$ref": _REF.format(model=name)} for name in names.values()],
        "discriminator": {
            "propertyName": "type",
            "mapping": {kind: _REF.format(model=name) for kind, name in names.items()},
        },
    }
    schemas["MonitorEdit"] = {
        "description": "Members to change; null takes one back to its default, `config_version` is a precondition.",
        "anyOf": [{"$ref": _REF.format(model=name)} for name in edits],
    }
    return schemas | edits | _integration_components()


def _integration_components() -> dict[str, Any]:
    refs = {kind.value: _REF.format(model=model.__name__) for kind, model in INTEGRATION_REQUESTS.items()}
    return {
        "IntegrationRequest": {
            "description": "A new integration; `kind` tells which members it has.",
            "oneOf": [{"$ref": ref} for ref in refs.values()],
            "discriminator": {"propertyName": "kind", "mapping": refs},
        },
        "IntegrationEdit": {
            "description": "Members to change, those of the integration's kind.",
            "anyOf": [{"$ref": _REF.format(model=model.__name__)} for model in INTEGRATION_EDITS.values()],
        },
        "InboundMessage": {"description": "What the other system sends, in its own form.", "type": "object"},
    }


def _answer_components() -> dict[str, Any]:
    schema = Error.model_json_schema(mode="serialization", ref_template=_REF)
    inner: dict[str, Any] = schema.pop("$defs")
    return {**inner, "Error": schema}


def _agent_components() -> dict[str, Any]:
    """What probes send, as msgspec reads it."""
    _, defined = msgspec.json.schema_components([Results, Heartbeat], ref_template=_REF.format(model="{name}"))
    names = {"Results": "AgentResults", "Heartbeat": "AgentHeartbeat"}
    return {names.get(name, name): schema for name, schema in defined.items()}


def _either_way(schema: dict[str, Any], aliases: Mapping[str, Any], ways: Sequence[Sequence[str]]) -> None:
    """Lets a schema be satisfied under other names, too."""
    own = {name for way in ways for name in way}
    schema["properties"] |= aliases
    schema["required"] = [name for name in schema["required"] if name not in own]
    schema["anyOf"] = [{"required": list(way)} for way in ways]


def _edit(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of a change: every member may be absent or null, and members of an answer may be sent back."""
    properties = dict(_nullable(schema["properties"]))
    version = {"type": "integer", "description": "The version that this change is made on."}
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {**properties, "config_version": version, **_ignored(READ_ONLY - set(properties))},
    }


def _ignored(names: Iterable[str]) -> dict[str, Any]:
    """Members of an answer that may be sent back and change nothing."""
    return {name: {"readOnly": True} for name in sorted(names)}


def _nullable(properties: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, schema in properties.items():
        yield name, {"anyOf": [{key: value for key, value in schema.items() if key != "default"}, {"type": "null"}]}
