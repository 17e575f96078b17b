"""What every call has in common: bodies, headers, methods, paths."""

from __future__ import annotations

import http.client
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.api.server import PUBLIC_URL, WRITER, Api


def code_of(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


@pytest.mark.parametrize(
    "raw",
    [
        b'{"name": "a", "name": "b"}',
        b'{"interval_seconds": NaN}',
        b'{"interval_seconds": Infinity}',
        b'{"name": "\xff"}',
        b'{"name": "\\ud800"}',
        b'{"name": "a\\u0000"}',
        b"{",
        b"",
        b'{"a":' * 21 + b"1" + b"}" * 21,
    ],
)
def test_a_body_that_is_no_strict_json_is_400(api: Api, raw: bytes) -> None:
    answer = api.call("POST", "/v1/monitors", raw=raw, headers={"Content-Type": "application/json"})
    assert code_of(answer) == (400, "invalid_json")


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/json; charset=latin-1",
        "application/merge-patch+json",
        "application/jsonx",
        "",
    ],
)
def test_a_body_of_another_type_is_415(api: Api, content_type: str) -> None:
    answer = api.call("POST", "/v1/monitors", raw=b"{}", headers={"Content-Type": content_type})
    assert code_of(answer) == (415, "unsupported_media_type")


def test_a_packed_body_is_415(api: Api) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    answer = api.call("POST", "/v1/monitors", raw=b"{}", headers=headers)
    assert code_of(answer) == (415, "unsupported_media_type")
    assert answer.json()["error"]["param"] == "Content-Encoding"


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "Application/JSON", 'application/json;charset="UTF-8"']
)
def test_json_in_utf_8_is_read(api: Api, content_type: str) -> None:
    answer = api.call("POST", "/v1/monitors", raw=b"{}", headers={"Content-Type": content_type})
    assert code_of(answer) == (422, "validation_failed")


def test_a_body_above_the_limit_is_413(api: Api) -> None:
    answer = api.call("POST", "/v1/monitors", raw=b" " * (256 * 1024 + 1), headers={"Content-Type": "application/json"})
    assert code_of(answer) == (413, "payload_too_large")


@pytest.mark.parametrize(("length", "status"), [("0" * 5000 + "2", 422), ("0" * 5000 + "262145", 413)])
def test_zeros_in_front_of_a_length_count_for_nothing(api: Api, length: str, status: int) -> None:
    headers = {"Authorization": f"Bearer {WRITER}", "Content-Type": "application/json", "Content-Length": length}
    connection = http.client.HTTPConnection(urlsplit(api.url).netloc, timeout=10)
    connection.request("POST", "/v1/monitors", body=b"{}", headers=headers)
    assert connection.getresponse().status == status
    connection.close()


def test_a_chunked_body_above_the_limit_is_413(api: Api) -> None:
    connection = http.client.HTTPConnection(urlsplit(api.url).netloc, timeout=10)
    headers = {"Authorization": f"Bearer {WRITER}", "Content-Type": "application/json"}
    connection.request(
        "POST", "/v1/monitors", body=(b" " * 65_536 for _ in range(5)), headers=headers, encode_chunked=True
    )
    answer = connection.getresponse()
    assert answer.status == 413
    assert b"payload_too_large" in answer.read()
    connection.close()


def test_a_body_at_the_limit_is_read(api: Api) -> None:
    answer = api.call(
        "POST", "/v1/monitors", raw=b"{}" + b" " * (256 * 1024 - 2), headers={"Content-Type": "application/json"}
    )
    assert code_of(answer) == (422, "validation_failed")


def test_a_body_that_is_no_object_is_422(api: Api) -> None:
    bodies: tuple[Any, ...] = ([], "text", 1, True)
    for body in bodies:
        answer = api.call("POST", "/v1/monitors", body)
        assert code_of(answer) == (422, "validation_failed")
        assert answer.json()["message"] == "The body must be an object."


def test_unknown_members_of_the_body_are_422_with_the_likely_name(api: Api, body: dict[str, Any]) -> None:
    answer = api.call("POST", "/v1/monitors", {**body, "intervall_seconds": 30})
    detail = answer.json()["error"]["details"][0]
    assert (detail["code"], detail["pointer"]) == ("unknown_parameter", "/intervall_seconds")
    assert answer.json()["message"] == 'intervall_seconds is not known here; perhaps "interval_seconds" is meant.'


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("colour=red", "unknown_parameter"),
        ("limit=5&limit=6", "parameter_duplicate"),
        ("q=ab%00", "parameter_invalid_format"),
        ("limit=many", "parameter_invalid_type"),
        ("limit=0", "parameter_out_of_range"),
        ("limit=101", "parameter_out_of_range"),
        ("order=up", "parameter_invalid_enum"),
        ("q=a", "parameter_out_of_range"),
        ("paused=yes", "parameter_invalid_enum"),
        ("state=sleeping", "parameter_invalid_enum"),
        ("updated_since=yesterday", "parameter_invalid_format"),
        ("updated_since=2026-11-23T06:20:00", "parameter_invalid_format"),
    ],
)
def test_a_wrong_query_is_422_and_names_the_member(api: Api, query: str, code: str) -> None:
    answer = api.call("GET", f"/v1/monitors?{query}")
    assert code_of(answer) == (422, "validation_failed")
    detail = answer.json()["error"]["details"][0]
    assert (detail["code"], detail["param"], detail["pointer"]) == (code, query.partition("=")[0], None)


@pytest.mark.parametrize(
    ("path", "param"),
    [
        ("incidents?monitor_id=x", "monitor_id"),
        ("incidents?monitor_id=inc_4m8n2v5w", "monitor_id"),
        ("incidents?monitor_id=", "monitor_id"),
        ("monitors?region=Mars", "region"),
        ("monitors?region=", "region"),
        ("monitors?tag=", "tag"),
        ("monitors?tag=prod&tag=A%20B", "tag"),
        ("monitors?escalation_policy=On%20call", "escalation_policy"),
        ("status?region=", "region"),
        ("monitors/{id}/results?region=", "region"),
    ],
)
def test_a_filter_that_nothing_could_ever_match_is_refused(
    api: Api, body: dict[str, Any], path: str, param: str
) -> None:
    made = api.call("POST", "/v1/monitors", body).json()
    answer = api.call("GET", f"/v1/{path.format(id=made['id'])}")
    assert (answer.status_code, answer.json()["error"]["param"]) == (422, param)


def test_a_filter_for_what_is_not_here_is_an_empty_list(api: Api) -> None:
    for path in ("incidents?monitor_id=mon_00000000", "monitors?region=mars", "monitors?tag=nobody"):
        answer = api.call("GET", f"/v1/{path}")
        assert (answer.status_code, answer.json()["data"]) == (200, [])


def test_a_query_is_refused_where_none_is_known(api: Api) -> None:
    assert code_of(api.call("GET", "/v1?access_token=x")) == (422, "validation_failed")


def test_booleans_are_no_integers_and_integral_floats_are(api: Api, body: dict[str, Any]) -> None:
    refused = api.call("POST", "/v1/monitors", {**body, "failure_threshold": True})
    assert refused.json()["error"]["details"][0]["code"] == "parameter_invalid_type"
    raw = b'{"name": "Shop", "type": "http", "url": "https://shop.example", "interval_seconds": 3e1}'
    taken = api.call("POST", "/v1/monitors", raw=raw, headers={"Content-Type": "application/json"})
    assert (taken.status_code, taken.json()["interval_seconds"]) == (201, 30)


def test_numbers_in_strings_are_no_numbers(api: Api, body: dict[str, Any]) -> None:
    answer = api.call("POST", "/v1/monitors", {**body, "interval_seconds": "30"})
    assert answer.json()["message"] == "interval_seconds must be an integer."


def test_strings_are_normalised_and_control_characters_refused(api: Api, body: dict[str, Any]) -> None:
    taken = api.call("POST", "/v1/monitors", {**body, "name": "Cafe\u0301", "description": "two\n\tlines"})
    assert (taken.json()["name"], taken.json()["description"]) == ("Caf\u00e9", "two\n\tlines")
    for name, text in (("name", "a\nb"), ("name", "a\x7f"), ("description", "a\rb"), ("name", "  ")):
        assert api.call("POST", "/v1/monitors", {**body, name: text}).json()["error"]["param"] == name


def test_every_answer_has_the_headers_of_the_contract(api: Api) -> None:
    for path in ("/v1/monitors", "/v1/monitors/mon_zzzzzzzz", "/v1/nothing", "/healthz"):
        headers = api.call("GET", path).headers
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Vary"] == "Authorization, Accept, Accept-Encoding"
        assert headers["Request-Id"].startswith("req_")


def test_a_request_id_of_the_caller_is_echoed_when_it_is_harmless(api: Api) -> None:
    assert api.call("GET", "/v1", headers={"X-Request-Id": "deploy-4711"}).headers["X-Request-Id"] == "deploy-4711"
    for odd in ("a b", "x" * 129, "<script>"):
        assert "X-Request-Id" not in api.call("GET", "/v1", headers={"X-Request-Id": odd}).headers


def test_head_works_wherever_get_does(api: Api) -> None:
    for path in ("/v1/monitors", "/v1", "/healthz", "/v1/openapi.json"):
        head, get = api.call("HEAD", path), api.call("GET", path)
        assert (head.status_code, head.content) == (get.status_code, b"")
        assert head.headers["Content-Length"] == get.headers["Content-Length"]


def test_an_unknown_path_is_404_before_a_token_is_asked(api: Api) -> None:
    assert code_of(api.call("GET", "/v1/nothing", token=None)) == (404, "route_not_found")
    assert code_of(api.call("GET", "/nothing", token=None)) == (404, "route_not_found")


def test_another_method_is_405_and_tells_all_that_the_path_takes(api: Api) -> None:
    for path, allowed in (
        ("/v1/monitors", "GET, HEAD, POST"),
        ("/v1/monitors/mon_zzzzzzzz", "DELETE, GET, HEAD, PATCH"),
        ("/v1/monitors/mon_zzzzzzzz/config", "GET, HEAD, PATCH, PUT"),
        ("/v1/monitors/mon_zzzzzzzz/pause", "POST"),
        ("/healthz", "GET, HEAD"),
    ):
        answer = api.call("OPTIONS", path, token=None)
        assert code_of(answer) == (405, "method_not_allowed")
        assert answer.headers["Allow"] == allowed


def test_a_trailing_slash_answers_like_the_path_without(api: Api, body: dict[str, Any]) -> None:
    assert api.call("GET", "/v1/monitors/").status_code == 200
    assert api.call("POST", "/v1/monitors/", body).status_code == 201
    assert api.call("GET", "/v1/").json()["object"] == "api"


def test_a_problem_document_is_sent_where_it_is_asked_for(api: Api) -> None:
    plain = api.call("GET", "/v1/nothing")
    asked = api.call("GET", "/v1/nothing", headers={"Accept": "application/problem+json"})
    assert plain.headers["Content-Type"] == "application/json"
    assert asked.headers["Content-Type"] == "application/problem+json"
    assert asked.json()["type"] == f"{PUBLIC_URL}/docs/errors/route_not_found"


def test_no_refusal_repeats_a_value(api: Api, body: dict[str, Any]) -> None:
    for name in ("url", "regions", "notifications", "headers", "auth", "metadata", "unknown_member", "type", "quorum"):
        for value in ("hunter2", ["hunter2"], {"x": {"y": "hunter2"}}):
            answer = api.call("POST", "/v1/monitors", {**body, name: value})
            assert answer.status_code == 422
            assert "hunter2" not in answer.text
