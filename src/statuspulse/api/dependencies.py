"""What the API is built from: plain parts that the composition root makes, reached by every endpoint."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection, Request

from statuspulse.api.cursors import Cursors
from statuspulse.api.documents.heartbeat import PingUrls
from statuspulse.api.kept_statuses import KeptStatuses
from statuspulse.api.open_streams import Newest, OpenStreams
from statuspulse.api.running import Running
from statuspulse.api.throttle import Throttle
from statuspulse.api.token_cache import TokenCache
from statuspulse.bus.bus import Bus
from statuspulse.catalog.drift import Drift
from statuspulse.catalog.instance import Instance
from statuspulse.catalog.simulations import Simulations
from statuspulse.domain.access import Principal
from statuspulse.domain.networks import Network
from statuspulse.domain.throttle import Limits
from statuspulse.egress.policy import Policy
from statuspulse.engine.closed_checks import CAPACITY, ClosedChecks
from statuspulse.engine.jobs import Jobs
from statuspulse.engine.liveness import Liveness
from statuspulse.engine.membership import Membership
from statuspulse.engine.pings import Pings
from statuspulse.engine.refusals import Refusals
from statuspulse.metrics import Metrics
from statuspulse.storage.database import Database
from statuspulse.storage.sealing import Keyring
from statuspulse.storage.transaction import Transaction


@dataclass(frozen=True, slots=True)
class CheckOutcome:
    """What a check of readiness found; `value` is shown."""

    ok: bool
    value: str | float | None


Check = Callable[[], Awaitable[CheckOutcome]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependencies:
    """The parts. `now` gives milliseconds since the epoch, `monotonic` seconds.

    `wake` is called after a committed change that probes, engine or dispatcher shall see at once. `series` answers the
    text for Prometheus, with the series of a team where one is given. The address that a call comes from is read from
    headers only where `trusted_proxies` hold who sends them. `is_stopping` is true from the moment at which
    the process is asked to end: a call that waits for news answers without any. `places` is how many calls may be in
    work at once, `mutes_flapping` how the engine tells of what flaps, `is_read_only` whether there is room for changes.
    """

    database: Database
    keyring: Keyring
    policy: Policy
    now: Callable[[], int]
    monotonic: Callable[[], float]
    public_url: str
    trusted_proxies: tuple[Network, ...]
    min_interval_seconds: int
    wake: Callable[[], None]
    checks: Mapping[str, Check]
    series: Callable[[str | None], Awaitable[str]]
    bus: Bus
    jobs: Jobs
    liveness: Liveness
    metrics: Metrics
    is_stopping: Callable[[], bool]
    rate_limits: Limits
    places: int
    mutes_flapping: bool
    is_read_only: Callable[[], bool]
    sends_mail: bool = False
    apprise: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The parts with what the API itself makes of them."""

    parts: Dependencies
    instance: Instance
    tokens: TokenCache
    cursors: Cursors
    throttle: Throttle
    running: Running
    streams: OpenStreams
    newest: Newest
    pings: Pings
    membership: Membership
    drift: Drift
    simulations: Simulations
    closed_checks: ClosedChecks
    kept_statuses: KeptStatuses
    refusals: Refusals

    @classmethod
    def of(cls, parts: Dependencies) -> Services:
        return cls(
            parts=parts,
            instance=Instance(
                keyring=parts.keyring,
                policy=parts.policy,
                min_interval_seconds=parts.min_interval_seconds,
                sends_mail=parts.sends_mail,
                apprise=parts.apprise,
            ),
            tokens=TokenCache(parts.database, parts.keyring, now=parts.now, monotonic=parts.monotonic),
            cursors=Cursors(parts.keyring),
            throttle=Throttle(parts.rate_limits, parts.trusted_proxies, now=parts.now, monotonic=parts.monotonic),
            running=Running(),
            streams=OpenStreams(),
            newest=Newest(parts.database, monotonic=parts.monotonic),
            pings=Pings(
                parts.database,
                parts.bus,
                limit=parts.rate_limits.get("ping"),
                mutes_flapping=parts.mutes_flapping,
                now=parts.now,
            ),
            membership=Membership(parts.liveness, parts.now()),
            drift=Drift(),
            simulations=Simulations(),
            closed_checks=ClosedChecks(CAPACITY),
            kept_statuses=KeptStatuses(parts.database),
            refusals=Refusals(parts.metrics, parts.now),
        )


async def services_of(request: HTTPConnection) -> Services:
    services: Services = request.app.state.services
    return services


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of someone whose token the route has checked.

    `transaction` is there where all that the call does has to commit as one.
    """

    request: Request
    services: Services
    caller: Principal
    transaction: Transaction | None = None

    @property
    def database(self) -> Database | Transaction:
        return self.transaction or self.services.parts.database

    @property
    def ping_urls(self) -> PingUrls:
        """How URLs of jobs that call us are shown to this caller."""
        parts = self.services.parts
        with_keys = "monitors:write" in self.caller.scopes
        return PingUrls(keyring=parts.keyring, public_url=parts.public_url, with_keys=with_keys)

    @property
    def team_id(self) -> str:
        return self.caller.team_id


async def call_of(request: Request) -> Call:
    return Call(request=request, services=await services_of(request), caller=request.state.principal)


ServicesOf = Annotated[Services, Depends(services_of)]
CallOf = Annotated[Call, Depends(call_of)]
