"""An explanation as callers read it."""

from __future__ import annotations

from typing import Any

from statuspulse.api.documents.heartbeat import heartbeat_document
from statuspulse.api.documents.monitor import time_or_null
from statuspulse.api.documents.status import active_incident_document, failure_document, maintenance_document
from statuspulse.api.documents.transition import transition_document
from statuspulse.api.documents.uptime import milliseconds
from statuspulse.api.resources.explain_heartbeats import call_sentences, deadline_sentence
from statuspulse.api.resources.explain_words import change_sentence, sentences, why
from statuspulse.catalog.explanations import CallExplanation, Explanation, Outlook, RegionVote
from statuspulse.domain.health import Position, Rules, Standing
from statuspulse.domain.result import Gap, Verdict
from statuspulse.domain.times import SECOND, to_text
from statuspulse.storage.results import Look

_OK = {Verdict.OK: True, Verdict.FAILED: False, Verdict.VOID: None}


def explanation_document(explained: Explanation | CallExplanation) -> dict[str, Any]:
    head, sight = explained.head, explained.head.sight
    decided = _by_calls(explained) if isinstance(explained, CallExplanation) else _by_votes(explained)
    return {
        "monitor_id": head.monitor.id,
        "state": sight.state.state.value,
        "health": sight.state.health.value,
        "since": to_text(sight.state.since),
        "state_seq": sight.state.seq,
        "stale": sight.stale,
        **decided,
        "maintenance": maintenance_document(sight),
        "depends_on": [
            {"monitor_id": one.id, "name": one.name, "health": one.health.value} for one in explained.dependencies
        ],
        "active_incident": None if head.incident is None else active_incident_document(head.incident),
        "transitions": [transition_document(recorded) for recorded in explained.transitions],
        "config_version": head.monitor.config_version,
        "generated_at": to_text(explained.now),
    }


def _by_votes(explained: Explanation) -> dict[str, Any]:
    return {
        "sentences": list(sentences(explained)),
        "rules": _rules(explained.rules),
        "regions": [_region(explained, vote) for vote in explained.votes],
        "quorum": _quorum(explained),
        "heartbeat": None,
        "next_decision": {
            "unknown_at": time_or_null(explained.unknown_at),
            "changes": [_change(explained, outlook) for outlook in explained.outlooks],
        },
        "missed": [_missed(gap) for gap in explained.missed],
    }


def _by_calls(explained: CallExplanation) -> dict[str, Any]:
    at = explained.down_at
    late = [] if at is None else [{"state": "down", "needed": [], "scheduled_at": to_text(at)}]
    return {
        "sentences": list(call_sentences(explained)),
        "rules": None,
        "regions": [],
        "quorum": None,
        "heartbeat": heartbeat_document(explained.head),
        "next_decision": {
            "unknown_at": None,
            "changes": [change | {"sentence": deadline_sentence(explained)} for change in late],
        },
        "missed": [],
    }


def _missed(gap: Gap) -> dict[str, Any]:
    return {
        "region": gap.region,
        "from_at": to_text(gap.from_at),
        "to_at": to_text(gap.to_at),
        "count": gap.count,
        "reason": gap.reason.value,
    }


def _rules(rules: Rules) -> dict[str, Any]:
    return {
        "interval_seconds": rules.interval // SECOND,
        "timeout_ms": rules.timeout,
        "failure_threshold": rules.failure_threshold,
        "recovery_threshold": rules.recovery_threshold,
        "vote_lifetime_seconds": rules.vote_lifetime / SECOND,
        "unknown_after_seconds": rules.longest_silence / SECOND,
    }


def _region(explained: Explanation, vote: RegionVote) -> dict[str, Any]:
    standing, newest = vote.standing, vote.sight.newest
    return {
        "region": vote.sight.slug,
        "standing": standing.position.value,
        "eligible": vote.eligible,
        "why": why(explained, vote),
        "votes_until": time_or_null(vote.votes_until),
        "streak": {
            "failures": standing.fail_streak,
            "successes": standing.ok_streak,
            "since": time_or_null(_streak_since(standing)),
        },
        "last_result": None if newest is None else _last_result(newest),
    }


def _streak_since(standing: Standing) -> int | None:
    """The slot that began the streak that may end the standing, or else the standing itself."""
    if standing.position is Position.FAILING:
        return standing.first_ok_at if standing.ok_streak else standing.first_fail_at
    return standing.first_fail_at if standing.fail_streak else standing.first_ok_at


def _last_result(newest: Look) -> dict[str, Any]:
    return {
        "scheduled_at": to_text(newest.scheduled_at),
        "observed_at": to_text(newest.observed_at),
        "ok": _OK[newest.verdict],
        "latency_ms": milliseconds(newest.latency_us),
        "failure": failure_document(newest),
    }


def _quorum(explained: Explanation) -> dict[str, Any]:
    need, need_to_recover = explained.bounds
    return {
        "rule": explained.rules.quorum,
        "configured": len(explained.votes),
        "eligible": explained.eligible,
        "decides": explained.decides,
        "failing": explained.standing(Position.FAILING),
        "passing": explained.standing(Position.PASSING),
        "need": need,
        "need_to_recover": need_to_recover,
    }


def _change(explained: Explanation, outlook: Outlook) -> dict[str, Any]:
    return {
        "state": outlook.change.health.value,
        "needed": [
            {"region": need.region, "ok": need.verdict is Verdict.OK, "results": need.results}
            for need in outlook.change.needed
        ],
        "scheduled_at": to_text(outlook.scheduled_at),
        "sentence": change_sentence(explained, outlook),
    }
