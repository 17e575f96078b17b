"""Teams and the people in them."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Query
from sqlalchemy import Connection
from starlette.responses import Response

from statuspulse.api.answers.common import Deleted
from statuspulse.api.answers.team import MemberAnswer, MemberList, NewTeamAnswer, TeamAnswer, TeamList
from statuspulse.api.dependencies import Call, CallOf
from statuspulse.api.documents.team import member_document, team_document
from statuspulse.api.envelope import answer
from statuspulse.api.examples import team as examples
from statuspulse.api.headers import etag, if_match
from statuspulse.api.operation import Body, Operation
from statuspulse.api.paging import COUNT_LIMIT, ListQuery, Page, page_answer, place_of
from statuspulse.api.resources.monitors import change_of
from statuspulse.api.route import CheckedRoute
from statuspulse.api.token_cache import forbidden
from statuspulse.catalog import people, teams
from statuspulse.catalog.references import Change
from statuspulse.catalog.refusals import MissingError, SoftProblem
from statuspulse.catalog.teams import TeamView
from statuspulse.domain.ids import is_id
from statuspulse.storage import people as stored_people
from statuspulse.storage import teams as stored_teams
from statuspulse.storage.people import Member

router = APIRouter(route_class=CheckedRoute, tags=["Teams and people"])

_PATCH_TYPES = ("application/json", "application/merge-patch+json")
_NO_TOKEN = SoftProblem(
    code="token_not_created",
    message="Your token may make none, so nobody can call for this team yet; `statuspulse admin token create` can.",
    param=None,
)
_UNREACHABLE = SoftProblem(
    code="member_unreachable",
    message="The member has no contacts and this instance sends no mail: policies that name the member tell nobody.",
    param="contacts",
)

CREATE = Operation(
    id="createTeam",
    summary="Create a team; tokens of the first team may",
    scope="teams:write",
    status=201,
    answer=NewTeamAnswer,
    examples={"payments": examples.CREATED},
    body=Body(schema="TeamRequest", examples={"payments": examples.NEW_TEAM}),
    statuses=(409,),
)
LIST = Operation(
    id="listTeams",
    summary="List the teams of the calling token",
    scope="teams:read",
    answer=TeamList,
    examples={"one": examples.TEAM_LIST},
)
GET = Operation(
    id="getTeam",
    summary="Get a team by its id or slug",
    scope="teams:read",
    answer=TeamAnswer,
    examples={"payments": examples.TEAM},
)
PATCH = Operation(
    id="patchTeam",
    summary="Change name, default escalation policy and settings of a team",
    scope="teams:write",
    answer=TeamAnswer,
    examples={"settings": examples.CHANGED},
    body=Body(schema="TeamEdit", examples={"settings": examples.EDIT}, media_types=_PATCH_TYPES),
    statuses=(412, 428),
)
DELETE = Operation(
    id="deleteTeam",
    summary="Delete a team without monitors, and with it its tokens",
    scope="teams:write",
    answer=Deleted,
    examples={"deleted": examples.DELETED},
    statuses=(409, 412, 428),
)
LIST_MEMBERS = Operation(
    id="listMembers",
    summary="List the members of a team",
    scope="teams:read",
    answer=MemberList,
    examples={"one": examples.MEMBER_LIST},
)
ADD_MEMBER = Operation(
    id="addMember",
    summary="Add a member to a team",
    scope="teams:write",
    status=201,
    answer=MemberAnswer,
    examples={"maya": examples.MEMBER},
    body=Body(schema="MemberRequest", examples={"maya": examples.NEW_MEMBER}),
    statuses=(409,),
)
PATCH_MEMBER = Operation(
    id="patchMember",
    summary="Change role and contacts of a member",
    scope="teams:write",
    answer=MemberAnswer,
    examples={"maya": examples.MEMBER},
    body=Body(schema="MemberEdit", examples={"maya": {"role": "responder"}}, media_types=_PATCH_TYPES),
)
REMOVE_MEMBER = Operation(
    id="removeMember",
    summary="Remove a member from a team",
    scope="teams:write",
    answer=Deleted,
    examples={"maya": examples.REMOVED},
    statuses=(409,),
)


@router.post("/teams", **CREATE.keywords)
async def create_team(call: CallOf, body: dict[str, Any]) -> Response:
    if not call.caller.team.is_first:
        raise forbidden("scope_insufficient", "Only tokens of the first team may create teams.")
    change, keyring, caller = change_of(call), call.services.parts.keyring, call.caller
    view, issued = await call.database.write(lambda connection: teams.create(connection, keyring, change, caller, body))
    shown = "" if issued is None else "; the text of its first token is shown this once"
    message = f'Team "{view.team.name}" created{shown}.'
    return answer(
        call.request,
        "team",
        message,
        {**team_document(view), "token": None if issued is None else issued.text.reveal()},
        status=201,
        warnings=() if issued is not None else (_NO_TOKEN,),
        headers={"Location": f"/v1/teams/{view.team.id}", "ETag": etag(view.team.version)},
    )


@router.get("/teams", **LIST.keywords)
async def list_teams(call: CallOf, query: Annotated[ListQuery, Query()]) -> Response:
    after, descending = place_of(call, query), query.order == "desc"
    mine = [team.id for team in call.caller.teams]

    def read(connection: Connection) -> Page:
        places = sorted(
            ((team.created_at, team.id) for team in stored_teams.get_all(connection, mine)), reverse=descending
        )
        beyond = [place for place in places if after is None or (place < after if descending else place > after)]
        shown = beyond[: query.limit]
        return Page(
            data=[team_document(teams.get(connection, team_id)) for _, team_id in shown],
            next_place=shown[-1] if len(beyond) > query.limit else None,
            total=len(places) if query.include else None,
        )

    return page_answer(call, query, await call.database.read(read), "team", "teams")


@router.get("/teams/{team_id}", **GET.keywords)
async def get_team(call: CallOf, team_id: str) -> Response:
    known = _known_team(call, team_id)
    view = await call.database.read(lambda connection: teams.get(connection, known))
    return _answer(call, view, f'Team "{view.team.name}".')


@router.patch("/teams/{team_id}", **PATCH.keywords)
async def patch_team(call: CallOf, team_id: str, body: dict[str, Any]) -> Response:
    known, expected = _known_team(call, team_id), if_match(call.request)
    change = _change_in(call, known)
    view, changed = await call.database.write(
        lambda connection: teams.update(connection, change, known, body, expected)
    )
    call.services.tokens.forget()  # settings of teams are kept with their tokens
    message = f'Team "{view.team.name}" changed.' if changed else f'Nothing changed in team "{view.team.name}".'
    return _answer(call, view, message)


@router.delete("/teams/{team_id}", **DELETE.keywords)
async def delete_team(call: CallOf, team_id: str) -> Response:
    known, expected = _known_team(call, team_id), if_match(call.request)
    change = _change_in(call, known)
    await call.database.write(lambda connection: teams.remove(connection, change, known, expected))
    call.services.tokens.forget()
    return answer(call.request, "team", f"Team {known} deleted.", {"id": known, "deleted": True})


@router.get("/teams/{team_id}/members", **LIST_MEMBERS.keywords)
async def list_members(call: CallOf, team_id: str, query: Annotated[ListQuery, Query()]) -> Response:
    known, after = _known_team(call, team_id), place_of(call, query)

    def read(connection: Connection) -> Page:
        found = stored_people.page(
            connection, known, after=after, descending=query.order == "desc", limit=query.limit + 1
        )
        shown = found[: query.limit]
        contacts = people.shown_contacts(connection, shown)
        return Page(
            data=[member_document(member, contacts) for member in shown],
            next_place=(shown[-1].created_at, shown[-1].user_id) if len(found) > query.limit else None,
            total=min(COUNT_LIMIT, stored_people.count(connection, known)) if query.include else None,
        )

    return page_answer(call, query, await call.database.read(read), "member", "members")


@router.post("/teams/{team_id}/members", **ADD_MEMBER.keywords)
async def add_member(call: CallOf, team_id: str, body: dict[str, Any]) -> Response:
    known = _known_team(call, team_id)
    change = _change_in(call, known)
    instance = call.services.instance

    def add(connection: Connection) -> tuple[Member, dict[str, str]]:
        member = people.add(connection, instance, change, body)
        return member, people.shown_contacts(connection, [member])

    headers = {"Location": f"/v1/teams/{known}/members"}
    return _member_answer(call, *await call.database.write(add), status=201, headers=headers)


@router.patch("/teams/{team_id}/members/{user_id}", **PATCH_MEMBER.keywords)
async def patch_member(call: CallOf, team_id: str, user_id: str, body: dict[str, Any]) -> Response:
    known, user = _known_team(call, team_id), _known_user(user_id)
    change = _change_in(call, known)
    instance = call.services.instance

    def update(connection: Connection) -> tuple[Member, dict[str, str]]:
        member = people.update(connection, instance, change, user, body)
        return member, people.shown_contacts(connection, [member])

    return _member_answer(call, *await call.database.write(update))


@router.delete("/teams/{team_id}/members/{user_id}", **REMOVE_MEMBER.keywords)
async def remove_member(call: CallOf, team_id: str, user_id: str) -> Response:
    known, user = _known_team(call, team_id), _known_user(user_id)
    change = _change_in(call, known)
    member = await call.database.write(lambda connection: people.remove(connection, change, known, user))
    message = f"{member.email} is no member of the team any more."
    return answer(call.request, "member", message, {"id": user, "deleted": True})


def _answer(call: Call, view: TeamView, message: str) -> Response:
    return answer(call.request, "team", message, team_document(view), headers={"ETag": etag(view.team.version)})


def _member_answer(
    call: Call, member: Member, shown: dict[str, str], *, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    message = f"{member.email} is a member of the team, as {member.role}."
    warnings = () if member.contacts else (_UNREACHABLE,)
    document = member_document(member, shown)
    return answer(call.request, "member", message, document, status=status, warnings=warnings, headers=headers)


def _known_team(call: Call, named: str) -> str:
    """The id of a team of the calling token; raises MissingError for every other, without a look at the database."""
    for team in call.caller.teams:
        if named in {team.id, team.slug}:
            return team.id
    raise MissingError


def _known_user(user_id: str) -> str:
    """An id of the form of a user's; raises MissingError for anything else, as for one that does not exist."""
    if not is_id(user_id, "usr"):
        raise MissingError
    return user_id


def _change_in(call: Call, team_id: str) -> Change:
    """A change of a team of the caller, which need not be the one that the call names; its own settings hold."""
    settings = next(team.settings for team in call.caller.teams if team.id == team_id)
    return replace(change_of(call), team_id=team_id, needs_precondition=settings.require_preconditions)
