"""What callers say of maintenance windows, as closed objects."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, WithJsonSchema, model_validator
from pydantic import Tag as PydanticTag
from pydantic_core import PydanticCustomError

from statuspulse.catalog.members.common import Description, Line, Members, Name, Omissible, Tag, unique
from statuspulse.catalog.members.hours import TimeZone

# Members of an answer that may be sent back; they are not the caller's to set.
READ_ONLY = frozenset(
    {
        "object",
        "request_id",
        "message",
        "warnings",
        "id",
        "team_id",
        "monitor_id",
        "joined_monitor_ids",
        "status",
        "active_occurrence",
        "next_occurrence",
        "last_occurrence",
        "version",
        "created_at",
        "updated_at",
    }
)
_RULE = "An RRULE of FREQ=DAILY, WEEKLY, MONTHLY or YEARLY, such as `FREQ=WEEKLY;BYDAY=SU`; null for a single window."
_START = "Local time such as `2026-12-06T02:00:00` beside a `timezone`, or an instant with offset without one."

WindowId = Annotated[Line, Field(max_length=40)]
MonitorId = Annotated[Line, Field(max_length=40)]
Start = Annotated[Line, Field(min_length=1, max_length=40, description=_START)]
DurationSeconds = Annotated[int, Field(ge=60, le=2_592_000, description="Elapsed time, whatever clocks do.")]
RuleText = Annotated[Line, Field(min_length=1, max_length=500, description=_RULE)]
LocalTimes = Annotated[list[Start], Field(max_length=200), AfterValidator(unique)]
Probing = Annotated[Literal["continue", "pause"], Field(description="Whether probes go on looking.")]
Alerting = Annotated[Literal["suppress", "deliver"], Field(description="Whether incidents begin and people hear.")]
Sla = Annotated[Literal["exclude", "include"], Field(description="Whether the time counts for uptime and SLOs.")]
OpenIncidents = Annotated[
    Literal["hold", "continue"], Field(description="Whether the escalation of what is open already stands still.")
]
Note = Annotated[Description, Field(max_length=2000)]


class Selector(Members):
    """Which monitors: by id, by one of some tags, or all of the team; one of the three."""

    ids: Omissible[Annotated[list[MonitorId], Field(min_length=1, max_length=1000), AfterValidator(unique)]] = None
    tags: Omissible[Annotated[list[Tag], Field(min_length=1, max_length=32), AfterValidator(unique)]] = None
    all: Omissible[Annotated[Literal[True], WithJsonSchema({"const": True})]] = None

    @model_validator(mode="after")
    def _one(self) -> Selector:
        if sum(given is not None for given in (self.ids, self.tags, self.all)) != 1:
            text = 'needs exactly one of ids, tags and all, as in {"tags": ["prod"]}'
            raise PydanticCustomError("parameter_conflict", text)
        return self


class PlanMembers(Members):
    """When a window is and what it does."""

    name: Name
    description: Description | None = None
    starts_at: Start
    timezone: TimeZone | None = None
    duration_seconds: DurationSeconds
    rrule: RuleText | None = None
    exdates: LocalTimes = Field(default_factory=list)
    probing: Probing = "continue"
    alerting: Alerting = "suppress"
    sla: Sla = "exclude"
    open_incidents: OpenIncidents = "hold"
    status_page_note: Note | None = None


class InlineWindow(PlanMembers):
    """A window that is a part of one monitor; with its `id` one that is there is kept or changed."""

    id: Omissible[WindowId] = None


def _branch(entry: object) -> str:
    return "id" if isinstance(entry, str) else "window"


# Text is an id and anything else a window, so that one of them alone says what is wrong with an entry.
PlannedTime = Annotated[
    Annotated[InlineWindow, PydanticTag("window")] | Annotated[WindowId, PydanticTag("id")], Discriminator(_branch)
]


class WindowRequest(PlanMembers):
    """A new window. A `starts_at` that is over means now, unless an admin says `backdate`."""

    monitors: Selector
    backdate: bool = False


class WindowEdit(Members):
    """Members to change; null takes one back to its default."""

    name: Omissible[Name] = None
    description: Description | None = None
    monitors: Omissible[Selector] = None
    starts_at: Omissible[Start] = None
    timezone: TimeZone | None = None
    duration_seconds: Omissible[DurationSeconds] = None
    rrule: RuleText | None = None
    exdates: LocalTimes | None = None
    probing: Probing | None = None
    alerting: Alerting | None = None
    sla: Sla | None = None
    open_incidents: OpenIncidents | None = None
    status_page_note: Note | None = None


class MaintenanceRequest(Members):
    """Maintenance of one monitor from now on."""

    duration_seconds: DurationSeconds
    reason: Name | None = None


def stored(model: PlanMembers) -> dict[str, Any]:
    """The plan of a window as it is kept, without what is not written in it yet."""
    plan = model.model_dump(exclude={"name", "backdate", "id"})
    plan["monitors"] = model.monitors.model_dump(exclude_none=True) if isinstance(model, WindowRequest) else {}
    return {**plan, "valid_from": None, "joined_at": None, "cut": {}}
