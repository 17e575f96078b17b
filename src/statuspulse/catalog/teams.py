"""What is done with teams: make, change, delete. A team sees its own and nothing of any other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from statuspulse.catalog import merging, setup, tokens
from statuspulse.catalog.members.team import READ_ONLY_OF_TEAM, SettingsRequest, TeamEdit, TeamRequest
from statuspulse.catalog.references import Change
from statuspulse.catalog.refusals import Detail, InvalidInputError, RefusedError, as_expected, existing
from statuspulse.catalog.tokens import Issued
from statuspulse.catalog.validation import read
from statuspulse.domain.access import Principal
from statuspulse.domain.difference import Difference, differences
from statuspulse.domain.team_settings import TeamSettings
from statuspulse.storage import audit, channels, people, policies, teams
from statuspulse.storage import tokens as stored_tokens
from statuspulse.storage.sealing import Keyring
from statuspulse.storage.teams import Team

UTC = "UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamView:
    """A team with the slug of its default escalation policy, None where it has chosen none."""

    team: Team
    default_policy: str | None


def create(
    connection: Connection, keyring: Keyring, change: Change, maker: Principal, sent: Mapping[str, Any]
) -> tuple[TeamView, Issued | None]:
    """A new team, and its first token where the maker may make tokens: without one nobody could ever call for it.

    That token has what the maker has. Raises InvalidInputError, RefusedError for a slug that is taken.
    """
    request = read(TeamRequest, sent)
    if request.default_policy is not None:
        raise InvalidInputError([_no_policy()])
    if request.settings is not None and request.settings.fallback_channel is not None:
        raise InvalidInputError([_no_channel()])
    try:
        team = setup.new_team(connection, slug=request.slug, name=request.name, now=change.now)
    except IntegrityError:
        raise RefusedError("slug_taken", "There is a team with this slug.") from None
    settled = replace(team, timezone=request.timezone or UTC, settings=_settled(team.settings, request.settings))
    _check_fallback(connection, settled)
    teams.save(connection, settled)
    view = TeamView(team=settled, default_policy=None)
    diff = list(differences({}, _facts(view)))
    for team_id in (change.team_id, team.id):
        _record(connection, change, team_id, "team.created", team.id, diff)
    return view, _first_token(connection, keyring, change, maker, team)


def update(
    connection: Connection,
    change: Change,
    team_id: str,
    sent: Mapping[str, Any],
    if_match: frozenset[str] | None = None,
) -> tuple[TeamView, bool]:
    """The team as it is now, and whether that is new.

    Raises InvalidInputError, MissingError, PreconditionFailedError, RefusedError.
    """
    before = _to_change(connection, change, team_id, if_match)
    edit = read(TeamEdit, merging.writable(sent, {"id": team_id, "team_id": team_id}, read_only=READ_ONLY_OF_TEAM))
    if edit.slug not in {None, before.team.slug}:
        message = "cannot be changed; links and headers name the team by it"
        raise InvalidInputError([Detail(code="parameter_immutable", path=("slug",), message=message)])
    after = _edited(connection, before, edit)
    diff = list(differences(_facts(before), _facts(after)))
    if not diff:
        return before, False
    team = replace(after.team, version=before.team.version + 1, updated_at=change.now)
    after = replace(after, team=team)
    teams.save(connection, after.team)
    if after.default_policy != before.default_policy:
        policies.set_default(connection, team_id, after.default_policy, change.now)
    _record(connection, change, team_id, "team.updated", team_id, diff)
    return after, True


def remove(connection: Connection, change: Change, team_id: str, if_match: frozenset[str] | None = None) -> None:
    """Deletes a team that watches nothing any more, with its tokens and members; its audit log stays.

    Raises MissingError, PreconditionFailedError, RefusedError.
    """
    view = _to_change(connection, change, team_id, if_match)
    first = teams.first(connection)
    if first is not None and first.id == team_id:
        raise RefusedError("resource_in_use", "The first team serves the whole instance and stays.")
    if teams.count_monitors(connection, team_id):
        raise RefusedError("resource_in_use", "The team has monitors; delete them first.")
    if teams.count_open_incidents(connection, team_id):
        raise RefusedError("resource_in_use", "The team has open incidents; resolve them first.")
    stored_tokens.leave_team(connection, team_id, change.now)
    people.remove_all(connection, team_id)
    teams.mark_deleted(connection, team_id, change.now)
    _record(connection, change, team_id, "team.deleted", team_id, list(differences(_facts(view), {})))


def get(connection: Connection, team_id: str) -> TeamView:
    """Raises MissingError."""
    return _view(connection, existing(teams.get(connection, team_id)))


def _to_change(connection: Connection, change: Change, team_id: str, if_match: frozenset[str] | None) -> TeamView:
    """The team in a version that the caller expects; nobody else changes it before the transaction ends."""
    found = teams.get_to_change(connection, team_id)
    return _view(connection, as_expected(found, if_match, is_needed=change.needs_precondition))


def _view(connection: Connection, team: Team) -> TeamView:
    return TeamView(team=team, default_policy=policies.default_slug(connection, team.id))


def _first_token(
    connection: Connection, keyring: Keyring, change: Change, maker: Principal, team: Team
) -> Issued | None:
    if "tokens:write" not in maker.scopes:
        return None
    token = tokens.unissued(
        connection,
        name=f"first token of {team.slug}",
        team_ids=(team.id,),
        scopes=maker.scope_names,
        expires_at=maker.grant.expires_at,
        networks=tuple(str(network) for network in maker.grant.networks),
        now=change.now,
    )
    return tokens.issue(connection, keyring, change, token)


def _edited(connection: Connection, before: TeamView, edit: TeamEdit) -> TeamView:
    default_policy = before.default_policy
    if "default_policy" in edit.model_fields_set:
        default_policy = edit.default_policy
        if default_policy is not None and policies.get(connection, before.team.id, default_policy) is None:
            raise InvalidInputError([_no_policy()])
    named = None if edit.settings is None else edit.settings.fallback_channel
    if named is not None and channels.get(connection, before.team.id, named) is None:
        raise InvalidInputError([_no_channel()])
    team = replace(
        before.team,
        name=before.team.name if edit.name is None else edit.name,
        timezone=(edit.timezone or UTC) if "timezone" in edit.model_fields_set else before.team.timezone,
        settings=TeamSettings() if edit.settings is None else _settled(before.team.settings, edit.settings),
    )
    _check_fallback(connection, team)
    return TeamView(team=team, default_policy=default_policy)


def _check_fallback(connection: Connection, team: Team) -> None:
    chosen = team.settings.fallback_channel
    if chosen is not None and channels.get(connection, team.id, chosen) is None:
        path, message = (
            ("settings", "fallback_channel"),
            "names no channel of this team; send an id such as nch_8k2m4p6q",
        )
        raise InvalidInputError([Detail(code="reference_not_found", path=path, message=message)])


def _settled(settings: TeamSettings, request: SettingsRequest | None) -> TeamSettings:
    """What is named changes, null means the default."""
    if request is None:
        return settings
    defaults = asdict(TeamSettings())
    said = {
        field.name: getattr(request, field.name) if getattr(request, field.name) is not None else defaults[field.name]
        for field in fields(TeamSettings)
        if field.name in request.model_fields_set
    }
    return replace(settings, **said)


def _no_policy() -> Detail:
    message = "names no escalation policy of this team"
    return Detail(code="reference_not_found", path=("default_policy",), message=message)


def _no_channel() -> Detail:
    message = "names no channel of this team by its id"
    return Detail(code="reference_not_found", path=("settings", "fallback_channel"), message=message)


def _facts(view: TeamView) -> dict[str, Any]:
    return {
        "name": view.team.name,
        "slug": view.team.slug,
        "default_policy": view.default_policy,
        "timezone": view.team.timezone,
        "settings": asdict(view.team.settings),
    }


def _record(
    connection: Connection, change: Change, team_id: str, action: str, resource: str, diff: list[Difference]
) -> None:
    audit.record(connection, team_id, at=change.now, actor=change.actor, action=action, resource=resource, diff=diff)
