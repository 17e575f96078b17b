"""The policy at work in one process: verdicts remembered, refusals put into words."""

from __future__ import annotations

from typing import NamedTuple

from statuspulse.domain.failure import Failure, FailureClass
from statuspulse.egress.attempts import ATTEMPT, Ways, in_turn, of_family
from statuspulse.egress.policy import Policy, Purpose, verdict

_REMEMBERED = 10_000
_LOOPBACK_V6 = "::1"


class Located(NamedTuple):
    """Where to dial: one judged address; for a name of this very host the others follow while one refuses."""

    first: str
    others: tuple[str, ...]
    purpose: Purpose


class Guard:
    """Answers for every dial. A verdict depends on its arguments and the policy only, so it may be remembered."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._ways = Ways()
        self._refusals: dict[tuple[str, int, Purpose], Failure | None] = {}
        self._literals: dict[tuple[str, int, Purpose, str], Located | Failure] = {}

    def adopt(self, policy: Policy) -> None:
        """From now on this policy holds, for example when the address of our database has changed."""
        self._policy = policy
        self._refusals.clear()
        self._literals.clear()

    def refusal(self, ip: str, port: int, purpose: Purpose) -> Failure | None:
        """Why this address may not be dialled; None if it may."""
        key = (ip, port, purpose)
        try:
            return self._refusals[key]
        except KeyError:
            pass
        if len(self._refusals) >= _REMEMBERED:
            self._refusals.clear()
        judged = verdict(ip, port, purpose, self._policy)
        refusal = None if judged.allowed else Failure(FailureClass.BLOCKED_BY_POLICY, judged.text)
        self._refusals[key] = refusal
        return refusal

    def judge(self, ip: str, port: int, purpose: Purpose, ip_version: str = "auto") -> Located | Failure:
        """A host that is an address."""
        key = (ip, port, purpose, ip_version)
        known = self._literals.get(key)
        if known is None:
            if len(self._literals) >= _REMEMBERED:
                self._literals.clear()
            known = self._literals[key] = self.judge_all(ip, (ip,), port, purpose, ip_version)
        return known

    def judge_all(
        self, host: str, addresses: tuple[str, ...], port: int, purpose: Purpose, ip_version: str = "auto"
    ) -> Located | Failure:
        """The addresses of a host: one that is denied refuses it, even if it is not of the family that is wanted."""
        purpose = self._policy.effective(purpose, host, port)
        for address in addresses:
            refusal = self.refusal(address, port, purpose)
            if refusal is not None:
                return refusal
        fitting = of_family(host, addresses, ip_version)
        if isinstance(fitting, Failure):
            return fitting
        addresses = in_turn(fitting, ATTEMPT.get(), self._ways)
        if all(address == _LOOPBACK_V6 or address.startswith("127.") for address in addresses):
            # Servers of this host often listen on one family only, and `localhost` names both.
            return Located(addresses[0], addresses[1:], purpose)
        return Located(addresses[0], (), purpose)
