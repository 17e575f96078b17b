"""What probes send and is refused, so that an operator sees whose key may be in other hands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import structlog

from statuspulse.domain.times import MINUTE
from statuspulse.metrics import Metrics

log = structlog.get_logger(__name__)


class Refusals:
    """Each refusal is counted under its probe; of one probe and code a line is written once a minute.

    The line says how many there were since the last one, so that a flood of them fills no disk.
    """

    def __init__(self, metrics: Metrics, now: Callable[[], int]) -> None:
        self._metrics = metrics
        self._now = now
        self._told_at: dict[tuple[str, str], int] = {}
        self._untold: Counter[tuple[str, str]] = Counter()

    def note(self, probe_id: str, region: str, refused: Sequence[tuple[str, str]]) -> None:
        """`refused` is (code, message) of items of a batch, or of a whole call."""
        reasons = dict(reversed(refused))  # the first of each code
        for code, count in Counter(code for code, _ in refused).items():
            self._metrics.probe_refusals.labels(region, probe_id, code).inc(count)
            key = (probe_id, code)
            self._untold[key] += count
            told_at, now = self._told_at.get(key), self._now()
            if told_at is None or not 0 <= now - told_at < MINUTE:
                self._told_at[key] = now
                counted = self._untold.pop(key)
                log.warning(
                    "probe.refused", probe=probe_id, region=region, code=code, count=counted, reason=reasons[code]
                )
