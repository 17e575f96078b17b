"""Raw results and gaps: numbers for every slot, text only for failures."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Connection, Row, Select, and_, bindparam, func, select
from sqlalchemy.sql.elements import BindParameter

from statuspulse.domain.failure import Failure, FailureClass, MissReason
from statuspulse.domain.result import Certificate, Gap, Observation, Result, ResultKind, Verdict
from statuspulse.storage import late_sights, measured
from statuspulse.storage.dialect import insert_or_ignore, insert_rows_or_ignore, upsert
from statuspulse.storage.late_sights import LateSight
from statuspulse.storage.prepared import Prepared
from statuspulse.storage.schema import failure_details, gap_records, monitors, regions, results

# Numbers in the database; they are never given to another meaning.
_KINDS = (ResultKind.SCHEDULED, ResultKind.RECHECK, ResultKind.FIRST, ResultKind.MANUAL)
VERDICTS = (Verdict.OK, Verdict.FAILED, Verdict.VOID)
_FAILURES = (
    FailureClass.DNS_ERROR,
    FailureClass.CONNECT_REFUSED,
    FailureClass.CONNECT_TIMEOUT,
    FailureClass.CONNECT_ERROR,
    FailureClass.TLS_ERROR,
    FailureClass.TLS_EXPIRED,
    FailureClass.TIMEOUT,
    FailureClass.STATUS_MISMATCH,
    FailureClass.ASSERTION_FAILED,
    FailureClass.REDIRECT_ERROR,
    FailureClass.PROTOCOL_ERROR,
    FailureClass.BODY_TOO_LARGE,
    FailureClass.BLOCKED_BY_POLICY,
    FailureClass.PROBE_BLIND,
    FailureClass.SELF_STALL,
    FailureClass.PROBE_ERROR,
    FailureClass.HEARTBEAT_MISSED,
    FailureClass.HEARTBEAT_FAILED,
)
_KIND_CODES = {kind: code for code, kind in enumerate(_KINDS)}
VERDICT_CODES = {verdict: code for code, verdict in enumerate(VERDICTS)}
_FAILURE_CODES = {failure: code for code, failure in enumerate(_FAILURES)}
_VOID = VERDICT_CODES[Verdict.VOID]
SCHEDULED = _KIND_CODES[ResultKind.SCHEDULED]
# Looks that somebody asked for count nowhere: they are no slots.
IS_SLOT = results.c.kind != _KIND_CODES[ResultKind.MANUAL]


@dataclass(frozen=True, slots=True)
class Placed:
    """A result with the keys under which it is stored."""

    monitor_key: int
    region_key: int
    probe_key: int
    result: Result


@dataclass(frozen=True, slots=True)
class PlacedGap:
    """A gap with the keys under which it is stored."""

    monitor_key: int
    region_key: int
    gap: Gap


@dataclass(frozen=True, slots=True)
class LastSlots:
    """The newest slots of a region: stored, counted, voted; and when the newest check with a verdict ended.

    `is_blind` if the first says that the probe had no network of its own, `is_late` if the newest verdict came too late
    to vote: otherwise it counted and voted.
    """

    stored: int | None
    counted: int | None
    observed_at: int | None
    is_blind: bool
    voted: int | None = None
    is_late: bool = False


NO_SLOTS = LastSlots(None, None, None, is_blind=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a region saw when it last looked."""

    scheduled_at: int
    observed_at: int
    verdict: Verdict
    latency_us: int | None
    failure: Failure | None
    config_version: int
    probe_key: int


SAME_SLOT = and_(
    failure_details.c.monitor_key == results.c.monitor_key,
    failure_details.c.region_key == results.c.region_key,
    failure_details.c.scheduled_at == results.c.scheduled_at,
)
_LOOK = (
    results.c.monitor_key,
    results.c.region_key,
    results.c.scheduled_at,
    results.c.observed_after_ms,
    results.c.verdict,
    results.c.latency_us,
    results.c.failure,
    results.c.config_version,
    results.c.probe_key,
    failure_details.c.detail,
)

_KEYS: BindParameter[int] = bindparam("keys", expanding=True)
_REGIONS: BindParameter[int] = bindparam("regions", expanding=True)
_BETWEEN = Prepared(
    select(
        results.c.monitor_key, results.c.region_key, results.c.scheduled_at, results.c.verdict, results.c.latency_us
    ).where(
        results.c.monitor_key.in_(_KEYS),
        results.c.region_key.in_(_REGIONS),
        results.c.scheduled_at >= bindparam("start", type_=BigInteger),
        results.c.scheduled_at < bindparam("end", type_=BigInteger),
        results.c.kind == SCHEDULED,
    )
)
_COUNT = Prepared(
    select(results.c.monitor_key, func.count().label("number"))
    .where(
        results.c.monitor_key.in_(_KEYS),
        results.c.region_key.in_(_REGIONS),
        results.c.scheduled_at >= bindparam("start", type_=BigInteger),
    )
    .group_by(results.c.monitor_key)
)
# By order and not by max(): with a further condition that would read every row there is.
_LAST = (
    select(results.c.scheduled_at)
    .where(results.c.monitor_key == monitors.c.key, results.c.region_key == regions.c.key, IS_SLOT)
    .order_by(results.c.scheduled_at.desc())
    .limit(1)
    .correlate(monitors, regions)
    .scalar_subquery()
)
_NEWEST = Prepared(
    select(*_LOOK)
    .select_from(monitors)
    .join(regions, regions.c.key.in_(_REGIONS))
    .join(
        results,
        and_(
            results.c.monitor_key == monitors.c.key,
            results.c.region_key == regions.c.key,
            results.c.scheduled_at == _LAST,
        ),
    )
    .outerjoin(failure_details, SAME_SLOT)
    .where(monitors.c.key.in_(_KEYS))
)


def insert(connection: Connection, placed: Sequence[Placed]) -> None:
    """Stores the results; a second copy of a slot changes nothing."""
    if not placed:
        return
    insert_rows_or_ignore(connection, results, [_row(item) for item in placed])
    details = [_detail_row(item) for item in placed if item.result.observation.failure is not None]
    if details:
        connection.execute(insert_or_ignore(connection, failure_details), details)


def insert_gaps(connection: Connection, gaps: Sequence[PlacedGap]) -> None:
    """Stores the gaps; of two that begin with the same slot the longer one is kept: it has grown."""
    if not gaps:
        return
    rows = [
        {
            "monitor_key": item.monitor_key,
            "region_key": item.region_key,
            "from_at": item.gap.from_at,
            "to_at": item.gap.to_at,
            "count": item.gap.count,
            "reason": item.gap.reason.value,
        }
        for item in gaps
    ]
    keys = ("monitor_key", "region_key", "from_at")
    connection.execute(upsert(connection, gap_records, keys, ("to_at", "count", "reason"), rising="to_at"), rows)


def newest_gaps(connection: Connection, monitor_key: int, since: int, limit: int) -> list[PlacedGap]:
    """The last gaps of a monitor that ended after an instant, the newest first."""
    query = (
        select(gap_records, gap_records.c["count"].label("slots"), regions.c.slug, monitors.c.id)
        .join(regions, regions.c.key == gap_records.c.region_key)
        .join(monitors, monitors.c.key == gap_records.c.monitor_key)
        .where(gap_records.c.monitor_key == monitor_key, gap_records.c.to_at > since)
        .order_by(gap_records.c.to_at.desc(), gap_records.c.from_at.desc(), gap_records.c.region_key)
        .limit(limit)
    )
    return [
        PlacedGap(
            monitor_key,
            row.region_key,
            Gap(
                monitor_id=row.id,
                region=row.slug,
                from_at=row.from_at,
                to_at=row.to_at,
                count=row.slots,
                reason=MissReason(row.reason),
            ),
        )
        for row in connection.execute(query)
    ]


def exists(connection: Connection, monitor_key: int, region_key: int, scheduled_at: int) -> bool:
    """Whether the slot has its result already."""
    found = connection.scalar(
        select(results.c.kind).where(
            results.c.monitor_key == monitor_key,
            results.c.region_key == region_key,
            results.c.scheduled_at == scheduled_at,
        )
    )
    return found is not None


def failed_since(connection: Connection, monitor_key: int, start: int) -> int:
    """How many slots and rechecks from then on (ms) have failed."""
    query = (
        select(func.count())
        .select_from(results)
        .where(
            results.c.monitor_key == monitor_key,
            results.c.scheduled_at >= start,
            results.c.verdict == VERDICT_CODES[Verdict.FAILED],
            IS_SLOT,
        )
    )
    return connection.scalar(query) or 0


def last_slots(
    connection: Connection, monitor_keys: Collection[int], region_keys: Collection[int]
) -> dict[tuple[int, int], LastSlots]:
    """The newest slots by (monitor key, region key); where nothing was stored there is no entry."""
    found: dict[tuple[int, int], LastSlots] = {}
    late = late_sights.by_region(connection, monitor_keys)
    for (monitor_key, region_key), stored in newest(connection, monitor_keys, region_keys).items():
        verdict: Look | None = stored
        if stored.verdict is Verdict.VOID:
            verdict = newest_counted(connection, monitor_key, region_key, since=0)
        newest_verdict = None if verdict is None else verdict.scheduled_at
        sight = late.get((monitor_key, region_key), LateSight(counted=newest_verdict, voted=newest_verdict))
        found[monitor_key, region_key] = LastSlots(
            stored=stored.scheduled_at,
            counted=sight.counted,
            observed_at=None if verdict is None else verdict.observed_at,
            is_blind=stored.failure is not None and stored.failure.kind is FailureClass.PROBE_BLIND,
            voted=sight.voted,
            is_late=(monitor_key, region_key) in late,
        )
    return found


def newest(
    connection: Connection, monitor_keys: Collection[int], region_keys: Collection[int]
) -> dict[tuple[int, int], Look]:
    """The newest slot's result of each (monitor key, region key) that has one."""
    wanted: dict[str, Any] = {"keys": list(monitor_keys), "regions": list(region_keys)}
    return {(row.monitor_key, row.region_key): _look(row) for row in _NEWEST.rows(connection, **wanted)}


def newest_counted(connection: Connection, monitor_key: int, region_key: int, since: int) -> Look | None:
    """The newest result with a verdict of one region; none is looked for before `since`."""
    query: Select[Any] = (
        select(*_LOOK)
        .outerjoin(failure_details, SAME_SLOT)
        .where(
            results.c.monitor_key == monitor_key,
            results.c.region_key == region_key,
            results.c.scheduled_at >= since,
            results.c.verdict != _VOID,
            IS_SLOT,
        )
        .order_by(results.c.scheduled_at.desc())
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else _look(row)


def result_of(row: Row[Any], monitor_id: str, region: str) -> Result:
    """The value of a result row that has `detail` and `evidence` beside its own columns."""
    packed = measured.unpack(row.measured)
    return Result(
        monitor_id=monitor_id,
        region=region,
        scheduled_at=row.scheduled_at,
        kind=_KINDS[row.kind],
        round=row.round,
        lag_us=row.lag_us,
        observed_at=row.scheduled_at + row.observed_after_ms,
        attempt=packed.attempt,
        config_version=row.config_version,
        observation=Observation(
            failure=_failure(row),
            latency_us=row.latency_us,
            phases=packed.phases,
            status_code=packed.status_code,
            bytes_read=packed.bytes_read,
            ip=packed.ip,
            certificate=None if row.not_after is None else Certificate(not_after=row.not_after),
            truncated=packed.truncated,
            evidence=None if row.evidence is None else json.loads(row.evidence),
        ),
    )


def verdicts_between(
    connection: Connection, monitor_keys: Collection[int], region_keys: Collection[int], start: int, end: int
) -> Iterator[tuple[int, int, int, Verdict, int | None]]:
    """(monitor key, region key, slot, verdict, latency µs) of the scheduled checks with a slot in [start, end)."""
    wanted: dict[str, Any] = {"keys": list(monitor_keys), "regions": list(region_keys), "start": start, "end": end}
    for monitor_key, region_key, scheduled_at, verdict, latency_us in _BETWEEN.rows(connection, **wanted):
        yield monitor_key, region_key, scheduled_at, VERDICTS[verdict], latency_us


def count_since(
    connection: Connection, monitor_keys: Collection[int], region_keys: Collection[int], start: int
) -> dict[int, int]:
    """How many results each monitor has whose slot is not before the instant; one without any is missing."""
    wanted: dict[str, Any] = {"keys": list(monitor_keys), "regions": list(region_keys), "start": start}
    return {row.monitor_key: row.number for row in _COUNT.rows(connection, **wanted)}


def latencies(
    connection: Connection, monitor_key: int, region_keys: Collection[int], since: int, version: int
) -> list[tuple[int, int]]:
    """(slot, latency µs) of the good scheduled checks since an instant, made under the version or a later one."""
    query = select(results.c.scheduled_at, results.c.latency_us).where(
        results.c.monitor_key == monitor_key,
        results.c.region_key.in_(region_keys),
        results.c.scheduled_at >= since,
        results.c.kind == SCHEDULED,
        results.c.verdict == VERDICT_CODES[Verdict.OK],
        results.c.latency_us.is_not(None),
        results.c.config_version >= version,
    )
    return [(scheduled_at, latency_us) for scheduled_at, latency_us in connection.execute(query)]


def _row(item: Placed) -> dict[str, Any]:
    result = item.result
    seen = result.observation
    return {
        "monitor_key": item.monitor_key,
        "region_key": item.region_key,
        "scheduled_at": result.scheduled_at,
        "kind": _KIND_CODES[result.kind],
        "verdict": VERDICT_CODES[seen.verdict],
        "failure": None if seen.failure is None else _FAILURE_CODES[seen.failure.kind],
        "round": result.round,
        "probe_key": item.probe_key,
        "observed_after_ms": result.observed_at - result.scheduled_at,
        "lag_us": result.lag_us,
        "latency_us": seen.latency_us,
        "measured": measured.pack(result),
        "not_after": None if seen.certificate is None else seen.certificate.not_after,
        "config_version": result.config_version,
    }


def _detail_row(item: Placed) -> dict[str, Any]:
    seen = item.result.observation
    return {
        "monitor_key": item.monitor_key,
        "region_key": item.region_key,
        "scheduled_at": item.result.scheduled_at,
        "detail": seen.failure.detail if seen.failure else "",
        "evidence": None if seen.evidence is None else json.dumps(seen.evidence, ensure_ascii=False),
    }


def _look(row: Row[Any]) -> Look:
    return Look(
        scheduled_at=row.scheduled_at,
        observed_at=row.scheduled_at + row.observed_after_ms,
        verdict=VERDICTS[row.verdict],
        latency_us=row.latency_us,
        failure=_failure(row),
        config_version=row.config_version,
        probe_key=row.probe_key,
    )


def _failure(row: Row[Any]) -> Failure | None:
    return None if row.failure is None else Failure(_FAILURES[row.failure], row.detail or "")
