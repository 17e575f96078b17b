"""`statuspulse serve`: the control plane of one host and the probe beside it."""

from __future__ import annotations

import asyncio
import secrets
import socket  # noqa: TID251 - only the type of the listener
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from time import monotonic

import structlog
from sqlalchemy import Connection

from statuspulse import data_dir
from statuspulse.api.app import create_api
from statuspulse.api.dependencies import Dependencies
from statuspulse.api.overload import PLACES
from statuspulse.app import local_probe, loop, readiness, series, welcome
from statuspulse.app.clock import now_ms
from statuspulse.app.connections import usual_bounds
from statuspulse.app.local_probe import LocalProbe
from statuspulse.app.outgoing_heartbeat import Flight, OutgoingHeartbeat
from statuspulse.app.signals import stop_on_signals
from statuspulse.app.slo_series import SloSeries
from statuspulse.app.store import Store, opened
from statuspulse.app.tending import tend
from statuspulse.app.web_server import CannotListenError, WebServer, base_url, bound, listen
from statuspulse.bus.bus import Topic
from statuspulse.bus.local import LocalBus
from statuspulse.catalog import setup
from statuspulse.catalog.setup import FirstStart
from statuspulse.delivery.canary import Canary
from statuspulse.delivery.dispatcher import Dispatcher
from statuspulse.delivery.lookup import ProviderLookup
from statuspulse.delivery.provider import Provider
from statuspulse.delivery.registry import channels, providers
from statuspulse.delivery.webhooks import WebhookSender
from statuspulse.domain.secret import Secret
from statuspulse.egress.gate import Gate
from statuspulse.egress.http_client import HttpClient
from statuspulse.engine.canary_look import CanaryLook
from statuspulse.engine.engine import Engine
from statuspulse.engine.escalator import Escalator
from statuspulse.engine.fault_watch import FaultWatch
from statuspulse.engine.heartbeat_watch import HeartbeatWatch
from statuspulse.engine.housekeeping import Housekeeping
from statuspulse.engine.inbound.worker import InboundWorker
from statuspulse.engine.jobs import Jobs
from statuspulse.engine.liveness import Liveness
from statuspulse.engine.probe_watch import ProbeWatch
from statuspulse.engine.slo_watch import SloWatch
from statuspulse.metrics import Metrics
from statuspulse.settings import Settings
from statuspulse.storage.ballast import Ballast
from statuspulse.web.site import add_reference

log = structlog.get_logger(__name__)

_BALLAST = "ballast"
# Whoever comes back from the database waits so long for each thread that computes. With Python's 5 ms a few long reads
# made the writer and the event loop, which come back often, several times slower.
_THREADS_TAKE_TURNS_SECONDS = 0.0005


def serve(settings: Settings) -> None:
    """Runs until SIGTERM or SIGINT; a second one leaves at once. Raises one-line errors for what hinders the start."""
    sys.setswitchinterval(_THREADS_TAKE_TURNS_SECONDS)
    with _reserved(settings) as listening, opened(settings, now_ms()) as store:
        listen(listening)
        made = store.database.submit(partial(_set_up, store, settings)).result()
        loop.run(_Control(settings, store, listening, made).run())


def _reserved(settings: Settings) -> socket.socket:
    """The address before anything is made on the disk, so that a start that fails for it leaves nothing behind.

    Where both are taken it is the data directory that tells by whom.
    """
    try:
        return bound(settings.host, settings.port)
    except CannotListenError:
        data_dir.check_free(settings.data_dir)
        raise


def _set_up(store: Store, settings: Settings, connection: Connection) -> FirstStart:
    given = settings.bootstrap_token
    made = setup.set_up(
        connection, store.keyring, bootstrap_token=None if given is None else given.reveal(), now=now_ms()
    )
    folder = settings.data_dir / local_probe.FOLDER
    local_probe.ensure_key(connection, store.keyring, folder, made.local_probe_key, now_ms())
    return made


@dataclass(frozen=True, slots=True)
class _Control:
    settings: Settings
    store: Store
    listening: socket.socket
    made: FirstStart

    async def run(self) -> None:
        async with AsyncExitStack() as stack:
            gate = Gate(self.settings.policy)
            stack.callback(gate.close)
            await self._run(gate)

    async def _run(self, gate: Gate) -> None:
        bus, metrics, liveness = LocalBus(), Metrics(), Liveness()
        jobs = Jobs(bus)
        engine = Engine(
            self.store.database,
            bus,
            jobs,
            liveness,
            metrics,
            mutes_flapping=self.settings.flap_damping,
            now=now_ms,
        )
        own_url = f"{base_url(self.listening)}/healthz"
        canary = Canary(self.store.database, bus, HttpClient(gate), url=own_url, now=now_ms)
        dispatcher = self._dispatcher(gate, bus, metrics, canary)
        webhooks = self._webhooks(gate, bus, metrics)
        housekeeping = Housekeeping(self.store.database, now=now_ms)
        heartbeats = HeartbeatWatch(self.store.database, bus, mutes_flapping=self.settings.flap_damping, now=now_ms)
        probes = ProbeWatch(self.store.database, bus, liveness, now=now_ms)
        escalator = Escalator(self.store.database, bus, metrics, now=now_ms)
        lookup = ProviderLookup(self.store.keyring, self._providers(gate))
        inbound = InboundWorker(self.store.database, bus, lookup, now=now_ms)
        ballast = Ballast(self.settings.data_dir / _BALLAST)
        faults = FaultWatch(self.store.database, bus, ballast, now=now_ms, monotonic=monotonic)
        objectives = SloWatch(self.store.database, bus, now=now_ms)
        stop = stop_on_signals()
        api = create_api(self._dependencies(bus, jobs, metrics, liveness, faults, stop))
        add_reference(api, self._public_url)
        server = WebServer(api, usual_bounds(), self._public_url)
        probe = LocalProbe(self.settings.data_dir / local_probe.FOLDER, base_url(self.listening))
        async with asyncio.TaskGroup() as tasks:

            def start(part: str, run: Callable[[], Awaitable[None]]) -> asyncio.Task[None]:
                return tasks.create_task(tend(part, run, metrics), name=part)

            working = [
                start("engine", engine.run),
                start("dispatcher", dispatcher.run),
                start("webhooks", webhooks.run),
                start("housekeeping", housekeeping.run),
                start("heartbeats", heartbeats.run),
                start("probes", probes.run),
                start("escalator", escalator.run),
                start("inbound", inbound.run),
                start("faults", faults.run),
                start("objectives", objectives.run),
            ]
            if self.settings.heartbeat_url is not None:
                look = self._look(jobs, liveness, own_url)
                watched = self._heartbeat(self.settings.heartbeat_url, [look.fly, canary.fly], gate, metrics)
                working.append(start("outgoing-heartbeat", watched.run))
            serving = tasks.create_task(server.run_on(self.listening), name="api")
            probing = start("local-probe", probe.run) if self.settings.runs_probe else None
            welcome.greet(self.settings, self._public_url, self.made)
            await stop.wait()
            probe.stop()  # first, so that its last results find someone to take them
            if probing is not None:
                await probing
            jobs.close()  # whoever waits for a look is answered
            server.should_exit = True
            bus.wake(Topic.CATALOG)  # whoever waits for assignments is sent away
            bus.wake(Topic.OUTBOX)  # and whoever hears events, too
            await serving
            for task in working:
                task.cancel()

    @property
    def _public_url(self) -> str:
        return self.settings.public_url or base_url(self.listening)

    def _look(self, jobs: Jobs, liveness: Liveness, own_url: str) -> CanaryLook:
        """By the probe of our own where there is one; else by any, at where others find us."""

        def regions() -> list[str]:
            online = {pulse.region for pulse in liveness.online(now_ms())}
            return sorted(online & {setup.LOCAL_REGION}) if self.settings.runs_probe else sorted(online)

        url = own_url if self.settings.runs_probe else f"{self._public_url}/healthz"
        return CanaryLook(jobs, liveness, url=url, regions=regions, now=now_ms)

    def _heartbeat(self, url: Secret, flights: list[Flight], gate: Gate, metrics: Metrics) -> OutgoingHeartbeat:
        seconds = self.settings.heartbeat_seconds
        return OutgoingHeartbeat(url, seconds, flights, HttpClient(gate), metrics, now=now_ms, monotonic=monotonic)

    def _dispatcher(self, gate: Gate, bus: LocalBus, metrics: Metrics, canary: Canary) -> Dispatcher:
        return Dispatcher(
            self.store.database,
            self.store.keyring,
            bus,
            channels(
                gate,
                public_url=self._public_url,
                now=now_ms,
                vendors=self.settings.vendors,
                mail_server=self.settings.mail_server,
            ),
            metrics,
            now=now_ms,
            # The data directory is held, so no other bears this name, and what a killed one had in hand is due at once.
            owner="serve",
            random=secrets.SystemRandom().random,
            providers=self._providers(gate),
            canary=canary.hand_over,
        )

    def _providers(self, gate: Gate) -> Mapping[str, Provider]:
        return providers(gate, public_url=self._public_url, vendors=self.settings.vendors, clock=monotonic)

    def _webhooks(self, gate: Gate, bus: LocalBus, metrics: Metrics) -> WebhookSender:
        return WebhookSender(
            self.store.database,
            self.store.keyring,
            bus,
            HttpClient(gate),
            metrics,
            public_url=self._public_url,
            now=now_ms,
            owner="serve",
            random=secrets.SystemRandom().random,
        )

    def _dependencies(
        self,
        bus: LocalBus,
        jobs: Jobs,
        metrics: Metrics,
        liveness: Liveness,
        faults: FaultWatch,
        stop: asyncio.Event,
    ) -> Dependencies:
        def wake() -> None:
            bus.wake(Topic.CATALOG)
            bus.wake(Topic.OUTBOX)

        return Dependencies(
            database=self.store.database,
            keyring=self.store.keyring,
            policy=self.settings.policy,
            sends_mail=self.settings.mail_server is not None,
            apprise=self.settings.apprise,
            now=now_ms,
            monotonic=monotonic,
            public_url=self._public_url,
            trusted_proxies=self.settings.trusted_proxies,
            min_interval_seconds=self.settings.min_interval_seconds,
            wake=wake,
            checks=readiness.checks(self.store.database, liveness, now_ms, storage_is_well=lambda: faults.is_well),
            series=partial(
                series.text,
                self.store.database,
                metrics,
                liveness,
                now_ms,
                SloSeries(self.store.database, now=now_ms),
            ),
            bus=bus,
            jobs=jobs,
            liveness=liveness,
            metrics=metrics,
            is_stopping=stop.is_set,
            rate_limits=self.settings.rate_limits,
            places=PLACES,
            is_read_only=lambda: faults.is_read_only,
            mutes_flapping=self.settings.flap_damping,
        )
