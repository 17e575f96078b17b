"""What callers say of an integration, as closed objects, one of each kind."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from statuspulse.catalog.members.common import Line, Members, Name, Omissible, OverlapSeconds, WebUrl, not_blank, unique
from statuspulse.catalog.refusals import Detail, InvalidInputError
from statuspulse.catalog.validation import read
from statuspulse.domain.integration import Kind

_ROUTING_KEY = re.compile(r"[A-Za-z0-9]{32}")
_PROJECT_KEY = re.compile(r"[A-Z][A-Z0-9_]{1,99}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


def _routing_key(text: str) -> str:
    if _ROUTING_KEY.fullmatch(text) is None:
        raise PydanticCustomError(
            "parameter_invalid_format", "must be the integration key of a service: 32 letters and digits"
        )
    return text


def _project_key(text: str) -> str:
    if _PROJECT_KEY.fullmatch(text) is None:
        raise PydanticCustomError("parameter_invalid_format", "must be the key of a project, such as OPS")
    return text


def _email(text: str) -> str:
    if _EMAIL.fullmatch(text) is None:
        raise PydanticCustomError("parameter_invalid_format", "must be an e-mail address")
    return text


def _header_text(text: str) -> str:
    if not (text.isascii() and text.isprintable()) or " " in text:
        raise PydanticCustomError("parameter_invalid_format", "must be printable ASCII without spaces")
    return text


SeverityName = Literal["critical", "error", "warning", "info"]
RoutingKey = Annotated[str, AfterValidator(_routing_key)]
ApiToken = Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(_header_text)]
Email = Annotated[str, Field(min_length=3, max_length=254), AfterValidator(_header_text), AfterValidator(_email)]
WebhookSecret = Annotated[Line, Field(min_length=1, max_length=255), AfterValidator(not_blank)]
ProjectKey = Annotated[str, AfterValidator(_project_key)]
Word = Annotated[Line, Field(min_length=1, max_length=255), AfterValidator(not_blank)]
Region = Literal["us", "eu"]
DirectionName = Literal["push", "both"]
OwnSeverities = Annotated[dict[SeverityName, SeverityName], Field(max_length=4)]
LabelSeverities = Annotated[dict[Word, SeverityName], Field(max_length=50)]
Priorities = Annotated[dict[SeverityName, Word], Field(max_length=4)]
Severities = Annotated[list[SeverityName], Field(max_length=4), AfterValidator(unique)]


def _same() -> dict[str, SeverityName]:
    return {"critical": "critical", "error": "error", "warning": "warning", "info": "info"}


def _urgent() -> list[SeverityName]:
    return ["critical", "error"]


class PagerDutyRest(Members):
    """What opens the REST API: notes, and incidents that were opened there, need it."""

    api_token: ApiToken
    from_email: Email


class PagerDutyRestEdit(Members):
    """The same; a token that is left out stays."""

    api_token: Omissible[ApiToken] = None
    from_email: Email


class JiraTransitions(Members):
    """Where an issue goes, as the name of a status or as its category: new, indeterminate, done."""

    acknowledged: Word = "indeterminate"
    resolved: Word = "done"


class PagerDutyRequest(Members):
    """A service of PagerDuty: incidents are alerts there, and with `both` what is done there is done here."""

    kind: Literal["pagerduty"]
    name: Omissible[Name] = None
    enabled: bool = True
    routing_key: RoutingKey
    region: Region = "us"
    rest: PagerDutyRest | None = None
    webhook_secret: WebhookSecret | None = None
    direction: DirectionName = "push"
    severity_map: OwnSeverities = Field(default_factory=dict)


class JiraRequest(Members):
    """A project of Jira Cloud: incidents of the severities are issues there."""

    kind: Literal["jira"]
    name: Omissible[Name] = None
    enabled: bool = True
    base_url: WebUrl
    email: Email
    api_token: ApiToken
    project_key: ProjectKey
    issue_type: Word
    create_on: Severities = Field(default_factory=_urgent)
    priority_map: Priorities = Field(default_factory=dict)
    transitions: JiraTransitions = Field(default_factory=JiraTransitions)
    webhook_secret: WebhookSecret | None = None
    direction: DirectionName = "push"


class AlertmanagerRequest(Members):
    """A sender of alerts: Alertmanager, Grafana or Prometheus; its secret is answered once."""

    kind: Literal["alertmanager"]
    name: Omissible[Name] = None
    enabled: bool = True
    severity_map: LabelSeverities = Field(default_factory=_same)


class PagerDutyEdit(Members):
    """Members to change; `rest` and maps are replaced whole, null takes `rest` and `webhook_secret` away."""

    name: Omissible[Name] = None
    enabled: Omissible[bool] = None
    routing_key: Omissible[RoutingKey] = None
    region: Omissible[Region] = None
    rest: PagerDutyRestEdit | None = None
    webhook_secret: WebhookSecret | None = None
    direction: Omissible[DirectionName] = None
    severity_map: Omissible[OwnSeverities] = None


class JiraEdit(Members):
    """Members to change; lists and maps are replaced whole, null takes `webhook_secret` away."""

    name: Omissible[Name] = None
    enabled: Omissible[bool] = None
    base_url: Omissible[WebUrl] = None
    email: Omissible[Email] = None
    api_token: Omissible[ApiToken] = None
    project_key: Omissible[ProjectKey] = None
    issue_type: Omissible[Word] = None
    create_on: Omissible[Severities] = None
    priority_map: Omissible[Priorities] = None
    transitions: Omissible[JiraTransitions] = None
    webhook_secret: WebhookSecret | None = None
    direction: Omissible[DirectionName] = None


class AlertmanagerEdit(Members):
    """Members to change; the map is replaced whole."""

    name: Omissible[Name] = None
    enabled: Omissible[bool] = None
    severity_map: Omissible[LabelSeverities] = None


class IntegrationSecretRotation(Members):
    """For so long the secret of before is good, too."""

    overlap_seconds: OverlapSeconds = 86_400


IntegrationRequest = PagerDutyRequest | JiraRequest | AlertmanagerRequest
IntegrationEdit = PagerDutyEdit | JiraEdit | AlertmanagerEdit

REQUESTS: dict[Kind, type[PagerDutyRequest | JiraRequest | AlertmanagerRequest]] = {
    Kind.PAGERDUTY: PagerDutyRequest,
    Kind.JIRA: JiraRequest,
    Kind.ALERTMANAGER: AlertmanagerRequest,
}
EDITS: dict[Kind, type[PagerDutyEdit | JiraEdit | AlertmanagerEdit]] = {
    Kind.PAGERDUTY: PagerDutyEdit,
    Kind.JIRA: JiraEdit,
    Kind.ALERTMANAGER: AlertmanagerEdit,
}
# Members that are sealed and never shown; what stands inside of another is named by itself.
SECRETS = {
    Kind.PAGERDUTY: ("routing_key", "api_token", "webhook_secret"),
    Kind.JIRA: ("api_token", "webhook_secret"),
    Kind.ALERTMANAGER: ("secret",),
}
COMMON = ("kind", "name", "enabled")
NAMES = {Kind.PAGERDUTY: "PagerDuty", Kind.JIRA: "Jira", Kind.ALERTMANAGER: "Alertmanager"}


def read_request(document: Mapping[str, Any]) -> IntegrationRequest:
    """The body of POST /v1/integrations; raises InvalidInputError with everything that is wrong."""
    kind = document.get("kind")
    if kind is None:
        raise InvalidInputError([Detail(code="parameter_missing", path=("kind",), message="is required")])
    if not isinstance(kind, str) or kind not in set(Kind):
        message = f"must be {', '.join(Kind)}"
        raise InvalidInputError([Detail(code="parameter_invalid_enum", path=("kind",), message=message)])
    return read(REQUESTS[Kind(kind)], document)


def read_edit(kind: Kind, document: Mapping[str, Any]) -> IntegrationEdit:
    """The body of PATCH /v1/integrations/{id}; raises InvalidInputError."""
    if "kind" in document and document["kind"] != kind.value:
        message = f"is {kind.value} and cannot be changed; delete the integration and make another"
        raise InvalidInputError([Detail(code="parameter_immutable", path=("kind",), message=message)])
    return read(EDITS[kind], {name: value for name, value in document.items() if name != "kind"})
