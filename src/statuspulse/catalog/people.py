"""Who belongs to a team, and as what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from statuspulse.catalog import merging
from statuspulse.catalog.channels import provide
from statuspulse.catalog.identifiers import fresh_id
from statuspulse.catalog.instance import Instance
from statuspulse.catalog.members.team import READ_ONLY, MemberEdit, MemberRequest
from statuspulse.catalog.references import Change, channels_meant
from statuspulse.catalog.refusals import Detail, InvalidInputError, RefusedError, existing
from statuspulse.catalog.validation import read
from statuspulse.domain.channel_addresses import ChannelUrlError
from statuspulse.domain.difference import Difference, differences
from statuspulse.domain.on_call import names
from statuspulse.storage import audit, channels, people, policies, schedules
from statuspulse.storage.people import Member


def add(connection: Connection, instance: Instance, change: Change, sent: Mapping[str, Any]) -> Member:
    """A new member; raises InvalidInputError, RefusedError for one who is a member already.

    Without contacts he is told by mail, where the instance can send mail.
    """
    request = read(MemberRequest, sent)
    contacts = _contacts(connection, instance, change, request.contacts) or _by_mail(
        connection, instance, change, request.email
    )
    user_id = people.ensure_user(connection, fresh_id(connection, "usr", people.user_exists), request.email, change.now)
    member = Member(
        user_id=user_id,
        team_id=change.team_id,
        email=request.email,
        role=request.role,
        contacts=contacts,
        created_at=change.now,
        updated_at=change.now,
    )
    if not people.insert_if_new(connection, member):
        raise RefusedError("name_taken", "The team has a member with this address.")
    diff = [Difference("/email", None, member.email), Difference("/role", None, member.role)]
    _record(connection, change, "member.added", member, diff)
    return member


def update(connection: Connection, instance: Instance, change: Change, user_id: str, sent: Mapping[str, Any]) -> Member:
    """The member with what was sent; raises InvalidInputError, MissingError."""
    stored = get(connection, change.team_id, user_id)
    holds = {"id": user_id, "user_id": user_id, "team_id": stored.team_id}
    edit = read(MemberEdit, merging.writable(sent, holds, read_only=READ_ONLY))
    if edit.email not in {None, stored.email}:
        message = "cannot be changed; add the new address and remove this one"
        raise InvalidInputError([Detail(code="parameter_immutable", path=("email",), message=message)])
    contacts = stored.contacts
    if edit.contacts is not None:
        contacts = _contacts(connection, instance, change, edit.contacts)
    changed = replace(stored, role=edit.role or stored.role, contacts=contacts)
    if changed == stored:
        return stored
    changed = replace(changed, updated_at=change.now)
    people.save(connection, changed)
    diff = list(differences(_facts(stored), _facts(changed)))
    _record(connection, change, "member.updated", changed, diff)
    return changed


def remove(connection: Connection, change: Change, team_id: str, user_id: str) -> Member:
    """Ends a membership; raises MissingError, RefusedError while somebody is to be told through it."""
    stored = get(connection, team_id, user_id)
    _check_unneeded(connection, stored)
    people.remove(connection, team_id, user_id)
    diff = [Difference("/email", stored.email, None), Difference("/role", stored.role, None)]
    _record(connection, change, "member.removed", stored, diff)
    return stored


def get(connection: Connection, team_id: str, user_id: str) -> Member:
    """Raises MissingError."""
    return existing(people.get(connection, team_id, user_id))


def shown_contacts(connection: Connection, found: Sequence[Member]) -> dict[str, str]:
    """What answers show of the channels of some members, by id."""
    ids = [one for member in found for one in member.contacts]
    return channels.masked_urls(connection, found[0].team_id, ids) if ids else {}


def _contacts(connection: Connection, instance: Instance, change: Change, given: Sequence[str]) -> tuple[str, ...]:
    found, refused = channels_meant(connection, instance, change, given)
    if refused:
        raise InvalidInputError([one.below(("contacts",)) for one in refused])
    return tuple(found)


def _by_mail(connection: Connection, instance: Instance, change: Change, email: str) -> tuple[str, ...]:
    try:
        return (provide(connection, change.team_id, f"mailto:{email}", instance, change.now),)
    except ChannelUrlError:
        return ()


def _check_unneeded(connection: Connection, member: Member) -> None:
    """Somebody who is gone would be told nothing, and nobody in his place."""
    on_call = [one.name for one in schedules.all_of_team(connection, member.team_id) if names(one.plan, member.email)]
    if on_call:
        raise RefusedError("resource_in_use", f'The schedule "{on_call[0]}" names the member; change it first.')
    for policy in policies.all_of_team(connection, member.team_id):
        targets = [target for step in policy.rules["steps"] for target in step["targets"]]
        if {"type": "user", "id": member.user_id} in targets:
            raise RefusedError("resource_in_use", f'The policy "{policy.slug}" tells the member; change it first.')


def _facts(member: Member) -> dict[str, Any]:
    return {"role": member.role, "contacts": list(member.contacts)}


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
