"""The label by which an issue tells whose it is, and by which it is found again."""

from __future__ import annotations

from collections.abc import Iterable

from statuspulse.domain.ids import is_id

_PREFIX = "sp-"


def label_of(incident_id: str) -> str:
    """`sp-inc-4m8n2v5w`."""
    return _PREFIX + incident_id.replace("_", "-")


def incident_of(labels: Iterable[object]) -> str | None:
    """The incident that one of an issue's labels names."""
    for label in labels:
        if isinstance(label, str) and label.startswith(_PREFIX):
            named = label.removeprefix(_PREFIX).replace("-", "_", 1)
            if is_id(named, "inc"):
                return named
    return None


def jql(project_key: str, incident_id: str) -> str:
    """Finds the issue of an incident, the oldest first. Neither part can hold a quote."""
    return f'project = "{project_key}" AND labels = "{label_of(incident_id)}" ORDER BY created ASC'
