"""What a team says about its Jira; the API token travels beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from statuspulse.domain.secret import Secret

# The categories that every status of Jira belongs to; names of statuses and transitions are the work flow's own.
NEW, INDETERMINATE, DONE = "new", "indeterminate", "done"
CATEGORIES = frozenset({NEW, INDETERMINATE, DONE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """`acknowledged` and `resolved` are a category, or the name of a status or of a transition.

    `create_on` holds the severities that get an issue, `priority_map` the name of the priority for some of them.
    `issue_type` is an id where it is a number, else a name.
    """

    base_url: str
    email: str
    project_key: str
    issue_type: str
    create_on: frozenset[str]
    priority_map: Mapping[str, str] = field(default_factory=dict)
    acknowledged: str = INDETERMINATE
    resolved: str = DONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """Where Jira is, and as whom we speak to it."""

    base_url: str
    email: str
    api_token: Secret


def browse_url(base_url: str, key: str) -> str:
    """Where people see an issue."""
    return f"{base_url.rstrip('/')}/browse/{key}"
