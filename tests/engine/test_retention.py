"""What is kept no longer goes, a little at a time, and nothing else does."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import Connection, Table, select

from statuspulse.domain.failure import MissReason
from statuspulse.domain.result import Gap, Verdict
from statuspulse.domain.rollup import FINEST, Bucket
from statuspulse.domain.times import DAY, HOUR, MINUTE
from statuspulse.engine.housekeeping import Housekeeping
from statuspulse.engine.retention import Retention
from statuspulse.storage import results, rollups
from statuspulse.storage.database import Database
from statuspulse.storage.results import PlacedGap
from statuspulse.storage.retention import due as due_keys
from statuspulse.storage.rollups import Place
from statuspulse.storage.schema import failure_details, gap_records
from statuspulse.storage.schema import results as result_rows
from statuspulse.storage.schema import rollups as rollup_rows
from tests.engine.past import NOW, REGIONS, Past, look

FIRST = NOW - 30 * DAY


@pytest.fixture
def past(database: Database) -> Past:
    return Past.begin(database)


def go_round(past: Past, now: int = NOW) -> tuple[int, int]:
    """How many looks and steps a round takes."""
    retention, steps = Retention(), 0
    for looks in range(1, 100):
        has_more = past.read(lambda connection: retention.look(connection, now))
        while retention.has_found:
            past.write(lambda connection: retention.step(connection, now))
            steps += 1
        if not has_more:
            return looks, steps
    raise AssertionError("the round never ends")


def column(past: Past, table: Table, name: str) -> list[Any]:
    return sorted(past.read(lambda connection: connection.scalars(select(table.c[name])).all()))


def test_results_and_their_details_are_kept_for_30_days(past: Past) -> None:
    slots = [FIRST - 40 * DAY, FIRST - DAY, FIRST - 1, FIRST, FIRST + 1, NOW - MINUTE]
    for number in (1, 2):
        monitor = past.monitor(number)
        past.see(*[look(monitor, at, Verdict.FAILED, region_key=number) for at in slots])
    go_round(past)
    assert column(past, result_rows, "scheduled_at") == sorted(2 * [FIRST, FIRST + 1, NOW - MINUTE])
    assert column(past, failure_details, "scheduled_at") == sorted(2 * [FIRST, FIRST + 1, NOW - MINUTE])


def test_a_step_deletes_a_bounded_number_and_the_next_goes_on(past: Past) -> None:
    monitor = past.monitor()
    begin = FIRST - 8 * HOUR
    past.see(*[look(monitor, at, latency_us=None) for at in range(begin, FIRST, 4000)])
    retention = Retention()
    assert not past.read(lambda connection: retention.look(connection, NOW))
    past.write(lambda connection: retention.step(connection, NOW))
    assert retention.has_found
    left = len(column(past, result_rows, "scheduled_at"))
    assert 0 < left < 8 * 900
    assert go_round(past) > (1, 1)
    assert column(past, result_rows, "scheduled_at") == []


def test_more_monitors_than_one_step_takes_are_all_visited(past: Past) -> None:
    past.see(*[look(past.monitor(number), FIRST - 1) for number in range(1, 202)])
    assert go_round(past) == (2, 21)
    assert column(past, result_rows, "scheduled_at") == []


def test_only_monitors_that_have_something_to_delete_cost_the_writer_time(past: Past) -> None:
    due, fresh = past.monitor(1), past.monitor(2)
    past.see(look(due, FIRST - 1), look(fresh, FIRST))
    found = past.read(lambda connection: due_keys(connection, [due.key, fresh.key], FIRST, {FINEST: NOW - 8 * DAY}))
    assert found == [due.key]


def test_gaps_are_kept_until_30_days_after_their_end(past: Past) -> None:
    monitor = past.monitor()
    gaps = [
        PlacedGap(
            monitor.key,
            1,
            Gap(
                monitor_id=monitor.id,
                region=REGIONS[0],
                from_at=start,
                to_at=end,
                count=2,
                reason=MissReason.RESTART,
            ),
        )
        for start, end in ((FIRST - HOUR, FIRST - 1), (FIRST - MINUTE, FIRST), (NOW - HOUR, NOW))
    ]
    past.write(lambda connection: results.insert_gaps(connection, gaps))
    go_round(past)
    assert column(past, gap_records, "from_at") == [FIRST - MINUTE, NOW - HOUR]


def test_the_wider_a_bucket_the_longer_it_is_kept(past: Past) -> None:
    key = past.monitor().key
    ages = {FINEST: 8 * DAY, HOUR: 91 * DAY, DAY: 5 * 366 * DAY}

    def store(connection: Connection) -> None:
        for width, kept in ages.items():
            for start in (NOW - kept - width, NOW - kept - width + 1, NOW - 2 * width):
                rollups.save(connection, width, {Place(key, 1, start): Bucket(ok=1)})

    past.write(store)
    go_round(past)
    query = select(rollup_rows.c.width_seconds, rollup_rows.c.start_at)
    found = past.read(lambda connection: connection.execute(query).all())
    assert sorted((width * 1000, NOW - start) for width, start in found) == sorted(
        (width, age) for width, kept in ages.items() for age in (kept + width - 1, 2 * width)
    )


@pytest.mark.virtual_time
async def test_the_first_round_waits_until_what_the_start_brought_is_stored(sqlite_database: Database) -> None:
    past = Past.begin(sqlite_database)
    past.see(look(past.monitor(), FIRST - 1))
    async with asyncio.TaskGroup() as tasks:
        house = tasks.create_task(Housekeeping(sqlite_database, now=lambda: NOW).run())
        await asyncio.sleep(299)
        assert column(past, result_rows, "scheduled_at") == [FIRST - 1]
        await asyncio.sleep(2)
        assert column(past, result_rows, "scheduled_at") == []
        house.cancel()
