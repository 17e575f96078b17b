"""Looking through the results of a monitor, on every database."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection

from statuspulse.domain.failure import Failure, FailureClass
from statuspulse.domain.result import Certificate, Observation, Phases, ResultKind, Verdict
from statuspulse.storage import history, results
from statuspulse.storage.database import Database
from statuspulse.storage.history import ResultFilter, Seen
from tests.contracts.ground import Ground, a_result, lay, placed

REFUSED = Failure(FailureClass.CONNECT_REFUSED, "nobody listens on port 443")
BLIND = Failure(FailureClass.PROBE_BLIND, "no network of its own")
MONITOR = "mon_00000001"

# (slot, region, failure): two regions that share instants, in the order of the list.
SLOTS: list[tuple[int, str, Failure | None]] = [
    (1000, "eu-west", None),
    (1000, "local", REFUSED),
    (2000, "eu-west", None),
    (3000, "eu-west", REFUSED),
    (3000, "local", None),
    (4000, "local", BLIND),
]


@pytest.fixture
def ground(database: Database) -> Ground:
    laid = lay(database)

    def fill(connection: Connection) -> None:
        regions = {"local": laid.here, "eu-west": laid.there}
        results.insert(
            connection,
            [
                placed(laid, a_result(at, region=slug, failure=failure), region=regions[slug])
                for at, slug, failure in SLOTS
            ],
        )
        results.insert(connection, [placed(laid, a_result(2500), monitor=laid.neighbour)])

    laid.write(fill)
    return laid


def wanted(
    start: int = 0, end: int = 10_000, region: str | None = None, verdict: Verdict | None = None
) -> ResultFilter:
    return ResultFilter(start=start, end=end, region=region, verdict=verdict)


def listed(ground: Ground, which: ResultFilter, **more: Any) -> list[Seen]:
    members: dict[str, Any] = {"after": None, "descending": False, "limit": 100, **more}
    found: list[Seen] = ground.read(
        lambda connection: history.listed(connection, (ground.monitor, MONITOR), which, **members)
    )
    return found


def places(found: list[Seen]) -> list[tuple[int, str]]:
    return [seen.sort_key for seen in found]


PLACES = [(at, slug) for at, slug, _ in SLOTS]


def test_a_result_is_read_as_it_was_stored(ground: Ground) -> None:
    observation = Observation(
        failure=REFUSED,
        latency_us=81_234,
        phases=Phases(dns_us=1, connect_us=2, tls_us=3, ttfb_us=4, transfer_us=None),
        status_code=503,
        bytes_read=4096,
        ip="2001:db8::7",
        certificate=Certificate(not_after=1_800_000_000_000),
        truncated=True,
        evidence={"body": "Ünïcode", "headers": [["Server", "nginx"]]},
    )
    result = a_result(
        5000, kind=ResultKind.RECHECK, observation=observation, attempt=2, config_version=7, monitor_id=MONITOR
    )
    ground.write(lambda connection: results.insert(connection, [placed(ground, result)]))
    assert listed(ground, wanted(start=5000)) == [Seen(result, "prb_00000001")]


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("limit", [1, 2, 4, 100])
def test_pages_together_are_all_slots_in_order(ground: Ground, descending: bool, limit: int) -> None:
    collected: list[tuple[int, str]] = []
    after = None
    for _ in range(len(SLOTS) + 1):
        page = places(listed(ground, wanted(), after=after, descending=descending, limit=limit))
        if not page:
            break
        assert len(page) <= limit
        collected += page
        after = page[-1]
    assert collected == (PLACES[::-1] if descending else PLACES)


@pytest.mark.parametrize(
    ("which", "expected"),
    [
        (wanted(start=1000, end=3000), PLACES[:3]),
        (wanted(start=1001, end=3001), PLACES[2:5]),
        (wanted(region="local"), [(1000, "local"), (3000, "local"), (4000, "local")]),
        (wanted(region="mars"), []),
        (wanted(verdict=Verdict.FAILED), [(1000, "local"), (3000, "eu-west")]),
        (wanted(verdict=Verdict.VOID), [(4000, "local")]),
        (wanted(verdict=Verdict.OK, region="eu-west", start=2000), [(2000, "eu-west")]),
    ],
)
def test_a_list_is_narrowed_and_counted(ground: Ground, which: ResultFilter, expected: list[tuple[int, str]]) -> None:
    assert places(listed(ground, which)) == expected
    assert places(listed(ground, which, descending=True)) == expected[::-1]
    assert ground.read(lambda connection: history.count(connection, ground.monitor, which, 100)) == len(expected)


def test_counting_stops_at_the_limit(ground: Ground) -> None:
    for limit in (1, 4, 6):
        assert (
            ground.read(lambda connection, limit=limit: history.count(connection, ground.monitor, wanted(), limit))
            == limit
        )
