"""Why the state is what it is: what each region saw last, as observations for history and messages."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from statuspulse.domain.health import Position, Standing
from statuspulse.domain.result import Result
from statuspulse.domain.times import to_text
from statuspulse.engine.watchlist import Watched
from statuspulse.storage import history
from statuspulse.storage.history import ResultFilter


def recall(connection: Connection, watched: Watched) -> None:
    """Reads what regions saw last, where a start has forgotten it: no change goes without its evidence."""
    for key, slug in watched.regions.items():
        sight = watched.sights[key]
        if sight.last is None and sight.counted is not None:
            wanted = ResultFilter(start=sight.counted, end=sight.counted + 1, region=slug, verdict=None)
            monitor = (watched.monitor.key, watched.monitor.id)
            for seen in history.listed(connection, monitor, wanted, after=None, descending=False, limit=1):
                sight.last, sight.probe_id = seen.result, seen.probe_id


def observations(watched: Watched) -> list[dict[str, Any]]:
    """What each region saw last, in the order of the monitor's regions."""
    return [
        _observation(slug, sight.last) | {"standing": _standing(watched, key).position.value}
        for key, slug in watched.regions.items()
        if (sight := watched.sights[key]).last is not None
    ]


def told_observations(watched: Watched) -> tuple[dict[str, Any], ...]:
    """The same as events tell it: without the standing, and with the probe that saw it."""
    return tuple(
        _observation(slug, sight.last) | {"probe_id": sight.probe_id}
        for key, slug in watched.regions.items()
        if (sight := watched.sights[key]).last is not None
    )


def failing_regions(watched: Watched) -> list[str]:
    return [slug for key, slug in watched.regions.items() if _standing(watched, key).position is Position.FAILING]


def failure_text(watched: Watched) -> str | None:
    """The newest failure of a failing region, in words."""
    failed = [
        sight.last.observation.failure
        for key, sight in watched.sights.items()
        if _standing(watched, key).position is Position.FAILING and sight.last is not None
    ]
    return next((failure.detail or failure.kind.value for failure in failed if failure is not None), None)


def _standing(watched: Watched, region_key: int) -> Standing:
    return watched.standings.get(region_key) or Standing()


def _observation(region: str, result: Result | None) -> dict[str, Any]:
    if result is None:
        return {"region": region}
    seen = result.observation
    return {
        "region": region,
        "observed_at": to_text(result.observed_at),
        "ok": None if seen.failure is not None and seen.failure.kind.is_void else seen.failure is None,
        "status_code": seen.status_code,
        "latency_ms": None if seen.latency_us is None else round(seen.latency_us / 1000, 1),
        "failure": None if seen.failure is None else {"class": seen.failure.kind.value, "detail": seen.failure.detail},
    }
