"""What was seen, and its sums."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, SmallInteger, Table, Text

from statuspulse.storage.schema.base import Key, metadata

results = Table(
    "results",
    metadata,
    Column("monitor_key", Key, primary_key=True, autoincrement=False),
    Column("region_key", Key, primary_key=True, autoincrement=False),
    Column("scheduled_at", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", SmallInteger, nullable=False),
    Column("verdict", SmallInteger, nullable=False),
    Column("failure", SmallInteger),
    Column("round", BigInteger, nullable=False),
    Column("probe_key", Integer, nullable=False),
    # When the check ended, from its slot on: an instant of its own would take 5 bytes more.
    Column("observed_after_ms", BigInteger, nullable=False),
    Column("lag_us", Integer, nullable=False),
    Column("latency_us", BigInteger),  # runs of jobs take hours
    Column("measured", LargeBinary, nullable=False),  # attempt, phases, status and more: `storage/measured.py`
    Column("not_after", BigInteger),
    Column("config_version", Integer, nullable=False),
    sqlite_with_rowid=False,
)

# Text is kept only for failures; a result at rest is numbers.
failure_details = Table(
    "failure_details",
    metadata,
    Column("monitor_key", Key, primary_key=True, autoincrement=False),
    Column("region_key", Key, primary_key=True, autoincrement=False),
    Column("scheduled_at", BigInteger, primary_key=True, autoincrement=False),
    Column("detail", Text, nullable=False),
    Column("evidence", Text),  # JSON of what the check saw, where it kept that
    sqlite_with_rowid=False,
)

gap_records = Table(
    "gap_records",
    metadata,
    Column("monitor_key", Key, primary_key=True, autoincrement=False),
    Column("region_key", Key, primary_key=True, autoincrement=False),
    Column("from_at", BigInteger, primary_key=True, autoincrement=False),
    Column("to_at", BigInteger, nullable=False),
    Column("count", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    sqlite_with_rowid=False,
)

rollups = Table(
    "rollups",
    metadata,
    Column("width_seconds", Integer, primary_key=True, autoincrement=False),
    Column("monitor_key", Key, primary_key=True, autoincrement=False),
    Column("region_key", Key, primary_key=True, autoincrement=False),
    Column("start_at", BigInteger, primary_key=True, autoincrement=False),
    Column("ok", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("void", Integer, nullable=False),
    Column("total_us", BigInteger, nullable=False),
    Column("min_us", BigInteger),
    Column("max_us", BigInteger),
    Column("sketch", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

# Up to where the rows of one width are complete. A sweep takes them on to `sweep_until`, monitor by monitor in the
# order of their keys: those below `next_key` are there already. The two instants are equal between sweeps.
rollup_marks = Table(
    "rollup_marks",
    metadata,
    Column("width_seconds", Integer, primary_key=True, autoincrement=False),
    Column("complete_until", BigInteger, nullable=False),
    Column("sweep_until", BigInteger, nullable=False),
    Column("next_key", Key, nullable=False),
)

# How often the past of a monitor was written: its intervals, holes and incidents, and its rollups below where they were
# complete. What was remembered of them before is stale.
rollup_rewrites = Table(
    "rollup_rewrites",
    metadata,
    Column("monitor_key", Key, primary_key=True, autoincrement=False),
    Column("times", BigInteger, nullable=False),
)

# Hours that got a result after they had been rolled up; they are rolled up again.
rollup_touched = Table(
    "rollup_touched",
    metadata,
    Column("monitor_key", Key, primary_key=True, autoincrement=False),
    Column("region_key", Key, primary_key=True, autoincrement=False),
    Column("start_at", BigInteger, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)
