"""The results of a monitor."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select

from statuspulse.domain.failure import Failure, FailureClass
from statuspulse.domain.ids import result_id
from statuspulse.domain.result import Certificate, Observation, Phases, Result, ResultKind
from statuspulse.domain.times import DAY, HOUR, MINUTE, to_text
from statuspulse.storage import probes, results
from statuspulse.storage.results import Placed
from statuspulse.storage.schema import monitors
from tests.api.server import ADMIN, NOW, READER, STRANGER, Api, running
from tests.api.test_create_monitor import first_detail
from tests.api.test_maintenance import carry_out

REFUSED = Failure(FailureClass.CONNECT_REFUSED, "connection refused by 192.0.2.1:443")
BLIND = Failure(FailureClass.PROBE_BLIND, "no network of its own")
EVIDENCE = {"status_line": "HTTP/1.1 503 Service Unavailable", "headers": [["Server", "nginx"]], "body": "down"}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    folder: Path = tmp_path_factory.mktemp("results")
    with running(folder) as started:
        yield started


@pytest.fixture
def path(shop: Api, body: dict[str, Any]) -> str:
    """The results of a monitor that has none yet."""
    return f"/v1/monitors/{shop.call('POST', '/v1/monitors', body).json()['id']}/results"


def see(api: Api, path: str, at: int, *, region: str = "local", **observed: Any) -> None:
    """A result whose slot is `at`; the check took 182.4 ms."""
    monitor_id = path.split("/")[3]

    def store(connection: Connection) -> None:
        probe = probes.first_of_region(connection, "local")
        key = connection.scalar(select(monitors.c.key).where(monitors.c.id == monitor_id))
        assert probe is not None
        assert key is not None
        result = Result(
            monitor_id=monitor_id,
            region=region,
            scheduled_at=at,
            kind=ResultKind.SCHEDULED,
            round=at // 30_000,
            lag_us=840,
            observed_at=at + 182,
            attempt=1,
            config_version=1,
            observation=Observation(**{"latency_us": 182_449, "status_code": 200, **observed}),
        )
        region_key = probes.ensure_region(connection, region, region, NOW)
        results.insert(connection, [Placed(key, region_key, probe.key, result)])

    api.write(store)


def slots(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [item["scheduled_at"] for item in answer.json()["data"]]


def test_a_failure_shows_every_member_of_the_contract(shop: Api, path: str) -> None:
    at = NOW - MINUTE
    see(
        shop,
        path,
        at,
        failure=REFUSED,
        status_code=503,
        phases=Phases(dns_us=1_200, connect_us=20_149, tls_us=41_900, ttfb_us=117_300),
        bytes_read=15,
        ip="198.51.100.7",
        certificate=Certificate(not_after=at + 70 * DAY),
        evidence=EVIDENCE,
    )
    answer = shop.call("GET", path, token=READER)
    document = answer.json()
    monitor_id = path.split("/")[3]
    probe_id = document["data"][0]["probe_id"]
    assert document["message"] == "1 result."
    assert document["data"] == [
        {
            "object": "result",
            "id": result_id(monitor_id, "local", at),
            "monitor_id": monitor_id,
            "round": at // 30_000,
            "kind": "scheduled",
            "scheduled_at": to_text(at),
            "lag_ms": 0.8,
            "region": "local",
            "probe_id": probe_id,
            "observed_at": to_text(at + 182),
            "ok": False,
            "attempt": 1,
            "status_code": 503,
            "latency_ms": 182.4,
            "timings_ms": {"dns": 1.2, "connect": 20.1, "tls": 41.9, "ttfb": 117.3, "transfer": None},
            "bytes": 15,
            "ip": "198.51.100.7",
            "tls": {"not_after": to_text(at + 70 * DAY), "days_left": 69, "version": None},
            "failure": {"class": "connect_refused", "detail": REFUSED.detail},
            "config_version": 1,
            "in_maintenance": False,
            "evidence": EVIDENCE,
        }
    ]
    assert probe_id.startswith("prb_")


def test_what_was_good_and_what_gave_no_verdict_are_told_apart(shop: Api, path: str) -> None:
    see(shop, path, NOW - 3 * MINUTE)
    see(shop, path, NOW - 2 * MINUTE, failure=REFUSED)
    see(shop, path, NOW - MINUTE, failure=BLIND, status_code=None, latency_us=None)
    data = shop.call("GET", path).json()["data"]
    assert [(item["ok"], item["failure"] and item["failure"]["class"], item["evidence"]) for item in data] == [
        (None, "probe_blind", None),
        (False, "connect_refused", None),
        (True, None, None),
    ]
    assert (data[0]["latency_ms"], data[0]["tls"], data[0]["ip"]) == (None, None, None)
    for ok, age in (("true", 3), ("false", 2), ("null", 1)):
        assert slots(shop.call("GET", f"{path}?ok={ok}")) == [to_text(NOW - age * MINUTE)]


def test_a_day_is_shown_unless_a_stretch_is_named(shop: Api, path: str) -> None:
    for age in (HOUR, DAY - 1, DAY + 1, 6 * DAY):
        see(shop, path, NOW - age)
    assert len(slots(shop.call("GET", path))) == 2
    week = f"{path}?from={to_text(NOW - 7 * DAY)}"
    assert len(slots(shop.call("GET", week))) == 4
    assert slots(shop.call("GET", f"{week}&to={to_text(NOW - 6 * DAY + 1)}")) == [to_text(NOW - 6 * DAY)]
    assert slots(shop.call("GET", f"{path}?to={to_text(NOW - DAY)}")) == [to_text(NOW - DAY - 1)]


def test_pages_together_are_the_list_whole_and_in_order(shop: Api, path: str) -> None:
    for minutes in range(1, 6):
        for region in ("local", "eu-west"):
            see(shop, path, NOW - minutes * MINUTE, region=region)
    for order in ("", "&order=asc"):
        whole = slots(shop.call("GET", f"{path}?limit=500{order}"))
        assert whole == sorted(whole, reverse=not order)
        collected: list[str] = []
        following = f"{path}?limit=3{order}"
        while True:
            document = shop.call("GET", following).json()
            collected += [item["scheduled_at"] for item in document["data"]]
            if not document["has_more"]:
                break
            following = f"{path}?limit=3{order}&cursor={document['next_cursor']}"
        assert collected == whole
        assert len(whole) == 10
    assert shop.call("GET", f"{path}?region=eu-west&include=total&limit=2").json()["total"] == 5
    refused = shop.call("GET", f"{path}?region=mars")
    assert (refused.status_code, refused.json()["error"]["param"]) == (422, "region")
    assert "the monitor has local" in refused.json()["message"]


def test_beyond_the_retention_there_is_nothing_but_a_warning(shop: Api, path: str) -> None:
    for age in (31 * DAY, 29 * DAY):
        see(shop, path, NOW - age)
    old = shop.call("GET", f"{path}?from={to_text(NOW - 32 * DAY)}&to={to_text(NOW - 30 * DAY - 1)}")
    reaching = shop.call("GET", f"{path}?from={to_text(NOW - 32 * DAY)}&to={to_text(NOW - 28 * DAY)}")
    assert (slots(old), slots(reaching)) == ([], [to_text(NOW - 29 * DAY)])
    for answer in (old, reaching):
        assert answer.json()["warnings"] == [
            {
                "code": "beyond_retention",
                "message": "Results are kept for 30 days; older ones are gone.",
                "param": "from",
            }
        ]
    assert shop.call("GET", f"{path}?from={to_text(NOW - DAY)}").json()["warnings"] == []


@pytest.mark.parametrize(
    ("query", "code", "param"),
    [
        ("from=yesterday", "parameter_invalid_format", "from"),
        ("to=2026-11-23T06:20:00", "parameter_invalid_format", "to"),
        ("from=2026-11-23T06:20:00Z&to=2026-11-23T06:20:00Z", "parameter_conflict", "from"),
        ("from=2026-12-24T00:00:00Z", "parameter_conflict", "from"),
        ("from=2026-11-15T00:00:00Z&to=2026-11-22T00:00:01Z", "parameter_out_of_range", "from"),
        ("limit=501", "parameter_out_of_range", "limit"),
        ("limit=0", "parameter_out_of_range", "limit"),
        ("ok=yes", "parameter_invalid_enum", "ok"),
        ("state=up", "unknown_parameter", "state"),
    ],
)
def test_a_query_that_does_not_hold_is_refused(shop: Api, path: str, query: str, code: str, param: str) -> None:
    detail = first_detail(shop.call("GET", f"{path}?{query}"))
    assert (detail["code"], detail["param"]) == (code, param)


def test_a_cursor_fits_only_its_own_list(shop: Api, path: str) -> None:
    for minutes in (1, 2):
        see(shop, path, NOW - minutes * MINUTE)
    cursor = shop.call("GET", f"{path}?limit=1").json()["next_cursor"]
    for query in (f"ok=true&cursor={cursor}", f"order=asc&cursor={cursor}"):
        assert shop.call("GET", f"{path}?{query}").json()["error"]["code"] == "invalid_cursor"


def test_results_of_others_and_of_nobody_are_not_found(shop: Api, path: str) -> None:
    for asked, token in (
        (path, STRANGER),
        ("/v1/monitors/mon_00000000/results", READER),
        ("/v1/monitors/x/results", READER),
    ):
        assert shop.call("GET", asked, token=token).status_code == 404
    shop.call("DELETE", path.removesuffix("/results"))
    assert shop.call("GET", path).status_code == 404


def test_a_result_from_within_a_window_says_so(shop: Api, path: str) -> None:
    monitor_id = path.split("/")[3]
    body = {
        "name": "Patching",
        "monitors": {"ids": [monitor_id]},
        "starts_at": to_text(NOW - HOUR),
        "duration_seconds": 600,
        "backdate": True,
    }
    assert shop.call("POST", "/v1/maintenance-windows", body, token=ADMIN).status_code == 201
    carry_out(shop)
    for at in (NOW - HOUR - MINUTE, NOW - HOUR, NOW - 51 * MINUTE, NOW - 50 * MINUTE):
        see(shop, path, at)
    found = shop.call("GET", f"{path}?order=asc", token=READER).json()["data"]
    assert [one["in_maintenance"] for one in found] == [False, True, True, False]
