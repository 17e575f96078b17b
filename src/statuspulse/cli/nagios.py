"""One line and an exit status as Nagios and its relatives read them (Monitoring Plugins guidelines)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import IntEnum

from statuspulse.cli.verdict import EXPIRES_SOON_DAYS, expires_soon, milliseconds, reason
from statuspulse.domain.result import Phases, Result, Verdict
from statuspulse.protocol.result_members import days_left


class Level(IntEnum):
    """The exit statuses of a plugin."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


def level_of(results: Sequence[Result]) -> Level:
    """Down is critical; failing now and then, or with a certificate that ends soon, is a warning.

    Looks without a verdict count for nothing; without any other, nothing is known.
    """
    verdicts = {result.verdict for result in results} - {Verdict.VOID}
    if not verdicts:
        return Level.UNKNOWN
    if verdicts == {Verdict.FAILED}:
        return Level.CRITICAL
    if Verdict.FAILED in verdicts or any(expires_soon(result) for result in results):
        return Level.WARNING
    return Level.OK


def line(address: str, results: Sequence[Result], timeout_ms: int) -> str:
    """State, sentence, and the figures of the last look behind a bar."""
    level = level_of(results)
    figures = " ".join(_figures(results[-1], timeout_ms))
    return f"{plain(level, f'{address} {_sentence(results)}')} | {figures}"


def plain(level: Level, text: str) -> str:
    """A line without figures; a bar in the text would be taken for their beginning."""
    return f"STATUSPULSE {level.name} - {' '.join(text.replace('|', '/').split())}"


def _sentence(results: Sequence[Result]) -> str:
    last = results[-1]
    told = next((result for result in reversed(results) if result.verdict is Verdict.FAILED), last)
    failure = told.observation.failure
    several = ""
    if len(results) > 1:
        ok = sum(result.verdict is Verdict.OK for result in results)
        several = f"{ok} of {len(results)} ok, "
    if failure is not None:
        return f"{several}{reason(told)} ({failure.kind.value}: {failure.detail})"
    status = "" if last.observation.status_code is None else f"{last.observation.status_code} "
    certificate = last.observation.certificate
    days = "" if certificate is None else f", certificate ends in {days_left(certificate, last.observed_at)} days"
    return f"{several}{status}in {milliseconds(last.observation.latency_us)}{days}"


def _figures(result: Result, timeout_ms: int) -> Iterator[str]:
    seen = result.observation
    if seen.latency_us is not None:
        yield f"time={_seconds(seen.latency_us)};;;0;{timeout_ms / 1000:g}"
    for name, us in _phases(seen.phases):
        if us is not None:
            yield f"{name}={_seconds(us)};;;0"
    yield f"size={seen.bytes_read}B;;;0"
    if seen.certificate is not None:
        yield f"tls_days_left={days_left(seen.certificate, result.observed_at)};{EXPIRES_SOON_DAYS}:;0:"


def _phases(phases: Phases) -> Iterator[tuple[str, int | None]]:
    yield "dns", phases.dns_us
    yield "connect", phases.connect_us
    yield "tls", phases.tls_us
    yield "ttfb", phases.ttfb_us
    yield "transfer", phases.transfer_us


def _seconds(us: int) -> str:
    return f"{us / 1_000_000:.6f}s"
