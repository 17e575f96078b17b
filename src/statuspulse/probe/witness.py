"""Whether a failure may count: something else must have worked since its check began. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from statuspulse.domain.failure import Failure, FailureClass
from statuspulse.domain.result import Observation
from statuspulse.egress.addresses import AddressClass, classify, parse_address, unwrap

_ALWAYS_DOUBTFUL = frozenset({FailureClass.CONNECT_TIMEOUT, FailureClass.CONNECT_ERROR, FailureClass.TIMEOUT})
# These came from a name server that answered.
_ANSWERED = ("nxdomain", "no_address")


class Domain(StrEnum):
    """What a probe may be blind to: addresses of a class, or the answers of its host's own resolver."""

    PUBLIC = "public"
    PRIVATE = "private"
    NAMES = "names"


def domain_of_address(ip: str) -> Domain | None:
    """None for loopback: the way to this very host is never lost."""
    classes = {classify(address) for address in unwrap(parse_address(ip))}
    if AddressClass.PUBLIC in classes:
        return Domain.PUBLIC
    return None if classes == {AddressClass.LOOPBACK} else Domain.PRIVATE


def is_doubtful(failure: Failure) -> bool:
    """Whether our own network may be the cause: nothing came back. A refusal or a wrong answer is an answer."""
    if failure.kind is FailureClass.DNS_ERROR:
        return not failure.detail.startswith(_ANSWERED)
    return failure.kind in _ALWAYS_DOUBTFUL


def domain_of(seen: Observation, *, asks_own_resolver: bool) -> Domain | None:
    """In which domain the attempt failed; a name that was not resolved leads nowhere else than to the resolver."""
    failure = seen.failure
    if failure is not None and failure.kind is FailureClass.DNS_ERROR and (asks_own_resolver or seen.ip is None):
        return Domain.NAMES
    return Domain.PUBLIC if seen.ip is None else domain_of_address(seen.ip)


class Hearing(StrEnum):
    """How a round of questions ended: somebody answered, nobody did, or there is nobody to ask."""

    HEARD = "heard"
    SILENCE = "silence"
    NOBODY = "nobody"


@dataclass(slots=True)
class Proof:
    """What speaks for the network in one domain (ms): the newest success, that of another host, a witness's answer.

    What began before `sees_from` was overshadowed by a blindness that has ended meanwhile.
    """

    host: str = ""
    worked_at: int = 0
    other_at: int = 0
    witness_at: int = 0
    sees_from: int = 0
    is_blind: bool = False

    def succeed(self, host: str, at: int) -> None:
        """A check of the host went well."""
        if host != self.host:
            self.host, self.other_at = host, self.worked_at
        self.worked_at = at

    def hear(self, hearing: Hearing, at: int) -> bool:
        """Takes the end of a round; true if that changes whether we are blind. Without witnesses nobody is."""
        was_blind = self.is_blind
        self.is_blind = hearing is Hearing.SILENCE
        if hearing is Hearing.HEARD:
            self.witness_at = at
        if was_blind and not self.is_blind:
            self.sees_from = at
        return self.is_blind != was_blind

    def denies(self, begun_at: int) -> bool:
        """Whether a check that began then was blind for a time."""
        return self.is_blind or begun_at < self.sees_from

    def proves(self, host: str | None, begun_at: int) -> bool:
        """Whether something else than the host has worked since an instant."""
        worked_at = self.other_at if host == self.host else self.worked_at
        return max(worked_at, self.witness_at) >= begun_at
