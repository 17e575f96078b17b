"""Which transition leads where a team wants its issues, whatever its work flow is called; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from statuspulse.domain.incident import IncidentState
from statuspulse.domain.jira.settings import CATEGORIES, DONE, INDETERMINATE, NEW, Settings


@dataclass(frozen=True, slots=True)
class Status:
    """Where an issue stands; the category is None where Jira did not say."""

    name: str
    category: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """One way on from where an issue stands; `resolution` is what has to be said on it, `demands` what else."""

    id: str
    name: str
    to: Status
    resolution: str | None = None
    demands: tuple[str, ...] = field(default=())

    def document(self) -> dict[str, Any]:
        """The body of `POST …/transitions`."""
        said: dict[str, Any] = {"transition": {"id": self.id}}
        if self.resolution is not None:
            said["fields"] = {"resolution": {"name": self.resolution}}
        return said


def status_of(document: object) -> Status | None:
    """The status of an answer or of a webhook."""
    if not isinstance(document, Mapping) or not isinstance(document.get("name"), str):
        return None
    category = document.get("statusCategory")
    key = category.get("key") if isinstance(category, Mapping) else None
    return Status(document["name"], key if key in CATEGORIES else None)


def transitions_of(document: Mapping[str, Any]) -> list[Transition]:
    """Reads `GET …/transitions?expand=transitions.fields`; what cannot be read is no way on."""
    listed = document.get("transitions")
    read = [_transition(each) for each in listed] if isinstance(listed, list) else []
    return [each for each in read if each is not None]


def is_at(status: Status, wanted: str) -> bool:
    """Whether the status is the wanted one, by category or by name."""
    return status.category == wanted if wanted in CATEGORIES else _same(status.name, wanted)


def is_named(transition: Transition, wanted: str) -> bool:
    """Whether it is the transition that was asked for by name, wherever it leads."""
    return _same(transition.name, wanted)


def choose(transitions: Sequence[Transition], status: Status, wanted: str) -> Transition | None:
    """The way to the wanted status, or a step towards it; None where the work flow has none that we can take.

    A name is one of a status first, then one of a transition. Ways that ask for fields nobody told us of are none.
    """
    ways = [each for each in transitions if not each.demands]
    leading = [each for each in ways if is_at(each.to, wanted)] or [each for each in ways if is_named(each, wanted)]
    return next(iter(leading or _steps_towards(ways, status, wanted)), None)


def meaning(settings: Settings, status: Status) -> IncidentState | None:
    """What people say of the incident by moving its issue there; None where it says nothing.

    Whatever is done is done: teams name several statuses for it, and an issue in any of them is nobody's work.
    """
    if is_at(status, settings.resolved) or status.category == DONE:
        return IncidentState.RESOLVED
    return IncidentState.ACKNOWLEDGED if is_at(status, settings.acknowledged) else None


def _steps_towards(transitions: Iterable[Transition], status: Status, wanted: str) -> list[Transition]:
    """Some work flows let nothing be done that was not begun, and some let what is done be begun again, not anew."""
    if wanted != NEW and status.category not in {NEW, None}:
        return []
    return [each for each in transitions if each.to.category == INDETERMINATE]


def _transition(document: object) -> Transition | None:
    if not isinstance(document, Mapping):
        return None
    to, name = status_of(document.get("to")), document.get("name")
    if to is None or not isinstance(document.get("id"), str) or not isinstance(name, str):
        return None
    fields = document.get("fields")
    required = {
        key: what
        for key, what in (fields.items() if isinstance(fields, Mapping) else ())
        if isinstance(what, Mapping) and what.get("required") and not what.get("hasDefaultValue")
    }
    resolution = _resolution(required.pop("resolution", None))
    return Transition(id=document["id"], name=name, to=to, resolution=resolution, demands=tuple(sorted(required)))


def _resolution(described: Mapping[str, Any] | None) -> str | None:
    """`Done` where the site has it, else the first that is allowed."""
    if described is None:
        return None
    allowed = described.get("allowedValues")
    values = [each.get("name") for each in allowed if isinstance(each, Mapping)] if isinstance(allowed, list) else []
    names = [name for name in values if isinstance(name, str)] or ["Done"]
    return next((name for name in names if _same(name, "Done")), names[0])


def _same(name: str, wanted: str) -> bool:
    return name.strip().casefold() == wanted.strip().casefold()
