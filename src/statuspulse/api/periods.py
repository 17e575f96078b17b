"""How a call asks for a window in buckets: `from`, `to`, `bucket` and `timezone`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, Field

from statuspulse.api.errors import invalid
from statuspulse.api.span import cut_warnings, in_query, span
from statuspulse.catalog.refusals import Detail, SoftProblem
from statuspulse.domain.periods import LONGEST, Width, edges
from statuspulse.domain.times import DAY, HOUR
from statuspulse.engine.retention import ROLLUPS_KEPT

_MOST_BUCKETS = 2000
_MOST_IN_ALL = 10_000
# What a chart shows when no stretch is named.
_USUAL = {
    Width.FIVE_MINUTES: 6 * HOUR,
    Width.HOUR: DAY,
    Width.DAY: 30 * DAY,
    Width.WEEK: 26 * 7 * DAY,
    Width.MONTH: 365 * DAY,
}

BucketName = Literal["5m", "1h", "1d", "1w", "1mo"]


class PeriodsQuery(BaseModel):
    """A window and the buckets in which it is shown; those at its ends are cut to it."""

    begin: Annotated[
        str | None,
        Field(alias="from", description="Where the window begins; by default as far back as suits the bucket."),
    ] = None
    end: Annotated[
        str | None, Field(alias="to", description="Where the window ends: now by default, and now at the latest.")
    ] = None
    bucket: Annotated[BucketName, Field(description="How long a bucket is; at most 2000 fit into an answer.")] = "1d"
    timezone: Annotated[
        str,
        Field(max_length=64, description="IANA time zone in which days, weeks (from Monday) and months begin and end."),
    ] = "UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class Periods:
    """The edges (ms) of the buckets of a window, its own two among them."""

    width: Width
    timezone: str
    edges: Sequence[int]
    warnings: tuple[SoftProblem, ...] = ()


def periods(query: PeriodsQuery, now: int, *, series: int) -> Periods:
    """The buckets that are asked for. Raises 422, also for more than `series` series can have in one answer."""
    width = Width(query.bucket)
    start, end = span(query.begin, query.end, now, usual=_USUAL[width], longest=None)
    zone = _zone(query.timezone)
    most = min(_MOST_BUCKETS, _MOST_IN_ALL // series)
    if (end - start) // LONGEST[width] > most:
        raise invalid([_too_many(most)])
    found = edges(start, end, width, zone)
    if len(found) - 1 > most:
        raise invalid([_too_many(most)])
    return Periods(width=width, timezone=query.timezone, edges=found, warnings=cut_warnings(query.end, now))


def retention_warnings(asked: Periods, now: int) -> tuple[SoftProblem, ...]:
    """Told where the window was cut, and where nothing is kept any more in buckets as narrow as these."""
    kept = ROLLUPS_KEPT.get(LONGEST[asked.width], ROLLUPS_KEPT[DAY])
    if asked.edges[0] >= now - kept:
        return asked.warnings
    days = kept // DAY
    message = f"Checks and latency are kept for {days} days in buckets of {asked.width.value}; older ones are null."
    return (*asked.warnings, SoftProblem(code="beyond_retention", message=message, param="from"))


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        detail = in_query("timezone_unknown", "timezone", "must be the name of a time zone such as Europe/Berlin")
        raise invalid([detail]) from None


def _too_many(most: int) -> Detail:
    message = f"must be longer, or the window shorter: at most {most} buckets fit into the answer"
    return Detail(
        code="parameter_out_of_range", path=("bucket",), message=message, extra={"limit": most}, in_body=False
    )
