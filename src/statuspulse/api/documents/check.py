"""What was seen just now as callers read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from statuspulse.catalog.looks import Seen, Subject
from statuspulse.domain.failure import Failure
from statuspulse.domain.ids import new_ulid, result_id
from statuspulse.domain.result import Phases, ResultKind
from statuspulse.domain.times import to_text
from statuspulse.protocol.result_members import result_members, timings_members

_NO_TIMINGS = timings_members(Phases())


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRun:
    """One call with what came of it; instants in ms."""

    subject: Subject
    started_at: int
    finished_at: int
    seen: list[Seen]


def check_run_document(run: CheckRun) -> dict[str, Any]:
    return {
        "object": "check_run",
        "id": new_ulid("chk", run.started_at),
        "monitor_id": run.subject.monitor_id,
        "started_at": to_text(run.started_at),
        "finished_at": to_text(run.finished_at),
        "results": [_result(run, seen) for seen in run.seen],
    }


def check_run_message(run: CheckRun) -> str:
    """What the regions found, in one sentence."""
    subject = f'"{run.subject.name}"'
    verdicts = [None if seen.result is None else seen.result.observation.failure for seen in run.seen]
    regions = len(run.seen)
    ok = sum(seen.result is not None and failure is None for seen, failure in zip(run.seen, verdicts, strict=True))
    if ok == regions:
        return f"{subject} is ok{'' if regions == 1 else f' from all {regions} regions'}."
    reason = next(text for seen in run.seen if (text := _reason(seen)))
    if ok == 0 and all(failure is None or failure.kind.is_void for failure in verdicts):
        return f"{subject} could not be looked at: {reason}."
    return f"{subject} is {'not ok' if regions == 1 else f'ok from {ok} of {regions} regions'}: {reason}."


def _reason(seen: Seen) -> str:
    failure: Failure | None = None if seen.result is None else seen.result.observation.failure
    return seen.reason if failure is None else failure.detail or failure.kind.value


def _result(run: CheckRun, seen: Seen) -> dict[str, Any]:
    subject = run.subject
    mine = {"object": "result", "id": None, "monitor_id": subject.monitor_id, "round": None}
    if seen.found is None:
        return mine | _missed(run, seen)
    result = seen.found.result
    if subject.monitor_id is not None:
        mine["id"] = result_id(result.monitor_id, result.region, result.scheduled_at)
    return {
        **mine,
        **result_members(result),
        "probe_id": seen.found.probe_id,
        "config_version": None if subject.monitor_id is None else result.config_version,
        "in_maintenance": run.subject.in_maintenance,
    }


def _missed(run: CheckRun, seen: Seen) -> dict[str, Any]:
    """Nobody looked: a fact, and no result."""
    return {
        "kind": ResultKind.MANUAL.value,
        "scheduled_at": to_text(run.started_at),
        "lag_ms": 0.0,
        "region": seen.region,
        "probe_id": None,
        "observed_at": to_text(run.finished_at),
        "ok": None,
        "attempt": 0,
        "status_code": None,
        "latency_ms": None,
        "timings_ms": _NO_TIMINGS,
        "bytes": 0,
        "ip": None,
        "tls": None,
        "failure": {"class": "missed", "detail": seen.reason},
        "evidence": None,
        "config_version": None,
        "in_maintenance": run.subject.in_maintenance,
    }
