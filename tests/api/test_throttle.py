"""Limits over HTTP: who is held to which, the headers that tell of it, and that the told wait is enough."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_network
from math import ceil
from pathlib import Path
from typing import Any

import http_sf
import pytest
import requests

from statuspulse.api.throttle import Buckets
from statuspulse.domain.throttle import DEFAULTS, Limit
from tests.api.server import READER, STRANGER, WRITER, Api, running

# RFC 9651: a list of strings with integer parameters.
FIELDS = ("RateLimit", "RateLimit-Policy", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with running(tmp_path_factory.mktemp("limited"), rate_limits=DEFAULTS) as api:
        yield api


@pytest.fixture
def limited(shared: Api) -> Api:
    """The default limits, of which nothing is spent."""
    shared.clock.at += 60_000
    return shared


def parsed(text: str) -> dict[str, dict[str, int]]:
    """The field by a parser of structured fields (RFC 9651) that is not ours."""
    return dict(http_sf.parse(text.encode(), tltype="list"))  # type: ignore[arg-type] # a list of strings with numbers


def wait_of(answer: requests.Response, policy: str) -> int:
    """The wait of a 429, once everything that tells of it agrees."""
    assert answer.status_code == 429, answer.text
    body, wait = answer.json(), int(answer.headers["Retry-After"])
    assert body["error"]["code"] == "rate_limited"
    assert body["error"]["retry_after_seconds"] == wait
    assert body["type"] == "https://iana.org/assignments/http-problem-types#quota-exceeded"
    assert policy in body["violated-policies"]
    assert parsed(answer.headers["RateLimit"])[policy]["r"] == 0
    assert wait == max(parsed(answer.headers["RateLimit"])[name]["t"] for name in body["violated-policies"])
    return wait


def create(api: Api, number: int = 0, **options: Any) -> requests.Response:
    body = {"name": f"Shop {number}", "type": "http", "url": "https://shop.example/"}
    return api.call("POST", "/v1/monitors", body, **options)


def test_every_answer_to_a_token_tells_what_is_left(limited: Api) -> None:
    answer = limited.call("GET", "/v1/monitors")
    assert answer.headers["RateLimit-Policy"] == '"api";q=600;w=60'
    assert answer.headers["RateLimit"] == '"api";r=599;t=1'
    refused = limited.call("POST", "/v1/monitors", {}, token=READER)
    assert refused.status_code == 403
    assert parsed(refused.headers["RateLimit-Policy"]) == {"api": {"q": 600, "w": 60}, "writes": {"q": 120, "w": 60}}
    assert parsed(refused.headers["RateLimit"]) == {"api": {"r": 599, "t": 1}, "writes": {"r": 119, "t": 1}}
    assert [refused.headers[name] for name in FIELDS[2:]] == ["120", "119", str(ceil(limited.clock.at / 1000 + 1))]


def test_who_waits_as_long_as_he_is_told_is_let_through_a_hundred_times_of_a_hundred(tmp_path: Path) -> None:
    with running(tmp_path, rate_limits={"api": Limit(17, 41), "writes": Limit(3, 7)}) as api:
        told = []
        for number in range(100):
            while (answer := api.call("POST", "/v1/monitors/mon_00000000/pause")).status_code != 429:
                assert answer.status_code == 404
            wait = wait_of(answer, "writes" if "writes" in answer.json()["violated-policies"] else "api")
            told.append(wait)
            api.clock.at += wait * 1000
            assert api.call("POST", "/v1/monitors/mon_00000000/pause").status_code == 404
            api.clock.at += number * 37 % 1000
        assert min(told) >= 1
        assert len(set(told)) > 1


def test_a_second_less_than_told_is_not_enough(limited: Api) -> None:
    for number in range(120):
        assert create(limited, number).status_code == 201
    limited.clock.at += 100
    wait = wait_of(create(limited), "writes")
    assert wait == 1
    limited.clock.at += wait * 1000 - 601
    assert create(limited).status_code == 429


def test_acknowledging_does_not_starve_behind_a_storm_of_edits(limited: Api) -> None:
    for number in range(120):
        create(limited, number)
    refused = create(limited)
    assert refused.json()["message"] == "This token may make 120 calls in 60 seconds; try again in 1 second."
    assert limited.call("GET", "/v1/monitors").status_code == 200
    trigger = limited.call("POST", "/v1/incidents", {"title": "The shop is slow"})
    assert trigger.status_code == 201
    assert trigger.headers["RateLimit"] == '"incidents";r=119;t=1'


def test_what_is_refused_spends_nothing(limited: Api) -> None:
    for number in range(120):
        create(limited, number)
    before = parsed(limited.call("GET", "/v1/monitors").headers["RateLimit"])["api"]["r"]
    for _ in range(10):
        wait_of(create(limited), "writes")
    assert parsed(limited.call("GET", "/v1/monitors").headers["RateLimit"])["api"]["r"] == before - 1


def test_a_token_is_told_how_it_stands_with_every_limit(limited: Api) -> None:
    create(limited)
    shown = limited.call("GET", "/v1/me").json()["rate_limits"]
    assert [(share["policy"], share["quota"], share["window_seconds"], share["remaining"]) for share in shown] == [
        ("api", 600, 60, 598),
        ("writes", 120, 60, 119),
        ("incidents", 120, 60, 120),
    ]


def test_every_token_has_limits_of_its_own(limited: Api) -> None:
    for number in range(120):
        create(limited, number)
    assert create(limited).status_code == 429
    assert create(limited, token=STRANGER).status_code == 201


def test_a_limit_that_is_switched_off_is_not_told_of(tmp_path: Path) -> None:
    with running(tmp_path, rate_limits={**DEFAULTS, "api": None, "writes": None, "ip": None}) as api:
        for _ in range(130):
            answer = create(api)
            assert answer.status_code == 201
            assert not set(FIELDS) & set(answer.headers)
            assert api.call("GET", "/v1/monitors", token=None).status_code == 401


def test_an_address_without_a_good_credential_is_told_to_wait(limited: Api) -> None:
    statuses = []
    for number in range(70):
        answer = limited.call("GET", "/v1/monitors", token=f"sk_live_{number:016}" if number % 2 else None)
        statuses.append(answer.status_code)
        if answer.status_code == 401:
            assert not set(FIELDS) & set(answer.headers)
    assert statuses == [401] * 60 + [429] * 10
    wait = wait_of(limited.call("GET", "/v1", token=None), "ip")
    limited.clock.at += wait * 1000
    assert limited.call("GET", "/v1", token=None).status_code == 200


def test_who_has_a_token_does_not_pay_for_others_behind_his_address(limited: Api) -> None:
    statuses = [limited.call("GET", "/v1/monitors", token=None).status_code for _ in range(61)]
    assert statuses[-1] == 429
    assert limited.call("GET", "/v1/monitors", token=WRITER).status_code == 200
    heartbeat = limited.call("GET", "/v1/agent/assignments", token=limited.probe_key)
    assert heartbeat.status_code == 200
    assert not set(FIELDS) & set(heartbeat.headers)


def test_probes_with_a_wrong_key_and_guesses_of_ping_keys_are_counted_too(limited: Api) -> None:
    for number in range(30):
        assert limited.call("POST", "/v1/agent/heartbeat", token=f"prb_live_{number:016}").status_code == 401
        assert limited.call("GET", f"/ping/{number:032}", token=None).status_code == 404
    assert limited.call("POST", "/v1/agent/heartbeat", token="prb_live_0").status_code == 429
    guess = limited.call("GET", "/ping/none", token=None)
    assert (guess.status_code, guess.headers["Content-Type"]) == (429, "text/plain; charset=utf-8")
    assert (
        guess.text == "Without a valid credential an address may make 60 calls in 60 seconds; try again in 1 second.\n"
    )
    assert guess.headers["Retry-After"] == "1"


def test_paths_that_lead_nowhere_and_what_operators_ask_are_not_counted(limited: Api) -> None:
    for _ in range(70):
        for path, status in (("/v1/nowhere", 404), ("/healthz", 200), ("/readyz", 200), ("/metrics", 200)):
            assert limited.call("GET", path, token=None).status_code == status


def test_a_forged_address_helps_nobody(limited: Api) -> None:
    statuses = {
        limited.call("GET", "/v1/monitors", token=None, headers={"X-Forwarded-For": f"192.0.2.{number}"}).status_code
        for number in range(61)
    }
    assert statuses == {401, 429}


def test_behind_a_trusted_proxy_every_caller_has_a_limit_of_his_own(tmp_path: Path) -> None:
    proxies = (ip_network("127.0.0.0/8"),)
    with running(tmp_path, rate_limits={"ip": Limit(2, 60)}, trusted_proxies=proxies) as api:

        def ask(address: str) -> int:
            return api.call("GET", "/v1/monitors", token=None, headers={"X-Forwarded-For": address}).status_code

        assert [ask("192.0.2.1") for _ in range(3)] == [401, 401, 429]
        assert ask("192.0.2.2") == 401
        # What stands left of the proxy's own entry is the caller's to write.
        assert ask("192.0.2.77, 192.0.2.1") == 429
        # A caller over IPv6 has a whole /64 of addresses.
        assert [ask(f"2001:db8::{number}") for number in range(1, 4)] == [401, 401, 429]
        assert ask("2001:db8:0:1::1") == 401


def test_a_flood_of_addresses_does_not_fill_the_memory() -> None:
    buckets = Buckets(Limit(60, 60), capacity=1000)
    for number in range(50_000):
        buckets.spend(f"address {number}", 0)
    assert len(buckets) == 1000


def test_who_has_waited_out_what_he_spent_is_forgotten() -> None:
    buckets = Buckets(Limit(60, 60))
    for number in range(500):
        buckets.spend(f"address {number}", 0)
    for number in range(500):
        buckets.spend(f"other {number}", 1_000_000)
    assert len(buckets) <= 501


def test_who_calls_on_is_not_forgotten_in_a_flood() -> None:
    buckets = Buckets(Limit(60, 60), capacity=10)
    passed = 0
    for number in range(100):
        if buckets.may_spend("the flooder", 0):
            buckets.spend("the flooder", 0)
            passed += 1
        buckets.spend(f"address {number}", 0)
    assert passed == 60
