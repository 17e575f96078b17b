"""Assertions: every source and operator, the words of a failure, and the bounds on what they cost."""

from __future__ import annotations

import json
import sys
from time import thread_time

import pytest

from statuspulse.domain.assertion import Assertion, Operator, Scalar, Source
from statuspulse.domain.evidence import Mask
from statuspulse.domain.failure import Failure, FailureClass
from statuspulse.probe import assertions as module
from statuspulse.probe.assertions import Answer, judge

NO_SECRETS = Mask([])
DOCUMENT = {
    "status": "ok",
    "version": 3,
    "load": 0.75,
    "ready": True,
    "error": None,
    "tags": ["blue", "eu"],
    "checks": [{"name": "db", "ok": True}, {"name": "queue", "ok": True}, {"name": "mail", "ok": False}],
}


def an_answer(body: bytes | None = None, *, days_left: int | None = 30, content_type: str = "text/plain") -> Answer:
    return Answer(
        status=200,
        headers=[("Content-Type", content_type), ("Server", "nginx"), ("Via", "a"), ("via", "b"), ("Empty", "")],
        body=json.dumps(DOCUMENT).encode() if body is None else body,
        latency_us=120_500,
        days_left=days_left,
    )


def outcome(rule: tuple[str, str | None, str, Scalar], answer: Answer | None = None) -> Failure | None:
    source, name, operator, value = rule
    return judge((Assertion(Source(source), name, Operator(operator), value),), answer or an_answer(), NO_SECRETS)


HOLDING: list[tuple[str, str | None, str, Scalar]] = [
    ("status", None, "eq", 200),
    ("status", None, "ne", 500),
    ("status", None, "lt", 300),
    ("status", None, "gte", 200),
    ("header", "server", "eq", "nginx"),
    ("header", "SERVER", "contains", "gin"),
    ("header", "server", "matches", "^n.*x$"),
    ("header", "via", "eq", "a, b"),
    ("header", "empty", "exists", None),
    ("header", "x-debug", "not_exists", None),
    ("header", "x-debug", "ne", "on"),
    ("header", "x-debug", "not_contains", "on"),
    ("body", None, "contains", '"status": "ok"'),
    ("body", None, "not_contains", "Exception"),
    ("body", None, "matches", r'"version":\s*\d+'),
    ("json", "$.status", "eq", "ok"),
    ("json", "$.status", "matches", "^o"),
    ("json", "$.version", "eq", 3),
    ("json", "$.version", "eq", 3.0),
    ("json", "$.version", "matches", "^3$"),
    ("json", "$.load", "lt", 1),
    ("json", "$.ready", "eq", True),
    ("json", "$.ready", "ne", 1),
    ("json", "$.error", "eq", None),
    ("json", "$.error", "exists", None),
    ("json", "$.missing", "not_exists", None),
    ("json", "$.missing", "ne", "x"),
    ("json", "$.tags", "contains", "eu"),
    ("json", "$.tags[*]", "ne", "green"),
    ("json", "$.checks[0].ok", "eq", True),
    ("json", "$.checks[*].name", "exists", None),
    ("latency_ms", None, "lt", 121),
    ("latency_ms", None, "gt", 120),
    ("tls_days_left", None, "gte", 30),
]


@pytest.mark.parametrize("rule", HOLDING)
def test_a_rule_that_holds_is_silent(rule: tuple[str, str | None, str, Scalar]) -> None:
    assert outcome(rule) is None


BROKEN: list[tuple[tuple[str, str | None, str, Scalar], str]] = [
    (("status", None, "eq", 204), "status eq 204 does not hold: it is 200"),
    (("header", "server", "eq", "Nginx"), 'header server eq "Nginx" does not hold: it is "nginx"'),
    (("header", "x-debug", "eq", "on"), 'header x-debug eq "on" does not hold: there is none'),
    (("header", "x-debug", "exists", None), "header x-debug exists does not hold: there is none"),
    (("header", "server", "not_exists", None), 'header server not_exists does not hold: there is "nginx"'),
    (("json", "$.version", "eq", "3"), 'json $.version eq "3" does not hold: it is 3'),
    (("json", "$.ready", "eq", 1), "json $.ready eq 1 does not hold: it is true"),
    (("json", "$.status", "lt", 3), 'json $.status lt 3 does not hold: it is "ok"'),
    (("json", "$.missing", "lt", 3), "json $.missing lt 3 does not hold: there is none"),
    (("json", "$.missing[*]", "eq", 3), "json $.missing[*] eq 3 does not hold: there is none"),
    (("json", "$.checks[*].ok", "eq", True), "json $.checks[*].ok eq true does not hold: one of 3 is false"),
    (("json", "$.tags", "not_contains", "eu"), 'json $.tags not_contains "eu" does not hold: it is ["blue","eu"]'),
    (("latency_ms", None, "lte", 120), "latency_ms lte 120 does not hold: it is 120.5"),
    (("tls_days_left", None, "gt", 30), "tls_days_left gt 30 does not hold: it is 30"),
]


@pytest.mark.parametrize(("rule", "words"), BROKEN)
def test_a_rule_that_does_not_hold_says_what_was_expected_and_found(
    rule: tuple[str, str | None, str, Scalar], words: str
) -> None:
    assert outcome(rule) == Failure(FailureClass.ASSERTION_FAILED, words)


def test_without_a_certificate_there_are_no_days_left() -> None:
    failure = outcome(("tls_days_left", None, "gt", 7), an_answer(days_left=None))
    assert failure == Failure(FailureClass.ASSERTION_FAILED, "tls_days_left gt 7 does not hold: there is none")


def test_all_rules_have_to_hold_and_the_first_that_does_not_is_told() -> None:
    rules = (
        Assertion(Source.STATUS, None, Operator.EQ, 200),
        Assertion(Source.JSON, "$.version", Operator.EQ, 4),
        Assertion(Source.JSON, "$.status", Operator.EQ, "bad"),
    )
    failure = judge(rules, an_answer(), NO_SECRETS)
    assert failure is not None
    assert failure.detail.startswith("json $.version eq 4")


def test_equal_looking_values_of_other_types_are_not_mixed_up() -> None:
    assert outcome(("json", "$.version", "eq", True), an_answer(b'{"version": 1}')) is not None
    assert outcome(("json", "$.version", "eq", 1), an_answer(b'{"version": 1}')) is None


def test_a_long_finding_is_cut() -> None:
    failure = outcome(("body", None, "eq", "ok"), an_answer(b"x" * 10_000))
    assert failure is not None
    assert len(failure.detail) < 200


def test_a_secret_does_not_show_even_where_the_finding_is_cut() -> None:
    secret = "sk-" + "0123456789" * 20
    rule = Assertion(Source.BODY, None, Operator.EQ, "ok")
    failure = judge((rule,), an_answer(f"you sent {secret}".encode()), Mask([secret]))
    assert failure == Failure(FailureClass.ASSERTION_FAILED, 'body eq "ok" does not hold: it is "you sent ***"')


def test_a_body_that_is_no_json_breaks_a_rule_on_json() -> None:
    failure = outcome(("json", "$.a", "eq", 1), an_answer(b"<html>busy</html>"))
    assert failure is not None
    assert failure.kind is FailureClass.ASSERTION_FAILED
    assert failure.detail.startswith("json $.a eq 1 does not hold: the body is no JSON")


def test_json_that_is_too_deep_cannot_be_judged() -> None:
    failure = outcome(("json", "$.a", "eq", 1), an_answer(b'{"a":' * 10_000 + b"1" + b"}" * 10_000))
    assert failure is not None
    assert failure.kind is FailureClass.BODY_TOO_LARGE


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("text/html; charset=ISO-8859-1", "größe".encode("latin-1")),
        ('text/html; charset="windows-1252"; x=y', "größe".encode("cp1252")),
        ("text/html; charset=utf-16", "größe".encode("utf-16")),
        ("text/html; charset=punycode", "größe".encode()),
        ("text/html", "größe".encode()),
    ],
)
def test_the_body_is_read_in_the_encoding_that_it_names(content_type: str, body: bytes) -> None:
    assert outcome(("body", None, "eq", "größe"), an_answer(body, content_type=content_type)) is None


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|aa)+$", "(.*)(.*)(.*)(.*)b$", "(x+x+)+y", "a{1,500}b"])
def test_a_pattern_takes_linear_time(pattern: str) -> None:
    begun = thread_time()
    outcome(("body", None, "matches", pattern), an_answer(b"a" * (1 << 20) + b"!"))
    assert thread_time() - begun < 0.5


def test_a_pattern_sees_the_first_256_kib() -> None:
    assert outcome(("body", None, "matches", "needle"), an_answer(b"x" * (255 << 10) + b"needle")) is None
    assert outcome(("body", None, "matches", "needle"), an_answer(b"x" * (256 << 10) + b"needle")) is not None


def test_a_bad_pattern_or_path_is_our_fault() -> None:
    for rule in (("body", None, "matches", "(?=a)"), ("json", "a", "eq", 1)):
        failure = outcome(rule)
        assert failure is not None
        assert failure.kind is FailureClass.PROBE_ERROR
        assert failure.detail.startswith("assertion_invalid: ")


def test_together_they_may_not_cost_more_than_their_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_CPU_NS", 0)
    failure = outcome(("status", None, "eq", 200))
    assert failure is not None
    assert failure.kind is FailureClass.BODY_TOO_LARGE


def test_pythons_own_expressions_are_not_used() -> None:
    assert "re" not in vars(sys.modules[module.__name__])
