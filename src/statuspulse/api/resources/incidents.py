"""Incidents: trigger, acknowledge, resolve, list, read, change and annotate."""

from __future__ import annotations

from itertools import islice
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import Field
from sqlalchemy import Connection
from starlette.responses import Response

from statuspulse.api.answers.incident import IncidentAnswer, IncidentList, NoteAnswer, TimelineList
from statuspulse.api.dependencies import Call, CallOf
from statuspulse.api.documents.incident import (
    entry_document,
    incident_document,
    note_document,
    outcome_document,
    sentence,
    state_sentence,
    update_sentence,
)
from statuspulse.api.envelope import answer
from statuspulse.api.errors import invalid
from statuspulse.api.examples import incident as examples
from statuspulse.api.headers import etag, if_match, none_match
from statuspulse.api.operation import Body, Operation
from statuspulse.api.paging import COUNT_LIMIT, ListQuery, Page, page_answer, place_of
from statuspulse.api.resources.monitors import change_of
from statuspulse.api.route import CheckedRoute
from statuspulse.api.span import in_query, read_times
from statuspulse.catalog import incidents
from statuspulse.catalog.incidents import Outcome
from statuspulse.catalog.members.incident import PROVIDERS
from statuspulse.catalog.refusals import Detail, MissingError
from statuspulse.domain.ids import is_id
from statuspulse.domain.incident import IncidentState, Move
from statuspulse.storage import incident_syncs
from statuspulse.storage import incidents as stored_incidents
from statuspulse.storage.incident_syncs import Sync
from statuspulse.storage.incidents import Incident, IncidentFilter

router = APIRouter(route_class=CheckedRoute, tags=["Incidents"])


class IncidentQuery(ListQuery):
    """What a list of incidents can be narrowed to; the newest come first."""

    state: Annotated[str | None, Field(description="One or more states, separated by commas.")] = None
    monitor_id: str | None = None
    severity: Literal["critical", "error", "warning", "info"] | None = None
    assignee: str | None = None
    source: Literal["monitor", "manual", "integration", "slo"] | None = None
    dedup_key: str | None = None
    external_id: Annotated[str | None, Field(description="Provider and id, as in `jira:OPS-142`.")] = None
    begin: Annotated[str | None, Field(alias="from", description="Triggered at this time or later.")] = None
    end: Annotated[str | None, Field(alias="to", description="Triggered before this time.")] = None
    q: Annotated[str | None, Field(min_length=2, max_length=200, description="Part of the title.")] = None


class TimelineQuery(ListQuery):
    """A timeline has one order."""

    order: Literal["asc"] | None = None


SUBMIT = Operation(
    id="submitIncident",
    summary="Trigger, acknowledge or resolve an incident",
    scope="incidents:write",
    answer=IncidentAnswer,
    examples={"acknowledge": examples.ACKNOWLEDGED},
    created={"trigger": examples.TRIGGERED},
    body=Body(schema="IncidentRequest", examples=examples.REQUESTS),
    statuses=(404, 409),
)
LIST = Operation(
    id="listIncidents",
    summary="List incidents",
    scope="incidents:read",
    answer=IncidentList,
    examples={"one": examples.LIST},
)
GET = Operation(
    id="getIncident",
    summary="Get an incident",
    scope="incidents:read",
    answer=IncidentAnswer,
    examples={"redis": examples.INCIDENT},
    statuses=(304,),
)
PATCH = Operation(
    id="patchIncident",
    summary="Change members of an incident",
    scope="incidents:write",
    answer=IncidentAnswer,
    examples={"severity": examples.EDITED},
    body=Body(
        schema="IncidentEdit",
        examples={"severity": {"severity": "error"}, "unlink": {"external_ids": {"jira": None}}},
        media_types=("application/json", "application/merge-patch+json"),
    ),
    statuses=(412, 428),
)
TIMELINE = Operation(
    id="listIncidentTimeline",
    summary="List what happened to an incident",
    scope="incidents:read",
    answer=TimelineList,
    examples={"two": examples.TIMELINE},
)
ANNOTATE = Operation(
    id="createIncidentNote",
    summary="Add a note to an incident",
    scope="incidents:write",
    status=201,
    answer=NoteAnswer,
    examples={"replicas": examples.NOTE},
    body=Body(schema="NoteRequest", examples={"replicas": {"text": examples.NOTE["text"]}}),
)


@router.post("/incidents", **SUBMIT.keywords)
async def submit_incident(call: CallOf, body: dict[str, Any]) -> Response:
    change = change_of(call)
    outcome = await call.database.write(lambda connection: incidents.submit(connection, change, body))
    if outcome.owes_messages:
        call.services.parts.wake()
    says_state = outcome.before is None or outcome.move is Move.DEDUPLICATE or "state" in body
    return await _answer(call, outcome, sentence(outcome) if says_state else update_sentence(outcome))


@router.get("/incidents", **LIST.keywords)
async def list_incidents(call: CallOf, query: Annotated[IncidentQuery, Query()]) -> Response:
    wanted, after, descending = _filter(query), place_of(call, query), query.order != "asc"

    def read(connection: Connection) -> Page:
        listed = stored_incidents.listed(connection, call.team_id, wanted, after=after, descending=descending)
        found = list(islice(listed, query.limit + 1))
        shown = found[: query.limit]
        total = None
        if query.include is not None:
            everything = stored_incidents.listed(connection, call.team_id, wanted, after=None, descending=descending)
            total = sum(1 for _ in islice(everything, COUNT_LIMIT))
        syncs = incident_syncs.of_incidents(connection, call.team_id, [incident.id for incident in shown])
        return Page(
            data=[incident_document(incident, syncs.get(incident.id, ())) for incident in shown],
            next_place=(shown[-1].triggered_at, shown[-1].id) if len(found) > query.limit else None,
            total=total,
        )

    return page_answer(call, query, await call.database.read(read), "incident", "incidents")


@router.get("/incidents/{incident_id}", **GET.keywords)
async def get_incident(call: CallOf, incident_id: str) -> Response:
    known = known_id(incident_id)

    def read(connection: Connection) -> tuple[Incident, list[Sync]]:
        found = incidents.get(connection, call.team_id, known)
        return found, incident_syncs.of_incident(connection, call.team_id, known)

    incident, syncs = await call.database.read(read)
    headers = {"ETag": etag(incident.version)}
    # How it stands with other systems changes without a version of its own.
    if not syncs and none_match(call.request, incident.version):
        return Response(status_code=304, headers=headers)
    message = state_sentence(incident)
    return answer(call.request, "incident", message, incident_document(incident, syncs), headers=headers)


@router.patch("/incidents/{incident_id}", **PATCH.keywords)
async def patch_incident(call: CallOf, incident_id: str, body: dict[str, Any]) -> Response:
    change, known, expected = change_of(call), known_id(incident_id), if_match(call.request)
    outcome = await call.database.write(
        lambda connection: incidents.edit(connection, change, known, body, if_match=expected)
    )
    if outcome.owes_messages:
        call.services.parts.wake()
    return await _answer(call, outcome, update_sentence(outcome))


@router.get("/incidents/{incident_id}/timeline", **TIMELINE.keywords)
async def list_timeline(call: CallOf, incident_id: str, query: Annotated[TimelineQuery, Query()]) -> Response:
    known, after = known_id(incident_id), place_of(call, query)

    def read(connection: Connection) -> Page:
        incidents.get(connection, call.team_id, known)
        found = stored_incidents.timeline_page(
            connection, known, after=0 if after is None else after[0], limit=query.limit + 1
        )
        shown = found[: query.limit]
        return Page(
            data=[entry_document(entry) for _, entry in shown],
            next_place=(shown[-1][0], shown[-1][1].id) if len(found) > query.limit else None,
            total=min(COUNT_LIMIT, stored_incidents.timeline_length(connection, known)) if query.include else None,
        )

    return page_answer(call, query, await call.database.read(read), "entry", "entries")


@router.post("/incidents/{incident_id}/notes", **ANNOTATE.keywords)
async def create_note(call: CallOf, incident_id: str, body: dict[str, Any]) -> Response:
    change, known = change_of(call), known_id(incident_id)
    incident, note = await call.database.write(lambda connection: incidents.annotate(connection, change, known, body))
    call.services.parts.wake()
    document = note_document(incident, note)
    headers = {"Location": f"/v1/incidents/{known}/timeline"}
    message = f"Note added to incident {known}."
    return answer(call.request, "note", message, document, status=201, headers=headers)


async def _answer(call: Call, outcome: Outcome, message: str) -> Response:
    incident = outcome.incident
    syncs = await syncs_of(call, incident)
    headers = {"ETag": etag(incident.version)}
    status = 200
    if outcome.before is None:
        status, headers["Location"] = 201, f"/v1/incidents/{incident.id}"
    document = outcome_document(outcome, syncs)
    warnings = outcome.warnings
    return answer(call.request, "incident", message, document, status=status, warnings=warnings, headers=headers)


async def syncs_of(call: Call, incident: Incident) -> list[Sync]:
    """How it stands with other systems after a call."""
    return await call.database.read(lambda one: incident_syncs.of_incident(one, call.team_id, incident.id))


def known_id(incident_id: str) -> str:
    """An id of the form of an incident's; raises MissingError for anything else, as for one that does not exist."""
    if not is_id(incident_id, "inc"):
        raise MissingError
    return incident_id


def _filter(query: IncidentQuery) -> IncidentFilter:
    """Raises 422 for states that do not exist, for what is no id or time, and for ids without a provider."""
    details: list[Detail] = []
    states = tuple(query.state.split(",")) if query.state is not None else ()
    if not set(states) <= set(IncidentState):
        message = f"must hold states out of {', '.join(IncidentState)}"
        details.append(in_query("parameter_invalid_enum", "state", message))
    if query.monitor_id is not None and not is_id(query.monitor_id, "mon"):
        message = "must be the id of a monitor, such as mon_9x2k4p7q"
        details.append(in_query("parameter_invalid_format", "monitor_id", message))
    external_id = None
    if query.external_id is not None:
        provider, _, identifier = query.external_id.partition(":")
        external_id = (provider, identifier)
        if provider not in PROVIDERS or not identifier:
            message = f"must be one of {', '.join(PROVIDERS)}, a colon and an id"
            details.append(in_query("parameter_invalid_format", "external_id", message))
    times = read_times(details, begin=query.begin, end=query.end)
    if details:
        raise invalid(details)
    return IncidentFilter(
        states=states,
        monitor_id=query.monitor_id,
        severity=query.severity,
        assignee=query.assignee,
        source=query.source,
        dedup_key=query.dedup_key,
        external_id=external_id,
        text=query.q,
        triggered_from=times.get("from"),
        triggered_to=times.get("to"),
    )
