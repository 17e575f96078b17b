"""What was seen, in the words of people: the verdict first, then where the time went."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from statuspulse.domain.failure import Failure, FailureClass
from statuspulse.domain.result import Observation, Phases, Result, Verdict
from statuspulse.domain.times import to_text
from statuspulse.protocol.result_members import days_left

# As `expiry_warn_days` of a monitor.
EXPIRES_SOON_DAYS = 14

_WIDTH = 40
_NAME_WIDTH = 12
_STATES = {Verdict.OK: "up", Verdict.FAILED: "down", Verdict.VOID: "unknown"}
_COLOURS = {Verdict.OK: "green", Verdict.FAILED: "red", Verdict.VOID: "yellow"}
_WORDS = {
    FailureClass.DNS_ERROR: "its name leads to no address",
    FailureClass.CONNECT_REFUSED: "nobody listens there, the connection was refused",
    FailureClass.CONNECT_TIMEOUT: "no connection came about in time",
    FailureClass.CONNECT_ERROR: "it cannot be reached",
    FailureClass.TLS_ERROR: "the TLS handshake failed",
    FailureClass.TLS_EXPIRED: "its TLS certificate has expired",
    FailureClass.TIMEOUT: "it did not answer in time",
    FailureClass.STATUS_MISMATCH: "it answered, but not as expected",
    FailureClass.ASSERTION_FAILED: "it answered, but not what was expected",
    FailureClass.REDIRECT_ERROR: "its redirects lead nowhere",
    FailureClass.PROTOCOL_ERROR: "its answer cannot be understood",
    FailureClass.BODY_TOO_LARGE: "its answer is too large to be judged",
    FailureClass.HEARTBEAT_MISSED: "it did not call in time",
    FailureClass.HEARTBEAT_FAILED: "it told that it failed",
    FailureClass.BLOCKED_BY_POLICY: "the address policy of this host forbids to look there",
    FailureClass.PROBE_BLIND: "this host has no network",
    FailureClass.SELF_STALL: "this process stood still meanwhile",
    FailureClass.PROBE_ERROR: "something failed on this side",
}

Paint = Callable[[str, str], str]


@dataclass(frozen=True, slots=True)
class _Bar:
    """One phase of the waterfall; begin and length in µs."""

    name: str
    begin: int
    length: int


def reason(result: Result) -> str:
    """Why it is not ok, in a few words; empty for what is."""
    failure, certificate = result.observation.failure, result.observation.certificate
    if failure is None:
        return ""
    if failure.kind is FailureClass.TLS_EXPIRED and certificate is not None:
        days = -days_left(certificate, result.observed_at)
        return f"its TLS certificate expired {_days(days)} ago"
    return _WORDS[failure.kind]


def expires_soon(result: Result) -> bool:
    certificate = result.observation.certificate
    return certificate is not None and days_left(certificate, result.observed_at) <= EXPIRES_SOON_DAYS


def headline(address: str, result: Result, paint: Paint) -> str:
    """One sentence: what, which state, and how fast or why."""
    state = paint(_STATES[result.verdict], _COLOURS[result.verdict])
    if result.verdict is not Verdict.OK:
        return f"{address} is {state}: {reason(result)}"
    seen = result.observation
    status = "" if seen.status_code is None else f"{seen.status_code} "
    soon = f", but its certificate ends in {_days(_left(result))}" if expires_soon(result) else ""
    return f"{address} is {state}: {status}in {milliseconds(seen.latency_us)}{soon}"


def report(address: str, result: Result, paint: Paint, bar: str) -> Iterator[str]:
    """The whole of one look, line by line; `bar` is the character that bars are made of."""
    seen = result.observation
    yield headline(address, result, paint)
    if seen.failure is not None:
        yield _line("reason", _raw(seen.failure))
    if seen.ip is not None:
        yield _line("address", seen.ip)
    if seen.status_code is not None:
        yield _line("status", str(seen.status_code))
    if seen.certificate is not None:
        until, version = to_text(seen.certificate.not_after)[:10], seen.certificate.tls_version
        text = f"{_days(_left(result))} left, until {until}{f' ({version})' if version else ''}"
        yield _line("certificate", paint(text, "yellow") if expires_soon(result) else text)
    yield from _waterfall(seen, bar)


def one_line(number: int, result: Result, paint: Paint) -> str:
    """One of several looks."""
    seen = result.observation
    state = paint(f"{_STATES[result.verdict]:<8}", _COLOURS[result.verdict])
    status = "" if seen.status_code is None else str(seen.status_code)
    why = "" if seen.failure is None else f"  {reason(result)} ({_raw(seen.failure)})"
    return f"{number:>4}  {state}{status:<4} {milliseconds(seen.latency_us):>12}{why}"


def summary(results: Sequence[Result]) -> str:
    """What several looks amount to."""
    ok = [result for result in results if result.verdict is Verdict.OK]
    latencies = [result.observation.latency_us or 0 for result in ok]
    text = f"{len(ok)} of {len(results)} ok"
    if latencies:
        figures = (min(latencies), sum(latencies) // len(latencies), max(latencies))
        text += "; " + " / ".join(milliseconds(us) for us in figures) + " (min / average / max)"
    return text


def milliseconds(us: int | None) -> str:
    return "-" if us is None else f"{us / 1000:.1f} ms"


def _waterfall(seen: Observation, bar: str) -> Iterator[str]:
    bars = list(_bars(seen.phases))
    whole = max((one.begin + one.length for one in bars), default=0)
    for one in bars:
        start = one.begin * _WIDTH // whole if whole else 0
        length = max(1, round(one.length * _WIDTH / whole)) if whole else 1
        yield _line(one.name, f"{milliseconds(one.length):>12}  {' ' * min(start, _WIDTH - 1)}{bar * length}")


def _bars(phases: Phases) -> Iterator[_Bar]:
    """Each phase that was reached, where the one before it ends."""
    begin = 0
    for name, length in (
        ("DNS", phases.dns_us),
        ("connect", phases.connect_us),
        ("TLS", phases.tls_us),
        ("wait", phases.ttfb_us),
        ("transfer", phases.transfer_us),
    ):
        if length is not None:
            yield _Bar(name, begin, length)
            begin += length


def _line(name: str, text: str) -> str:
    return f"  {name:<{_NAME_WIDTH}} {text}"


def _raw(failure: Failure) -> str:
    return f"{failure.kind.value}: {failure.detail}" if failure.detail else failure.kind.value


def _left(result: Result) -> int:
    certificate = result.observation.certificate
    return 0 if certificate is None else days_left(certificate, result.observed_at)


def _days(days: int) -> str:
    return f"{days} day{'' if days == 1 else 's'}"
