"""What callers say of an incident, as closed objects, and what has to hold of one by itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from statuspulse.catalog.members.common import (
    Line,
    Members,
    Omissible,
    Slug,
    Time,
    WebUrl,
    long_text,
    not_blank,
    one_line,
)
from statuspulse.catalog.refusals import Detail, InvalidInputError
from statuspulse.catalog.validation import read
from statuspulse.domain.times import DAY, MINUTE

PROVIDERS = ("pagerduty", "jira", "opsgenie")

_EARLIEST = 7 * DAY
_LATEST = MINUTE
_ONLY_ON_TRIGGER = ("escalation_policy", "notify", "occurred_at")
# What a caller may add to an incident without a word about its state.
ADDITIONS = frozenset({"notes", "assignee", "external_ids"})
REFERENCES = frozenset({"incident_id", "dedup_key", "monitor_id"})

# Members of an answer that a caller may send back with a PATCH; they are not his to set there.
READ_ONLY = frozenset(
    {
        "object",
        "request_id",
        "message",
        "warnings",
        "id",
        "incident_id",
        "number",
        "version",
        "state",
        "previous_state",
        "source",
        "monitor_id",
        "team_id",
        "dedup_key",
        "occurrences",
        "deduplicated",
        "notes",
        "escalation",
        "triggered_at",
        "triggered_by",
        "acknowledged_at",
        "acknowledged_by",
        "ack_expires_at",
        "resolved_at",
        "resolved_by",
        "resolve_reason",
        "sync",
        "created_at",
        "updated_at",
        "links",
    }
)


def _as_object(value: object) -> object:
    if isinstance(value, str):
        return {"id": value}
    if not isinstance(value, Mapping):
        raise PydanticCustomError("parameter_invalid_type", "must be a string, or an object with id and url")
    return value


ShortText = Annotated[str, Field(min_length=1, max_length=255), AfterValidator(not_blank), AfterValidator(one_line)]
Reference = Annotated[Line, Field(max_length=255)]
Severity = Literal["critical", "error", "warning", "info"]
Assignee = Annotated[str, Field(min_length=1, max_length=254), AfterValidator(not_blank), AfterValidator(one_line)]


class ExternalLink(Members):
    """An id in another system, with the page where people see it."""

    id: ShortText
    url: WebUrl | None = None


LinkOrId = Annotated[ExternalLink, BeforeValidator(_as_object, json_schema_input_type=ShortText | ExternalLink)]


class ExternalLinks(Members):
    """Ids in other systems, one per provider."""

    pagerduty: Omissible[LinkOrId] = None
    jira: Omissible[LinkOrId] = None
    opsgenie: Omissible[LinkOrId] = None

    def given(self) -> dict[str, ExternalLink]:
        """The links by provider."""
        links: dict[str, ExternalLink | None] = {provider: getattr(self, provider) for provider in PROVIDERS}
        return {provider: link for provider, link in links.items() if link is not None}


class ExternalLinkChanges(Members):
    """The same as a merge: null unlinks."""

    pagerduty: LinkOrId | None = None
    jira: LinkOrId | None = None
    opsgenie: LinkOrId | None = None

    def given(self) -> dict[str, ExternalLink | None]:
        """What is to change, by provider."""
        return {provider: getattr(self, provider) for provider in PROVIDERS if provider in self.model_fields_set}


class IncidentRequest(Members):
    """Triggers, acknowledges or resolves an incident, or adds something to it."""

    state: Omissible[Literal["triggered", "acknowledged", "resolved"]] = None
    incident_id: Omissible[Reference] = None
    dedup_key: Omissible[ShortText] = None
    external_ids: ExternalLinks = Field(default_factory=ExternalLinks)
    title: Omissible[ShortText] = None
    monitor_id: Omissible[Reference] = None
    severity: Omissible[Severity] = None
    assignee: Assignee | None = None
    notes: Annotated[str, Field(max_length=10_000), AfterValidator(long_text)] | None = None
    escalation_policy: Omissible[Slug] = None
    notify: bool = True
    reopen: bool = False
    occurred_at: Omissible[Time] = None


class IncidentEdit(Members):
    """Members to change; in `external_ids` null unlinks."""

    title: Omissible[ShortText] = None
    severity: Omissible[Severity] = None
    assignee: Assignee | None = None
    external_ids: ExternalLinkChanges | None = Field(default_factory=ExternalLinkChanges)


class NoteRequest(Members):
    """A note for the timeline."""

    text: Annotated[str, Field(min_length=1, max_length=10_000), AfterValidator(not_blank), AfterValidator(long_text)]


def read_request(document: Mapping[str, Any], now: int) -> IncidentRequest:
    """The body of POST /v1/incidents; raises InvalidInputError with everything that is wrong."""
    request = read(IncidentRequest, document)
    if request.state is None and request.incident_id is None and request.dedup_key and request.title:
        # It cannot mean anything else, whether an incident with the key is open or not (decision 12).
        request = request.model_copy(update={"state": "triggered"})
    if wrong := [*_contradictions(request), *time_problems(request, now)]:
        raise InvalidInputError(wrong)
    return request


def read_edit(document: Mapping[str, Any]) -> IncidentEdit:
    """The body of PATCH /v1/incidents/{id}; raises InvalidInputError."""
    return read(IncidentEdit, {name: value for name, value in document.items() if name not in READ_ONLY})


def read_note(document: Mapping[str, Any]) -> str:
    """The text of a new note; raises InvalidInputError."""
    return read(NoteRequest, document).text


def time_problems(request: IncidentRequest, now: int) -> Iterator[Detail]:
    """Clocks differ a little, and what is older than a week is history."""
    at = request.occurred_at
    if at is not None and not now - _EARLIEST <= at <= now + _LATEST:
        message = "must be at most 7 days ago and at most 60 seconds ahead"
        yield Detail(code="parameter_out_of_range", path=("occurred_at",), message=message)


def _contradictions(request: IncidentRequest) -> Iterator[Detail]:
    named = request.incident_id is not None or request.dedup_key is not None
    moves_on = request.state in {"acknowledged", "resolved"}
    if moves_on and not named and not request.external_ids.given():
        message = "is required with this state, or dedup_key or external_ids in its place"
        yield Detail(code="parameter_missing", path=("incident_id",), message=message)
    for name in _ONLY_ON_TRIGGER if moves_on else ():
        if name in request.model_fields_set:
            yield Detail(code="parameter_conflict", path=(name,), message="belongs to the state triggered only")
    if request.reopen and (request.state != "triggered" or request.incident_id is None):
        message = "needs the state triggered and the incident_id of a resolved incident"
        yield Detail(code="parameter_conflict", path=("reopen",), message=message)
