"""Which failures keep their evidence: the first of a doubt, until the monitor is well again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from statuspulse.domain.evidence import fitted
from statuspulse.domain.result import Observation, ResultKind, Verdict
from statuspulse.probe.plan import Slot


class Captures:
    """Remembers the monitors in doubt, and with which configuration they came into it."""

    def __init__(self) -> None:
        self._doubted: dict[str, int] = {}

    def kept(self, slot: Slot, seen: Observation) -> Observation:
        """The observation, with its evidence if this is the first failure. A void one leaves the doubt as it is.

        A check that somebody asked for shows everything and belongs to no doubt.
        """
        if slot.kind is ResultKind.MANUAL:
            return seen
        monitor_id, version = slot.plan.monitor_id, slot.plan.config_version
        verdict = seen.verdict
        if verdict is Verdict.OK:
            self._doubted.pop(monitor_id, None)
        if verdict is Verdict.FAILED and self._doubted.get(monitor_id) != version:
            self._doubted[monitor_id] = version
            return seen
        return seen if seen.evidence is None else replace(seen, evidence=None)

    def forget(self, monitor_id: str) -> None:
        """The monitor is not checked here any more."""
        self._doubted.pop(monitor_id, None)


def with_attempts(seen: Observation, earlier: Sequence[Observation]) -> Observation:
    """The last attempt with what came of those before it in its evidence: they dialled other addresses."""
    if seen.evidence is None or not earlier:
        return seen
    attempts = [
        {"ip": one.ip, "class": one.failure.kind.value, "detail": one.failure.detail}
        for one in earlier
        if one.failure is not None
    ]
    return replace(seen, evidence=fitted({**seen.evidence, "attempts": attempts}))
