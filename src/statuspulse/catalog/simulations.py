"""What may be asked of a monitor's past: other rules, a window, and how many may ask at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy import Connection

from statuspulse.catalog.members.common import Members, Omissible, Quorum, Regions, Time
from statuspulse.catalog.members.monitor import LONGEST_INTERVAL_SECONDS
from statuspulse.catalog.refusals import Detail, InvalidInputError, existing
from statuspulse.domain.heartbeat import HEARTBEAT
from statuspulse.domain.schedule import Strategy
from statuspulse.domain.times import DAY
from statuspulse.engine import backtest
from statuspulse.engine.backtest import Backtest, NothingKeptError, Terms
from statuspulse.engine.retention import RAW_KEPT
from statuspulse.storage import monitors
from statuspulse.storage.monitors import Monitor

RULES = (
    "interval_seconds",
    "regions",
    "quorum",
    "failure_threshold",
    "recovery_threshold",
    "degraded_latency_ms",
)
_USUAL = 7 * DAY
# Each takes a core for up to some seconds, beside the engine and everybody's reads.
_MOST_RUNNING = 2


class SimulationInProgressError(Exception):
    """The team has one running, and one at a time is all that there is."""


class TooManySimulationsError(Exception):
    """Other teams have as many running as can be served."""


class SimulationRequest(Members):
    """A window, and what of the monitor's rules is to be other than it is; what is absent is as it is."""

    begin: Annotated[
        Omissible[Time], Field(alias="from", description="Where the window begins; by default 7 days before its end.")
    ] = None
    end: Annotated[
        Omissible[Time], Field(alias="to", description="Where it ends, at most 30 days later; by default now.")
    ] = None
    interval_seconds: Annotated[
        Omissible[Annotated[int, Field(ge=1, le=LONGEST_INTERVAL_SECONDS)]],
        Field(description="A multiple of the monitor's own: as if only every so many turns had been checked."),
    ] = None
    regions: Annotated[Omissible[Regions], Field(description="Some of the monitor's own.")] = None
    quorum: Omissible[Quorum] = None
    failure_threshold: Omissible[Annotated[int, Field(ge=1, le=10)]] = None
    recovery_threshold: Omissible[Annotated[int, Field(ge=1, le=10)]] = None
    degraded_latency_ms: Annotated[
        Annotated[int, Field(ge=1, le=60_000)] | None, Field(description="null is without a limit.")
    ] = None

    @property
    def given(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in RULES if name in self.model_fields_set}


class Simulations:
    """Who has one running: each team one at most, and few in all. Used on the event loop alone."""

    def __init__(self) -> None:
        self._running: set[str] = set()

    @contextmanager
    def admitted(self, team_id: str) -> Iterator[None]:
        """Raises SimulationInProgressError and TooManySimulationsError."""
        if team_id in self._running:
            raise SimulationInProgressError
        if len(self._running) >= _MOST_RUNNING:
            raise TooManySimulationsError
        self._running.add(team_id)
        try:
            yield
        finally:
            self._running.discard(team_id)


def simulate(
    connection: Connection,
    team_id: str,
    monitor_id: str,
    request: SimulationRequest,
    *,
    mutes_flapping: bool,
    now: int,
) -> Backtest:
    """What the monitor's results would have come to; raises MissingError and InvalidInputError. Nothing is written."""
    monitor = existing(monitors.get(connection, team_id, monitor_id))
    if monitor.type == HEARTBEAT:
        message = "is heartbeat: one missed ping decides, so there are no other rules to try"
        raise InvalidInputError([Detail(code="parameter_conflict", path=("type",), message=message, in_body=False)])
    start, end = _window(request, now)
    given = request.given
    config = {**monitor.config, **given}
    if problems := [*_problems(monitor, given), *_too_many_votes(config)]:
        raise InvalidInputError(problems)
    terms = Terms(start=start, end=end, config=config, mutes_flapping=mutes_flapping)
    try:
        return backtest.run(connection, monitor, terms, now)
    except NothingKeptError:
        message = "must be later than the monitor's creation, and than the results that are kept of it as it is now"
        raise InvalidInputError([Detail(code="parameter_out_of_range", path=("to",), message=message)]) from None


def _window(request: SimulationRequest, now: int) -> tuple[int, int]:
    end = now if request.end is None else request.end
    start = end - _USUAL if request.begin is None else request.begin
    if start >= min(end, now):
        message = "must be earlier than to, and than now"
        raise InvalidInputError([Detail(code="parameter_conflict", path=("from",), message=message)])
    if end - start > RAW_KEPT:
        days = RAW_KEPT // DAY
        message = f"must be at most {days} days before to"
        raise InvalidInputError([Detail(code="parameter_out_of_range", path=("from",), message=message)])
    return start, min(end, now)


def _problems(monitor: Monitor, given: Mapping[str, Any]) -> Iterator[Detail]:
    own = monitor.config
    if own["region_strategy"] == Strategy.ROTATE:
        for name in ("interval_seconds", "regions"):
            if given.get(name, own[name]) != own[name]:
                message = "cannot be another one where the regions take turns; leave it out"
                yield Detail(code="parameter_conflict", path=(name,), message=message)
        return
    step = own["interval_seconds"]
    if given.get("interval_seconds", step) % step:
        message = f"must be a multiple of the monitor's own, which is {step}"
        yield Detail(code="parameter_out_of_range", path=("interval_seconds",), message=message, extra={"limit": step})
    for place, slug in enumerate(given.get("regions", ())):
        if slug not in own["regions"]:
            message = f"is no region of this monitor; it has {', '.join(own['regions'])}"
            known = {"known": list(own["regions"])}
            yield Detail(code="reference_not_found", path=("regions", place), message=message, extra=known)


def _too_many_votes(config: Mapping[str, Any]) -> Iterator[Detail]:
    regions = len(config["regions"])
    if isinstance(config["quorum"], int) and config["quorum"] > regions:
        message = f"must not exceed the number of regions, which is {regions}"
        yield Detail(code="parameter_conflict", path=("quorum",), message=message, extra={"limit": regions})
