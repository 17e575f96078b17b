"""What a failed HTTP check keeps: enough to understand it, nothing secret, never too much; and when it is kept."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from typing import Any

import pytest

from statuspulse.domain.assertion import Assertion, Operator, Source
from statuspulse.domain.evidence import LIMIT
from statuspulse.domain.failure import Failure, FailureClass
from statuspulse.domain.result import Observation, ResultKind
from statuspulse.domain.specs.http import HttpSpec, authorization_of
from statuspulse.probe.captures import Captures, with_attempts
from statuspulse.probe.http import HttpCheck
from statuspulse.probe.plan import Slot
from statuspulse.probe.records import result_record
from statuspulse.protocol.conversion import item_of, result_of
from tests.contracts.ground import a_result
from tests.probe.plans import a_plan
from tests.targets import Arrival, HttpTarget, Mood, http_answer


def of(seen: Observation) -> dict[str, Any]:
    assert seen.evidence is not None, seen
    assert len(json.dumps(seen.evidence).encode()) <= 6 * LIMIT
    return seen.evidence


async def test_a_good_answer_leaves_no_evidence(check: HttpCheck, target: HttpTarget) -> None:
    assert (await check.run(HttpSpec(url=target.url), timeout_ms=1000)).evidence is None


async def test_a_wrong_answer_is_kept(check: HttpCheck, target: HttpTarget) -> None:
    target.routes["/health"] = http_answer(503, b"no database\n", "X-Node: a7", "Set-Cookie: sid=1")
    evidence = of(await check.run(HttpSpec(url=f"{target.url}/health?token=q"), timeout_ms=1000))
    assert evidence["error"] == "got 503, expected 2xx"
    assert evidence["status_line"] == "HTTP/1.1 503 Answer"
    assert evidence["headers"] == [["Content-Length", "12"], ["X-Node", "a7"], ["Set-Cookie", "***"]]
    assert evidence["body"] == "no database\n"
    assert evidence["addresses"] == ["127.0.0.1"]
    (hop,) = evidence["hops"]
    assert (hop["url"], hop["status"], hop["ip"]) == (f"{target.url}/health", 503, "127.0.0.1")
    assert set(hop["timings_ms"]) == {"dns", "connect", "tls", "ttfb", "transfer"}
    assert evidence["certificate"] is None


async def test_every_hop_is_recorded_without_its_query(check: HttpCheck, target: HttpTarget) -> None:
    target.routes["/"] = http_answer(302, b"", "Location: /login?session=s3cr3t")
    target.routes["/login"] = http_answer(500, b"")
    seen = await check.run(HttpSpec(url=target.url), timeout_ms=1000)
    evidence = of(seen)
    assert [(hop["url"], hop["status"]) for hop in evidence["hops"]] == [
        (f"{target.url}/", 302),
        (f"{target.url}/login", 500),
    ]
    assert "s3cr3t" not in json.dumps(evidence)
    assert seen.phases.connect_us is not None
    summed = sum(hop["timings_ms"]["connect"] for hop in evidence["hops"])
    assert summed == pytest.approx(seen.phases.connect_us / 1000, abs=0.01)


async def test_what_was_never_reached_is_kept_with_its_address(check: HttpCheck, target: HttpTarget) -> None:
    target.mood = Mood.REFUSING
    evidence = of(await check.run(HttpSpec(url=target.url), timeout_ms=1000))
    assert evidence["error"] == f"connection refused by 127.0.0.1:{target.port}"
    assert (evidence["status_line"], evidence["headers"], evidence["body"]) == (None, [], None)
    assert evidence["addresses"] == ["127.0.0.1"]


async def test_every_address_that_was_dialled_is_named(check: HttpCheck, target: HttpTarget) -> None:
    target.mood = Mood.REFUSING
    evidence = of(await check.run(HttpSpec(url=f"http://localhost:{target.port}/"), timeout_ms=1000))
    assert "127.0.0.1" in evidence["addresses"]


async def test_a_name_that_stops_to_exist_behind_a_redirect_keeps_the_hops(
    check: HttpCheck, target: HttpTarget
) -> None:
    target.routes["/"] = http_answer(302, b"", "Location: http://gone.test/")
    seen = await check.run(HttpSpec(url=target.url), timeout_ms=1000)
    assert seen.failure is not None
    assert seen.failure.kind is FailureClass.DNS_ERROR
    assert [hop["status"] for hop in of(seen)["hops"]] == [302]


async def test_a_redirect_to_what_the_policy_forbids_names_the_hop_and_the_rule(
    check: HttpCheck, target: HttpTarget
) -> None:
    target.routes["/"] = http_answer(302, b"", "Location: /on?session=s3cr3t")
    target.routes["/on"] = http_answer(302, b"", "Location: http://169.254.169.254/latest/s3cr3t?key=s3cr3t")
    seen = await check.run(HttpSpec(url=target.url), timeout_ms=1000)
    assert seen.failure is not None
    said = "redirect 2 leads to http://169.254.169.254, and the address policy denies metadata addresses"
    assert (seen.failure.kind, seen.failure.detail) == (FailureClass.BLOCKED_BY_POLICY, said)
    evidence = of(seen)
    assert evidence["error"] == said
    assert [hop["status"] for hop in evidence["hops"]] == [302, 302]


async def test_the_first_address_is_no_redirect(check: HttpCheck) -> None:
    seen = await check.run(HttpSpec(url="http://169.254.169.254/"), timeout_ms=1000)
    assert seen.failure is not None
    assert seen.failure.detail == "the address policy denies metadata addresses"


async def test_secrets_that_the_target_echoes_are_covered(check: HttpCheck, target: HttpTarget) -> None:
    def echo(arrival: Arrival) -> bytes:
        sent = json.dumps(dict(arrival.headers))
        token = arrival.headers["authorization"]
        return http_answer(500, f"{sent} pass-phrase".encode(), f"X-Echo: {token}", "X-Api-Key: other")

    target.routes["/"] = echo
    spec = HttpSpec(
        url=target.url,
        headers=(("X-Api-Key", "k-123456"),),
        secret_headers=("x-api-key",),
        authorization=authorization_of({"type": "basic", "username": "monitor", "password": "pass-phrase"}),
    )
    evidence = of(await check.run(spec, timeout_ms=1000))
    shown = json.dumps(evidence)
    assert spec.authorization is not None
    for secret in ("k-123456", "pass-phrase", spec.authorization.removeprefix("Basic ")):
        assert secret not in shown
    assert ["X-Api-Key", "***"] in evidence["headers"]
    rules = (Assertion(Source.BODY, None, Operator.EQ, "ok"),)
    seen = await check.run(replace(spec, expected_status=((500, 500),), assertions=rules), timeout_ms=1000)
    assert seen.failure is not None
    assert "k-123456" not in seen.failure.detail


async def test_of_a_body_4_kib_are_kept_and_no_half_secret_at_the_end(check: HttpCheck, target: HttpTarget) -> None:
    target.routes["/"] = http_answer(500, b"x" * 4090 + b"token-12345" + b"y" * 100_000)
    spec = HttpSpec(url=target.url, headers=(("X-A", "token-12345"),), secret_headers=("x-a",))
    body = of(await check.run(spec, timeout_ms=1000))["body"]
    assert body == "x" * 4090 + "***" + "yyy"


async def test_a_coded_body_is_kept_readable(check: HttpCheck, target: HttpTarget) -> None:
    target.routes["/"] = http_answer(500, gzip.compress(b"no database"), "Content-Encoding: gzip")
    assert of(await check.run(HttpSpec(url=target.url), timeout_ms=1000))["body"] == "no database"


async def test_whatever_comes_evidence_stays_small(check: HttpCheck, target: HttpTarget) -> None:
    lines = [f"X-{number}: {'v' * 600}" for number in range(80)]
    target.routes["/"] = http_answer(500, b"\x00\xff" * 5000, *lines)
    evidence = of(await check.run(HttpSpec(url=target.url), timeout_ms=1000))
    assert len(json.dumps(evidence, ensure_ascii=False).encode()) <= LIMIT + 1024


# --- when it is kept ---------------------------------------------------------------------------------------------

FAILED = Observation(failure=Failure(FailureClass.TIMEOUT, "late"), evidence={"error": "late"}, ip="127.0.0.1")
VOID = Observation(failure=Failure(FailureClass.SELF_STALL, "stood still"))
BLOCKED = Observation(failure=Failure(FailureClass.BLOCKED_BY_POLICY, "denied"), evidence={"error": "denied"})


def a_slot(*, version: int = 1, kind: ResultKind = ResultKind.SCHEDULED) -> Slot:
    return Slot(a_plan(config_version=version), 0, kind, 0, 10_000)


def test_only_the_first_failure_of_a_doubt_keeps_its_evidence() -> None:
    captures = Captures()
    seen = [FAILED, FAILED, VOID, FAILED, Observation(), FAILED, FAILED]
    kept = [captures.kept(a_slot(), one).evidence is not None for one in seen]
    assert kept == [True, False, False, False, False, True, False]


def test_a_recheck_belongs_to_the_doubt_and_a_check_on_demand_does_not() -> None:
    captures = Captures()
    assert captures.kept(a_slot(kind=ResultKind.MANUAL), FAILED).evidence
    assert captures.kept(a_slot(), FAILED).evidence
    assert captures.kept(a_slot(kind=ResultKind.RECHECK), FAILED).evidence is None
    assert captures.kept(a_slot(kind=ResultKind.MANUAL), FAILED).evidence


def test_another_configuration_and_a_new_monitor_begin_anew() -> None:
    captures = Captures()
    assert captures.kept(a_slot(), FAILED).evidence
    assert captures.kept(a_slot(version=2), FAILED).evidence
    assert captures.kept(a_slot(version=2), FAILED).evidence is None
    captures.forget(a_slot().plan.monitor_id)
    assert captures.kept(a_slot(version=2), FAILED).evidence


def test_what_is_no_verdict_keeps_none() -> None:
    assert Captures().kept(a_slot(), BLOCKED).evidence is None


def test_earlier_attempts_are_told() -> None:
    first = replace(FAILED, ip="127.0.0.2")
    evidence = with_attempts(FAILED, [first]).evidence
    assert evidence is not None
    assert evidence["attempts"] == [{"ip": "127.0.0.2", "class": "timeout", "detail": "late"}]
    assert with_attempts(FAILED, []) is FAILED


def test_evidence_travels_with_its_result_unless_it_is_too_much() -> None:
    result = replace(a_result(1_000_000), observation=FAILED)
    assert result_of(item_of(1, result), "local").observation.evidence == FAILED.evidence
    flooded = replace(result, observation=replace(FAILED, evidence={"body": "x" * LIMIT}))
    received = result_of(item_of(1, flooded), "local")
    assert received.observation.evidence is None
    assert received.observation.failure == FAILED.failure
    assert len(result_record(1, result)) < 500
