"""Failures wait here until it is clear that our own network did not cause them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import structlog

from statuspulse.domain.failure import Failure, FailureClass
from statuspulse.domain.result import Observation, Result, ResultKind, Verdict
from statuspulse.probe.blackout import Blackout
from statuspulse.probe.witness import Domain, Hearing, Proof, domain_of, domain_of_address, is_doubtful

log = structlog.get_logger(__name__)
Deliver = Callable[[Result], None]

_APART_SECONDS = 1.0
_CALM_SECONDS = 5.0
_REMEMBERED = 10_000
_NO_ROUTE = "no_route"


@dataclass(frozen=True, slots=True)
class _Held:
    """A failed result, the domain whose network has to be proved, and until when (ms) it waits even so."""

    result: Result
    deliver: Deliver
    domain: Domain
    begun_at: int
    until: int


class Docket:
    """Passes results on: good ones at once, failures that our own network may have caused when it is proved to work.

    `ask` runs one round of questions; `changed` is called when `blind` has become another. `now` is the clock that
    results are labelled with (ms). While all is well nobody is asked anything.
    """

    def __init__(
        self, *, ask: Callable[[Domain], Awaitable[Hearing]], changed: Callable[[], None], now: Callable[[], int]
    ) -> None:
        self._ask = ask
        self._changed = changed
        self._now = now
        self._proofs = {domain: Proof() for domain in Domain}
        self._places: dict[str, Domain | None] = {}
        self._blackout = Blackout()
        self._held: list[_Held] = []
        self._work = asyncio.Event()

    @property
    def blind(self) -> list[str]:
        """The classes of addresses that this probe cannot see, for its heartbeat."""
        return [domain.value for domain in (Domain.PUBLIC, Domain.PRIVATE) if self._proofs[domain].is_blind]

    def take(self, result: Result, interval: int, deliver: Deliver, *, asks_own_resolver: bool) -> None:
        """A result with a failure. `interval` (ms) is that of its monitor; `asks_own_resolver` says that a name that
        was not resolved was asked for at this host's own name server.
        """
        seen = result.observation
        assert seen.failure is not None
        if seen.failure.kind.is_void:
            self._take_void(result, seen.failure, deliver)
        else:
            self._take_failure(result, interval, deliver, domain_of(seen, asks_own_resolver=asks_own_resolver))

    def note(self, result: Result) -> None:
        """Something works: a good result, which needs nobody's word."""
        ip = result.observation.ip
        domain = None if ip is None else self._place(ip)
        if ip is None or domain is None:
            return
        self._blackout.passed(result.monitor_id)
        self._work_seen(domain, ip, result.observed_at)
        if result.observation.phases.dns_us is not None:
            self._work_seen(Domain.NAMES, result.monitor_id, result.observed_at)

    def forget(self, monitor_id: str) -> None:
        """The monitor is not checked here any more."""
        self._blackout.forget(monitor_id)

    async def run(self) -> None:
        """Hears witnesses while a result waits or we are blind, until it is cancelled."""
        while True:
            await self._work.wait()
            self._work.clear()
            while self._held or self._blind_domains():
                await self._hold_round()
                await self._rest()

    def close(self) -> None:
        """What waits still is no verdict: nobody has proved that we could see."""
        held, self._held = self._held, []
        for one in held:
            one.deliver(_blinded(one.result, "the probe ended before a witness was heard"))

    def _work_seen(self, domain: Domain, host: str, at: int) -> None:
        proof = self._proofs[domain]
        proof.succeed(host, at)
        if proof.is_blind:
            self._conclude(domain, Hearing.HEARD, at)

    def _place(self, ip: str) -> Domain | None:
        """The domain of an address, remembered: every good check asks."""
        try:
            return self._places[ip]
        except KeyError:
            if len(self._places) >= _REMEMBERED:
                self._places.clear()
            domain = self._places[ip] = domain_of_address(ip)
            return domain

    def _take_void(self, result: Result, failure: Failure, deliver: Deliver) -> None:
        """No verdict either way, but a route that is gone tells of the network."""
        if failure.kind is FailureClass.PROBE_ERROR and failure.detail.startswith(_NO_ROUTE):
            domain = domain_of(result.observation, asks_own_resolver=False)
            if domain is not None and self._proofs[domain].denies(_begun_at(result)):
                deliver(_blinded(result, _told(domain)))
                return
            if domain is not None and not self._is_proved(result, domain):
                self._hold(result, deliver, domain, 0)
                return
        deliver(result)

    def _take_failure(self, result: Result, interval: int, deliver: Deliver, domain: Domain | None) -> None:
        now = self._now()
        if domain is None:
            deliver(result)
            return
        if result.kind is not ResultKind.MANUAL and self._blackout.failed(result.monitor_id, interval, now):
            log.warning("probe.suspect", seconds=(self._blackout.suspect_until - now) // 1000)
        assert result.observation.failure is not None
        is_suspect = self._blackout.is_suspect(now) and result.kind is not ResultKind.MANUAL
        if not is_suspect and not is_doubtful(result.observation.failure):
            deliver(result)
        elif self._proofs[domain].denies(_begun_at(result)):
            deliver(_blinded(result, _told(domain)))
        elif is_suspect or not self._is_proved(result, domain):
            self._hold(result, deliver, domain, self._blackout.suspect_until if is_suspect else 0)
        else:
            deliver(result)

    def _hold(self, result: Result, deliver: Deliver, domain: Domain, until: int) -> None:
        self._held.append(_Held(result, deliver, domain, _begun_at(result), until))
        self._work.set()

    def _is_proved(self, result: Result, domain: Domain) -> bool:
        return self._proves(domain, result, _begun_at(result))

    def _proves(self, domain: Domain, result: Result, begun_at: int) -> bool:
        host = result.monitor_id if domain is Domain.NAMES else result.observation.ip
        if self._proofs[domain].proves(host, begun_at):
            return True
        # The way to a public address leads through the private network.
        return domain is Domain.PRIVATE and self._proofs[Domain.PUBLIC].proves(host, begun_at)

    def _blind_domains(self) -> set[Domain]:
        return {domain for domain, proof in self._proofs.items() if proof.is_blind}

    async def _hold_round(self) -> None:
        """Asks in every domain that is in doubt, and settles what waited when the questions were put."""
        waiting = list(self._held)
        domains = sorted({one.domain for one in waiting} | self._blind_domains())
        hearings = dict(zip(domains, await asyncio.gather(*map(self._listen, domains)), strict=True))
        for domain, hearing in hearings.items():
            self._conclude(domain, hearing, self._now())
        now = self._now()
        settled = {id(one) for one in waiting if self._settle(one, hearings[one.domain], now)}
        self._held = [one for one in self._held if id(one) not in settled]

    async def _listen(self, domain: Domain) -> Hearing:
        begun_at = self._now()
        hearing = await self._ask(domain)
        # A check that went well while we asked is as good as a witness.
        worked = self._proofs[domain].worked_at >= begun_at
        return Hearing.HEARD if hearing is Hearing.SILENCE and worked else hearing

    def _conclude(self, domain: Domain, hearing: Hearing, at: int) -> None:
        if not self._proofs[domain].hear(hearing, at):
            return
        if hearing is Hearing.SILENCE:
            log.warning("probe.blind", domain=domain.value, reason=_told(domain))
        else:
            log.info("probe.sees_again", domain=domain.value)
        self._changed()

    def _settle(self, held: _Held, hearing: Hearing, now: int) -> bool:
        """Passes on what is clear now; false for what has to wait on."""
        is_proved = not held.until and self._proves(held.domain, held.result, held.begun_at)
        is_silent = hearing is Hearing.SILENCE and not is_proved
        if is_silent or self._proofs[held.domain].denies(held.begun_at):
            held.deliver(_blinded(held.result, _told(held.domain)))
            return True
        if now < held.until:
            return False
        held.deliver(held.result)
        return True

    async def _rest(self) -> None:
        """A round a second at most, and fewer while nothing waits that could be settled."""
        await asyncio.sleep(_APART_SECONDS)
        now = self._now()
        if any(one.until <= now for one in self._held) or not (self._held or self._blind_domains()):
            return
        next_end = min((one.until - now for one in self._held), default=_CALM_SECONDS * 1000) / 1000
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min(_CALM_SECONDS, next_end)):
                await self._work.wait()
        self._work.clear()


def _begun_at(result: Result) -> int:
    return result.scheduled_at + result.lag_us // 1000


def _told(domain: Domain) -> str:
    if domain is Domain.NAMES:
        return "the resolver of the probe's host answered nothing else either"
    return f"nothing else at {domain.value} addresses answered the probe either"


def _blinded(result: Result, why: str) -> Result:
    """The result without its verdict; what was seen stays in the words."""
    failure = result.observation.failure
    if failure is None or result.verdict is Verdict.VOID:
        seen = "" if failure is None else failure.detail
    else:
        seen = f"{failure.kind.value}: {failure.detail}"
    told = Failure.of(FailureClass.PROBE_BLIND, f"{why} ({seen})")
    return replace(result, observation=Observation(failure=told, ip=result.observation.ip))
