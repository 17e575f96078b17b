"""On-call schedules: made, changed, removed, and asked who is on call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from statuspulse.catalog import merging
from statuspulse.catalog.identifiers import fresh_id
from statuspulse.catalog.members.schedule import READ_ONLY, ScheduleEdit, ScheduleRequest
from statuspulse.catalog.references import Change
from statuspulse.catalog.refusals import Detail, InvalidInputError, Path, RefusedError, as_expected, existing
from statuspulse.catalog.validation import read
from statuspulse.domain.difference import differences
from statuspulse.domain.on_call import Rotation, RotationError
from statuspulse.domain.times import DAY, to_datetime, to_text
from statuspulse.storage import audit, people, policies, schedules, teams
from statuspulse.storage.people import Member
from statuspulse.storage.schedules import Schedule

# The first day of a rotation. Years that lie in no calendar of any zone have no handoff.
_EARLIEST = date(1970, 1, 1)
_FURTHEST = 5 * 366 * DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class OnCall:
    """Who is on call at an instant (ms), None for nobody, and when the rotation goes on."""

    schedule: Schedule
    at: int
    email: str | None
    member: Member | None
    next_handoff_at: int


def create(connection: Connection, change: Change, sent: Mapping[str, Any]) -> Schedule:
    """A new schedule; raises InvalidInputError, RefusedError for a name that is taken."""
    name, plan = _plan(connection, change, sent)
    schedule = Schedule(
        id=fresh_id(connection, "sch", schedules.exists),
        team_id=change.team_id,
        name=name,
        plan=plan,
        created_at=change.now,
        updated_at=change.now,
    )
    try:
        with connection.begin_nested():
            schedules.insert(connection, schedule)
    except IntegrityError:
        raise _taken() from None
    _record(connection, change, "schedule.created", schedule, {}, _facts(schedule))
    return schedule


def update(
    connection: Connection,
    change: Change,
    schedule_id: str,
    sent: Mapping[str, Any],
    if_match: frozenset[str] | None,
) -> Schedule:
    """The schedule with what was sent in place of what was.

    Raises InvalidInputError, MissingError, PreconditionFailedError, RefusedError.
    """
    stored = _to_change(connection, change, schedule_id, if_match)
    given = merging.writable(sent, {"id": stored.id, "team_id": stored.team_id}, read_only=READ_ONLY)
    read(ScheduleEdit, given)
    name, plan = _plan(connection, change, merging.merged({"name": stored.name, **stored.plan}, given))
    changed = replace(stored, name=name, plan=plan)
    if changed == stored:
        return stored
    changed = replace(changed, version=stored.version + 1, updated_at=change.now)
    try:
        with connection.begin_nested():
            schedules.save(connection, changed)
    except IntegrityError:
        raise _taken() from None
    _record(connection, change, "schedule.updated", changed, _facts(stored), _facts(changed))
    return changed


def remove(connection: Connection, change: Change, schedule_id: str, if_match: frozenset[str] | None) -> Schedule:
    """Raises MissingError, PreconditionFailedError, RefusedError while a policy names the schedule."""
    stored = _to_change(connection, change, schedule_id, if_match)
    for policy in policies.all_of_team(connection, change.team_id):
        targets = [target for step in policy.rules["steps"] for target in step["targets"]]
        if {"type": "schedule", "id": schedule_id} in targets:
            raise RefusedError("resource_in_use", f'The policy "{policy.slug}" names the schedule; change it first.')
    schedules.remove(connection, change.team_id, schedule_id)
    _record(connection, change, "schedule.deleted", stored, _facts(stored), {})
    return stored


def get(connection: Connection, team_id: str, schedule_id: str) -> Schedule:
    """Raises MissingError."""
    return existing(schedules.get(connection, team_id, schedule_id))


def _to_change(connection: Connection, change: Change, schedule_id: str, if_match: frozenset[str] | None) -> Schedule:
    """The schedule in a version that the caller expects; nobody else changes it before the transaction ends."""
    found = schedules.get_to_change(connection, change.team_id, schedule_id)
    return as_expected(found, if_match, is_needed=change.needs_precondition)


def on_call(connection: Connection, team_id: str, schedule_id: str, at: int) -> OnCall:
    """Raises MissingError."""
    schedule = get(connection, team_id, schedule_id)
    rotation = Rotation.of(schedule.plan, teams.zone_of(connection, team_id))
    email = rotation.at(at)
    member = None if email is None else people.get_by_email(connection, team_id, email)
    return OnCall(schedule=schedule, at=at, email=email, member=member, next_handoff_at=rotation.next_handoff(at))


def _plan(connection: Connection, change: Change, document: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    request = read(ScheduleRequest, document)
    plan = request.model_dump(exclude={"name"})
    plan["overrides"] = [
        {**one, "start_at": to_text(one["start_at"]), "end_at": to_text(one["end_at"])} for one in plan["overrides"]
    ]
    zone = teams.zone_of(connection, change.team_id)
    plan["starts_on"] = plan["starts_on"] or _last_handoff(plan, zone, change.now).isoformat()
    _check_first_day(plan["starts_on"], change.now)
    try:
        Rotation.of(plan, zone)
    except RotationError as error:
        raise _wrong("rrule_unsupported", ("rotation",), str(error)) from None
    named: list[tuple[Path, str]] = [(("members", place), email) for place, email in enumerate(plan["members"])]
    named += [(("overrides", place, "member"), one["member"]) for place, one in enumerate(plan["overrides"])]
    wrong = [path for path, email in named if people.get_by_email(connection, change.team_id, email) is None]
    if wrong:
        message = "is no member of this team; add the address to the team first"
        raise InvalidInputError([Detail(code="reference_not_found", path=path, message=message) for path in wrong])
    return request.name, plan


def _check_first_day(text: str, now: int) -> None:
    try:
        first = date.fromisoformat(text)
    except ValueError:
        raise _wrong("parameter_invalid_format", ("starts_on",), "is no date such as 2026-11-23") from None
    latest = to_datetime(now + _FURTHEST).date()
    if not _EARLIEST <= first <= latest:
        message = f"must lie between {_EARLIEST} and five years from now, which is {latest}"
        raise _wrong("parameter_out_of_range", ("starts_on",), message)


def _last_handoff(plan: Mapping[str, Any], team_zone: str, now: int) -> date:
    """The day of the last handoff hour, so that somebody is on call from the beginning."""
    local = to_datetime(now).astimezone(ZoneInfo(plan["timezone"] or team_zone))
    is_over = local.time() >= time.fromisoformat(plan["handoff"])
    return local.date() if is_over else local.date() - timedelta(days=1)


def _taken() -> RefusedError:
    return RefusedError("name_taken", "The team has a schedule with this name.")


def _wrong(code: str, path: tuple[str | int, ...], message: str) -> InvalidInputError:
    return InvalidInputError([Detail(code=code, path=path, message=message)])


def _facts(schedule: Schedule) -> dict[str, Any]:
    return {"name": schedule.name, **schedule.plan}


def _record(
    connection: Connection,
    change: Change,
    action: str,
    schedule: Schedule,
    before: dict[str, Any],
    after: dict[str, Any],
) -> None:
    audit.record(
        connection,
        change.team_id,
        at=change.now,
        actor=change.actor,
        action=action,
        resource=schedule.id,
        diff=list(differences(before, after)),
    )
