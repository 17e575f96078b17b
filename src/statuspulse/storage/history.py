"""Results as people look through them: a stretch of one monitor's slots, page by page."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Select, func, select
from sqlalchemy.sql.elements import ColumnElement

from statuspulse.domain.result import Result, Verdict
from statuspulse.storage.results import SAME_SLOT, VERDICT_CODES, result_of
from statuspulse.storage.schema import failure_details, probes, regions, results

SlotKey = tuple[int, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultFilter:
    """Which results are looked for: slots in [start, end), one region or all, one verdict or any."""

    start: int
    end: int
    region: str | None
    verdict: Verdict | None


@dataclass(frozen=True, slots=True)
class Seen:
    """A result as it was stored; `probe_id` is None where the probe is not known here."""

    result: Result
    probe_id: str | None

    @property
    def sort_key(self) -> SlotKey:
        return self.result.scheduled_at, self.result.region


def listed(
    connection: Connection,
    monitor: tuple[int, str],
    wanted: ResultFilter,
    *,
    after: SlotKey | None,
    descending: bool,
    limit: int,
) -> list[Seen]:
    """At most `limit` results of a monitor (key, id) from behind the place `after`, by slot and region.

    Each region is read along the primary key and no further than the limit; the first of all of them are answered.
    """
    key, monitor_id = monitor
    pages = []
    for region_key, slug in _regions(connection, wanted.region):
        query = _slots(wanted, key, region_key)
        if after is not None:
            query = query.where(_behind(slug, after, descending=descending))
        order = results.c.scheduled_at.desc() if descending else results.c.scheduled_at
        rows = connection.execute(query.order_by(order).limit(limit))
        pages.append([Seen(result_of(row, monitor_id, slug), row.probe_id) for row in rows])
    merged = heapq.merge(*pages, key=lambda seen: seen.sort_key, reverse=descending)
    return list(islice(merged, limit))


def count(connection: Connection, monitor_key: int, wanted: ResultFilter, limit: int) -> int:
    """How many results there are, counted up to the limit."""
    total = 0
    for region_key, _ in _regions(connection, wanted.region):
        rest = _slots(wanted, monitor_key, region_key).limit(limit - total).subquery()
        total += connection.scalar(select(func.count()).select_from(rest)) or 0
    return total


def _regions(connection: Connection, slug: str | None) -> list[tuple[int, str]]:
    query = select(regions.c.key, regions.c.slug)
    if slug is not None:
        query = query.where(regions.c.slug == slug)
    return [(row.key, row.slug) for row in connection.execute(query)]


def _slots(wanted: ResultFilter, monitor_key: int, region_key: int) -> Select[Any]:
    query: Select[Any] = (
        select(results, probes.c.id.label("probe_id"), failure_details.c.detail, failure_details.c.evidence)
        .outerjoin(probes, probes.c.key == results.c.probe_key)
        .outerjoin(failure_details, SAME_SLOT)
        .where(
            results.c.monitor_key == monitor_key,
            results.c.region_key == region_key,
            results.c.scheduled_at >= wanted.start,
            results.c.scheduled_at < wanted.end,
        )
    )
    return query if wanted.verdict is None else query.where(results.c.verdict == VERDICT_CODES[wanted.verdict])


def _behind(slug: str, after: SlotKey, *, descending: bool) -> ColumnElement[bool]:
    """At the instant of the place itself only the regions behind its own are left."""
    at, region = after
    slot = results.c.scheduled_at
    if descending:
        return slot <= at if slug < region else slot < at
    return slot >= at if slug > region else slot > at
