"""What a team says about its Jira, as it is stored with the integration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# The categories that every status of Jira belongs to; names of statuses and transitions are the work flow's own.
NEW, INDETERMINATE, DONE = "new", "indeterminate", "done"
CATEGORIES = frozenset({NEW, INDETERMINATE, DONE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """`acknowledged` and `resolved` are a category, or the name of a status or of a transition.

    `priority_map` holds the name of the priority for some severities; `issue_type` is an id where it is a number,
    else a name.
    """

    base_url: str
    email: str
    project_key: str
    issue_type: str
    priority_map: Mapping[str, str]
    acknowledged: str = INDETERMINATE
    resolved: str = DONE

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Settings:
        """Reads what is stored."""
        return cls(
            base_url=config["base_url"].rstrip("/"),
            email=config["email"],
            project_key=config["project_key"],
            issue_type=config["issue_type"],
            priority_map=config["priority_map"],
            acknowledged=config["transitions"]["acknowledged"],
            resolved=config["transitions"]["resolved"],
        )

    def browse_url(self, key: str) -> str:
        """Where people see an issue."""
        return f"{self.base_url}/browse/{key}"
