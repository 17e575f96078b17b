"""Results and gaps in storage, on every database: a second copy changes nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Connection, func, select

from statuspulse.domain.failure import Failure, FailureClass, MissReason
from statuspulse.domain.result import Certificate, Gap, Observation, Phases, ResultKind, Verdict
from statuspulse.storage import late_sights, results
from statuspulse.storage.database import Database
from statuspulse.storage.late_sights import LateSight
from statuspulse.storage.results import NO_SLOTS, LastSlots, PlacedGap
from statuspulse.storage.schema import failure_details, gap_records
from statuspulse.storage.schema import results as rows
from tests.contracts.ground import Ground, a_result, lay, placed

REFUSED = Failure(FailureClass.CONNECT_REFUSED, "nobody listens on port 443")
EVIDENCE = {"status_line": "HTTP/1.1 503", "headers": [["Server", "nginx"]], "body": "Ünïcode\u0000\n", "hops": None}
BLIND = Failure(FailureClass.PROBE_BLIND, "no network of its own")


@pytest.fixture
def ground(database: Database) -> Ground:
    return lay(database)


def count(ground: Ground, table: Any) -> int:
    number: int = ground.read(lambda connection: connection.scalar(select(func.count()).select_from(table)))
    return number


def look(ground: Ground) -> results.Look:
    newest = ground.read(lambda connection: results.newest(connection, [ground.monitor], [ground.here]))
    found: results.Look = newest[ground.monitor, ground.here]
    return found


def test_a_result_is_stored_with_all_that_was_seen(ground: Ground) -> None:
    seen = Observation(
        failure=REFUSED,
        latency_us=81_234,
        phases=Phases(dns_us=1, connect_us=2, tls_us=3, ttfb_us=4, transfer_us=None),
        status_code=503,
        bytes_read=4096,
        ip="2001:db8::7",
        certificate=Certificate(not_after=1_800_000_000_000),
        truncated=True,
        evidence=EVIDENCE,
    )
    result = a_result(5000, kind=ResultKind.RECHECK, observation=seen, attempt=2, config_version=7)
    ground.write(lambda connection: results.insert(connection, [placed(ground, result)]))
    query = select(rows, failure_details.c.detail, failure_details.c.evidence).join(failure_details, results.SAME_SLOT)
    row = ground.read(lambda connection: connection.execute(query).one())
    assert results.result_of(row, result.monitor_id, result.region) == result
    kept = ground.read(lambda connection: connection.scalar(select(failure_details.c.evidence)))
    assert json.loads(kept) == EVIDENCE
    expected = results.Look(
        scheduled_at=5000,
        observed_at=5080,
        verdict=Verdict.FAILED,
        latency_us=81_234,
        failure=REFUSED,
        config_version=7,
        probe_key=ground.probe,
    )
    assert expected == look(ground)


@pytest.mark.parametrize("kind", list(FailureClass))
def test_every_failure_class_is_read_as_it_was_stored(ground: Ground, kind: FailureClass) -> None:
    failure = Failure(kind, "why – Ünïcode")
    ground.write(lambda connection: results.insert(connection, [placed(ground, a_result(5000, failure=failure))]))
    assert look(ground).failure == failure
    assert look(ground).verdict is (Verdict.VOID if kind.is_void else Verdict.FAILED)


def test_a_second_copy_changes_nothing(ground: Ground) -> None:
    first, copy = a_result(5000, failure=REFUSED), a_result(5000, failure=Failure(FailureClass.TIMEOUT, "other"))

    def insert(connection: Connection) -> None:
        results.insert(connection, [placed(ground, first), placed(ground, a_result(6000))])
        results.insert(connection, [placed(ground, copy), placed(ground, replace(copy, scheduled_at=7000))])

    ground.write(insert)
    assert (count(ground, rows), count(ground, failure_details)) == (3, 2)
    details = ground.read(
        lambda connection: connection.scalars(
            select(failure_details.c.detail).order_by(failure_details.c.scheduled_at)
        ).all()
    )
    assert details == [REFUSED.detail, "other"]


def test_copies_within_one_batch_are_one_result(ground: Ground) -> None:
    ground.write(lambda connection: results.insert(connection, [placed(ground, a_result(5000))] * 2))
    assert count(ground, rows) == 1


def test_a_slot_belongs_to_its_monitor_and_region(ground: Ground) -> None:
    ground.write(
        lambda connection: results.insert(
            connection,
            [
                placed(ground, a_result(5000)),
                placed(ground, a_result(5000), region=ground.there),
                placed(ground, a_result(5000), monitor=ground.neighbour),
            ],
        )
    )
    assert count(ground, rows) == 3

    def known(connection: Connection) -> list[bool]:
        return [
            results.exists(connection, ground.monitor, ground.here, 5000),
            results.exists(connection, ground.monitor, ground.here, 5001),
            results.exists(connection, ground.neighbour, ground.there, 5000),
        ]

    assert ground.read(known) == [True, False, False]


def test_an_empty_batch_is_nothing(ground: Ground) -> None:
    ground.write(lambda connection: results.insert(connection, []))
    ground.write(lambda connection: results.insert_gaps(connection, []))
    assert (count(ground, rows), count(ground, gap_records)) == (0, 0)


def test_the_last_slot_that_counted_may_be_older_than_the_last_one(ground: Ground) -> None:
    def last() -> Any:
        return ground.read(
            lambda connection: results.last_slots(connection, [ground.monitor], [ground.here]).get(
                (ground.monitor, ground.here), NO_SLOTS
            )
        )

    def add(at: int, failure: Failure | None, region: int) -> None:
        ground.write(
            lambda connection: results.insert(
                connection, [placed(ground, a_result(at, failure=failure), region=region)]
            )
        )

    assert last() == LastSlots(stored=None, counted=None, observed_at=None, is_blind=False)
    add(4000, BLIND, ground.here)
    assert last() == LastSlots(stored=4000, counted=None, observed_at=None, is_blind=True)
    add(5000, REFUSED, ground.here)
    add(6000, BLIND, ground.here)
    add(9000, None, ground.there)
    assert last() == LastSlots(stored=6000, counted=5000, observed_at=5080, is_blind=True, voted=5000)
    add(7000, None, ground.here)
    assert last() == LastSlots(stored=7000, counted=7000, observed_at=7080, is_blind=False, voted=7000)
    place = (ground.monitor, ground.here)
    ground.write(lambda connection: late_sights.save(connection, {place: LateSight(counted=6500, voted=None)}))
    ground.write(lambda connection: late_sights.save(connection, {place: LateSight(counted=5000, voted=4000)}))
    late = LastSlots(stored=7000, counted=5000, observed_at=7080, is_blind=False, voted=4000, is_late=True)
    assert last() == late
    ground.write(lambda connection: late_sights.save(connection, {place: None}))
    assert last() == replace(late, counted=7000, voted=7000, is_late=False)


def test_the_newest_result_of_each_region_is_found(ground: Ground) -> None:
    ground.write(
        lambda connection: results.insert(
            connection,
            [
                placed(ground, a_result(5000)),
                placed(ground, a_result(8000, failure=BLIND)),
                placed(ground, a_result(6000, failure=REFUSED), region=ground.there),
                placed(ground, a_result(9000), monitor=ground.neighbour),
            ],
        )
    )
    newest = ground.read(lambda connection: results.newest(connection, [ground.monitor], [ground.here, ground.there]))
    assert {place: (found.scheduled_at, found.failure) for place, found in newest.items()} == {
        (ground.monitor, ground.here): (8000, BLIND),
        (ground.monitor, ground.there): (6000, REFUSED),
    }

    def counted(since: int) -> Any:
        return ground.read(lambda connection: results.newest_counted(connection, ground.monitor, ground.here, since))

    assert counted(0).scheduled_at == counted(5000).scheduled_at == 5000
    assert counted(5001) is None


def test_a_second_copy_of_a_gap_changes_nothing(ground: Ground) -> None:
    gap = Gap(monitor_id="mon_00000001", region="local", from_at=1000, to_at=4000, count=4, reason=MissReason.RESTART)

    def insert(connection: Connection) -> None:
        for kept in (gap, replace(gap, count=9), replace(gap, from_at=9000, to_at=9000, count=1)):
            results.insert_gaps(connection, [PlacedGap(ground.monitor, ground.here, kept)])

    ground.write(insert)
    stored = ground.read(lambda connection: connection.execute(select(gap_records).order_by("from_at")).all())
    assert [(row.from_at, row.to_at, row.count, row.reason) for row in stored] == [
        (1000, 4000, 4, "restart"),
        (9000, 9000, 1, "restart"),
    ]


def test_a_gap_that_has_grown_takes_the_place_of_what_it_was(ground: Ground) -> None:
    """Its answer was lost, and the spool dropped more before it told again."""
    overflow = MissReason.SPOOL_OVERFLOW
    gap = Gap(monitor_id="mon_00000001", region="local", from_at=1000, to_at=4000, count=4, reason=overflow)
    grown = replace(gap, to_at=9000, count=9)

    def insert(connection: Connection) -> None:
        for kept in (gap, grown, gap):
            results.insert_gaps(connection, [PlacedGap(ground.monitor, ground.here, kept)])

    ground.write(insert)
    stored = ground.read(lambda connection: results.newest_gaps(connection, ground.monitor, 0, 10))
    assert stored == [PlacedGap(ground.monitor, ground.here, grown)]


def test_the_newest_gaps_of_a_monitor_are_found(ground: Ground) -> None:
    gap = Gap(monitor_id="mon_00000001", region="local", from_at=1000, to_at=4000, count=4, reason=MissReason.RESTART)
    later = [replace(gap, from_at=at, to_at=at, count=1) for at in (9000, 5000, 7000)]

    def insert(connection: Connection) -> None:
        placed_gaps = [PlacedGap(ground.monitor, ground.here, kept) for kept in (gap, *later)]
        results.insert_gaps(connection, [*placed_gaps, PlacedGap(ground.neighbour, ground.here, gap)])

    ground.write(insert)
    found = ground.read(lambda connection: results.newest_gaps(connection, ground.monitor, 4000, 2))
    assert [one.gap for one in found] == [later[0], later[2]]


def test_only_scheduled_checks_of_the_window_are_summed_up(ground: Ground) -> None:
    ground.write(
        lambda connection: results.insert(
            connection,
            [
                placed(ground, a_result(999)),
                placed(ground, a_result(1000)),
                placed(ground, a_result(1500, kind=ResultKind.RECHECK)),
                placed(ground, a_result(1600, kind=ResultKind.MANUAL)),
                placed(ground, a_result(1999, failure=BLIND), region=ground.there),
                placed(ground, a_result(2000)),
                placed(ground, a_result(1200), monitor=ground.neighbour),
            ],
        )
    )

    def between(connection: Connection) -> list[Any]:
        regions = [ground.here, ground.there]
        return sorted(results.verdicts_between(connection, [ground.monitor], regions, 1000, 2000))

    assert ground.read(between) == [
        (ground.monitor, ground.here, 1000, Verdict.OK, 80_000),
        (ground.monitor, ground.there, 1999, Verdict.VOID, 80_000),
    ]
