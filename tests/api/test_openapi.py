"""The OpenAPI document."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from statuspulse.catalog.kinds.registry import KINDS
from statuspulse.domain.scope import SCOPES
from tests.api.contract import ENVELOPE_BASE, closed, subschemas
from tests.api.server import Api
from tests.api.test_create_monitor import SEED_BODY

METHODS = ("get", "put", "post", "patch", "delete")


@pytest.fixture(scope="module")
def document(api: Api) -> dict[str, Any]:
    answer = api.call("GET", "/v1/openapi.json", token=None)
    assert answer.headers["Content-Type"] == "application/json"
    found: dict[str, Any] = answer.json()
    return found


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield f"{method.upper()} {path}", item[method]


def resolved(document: dict[str, Any], reference: str) -> Any:
    node: Any = document
    for step in reference.removeprefix("#/").split("/"):
        node = node[step]
    return node


def test_it_is_openapi_3_1_with_the_servers_of_the_contract(document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.1.0"
    assert document["servers"] == [
        {"url": "{base}/v1", "variables": {"base": {"default": "https://api.statuspulse.io"}}}
    ]
    assert document["components"]["securitySchemes"] == {
        "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "sk_live_*"}
    }


def test_yaml_is_served_too(api: Api, document: dict[str, Any]) -> None:
    answer = api.call("GET", "/v1/openapi.yaml", token=None)
    assert (answer.headers["Content-Type"], answer.json()) == ("application/yaml", document)


def test_paths_are_relative_to_the_prefix(document: dict[str, Any]) -> None:
    assert "/monitors/{monitor_id}/config" in document["paths"]
    assert not [path for path in document["paths"] if path.startswith("/v1") or path == "/healthz"]


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    references = [node["$ref"] for node in subschemas(document) if isinstance(node.get("$ref"), str)]
    assert len(references) > 50
    for reference in references:
        assert resolved(document, reference)


def test_no_schema_is_named_after_the_place_of_its_code(document: dict[str, Any]) -> None:
    # So the framework tells two of one name apart; whoever makes a client of the document would get that name.
    assert not [name for name in document["components"]["schemas"] if "__" in name]


def test_every_schema_is_a_json_schema(document: dict[str, Any]) -> None:
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


def test_nothing_of_the_frameworks_errors_is_left(document: dict[str, Any]) -> None:
    assert "HTTPValidationError" not in str(document)
    assert "ValidationError" not in document["components"]["schemas"]


def test_answers_are_flat_and_open_and_requests_closed(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    assert not [name for name, schema in schemas.items() if "allOf" in schema]
    for name, schema in schemas.items():
        # What a probe sends is made of schemas of its own, one of them a bare "Item".
        if (name.endswith(("Answer", "Change", "Item", "List")) and name != "Item") or name in {"Error", "Deleted"}:
            assert "additionalProperties" not in schema, name
    monitors = ("HttpMonitor", "TcpMonitor", "DnsMonitor", "HttpMonitorEdit", "PauseRequest")
    for name in (*monitors, "IncidentRequest", "IncidentEdit", "ExternalLink", "ExternalLinks", "NoteRequest"):
        assert schemas[name]["additionalProperties"] is False


def test_every_refusal_of_every_operation_is_the_error(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        refusals = {status for status in operation["responses"] if int(status) >= 400}
        assert {"405", "413", "422", "429", "500", "503"} <= refusals, name
        for status in ("429", "503"):
            assert "Retry-After" in operation["responses"][status]["headers"], name
        told = {status for status, response in operation["responses"].items() if "RateLimit" in response["headers"]}
        if operation["security"]:
            assert told == set(operation["responses"]) - {"401", "405", "413"}, name
        else:
            assert told == {"429"}, name
        for status in refusals:
            content = operation["responses"][status]["content"]
            for media_type in ("application/json", "application/problem+json"):
                assert content[media_type]["schema"] == {"$ref": "#/components/schemas/Error"}


def test_operations_tell_scope_name_and_section(document: dict[str, Any]) -> None:
    names = []
    for name, operation in operations(document):
        scopes = operation.get("x-required-scopes", [])
        assert set(scopes) <= SCOPES, name
        has_token = "x-required-scopes" in operation
        assert operation["security"] == ([{"bearer": []}] if has_token else [])
        assert operation["tags"]
        assert operation["summary"]
        names.append(operation["operationId"])
        if has_token:
            assert {"400", "401", "403"} <= operation["responses"].keys()
            assert ("415" in operation["responses"]) == name.startswith(("POST", "PUT", "PATCH")), name
    assert len(names) == len(set(names)) >= 12
    assert "createMonitor" in names


def test_every_operation_has_an_example_and_every_example_validates(document: dict[str, Any]) -> None:
    strict = closed(document)
    for name, operation in operations(strict):
        shown = 0
        contents = [response.get("content", {}) for response in operation["responses"].values()]
        for content in [*contents, operation.get("requestBody", {}).get("content", {})]:
            for told in content.values():
                for example in told.get("examples", {}).values():
                    schema = {**told["schema"], "components": strict["components"]}
                    problems = [
                        error.message[:200] for error in Draft202012Validator(schema).iter_errors(example["value"])
                    ]
                    assert not problems, (name, problems)
                    shown += 1
        assert shown, name


def test_examples_of_answers_have_the_envelope(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        for status, response in operation["responses"].items():
            for example in response.get("content", {}).get("application/json", {}).get("examples", {}).values():
                problems = list(Draft202012Validator(ENVELOPE_BASE).iter_errors(example["value"]))
                assert not problems, (name, status)


def test_the_body_of_the_reference_is_an_example(document: dict[str, Any]) -> None:
    told = document["paths"]["/monitors"]["post"]["requestBody"]["content"]["application/json"]
    assert told["examples"]["checkout"]["value"] == SEED_BODY


@pytest.mark.parametrize(
    ("body", "valid"),
    [
        ({"name": "a", "type": "tcp", "url": "tcp://a.example:1"}, True),
        ({"name": "a", "type": "tcp", "host": "a.example", "port": 1}, True),
        ({"name": "a", "type": "tcp"}, False),
        ({"name": "a", "type": "dns", "hostname": "a.example"}, True),
        ({"name": "a", "type": "http", "url": "https://a.example", "method": "POST", "body": "{}"}, True),
        ({"name": "a", "type": "http", "url": "https://a.example", "method": "TRACE"}, False),
        ({"name": "a", "type": "http", "url": "https://a.example", "auth": {"type": "bearer", "token": "t"}}, True),
        ({"name": "a", "type": "http", "url": "https://a.example", "auth": {"type": "basic", "token": "t"}}, False),
        ({"name": "a", "type": "http", "url": "https://a.example", "colour": "red"}, False),
        ({"name": "a", "type": "http"}, False),
        ({"type": "http", "url": "https://a.example"}, False),
    ],
)
def test_the_schema_of_requests_agrees_with_what_is_taken(
    api: Api, document: dict[str, Any], body: dict[str, Any], valid: bool
) -> None:
    schema = {"$ref": "#/components/schemas/MonitorRequest", "components": document["components"]}
    assert Draft202012Validator(schema).is_valid(body) is valid
    assert (api.call("POST", "/v1/monitors", body).status_code == 201) is valid


def test_what_a_get_answers_may_be_put_back_by_the_schema(api: Api, document: dict[str, Any]) -> None:
    made = api.call("POST", "/v1/monitors", SEED_BODY).json()
    schema = {"$ref": "#/components/schemas/MonitorEdit", "components": document["components"]}
    for sent in (made, api.call("GET", f"/v1/monitors/{made['id']}/config").json(), {"name": None}, {}):
        assert Draft202012Validator(schema).is_valid(sent)
    assert not Draft202012Validator(schema).is_valid({"colour": "red"})


def test_every_member_of_a_monitor_says_what_it_does(api: Api) -> None:
    schemas = api.contract.document["components"]["schemas"]
    kinds = [kind.model.__name__ for kind in KINDS.values()]
    parts = ["RetryMembers", "TlsMembers", "RuleMembers", "WhenMembers", "HoursMembers", "QuietHoursMembers"]
    parts += ["AssertionMembers", "HeaderMembers", "BasicAuthMembers", "TcpTls", "ExpectStep", "SoaSerialMembers"]
    silent = [
        f"{name}.{member}"
        for name in [*kinds, *parts]
        for member, told in schemas[name]["properties"].items()
        if not told.get("description")
    ]
    assert silent == []


def test_conditions_are_told_where_they_hold(document: dict[str, Any]) -> None:
    """That answers carry an ETag where this says so, and nowhere else, is held against every call of tests/api."""
    conditions = {
        name: {parameter["name"] for parameter in operation.get("parameters", ()) if parameter["in"] == "header"}
        for name, operation in operations(document)
    }
    assert {"If-None-Match"} <= conditions["GET /status/{monitor_id}"]
    for name, operation in operations(document):
        assert ("If-Match" in conditions[name]) is ("412" in operation["responses"]), name
        assert ("If-None-Match" in conditions[name]) is ("304" in operation["responses"]), name
        if "304" in operation["responses"]:
            assert "ETag" in operation["responses"]["200"]["headers"]
