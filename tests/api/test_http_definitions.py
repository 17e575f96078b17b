"""What an HTTP check may be: each mistake is refused with the member and the cure."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from statuspulse.catalog.kinds.http_assertions import AssertionMembers
from statuspulse.domain.assertion import Operator, Source
from statuspulse.domain.specs.http import HttpSpec
from statuspulse.domain.specs.registry import spec_of
from statuspulse.storage import watch
from tests.api.server import Api
from tests.api.test_create_monitor import first_detail

TEXT = ("eq", "ne", "contains", "not_contains", "matches")
ORDER = ("lt", "lte", "gt", "gte")
PRESENCE = ("exists", "not_exists")
# What fits which source; everything else is refused.
FITTING: dict[str, tuple[str, ...]] = {
    "status": ("eq", "ne", *ORDER),
    "header": (*TEXT, *PRESENCE),
    "body": TEXT,
    "json": (*TEXT, *ORDER, *PRESENCE),
    "latency_ms": ORDER,
    "tls_days_left": ORDER,
}
PROPERTY = {"header": "Content-Type", "json": "$.status"}
NUMERIC = {"status": 200, "latency_ms": 800.5, "tls_days_left": 14}


def an_assertion(source: str, operator: str, **members: Any) -> dict[str, Any]:
    """A rule with a value of the kind that the operator takes."""
    rule: dict[str, Any] = {"source": source, "operator": operator}
    if source in PROPERTY:
        rule["property"] = PROPERTY[source]
    if operator not in PRESENCE:
        rule["value"] = NUMERIC.get(source, 5 if operator in ORDER else "ok")
    return {**rule, **members}


def refusal(api: Api, sent: dict[str, Any]) -> tuple[str, str, str]:
    detail = first_detail(api.call("POST", "/v1/monitors", sent))
    return detail["code"], detail["param"], detail["message"]


def a_header(name: str, value: str = "x", **members: Any) -> list[dict[str, Any]]:
    return [{"name": name, "value": value, **members}]


def test_the_words_of_the_contract_are_those_of_the_probe() -> None:
    fields = AssertionMembers.model_fields
    assert get_args(fields["source"].annotation) == tuple(Source)
    assert get_args(fields["operator"].annotation) == tuple(Operator)


@pytest.mark.parametrize("source", list(Source))
@pytest.mark.parametrize("operator", list(Operator))
def test_an_operator_is_taken_where_it_fits_and_only_there(
    api: Api, body: dict[str, Any], source: str, operator: str
) -> None:
    rule = an_assertion(source, operator)
    answer = api.call("POST", "/v1/monitors", {**body, "assertions": [rule]})
    if operator in FITTING[source]:
        assert answer.status_code == 201, answer.text
        assert answer.json()["assertions"] == [{"property": None, "value": None, **rule}]
        return
    detail = first_detail(answer)
    assert (detail["code"], detail["param"]) == ("parameter_invalid_enum", "assertions[0].operator")
    assert detail["known"] == [name for name in detail["known"] if name in FITTING[source]] != []


@pytest.mark.parametrize(
    ("rule", "code", "member", "cure"),
    [
        ({}, "parameter_missing", "source", "is required"),
        ({"source": "status"}, "parameter_missing", "operator", "is required"),
        ({"source": "status", "operator": "eq"}, "parameter_missing", "value", "is required with this operator"),
        ({"source": "cookie", "operator": "eq", "value": 1}, "parameter_invalid_enum", "source", '"latency_ms"'),
        ({"source": "body", "operator": "like", "value": "x"}, "parameter_invalid_enum", "operator", '"contains"'),
        ({"source": "body", "operator": "eq", "value": "x", "not": True}, "unknown_parameter", "not", "leave it out"),
        (an_assertion("status", "eq", value="200"), "parameter_invalid_type", "value", "must be an integer"),
        (an_assertion("status", "eq", value=True), "parameter_invalid_type", "value", "must be an integer"),
        (an_assertion("status", "lt", value=1000), "parameter_out_of_range", "value", "between 100 and 999"),
        (an_assertion("status", "eq", property="code"), "parameter_conflict", "property", "leave it out"),
        (an_assertion("latency_ms", "lt", value="800"), "parameter_invalid_type", "value", "number of milliseconds"),
        (an_assertion("latency_ms", "lt", value=-1), "parameter_out_of_range", "value", "between 0 and 60000"),
        (an_assertion("tls_days_left", "gte", value=1.5), "parameter_invalid_type", "value", "must be an integer"),
        (an_assertion("header", "eq", property=None), "parameter_missing", "property", "the name of the header"),
        (an_assertion("header", "eq", property="Content Type"), "parameter_invalid_format", "property", "header name"),
        (an_assertion("header", "eq", property=""), "parameter_out_of_range", "property", "must not be empty"),
        (an_assertion("header", "eq", value=None), "parameter_invalid_type", "value", "must be a string"),
        (an_assertion("header", "exists", value="x"), "parameter_conflict", "value", "leave it out"),
        (an_assertion("body", "contains", value=""), "parameter_out_of_range", "value", "must not be empty"),
        (an_assertion("body", "contains", value=5), "parameter_invalid_type", "value", "must be a string"),
        (an_assertion("body", "eq", value="x" * 4097), "parameter_too_long", "value", "at most 4096"),
        (an_assertion("json", "eq", property=None), "parameter_missing", "property", "a path such as $.status"),
        (an_assertion("json", "eq", property="status"), "parameter_invalid_format", "property", "begin with $"),
        (an_assertion("json", "eq", property="$..status"), "parameter_invalid_format", "property", "without a name"),
        (an_assertion("json", "eq", property="$[?(@.a)]"), "parameter_invalid_format", "property", "no filters"),
        (an_assertion("json", "eq", property="$[*].a[*]"), "parameter_invalid_format", "property", "only one [*]"),
        (an_assertion("json", "eq", property="$" + ".a" * 300), "parameter_too_long", "property", "at most 512"),
        (an_assertion("json", "eq", value={"a": 1}), "parameter_invalid_type", "value", "true, false or null"),
        (an_assertion("json", "eq", value=[1]), "parameter_invalid_type", "value", "true, false or null"),
        (an_assertion("json", "gt", value="5"), "parameter_invalid_type", "value", "must be a number"),
        (an_assertion("json", "gt", value=None), "parameter_invalid_type", "value", "must be a number"),
        (an_assertion("json", "contains", value=[5]), "parameter_invalid_type", "value", "true, false or null"),
        (an_assertion("json", "contains", value=""), "parameter_out_of_range", "value", "must not be empty"),
        (an_assertion("json", "not_exists", value=False), "parameter_conflict", "value", "leave it out"),
    ],
)
def test_an_assertion_that_cannot_be_judged_is_refused(
    api: Api, body: dict[str, Any], rule: dict[str, Any], code: str, member: str, cure: str
) -> None:
    good = an_assertion("status", "eq")
    found, param, message = refusal(api, {**body, "assertions": [good, rule]})
    assert (found, param) == (code, f"assertions[1].{member}")
    assert cure in message


@pytest.mark.parametrize(
    ("pattern", "cure"),
    [
        ("up(?=!)", "looks ahead or behind, which RE2 cannot do"),
        ("up(?!!)", "looks ahead or behind, which RE2 cannot do"),
        ("(?<=x)up", "looks ahead or behind, which RE2 cannot do"),
        ("(?<!x)up", "looks ahead or behind, which RE2 cannot do"),
        (r"(a)\1", "refers back to a group, which RE2 cannot do"),
        ("(?P<one>a)(?P=one)", "refers back to a group, which RE2 cannot do"),
        (r"(?P<one>a)\k<one>", "refers back to a group, which RE2 cannot do"),
        ("(?>up)", "holds a group that RE2 does not know"),
        ("up(", "lacks a closing parenthesis"),
        ("up)", "has a closing parenthesis too many"),
        ("[up", "lacks a closing bracket"),
        ("*up", "repeats nothing"),
        ("u++", "repeats a repetition"),
        ("u{1001}", "at most 1000 times"),
        (r"(\pL{1000}|\pN{1000})", "too large"),
        ("up\\", "ends in a backslash"),
        (r"up\Z", "holds an escape that RE2 does not know"),
        ("[b-a]", "is no regular expression of RE2"),
        ("", "must not be empty"),
        ("x" * 513, "must have at most 512 characters as a pattern"),
    ],
)
def test_a_pattern_that_re2_cannot_run_is_refused_and_not_quoted(
    api: Api, body: dict[str, Any], pattern: str, cure: str
) -> None:
    rule = an_assertion("body", "matches", value=pattern)
    code, param, message = refusal(api, {**body, "assertions": [rule]})
    assert param == "assertions[0].value"
    assert code in {"parameter_invalid_format", "parameter_too_long", "parameter_out_of_range"}
    assert cure in message


@pytest.mark.parametrize("pattern", ["^ok$", "(?i)status: (?:up|running)", r"\bΩ+\b", "(?P<state>up)", "x" * 512])
def test_a_pattern_of_re2_is_taken(api: Api, body: dict[str, Any], pattern: str) -> None:
    rule = an_assertion("body", "matches", value=pattern)
    assert api.call("POST", "/v1/monitors", {**body, "assertions": [rule]}).status_code == 201


@pytest.mark.parametrize(
    ("property_", "value"),
    [
        ("$", "ok"),
        ("$.checks[0].state", True),
        ("$['check list'][-1]", 0),
        ('$["a"].b-c[*].d', 1.5),
        ("$.error", None),
    ],
)
def test_a_path_of_the_subset_is_taken_with_any_scalar(
    api: Api, body: dict[str, Any], property_: str, value: Any
) -> None:
    rule = an_assertion("json", "eq", property=property_, value=value)
    answer = api.call("POST", "/v1/monitors", {**body, "assertions": [rule]})
    assert answer.status_code == 201, answer.text
    assert answer.json()["assertions"] == [rule]


@pytest.mark.parametrize(
    ("members", "code", "param", "cure"),
    [
        ({"method": "TRACE"}, "parameter_invalid_enum", "method", '"OPTIONS"'),
        ({"method": "get"}, "parameter_invalid_enum", "method", '"GET"'),
        ({"headers": {"a": "b"}}, "parameter_invalid_type", "headers", "must be an array"),
        ({"headers": [{"name": "a"}]}, "parameter_missing", "headers[0].value", "is required"),
        ({"headers": [{"value": "a"}]}, "parameter_missing", "headers[0].name", "is required"),
        ({"headers": a_header("a", hidden=True)}, "unknown_parameter", "headers[0].hidden", "leave it out"),
        ({"headers": a_header("a", secret="yes")}, "parameter_invalid_type", "headers[0].secret", "true or false"),
        ({"headers": a_header("X Key")}, "parameter_invalid_format", "headers[0].name", "without spaces"),
        ({"headers": a_header("X-Key:")}, "parameter_invalid_format", "headers[0].name", "header name"),
        ({"headers": a_header("X-Clé")}, "parameter_invalid_format", "headers[0].name", "header name"),
        ({"headers": a_header("")}, "parameter_out_of_range", "headers[0].name", "must not be empty"),
        ({"headers": a_header("a", "b\r\nX-Evil: 1")}, "parameter_invalid_format", "headers[0].value", "control"),
        ({"headers": a_header("a", "b\u2028c")}, "parameter_invalid_format", "headers[0].value", "cannot be printed"),
        ({"headers": a_header("a", " b")}, "parameter_invalid_format", "headers[0].value", "space"),
        ({"headers": a_header("a", "b" * 4097)}, "parameter_too_long", "headers[0].value", "at most 4096"),
        ({"headers": a_header("Content-Length", "5")}, "parameter_invalid_format", "headers[0].name", "leave it out"),
        ({"headers": a_header("TE")}, "parameter_invalid_format", "headers[0].name", "single connection"),
        ({"headers": a_header("Host", "")}, "parameter_out_of_range", "headers[0].value", "must not be empty"),
        (
            {"headers": [*a_header("X-Key"), *a_header("x-key")]},
            "parameter_duplicate",
            "headers[1].name",
            "join the values with a comma",
        ),
        (
            {"headers": [{"name": f"X-{number}", "value": ""} for number in range(51)]},
            "parameter_too_many",
            "headers",
            "at most 50",
        ),
        ({"body": "x" * 65_537}, "parameter_too_long", "body", "at most 65536"),
        ({"body": {"a": 1}}, "parameter_invalid_type", "body", "must be a string"),
        ({"body": "x", "method": "HEAD"}, "parameter_conflict", "body", "use another method"),
        ({"auth": "Basic x"}, "parameter_invalid_type", "auth", "must be an object"),
        ({"auth": {}}, "parameter_missing", "auth.type", "is required"),
        ({"auth": {"type": "digest"}}, "parameter_invalid_enum", "auth.type", '"basic" or "bearer"'),
        ({"auth": {"type": "basic", "username": "a"}}, "parameter_missing", "auth.password", "is required"),
        ({"auth": {"type": "bearer"}}, "parameter_missing", "auth.token", "is required"),
        (
            {"auth": {"type": "bearer", "token": "t", "username": "a"}},
            "unknown_parameter",
            "auth.username",
            "leave it out",
        ),
        (
            {"auth": {"type": "basic", "username": "a:b", "password": "c"}},
            "parameter_invalid_format",
            "auth.username",
            "colon",
        ),
        (
            {"auth": {"type": "basic", "username": "a", "password": "c\n"}},
            "parameter_invalid_format",
            "auth.password",
            "control characters",
        ),
        (
            {"auth": {"type": "bearer", "token": "Bearer t"}},
            "parameter_invalid_format",
            "auth.token",
            'leave out the word "Bearer"',
        ),
        (
            {"auth": {"type": "bearer", "token": "t"}, "headers": a_header("Authorization", "Bearer u")},
            "parameter_conflict",
            "headers[0].name",
            "send one of the two",
        ),
        ({"http_version": "3"}, "parameter_invalid_enum", "http_version", '"auto", "1.1" or "2"'),
        ({"http_version": 2}, "parameter_invalid_enum", "http_version", '"auto", "1.1" or "2"'),
        ({"ip_version": 6}, "parameter_invalid_enum", "ip_version", '"auto", "4" or "6"'),
        ({"ip_version": "6", "url": "http://192.0.2.1/"}, "parameter_conflict", "ip_version", "leave it out"),
        ({"ip_version": "4", "url": "http://[2001:db8::1]/"}, "parameter_conflict", "ip_version", "leave it out"),
        ({"tls": {"verify": "no"}}, "parameter_invalid_type", "tls.verify", "true or false"),
        ({"tls": {"pin": "x"}}, "unknown_parameter", "tls.pin", "leave it out"),
        ({"tls": {"expiry_warn_days": 366}}, "parameter_out_of_range", "tls.expiry_warn_days", "365"),
        ({"tls": {"server_name": "a b"}}, "parameter_invalid_format", "tls.server_name", "must be a host name"),
        ({"tls": {"server_name": "192.0.2.1"}}, "parameter_invalid_format", "tls.server_name", "an address is never"),
        ({"assertions": {}}, "parameter_invalid_type", "assertions", "must be an array"),
        ({"assertions": ["status"]}, "parameter_invalid_type", "assertions[0]", "must be an object"),
        ({"assertions": [an_assertion("status", "eq")] * 21}, "parameter_too_many", "assertions", "at most 20"),
        (
            {"assertions": [an_assertion("body", "eq")], "method": "HEAD"},
            "parameter_conflict",
            "assertions[0].source",
            "use another method",
        ),
        (
            {"assertions": [an_assertion("json", "exists")], "max_body_bytes": 0},
            "parameter_conflict",
            "max_body_bytes",
            "must be at least 1",
        ),
        (
            {
                "url": "http://shop.example/",
                "follow_redirects": False,
                "assertions": [an_assertion("tls_days_left", "gt")],
            },
            "parameter_conflict",
            "assertions[0].source",
            "plain http",
        ),
    ],
)
def test_a_request_that_cannot_be_sent_is_refused(
    api: Api, body: dict[str, Any], members: dict[str, Any], code: str, param: str, cure: str
) -> None:
    found, named, message = refusal(api, {**body, **members})
    assert (found, named) == (code, param)
    assert cure in message


@pytest.mark.parametrize(
    "name",
    ["Connection", "keep-alive", "Proxy-Authorization", "Proxy-Connection", "Trailer", "Transfer-Encoding", "Upgrade"],
)
def test_headers_of_a_single_connection_are_refused(api: Api, body: dict[str, Any], name: str) -> None:
    code, param, message = refusal(api, {**body, "headers": a_header(name)})
    assert (code, param) == ("parameter_invalid_format", "headers[0].name")
    assert message == "belongs to a single connection and is set by the probe; leave it out"


@pytest.mark.parametrize(
    "members",
    [
        *({"method": method} for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")),
        {"headers": [{"name": "Host", "value": "shop.internal:8080", "secret": False}]},
        {"headers": [{"name": "Authorization", "value": "Digest x", "secret": False}]},
        {"headers": [{"name": "X-Empty", "value": "", "secret": False}]},
        {"headers": [{"name": f"X-{number}", "value": "é", "secret": False} for number in range(50)]},
        {"method": "POST", "body": '{"ping": "π"}\r\n'},
        {"method": "GET", "body": ""},
        {"body": "x" * 65_536, "method": "PUT"},
        {"http_version": "1.1", "ip_version": "4"},
        {"url": "http://[2001:db8::1]/", "ip_version": "6"},
        {"url": "http://127.1/", "ip_version": "4"},
        {"assertions": [an_assertion("json", "contains", value=5), an_assertion("json", "not_contains", value=None)]},
        {"http_version": "2", "ip_version": "6"},
        {"tls": {"verify": False, "expiry_warn_days": 14, "server_name": "shop.internal"}},
        {"assertions": [{"source": "status", "property": None, "operator": "eq", "value": 200}] * 20},
        {"url": "http://shop.example/", "assertions": [an_assertion("tls_days_left", "gt", property=None)]},
    ],
)
def test_a_request_that_can_be_sent_is_echoed(api: Api, body: dict[str, Any], members: dict[str, Any]) -> None:
    answer = api.call("POST", "/v1/monitors", {**body, **members})
    assert answer.status_code == 201, answer.text
    assert members.items() <= answer.json().items()


def test_an_integral_float_is_an_integer_in_an_assertion_too(api: Api, body: dict[str, Any]) -> None:
    rules = [an_assertion("status", "eq", value=200.0), an_assertion("latency_ms", "lt", value=1e3)]
    answer = api.call("POST", "/v1/monitors", {**body, "assertions": rules})
    assert [rule["value"] for rule in answer.json()["assertions"]] == [200, 1000]


def test_mistakes_in_several_members_are_told_at_once(api: Api, body: dict[str, Any]) -> None:
    sent = {
        **body,
        "method": "TRACE",
        "headers": a_header("X Key"),
        "auth": {"type": "basic", "username": "a"},
        "assertions": [an_assertion("status", "contains"), an_assertion("json", "matches", property="x", value="(")],
    }
    answer = api.call("POST", "/v1/monitors", sent)
    assert [detail["param"] for detail in answer.json()["error"]["details"]] == [
        "method",
        "headers[0].name",
        "auth.password",
        "assertions[0].operator",
        "assertions[1].property",
        "assertions[1].value",
    ]


def test_null_takes_each_member_back_to_its_default(api: Api, body: dict[str, Any]) -> None:
    full = {
        **body,
        "method": "POST",
        "headers": a_header("X-Key", secret=True),
        "body": "x",
        "auth": {"type": "bearer", "token": "t0ken"},
        "http_version": "2",
        "ip_version": "6",
        "tls": {"verify": False},
        "assertions": [an_assertion("status", "eq")],
    }
    made = api.call("POST", "/v1/monitors", full).json()
    plain = api.call("POST", "/v1/monitors", body).json()
    names = set(full) - set(body)
    answer = api.call("PUT", f"/v1/monitors/{made['id']}/config", dict.fromkeys(names)).json()
    assert {name: answer[name] for name in names} == {name: plain[name] for name in names}


def test_a_whole_definition_is_what_the_probe_reads(api: Api, body: dict[str, Any]) -> None:
    sent = {**body, "method": "PUT", "body": "{}", "assertions": [an_assertion("json", "eq")], "http_version": "1.1"}
    made = api.call("POST", "/v1/monitors", sent).json()
    watched = api.database.read_now(lambda connection: watch.changed_since(connection, 0))
    spec = spec_of(next(one.config for one in watched if one.id == made["id"]))
    assert isinstance(spec, HttpSpec)
    assert (spec.method, spec.body, spec.http_version, len(spec.assertions)) == ("PUT", "{}", "1.1", 1)
