"""From a document of a caller to a configuration that holds: the one way in for POST, PUT, PATCH and the seed file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from statuspulse.catalog import secrets
from statuspulse.catalog.kinds.registry import KINDS
from statuspulse.catalog.members.common import one_of
from statuspulse.catalog.members.monitor import SHORTEST_INTERVAL
from statuspulse.catalog.refusals import Detail, InvalidInputError
from statuspulse.catalog.validation import details_of
from statuspulse.domain.times import SECOND
from statuspulse.egress.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorInput:
    """A configuration that is valid by itself; what it refers to has still to be found.

    `config` holds every member of the type, its secrets in clear; `names_policy` tells whether the caller said
    anything about the policy.
    """

    config: dict[str, Any]
    names_policy: bool


def parse(
    document: Mapping[str, Any],
    policy: Policy,
    *,
    shortest_interval: int,
    stored: Mapping[str, Any] | None = None,
) -> MonitorInput:
    """Validates a document with all its members; raises InvalidInputError with everything that is wrong.

    `stored` is the configuration that holds now, with its secrets in clear: a masked one of the document means it.
    """
    kind = KINDS[_type_of(document)]
    known = (*kind.model.model_fields, *kind.aliases)
    try:
        model = kind.model.model_validate(dict(document), context={SHORTEST_INTERVAL: shortest_interval})
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        raise InvalidInputError(details_of(found, document, known)) from None
    config = model.model_dump()
    if wrong := [*_conflicts(config), *kind.problems(config, policy)]:
        raise InvalidInputError(wrong)
    config = secrets.kept(config, stored)
    return MonitorInput(config=config, names_policy="escalation_policy" in model.model_fields_set)


def _type_of(document: Mapping[str, Any]) -> str:
    if "type" not in document:
        code, message = "parameter_missing", "is required"
    elif not isinstance(document["type"], str):
        code, message = "parameter_invalid_type", "must be a string"
    elif document["type"] not in KINDS:
        code, message = "parameter_invalid_enum", f"must be one of {one_of(tuple(KINDS))}"
    else:
        return document["type"]
    # Which members there are depends on the type; this one is asked of every kind.
    missing = [] if "name" in document else [Detail(code="parameter_missing", path=("name",), message="is required")]
    raise InvalidInputError([Detail(code=code, path=("type",), message=message), *missing])


def _conflicts(config: Mapping[str, Any]) -> Iterator[Detail]:
    if "interval_seconds" not in config:
        if (config["sla"] or {}).get("latency_threshold_ms") is not None:
            message = "belongs to checks; a job that calls us has no latency"
            yield Detail(code="parameter_conflict", path=("sla", "latency_threshold_ms"), message=message)
        return
    longest = config["interval_seconds"] * SECOND
    if config["timeout_ms"] > longest:
        message = f"must not exceed the interval; send at most {longest}"
        yield Detail(code="parameter_conflict", path=("timeout_ms",), message=message, extra={"limit": longest})
    regions = len(config["regions"])
    if isinstance(config["quorum"], int) and config["quorum"] > regions:
        message = f"must not exceed the number of regions, which is {regions}"
        yield Detail(code="parameter_conflict", path=("quorum",), message=message, extra={"limit": regions})
