"""What people do with escalation policies: make, change, try and remove them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from sqlalchemy import Connection

from statuspulse.catalog import merging
from statuspulse.catalog.identifiers import fresh_id
from statuspulse.catalog.members.policy import (
    READ_ONLY,
    RULES,
    PolicyEdit,
    PolicyRequest,
    PolicyTrial,
    read_policy,
)
from statuspulse.catalog.references import Change
from statuspulse.catalog.refusals import Detail, InvalidInputError, RefusedError, as_expected, existing
from statuspulse.catalog.validation import read
from statuspulse.domain.difference import Difference, differences
from statuspulse.domain.escalation import Escalation, Ladder, Place, Reaches, begun, climb, rules_in_zone
from statuspulse.engine import escalating, receivers
from statuspulse.engine.receivers import About
from statuspulse.storage import audit, channels, monitors, people, policies, schedules, teams
from statuspulse.storage.monitors import MonitorFilter, Order
from statuspulse.storage.policies import Policy

_SHOWN_USERS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsed:
    """A step as it would come: when (ms), and the masked channels that would be told; nobody where there are none."""

    place: Place
    at: int
    channels: tuple[str, ...]


def create(connection: Connection, change: Change, sent: Mapping[str, Any]) -> Policy:
    """A new policy; raises InvalidInputError, RefusedError for a slug that is taken."""
    slug = read(PolicyRequest, sent).slug
    members, rules = read_policy(sent)
    _check_targets(connection, change.team_id, rules)
    policy = Policy(
        id=fresh_id(connection, "esc", policies.exists),
        team_id=change.team_id,
        slug=slug,
        name=members.name,
        description=members.description,
        rules=rules,
        created_at=change.now,
        updated_at=change.now,
    )
    if not policies.insert_if_new(connection, policy):
        raise RefusedError("slug_taken", "There is an escalation policy with this slug.")
    _record(connection, change, "escalation_policy.created", policy, list(differences({}, _facts(policy))))
    return policy


def update(
    connection: Connection,
    change: Change,
    slug: str,
    sent: Mapping[str, Any],
    *,
    deep: bool,
    if_match: frozenset[str] | None,
) -> tuple[Policy, bool]:
    """The policy after a change, and whether that is new; `deep` merges objects member by member.

    What is open goes on by the policy that it began with. Raises InvalidInputError, MissingError,
    PreconditionFailedError, RefusedError.
    """
    stored = _to_change(connection, change, slug, if_match)
    given = merging.writable(sent, {"id": stored.id, "team_id": stored.team_id}, read_only=READ_ONLY)
    if not deep:
        read(PolicyEdit, given)
    if given.get("slug", slug) != slug:
        message = "cannot be changed; monitors name the policy by it"
        raise InvalidInputError([Detail(code="parameter_immutable", path=("slug",), message=message)])
    document = {"name": stored.name, "description": stored.description, **stored.rules}
    members, rules = read_policy((merging.patched if deep else merging.merged)(document, given))
    _check_targets(connection, change.team_id, rules)
    changed = replace(stored, name=members.name, description=members.description, rules=rules)
    diff = list(differences(_facts(stored), _facts(changed)))
    if not diff:
        return stored, False
    changed = replace(changed, auto_created=False, version=stored.version + 1, updated_at=change.now)
    policies.save(connection, changed)
    _record(connection, change, "escalation_policy.updated", changed, diff)
    return changed, True


def remove(connection: Connection, change: Change, slug: str, if_match: frozenset[str] | None) -> Policy:
    """Raises MissingError, PreconditionFailedError, RefusedError while monitors or the team name the policy."""
    stored = _to_change(connection, change, slug, if_match)
    users = _monitors(connection, change.team_id, slug)
    if users:
        detail = Detail(
            code="resource_in_use", path=(), message="is named by monitors", extra={"monitor_ids": users}, in_body=False
        )
        raise RefusedError("resource_in_use", "Monitors name this policy; give them another one first.", [detail])
    if stored.is_default:
        raise RefusedError("resource_in_use", "It is the default policy of the team; choose another one first.")
    policies.remove(connection, change.team_id, slug)
    _record(connection, change, "escalation_policy.deleted", stored, list(differences(_facts(stored), {})))
    return stored


def get(connection: Connection, team_id: str, slug: str) -> Policy:
    """Raises MissingError."""
    return existing(policies.get(connection, team_id, slug) if slug.isprintable() else None)


def _to_change(connection: Connection, change: Change, slug: str, if_match: frozenset[str] | None) -> Policy:
    """The policy in a version that the caller expects; nobody else changes it before the transaction ends."""
    found = policies.get_to_change(connection, change.team_id, slug) if slug.isprintable() else None
    return as_expected(found, if_match, is_needed=change.needs_precondition)


def rehearse(connection: Connection, change: Change, slug: str, sent: Mapping[str, Any]) -> list[Rehearsed]:
    """Who would be told when, if an incident were triggered now and nobody took it; raises as the others."""
    trial = read(PolicyTrial, sent)
    policy = get(connection, change.team_id, slug)
    monitor_key = None
    if trial.monitor_id is not None:
        monitor = monitors.get(connection, change.team_id, trial.monitor_id)
        if monitor is None:
            message = "names no monitor of this team"
            raise InvalidInputError([Detail(code="reference_not_found", path=("monitor_id",), message=message)])
        monitor_key = monitor.key
    about = About(team_id=change.team_id, monitor_key=monitor_key, severity=trial.severity)
    policy = replace(policy, rules=rules_in_zone(policy.rules, teams.zone_of(connection, change.team_id)))
    ladder = Ladder.of(policy.rules)
    if not ladder.applies_to(trial.severity):
        return []
    reaches = escalating.reaching(connection, about, ladder, change.now)
    return [_step(connection, about, ladder, place, at) for place, at in _way(policy, ladder, reaches, change.now)]


def _way(policy: Policy, ladder: Ladder, reaches: Reaches, now: int) -> Iterator[tuple[Place, int]]:
    """Every step of every round with its instant, as the clock would bring them."""
    escalation, taken = begun(Escalation(rules=policy.rules), now, reaches)
    progress, at = escalation.progress, now
    while True:
        yield from ((place, at) for place in taken)
        if progress.next_at is None:
            return
        at = progress.next_at
        further = climb(ladder, progress, at, reaches)
        progress, taken = further.progress, further.taken


def _step(connection: Connection, about: About, ladder: Ladder, place: Place, at: int) -> Rehearsed:
    ids = receivers.channels_of(connection, about, ladder.rungs[place.step].targets, at)
    shown = channels.masked_urls(connection, about.team_id, ids)
    return Rehearsed(place=place, at=at, channels=tuple(shown[one] for one in ids))


def _check_targets(connection: Connection, team_id: str, rules: Mapping[str, Any]) -> None:
    wrong = [
        Detail(
            code="reference_not_found",
            path=("steps", number, "targets", place, "id"),
            message=f"names no {'member' if target['type'] == 'user' else target['type']} of this team",
        )
        for number, step in enumerate(rules["steps"])
        for place, target in enumerate(step["targets"])
        if not _is_known(connection, team_id, target)
    ]
    if wrong:
        raise InvalidInputError(wrong)


def _is_known(connection: Connection, team_id: str, target: Mapping[str, Any]) -> bool:
    match target["type"]:
        case "channel":
            return channels.get(connection, team_id, target["id"]) is not None
        case "user":
            return people.get(connection, team_id, target["id"]) is not None
        case "schedule":
            return schedules.get(connection, team_id, target["id"]) is not None
        case _:
            return True


def _monitors(connection: Connection, team_id: str, slug: str) -> list[str]:
    wanted, order = MonitorFilter(escalation_policy=slug), Order(by="created_at", descending=False)
    found = monitors.listed(connection, team_id, wanted, order, after=None)
    return [one.monitor.id for one in islice(found, _SHOWN_USERS)]


def _facts(policy: Policy) -> dict[str, Any]:
    return {
        "name": policy.name,
        "description": policy.description,
        **{name: policy.rules[name] for name in RULES},
    }


def _record(connection: Connection, change: Change, action: str, policy: Policy, diff: list[Difference]) -> None:
    audit.record(
        connection, change.team_id, at=change.now, actor=change.actor, action=action, resource=policy.slug, diff=diff
    )
