"""The one way out of a process: policy, resolver and libcurl, opened and closed together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from statuspulse.domain.failure import Failure
from statuspulse.egress.certificates import trusted_bundle
from statuspulse.egress.curl import CurlLoop, Landed
from statuspulse.egress.deadline import Deadline
from statuspulse.egress.guard import Guard, Located
from statuspulse.egress.hosts import HOSTS_FILE, Hosts
from statuspulse.egress.nameservers import RESOLV_CONF, Nameservers
from statuspulse.egress.policy import Policy, Purpose
from statuspulse.egress.request import Request
from statuspulse.egress.resolver import Resolver
from statuspulse.egress.sessions import Sessions
from statuspulse.egress.tls import Tls
from statuspulse.egress.transfer import Exchange, Transfer
from statuspulse.egress.urls import Url

_KILL_AFTER_SECONDS = 0.25
_IDLE_TRANSFERS = 256


class Gate:
    """Belongs to the running loop it is made in; `close` ends what is still under way.

    `nameservers`, `hosts_file` and `ca_file` stand in for the ones of this host.
    """

    def __init__(
        self,
        policy: Policy,
        *,
        nameservers: tuple[str, ...] | None = None,
        hosts_file: Path = HOSTS_FILE,
        ca_file: str | None = None,
    ) -> None:
        self.guard = Guard(policy)
        self._ca_file = ca_file if ca_file is not None else trusted_bundle()
        self.tls = Tls(self._ca_file)
        own_nameservers = Nameservers(RESOLV_CONF)
        self.nameservers: Callable[[], tuple[str, ...]] = (
            own_nameservers.current if nameservers is None else lambda: nameservers
        )
        self._resolver = Resolver(nameservers=self.nameservers, hosts=Hosts(hosts_file))
        self._curl = CurlLoop()
        self._sessions = Sessions()
        self._idle: list[Transfer] = []
        self._closed = False

    def close(self) -> None:
        self._closed = True
        self._resolver.close()
        self._curl.close()
        for transfer in self._idle:
            transfer.close()

    async def locate(
        self, host: str, port: int, purpose: Purpose, deadline: Deadline, ip_version: str = "auto"
    ) -> Located | Failure:
        """Resolves a name and judges every address of it; `ip_version` is "auto", "4" or "6"."""
        outcome = await self._resolver.resolve(host, deadline.rest_seconds())
        if isinstance(outcome, Failure):
            return outcome
        return self.guard.judge_all(host, outcome.addresses, port, purpose, ip_version)

    async def fetch(
        self,
        url: Url,
        located: Located,
        deadline: Deadline,
        *,
        limit: int,
        follows: bool,
        request: Request | None = None,
    ) -> Exchange:
        """One request on a connection of its own, of whose answer at most `limit` bytes are read; without one a GET.

        `follows` says that a redirect would be followed, so that its body is of no interest.
        """
        transfer = self.take_transfer()

        def prepare(ip: str) -> None:
            transfer.prepare(url, ip, located.purpose, deadline=deadline, limit=limit, follows=follows)
            if request is not None:
                transfer.dress(request)

        try:
            return await self.attempt(transfer, located, deadline, prepare)
        finally:
            self.give_back(transfer, renew=request is not None)

    async def attempt(
        self, transfer: Transfer, located: Located, deadline: Deadline, prepare: Callable[[str], None]
    ) -> Exchange:
        """Runs a transfer to the first address, and to the others while one refuses; `prepare` points it at one."""
        prepare(located.first)
        exchange = transfer.conclude(*await self.launch(transfer, deadline))
        for ip in located.others:
            if not exchange.is_refused:
                break
            prepare(ip)
            exchange = transfer.conclude(*await self.launch(transfer, deadline))
        return exchange

    def take_transfer(self) -> Transfer:
        return self._idle.pop() if self._idle else Transfer(self.guard, self._ca_file, self._sessions)

    def launch(self, transfer: Transfer, deadline: Deadline) -> asyncio.Future[Landed]:
        """Starts a prepared transfer; `conclude` takes what comes of it."""
        return self._curl.perform(transfer.handle, deadline.at + _KILL_AFTER_SECONDS, transfer.most_bytes)

    def give_back(self, transfer: Transfer, *, renew: bool) -> None:
        """Ends what is still under way; `renew` if the request was more than a plain one."""
        self._curl.abandon(transfer.handle)
        if self._closed or len(self._idle) >= _IDLE_TRANSFERS:
            transfer.close()
            return
        if renew:
            transfer.renew()
        self._idle.append(transfer)
