"""A month of history for the monitors of a server at rest, written through the functions that the server writes by."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

from sqlalchemy import Connection, select

from statuspulse.domain.health import Health, State
from statuspulse.domain.result import Observation, Phases, Result, ResultKind, Verdict
from statuspulse.domain.rollup import WIDTHS, Bucket, floor
from statuspulse.domain.times import DAY, HOUR, MINUTE, SECOND
from statuspulse.engine.retention import ROLLUPS_KEPT
from statuspulse.storage import results, rollups, states
from statuspulse.storage.connect import sqlite_url
from statuspulse.storage.database import Database
from statuspulse.storage.results import Placed
from statuspulse.storage.rollups import Mark, Place
from statuspulse.storage.schema import monitors, probes
from statuspulse.storage.states import MonitorState

INTERVAL = 30 * SECOND
KEPT = 30 * DAY
# Of every tenth monitor the raw results of a day are written, too: enough to know what one takes on disk.
_ONE_IN = 10
_ROWS_AT_ONCE = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """Bytes on disk per check: of its row, and of its share in the rollups that are kept with it."""

    result_bytes: float
    rollup_bytes: float


def write(path: Path, now: int) -> Disk:
    """Gives every monitor of the database a month of history up to now."""
    with closing(Database(sqlite_url(path))) as database:
        rows = database.read_now(lambda connection: connection.execute(select(monitors.c.key, monitors.c.id)).all())
        found = [(row.key, row.id) for row in rows]
        probe = database.read_now(lambda connection: connection.execute(select(probes)).first())
        assert probe is not None
        _write_states(database, [key for key, _ in found], now)
        empty = _size(database)
        _write_rollups(database, [key for key, _ in found], probe.region_key, now)
        rolled = _size(database)
        written = 0
        placed = _results(found[::_ONE_IN], probe.region_key, probe.key, now)
        while some := list(islice(placed, _ROWS_AT_ONCE)):
            database.submit(partial(results.insert, placed=some)).result()
            written += len(some)
        return Disk(
            result_bytes=(_size(database) - rolled) / written,
            rollup_bytes=(rolled - empty) / (len(found) * KEPT / INTERVAL),
        )


def _write_states(database: Database, keys: Sequence[int], now: int) -> None:
    """Up for a month, but for an outage of a few minutes now and then."""
    chance = random.Random(1)

    def store(connection: Connection) -> None:
        connection.execute(monitors.update().values(created_at=now - KEPT, updated_at=now - KEPT))
        for key in keys:
            states.cut_intervals(connection, key, now - KEPT, State.UP)
            for days in range(2, 30, 7):
                at = now - days * DAY - chance.randrange(DAY // 2)
                states.cut_intervals(connection, key, at, State.DOWN)
                states.cut_intervals(connection, key, at + chance.randrange(MINUTE, 9 * MINUTE), State.UP)
            up = MonitorState(health=Health.UP, state=State.UP, since=now - 2 * DAY, seq=9, votes_from=now)
            states.save_state(connection, key, up)

    database.submit(store).result()


def _write_rollups(database: Database, keys: Sequence[int], region_key: int, now: int) -> None:
    """Buckets as far back as each width is kept, a month at most, and marks that say that they are complete."""
    chance = random.Random(2)
    for width in WIDTHS:
        shapes = [_bucket(chance, width) for _ in range(50)]
        until = floor(now - MINUTE, width)
        starts = range(until - min(KEPT, floor(ROLLUPS_KEPT[width], width)), until, width)
        places = (Place(key, region_key, start) for key in keys for start in starts)
        while some := list(islice(places, _ROWS_AT_ONCE)):
            buckets = {place: shapes[chance.randrange(len(shapes))] for place in some}
            database.submit(partial(rollups.save, width=width, buckets=buckets)).result()
        mark = Mark(width=width, complete_until=until, sweep_until=until, next_key=0)
        database.submit(partial(rollups.save_mark, mark=mark)).result()


def _bucket(chance: random.Random, width: int) -> Bucket:
    bucket = Bucket()
    for _ in range(width // INTERVAL):
        bucket.add(Verdict.OK, _latency_us(chance))
    return bucket


def _results(found: Sequence[tuple[int, str]], region_key: int, probe_key: int, now: int) -> Iterator[Placed]:
    """A day of one monitor after the other, a day ago: where the rollups are complete."""
    chance = random.Random(3)
    for key, monitor_id in found:
        for at in range(floor(now, DAY) - DAY - HOUR, floor(now, DAY) - HOUR, INTERVAL):
            latency_us = _latency_us(chance)
            seen = Observation(
                failure=None,
                latency_us=latency_us,
                phases=Phases(
                    dns_us=chance.randrange(200, 3000),
                    connect_us=chance.randrange(5000, 30_000),
                    tls_us=chance.randrange(20_000, 60_000),
                    ttfb_us=latency_us // 2,
                    transfer_us=chance.randrange(100, 900),
                ),
                status_code=200,
                bytes_read=512,
                ip="198.51.100.7",
            )
            result = Result(
                monitor_id=monitor_id,
                region="local",
                scheduled_at=at,
                kind=ResultKind.SCHEDULED,
                round=at // INTERVAL,
                lag_us=chance.randrange(500, 9000),
                observed_at=at + latency_us // 1000,
                attempt=1,
                config_version=1,
                observation=seen,
            )
            yield Placed(key, region_key, probe_key, result)


def _latency_us(chance: random.Random) -> int:
    """Around 80 ms, with a tail."""
    return int(chance.lognormvariate(11.3, 0.35))


def _size(database: Database) -> int:
    """The pages of the database, those that are still in its log among them."""

    def pages(connection: Connection) -> int:
        return int(connection.exec_driver_sql("PRAGMA page_count").scalar_one())

    def page_bytes(connection: Connection) -> int:
        return int(connection.exec_driver_sql("PRAGMA page_size").scalar_one())

    return database.read_now(pages) * database.read_now(page_bytes)
