"""Who belongs to a team, and as what (`API.md` D.7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from statuspulse.catalog.identifiers import fresh_id
from statuspulse.catalog.references import Change
from statuspulse.catalog.refusals import Detail, InvalidInputError, MissingError, RefusedError
from statuspulse.catalog.team_members import MemberRequest, read_member_edit
from statuspulse.catalog.validation import read
from statuspulse.domain.difference import Difference
from statuspulse.storage import audit, people
from statuspulse.storage.people import Member


def add(connection: Connection, change: Change, team_id: str, sent: Mapping[str, Any]) -> Member:
    """A new member; raises InvalidInputError, RefusedError for one who is a member already."""
    request = read(MemberRequest, sent)
    user_id = people.ensure_user(connection, fresh_id(connection, "usr", people.user_exists), request.email, change.now)
    member = Member(
        user_id=user_id,
        team_id=team_id,
        email=request.email,
        role=request.role,
        created_at=change.now,
        updated_at=change.now,
    )
    if not people.insert_if_new(connection, member):
        raise RefusedError("name_taken", "The team has a member with this address.")
    diff = [Difference("/email", None, member.email), Difference("/role", None, member.role)]
    _record(connection, change, "member.added", member, diff)
    return member


def update(connection: Connection, change: Change, team_id: str, user_id: str, sent: Mapping[str, Any]) -> Member:
    """The member with the role that was sent; raises InvalidInputError, MissingError."""
    edit = read_member_edit(sent)
    stored = get(connection, team_id, user_id)
    if edit.email not in {None, stored.email}:
        message = "cannot be changed; add the new address and remove this one"
        raise InvalidInputError([Detail(code="parameter_immutable", path=("email",), message=message)])
    if edit.role is None or edit.role == stored.role:
        return stored
    changed = replace(stored, role=edit.role, updated_at=change.now)
    people.save(connection, changed)
    _record(connection, change, "member.updated", stored, [Difference("/role", stored.role, edit.role)])
    return changed


def remove(connection: Connection, change: Change, team_id: str, user_id: str) -> Member:
    """Ends a membership; raises MissingError."""
    stored = get(connection, team_id, user_id)
    people.remove(connection, team_id, user_id)
    diff = [Difference("/email", stored.email, None), Difference("/role", stored.role, None)]
    _record(connection, change, "member.removed", stored, diff)
    return stored


def get(connection: Connection, team_id: str, user_id: str) -> Member:
    """Raises MissingError."""
    member = people.get(connection, team_id, user_id)
    if member is None:
        raise MissingError
    return member


def _record(connection: Connection, change: Change, action: str, member: Member, diff: list[Difference]) -> None:
    audit.record(
        connection,
        member.team_id,
        at=change.now,
        actor=change.actor,
        action=action,
        resource=member.user_id,
        diff=diff,
    )
