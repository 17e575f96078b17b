"""Monitors of type heartbeat: nothing is asked, the job calls us."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, WithJsonSchema

from statuspulse.catalog.kinds.kind import Config, Kind
from statuspulse.catalog.members.common import Fixed, Line, Members, Name
from statuspulse.catalog.members.monitor import OwnMembers, between_floor_and
from statuspulse.catalog.refusals import Detail
from statuspulse.domain import heartbeat
from statuspulse.egress.policy import Policy
from statuspulse.engine.cron import Cron, CronError

LONGEST_PERIOD_SECONDS = 366 * 86_400
_LONGEST_GRACE_SECONDS = 31 * 86_400
_DEFAULT_ZONE = "UTC"

_PERIOD = "A ping is expected so long after the one before."
_CRON = "In place of period_seconds: a cron line of five fields; a ping is expected at each of its moments."
_ZONE = "The IANA time zone of `cron`, by default UTC."
_GRACE = "How much later a ping may come; and how long a run may take that has told its start."
_REGIONS = {"type": "array", "items": {"type": "string"}}
_WHY_ONE = "is always 1 for a heartbeat"
_ALONE = "One missed ping is one too many, and one ping is enough: always 1 for a heartbeat."


PeriodSeconds = Annotated[
    int,
    between_floor_and(LONGEST_PERIOD_SECONDS),
    WithJsonSchema({"type": "integer", "minimum": 1, "maximum": LONGEST_PERIOD_SECONDS}),
]


def _zone_of(cron: str | None) -> str | None:
    return None if cron is None else _DEFAULT_ZONE


Zone = Annotated[
    Annotated[Line, Field(min_length=1, max_length=64)] | None,
    AfterValidator(lambda zone, info: _zone_of(info.data.get("cron")) if zone is None else zone),
]


class HeartbeatMembers(Members):
    period_seconds: Annotated[PeriodSeconds | None, Field(description=_PERIOD)] = None
    cron: Annotated[Annotated[Line, Field(min_length=1, max_length=200)] | None, Field(description=_CRON)] = None
    timezone: Annotated[Zone, Field(description=_ZONE)] = Field(
        default_factory=lambda valid: _zone_of(valid.get("cron"))
    )
    grace_seconds: Annotated[int, Field(ge=1, le=_LONGEST_GRACE_SECONDS, description=_GRACE)] = 300
    regions: Annotated[
        Any,
        Fixed(default=[], answered=_REGIONS, why="does not belong to a heartbeat"),
        Field(description="No region looks: the job calls. Always empty."),
    ] = Field(default_factory=list)
    failure_threshold: Annotated[
        Any, Fixed(default=1, answered={"type": "integer"}, why=_WHY_ONE), Field(description=_ALONE)
    ] = 1
    recovery_threshold: Annotated[
        Any, Fixed(default=1, answered={"type": "integer"}, why=_WHY_ONE), Field(description=_ALONE)
    ] = 1


class AnsweredMembers(HeartbeatMembers):
    """What an answer shows beside what was configured."""

    ping_url: Annotated[
        str,
        Field(description="What the job calls. The key in it is *** for tokens without the scope monitors:write."),
    ]


class HeartbeatMonitor(OwnMembers, HeartbeatMembers):
    """A monitor of type heartbeat: a job that calls `ping_url`, and is down when it does not."""

    name: Annotated[Name, Field(description="What people call it; need not be unique.")]
    type: Annotated[Literal["heartbeat"], Field(description="What is checked, and how; stays as it is.")]


def _target(config: Config) -> str:
    if config["cron"] is not None:
        return f"a ping at {config['cron']} ({config['timezone']})"
    return f"a ping every {config['period_seconds']} s"


def _problems(config: Config, _policy: Policy) -> Iterator[Detail]:
    if (config["period_seconds"] is None) == (config["cron"] is None):
        code = "parameter_missing" if config["cron"] is None else "parameter_conflict"
        message = "is required, or cron" if config["cron"] is None else "and cron exclude each other; send one of them"
        yield Detail(code=code, path=("period_seconds",), message=message)
        return
    if config["cron"] is None:
        if config["timezone"] is not None:
            message = "belongs to cron; leave it out with period_seconds"
            yield Detail(code="parameter_conflict", path=("timezone",), message=message)
        return
    try:
        ZoneInfo(config["timezone"])
    except (ValueError, OSError, KeyError):  # the last for what is not there; the others for what is no name
        message = 'is no IANA time zone such as "Europe/Berlin"'
        yield Detail(code="timezone_unknown", path=("timezone",), message=message)
        return
    try:
        Cron.of(config["cron"], config["timezone"])
    except CronError as error:
        yield Detail(code="parameter_invalid_format", path=("cron",), message=str(error))


def _under_one_name(document: dict[str, Any]) -> None:
    """Whoever names one way of saying when means that the other ends."""
    if document.get("cron") is not None:
        document.setdefault("period_seconds", None)
    elif document.get("period_seconds") is not None:
        document.setdefault("cron", None)
        document.setdefault("timezone", None)


HEARTBEAT = Kind(
    name=heartbeat.HEARTBEAT,
    members=HeartbeatMembers,
    model=HeartbeatMonitor,
    target=_target,
    problems=_problems,
    aliases={},
    ways=(("period_seconds",), ("cron",)),
    under_one_name=_under_one_name,
    own=OwnMembers,
    answered=AnsweredMembers,
)
