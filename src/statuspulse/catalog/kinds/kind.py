"""What a kind of monitor tells of itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from statuspulse.catalog.members import Members
from statuspulse.catalog.refusals import Detail
from statuspulse.egress.policy import Policy

Config = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind. `members` are those beside the common ones; `model` is the closed object of a request.

    `aliases` are other names by which callers may say the same, and `under_one_name` takes a document with them to one
    without, in place; it raises InvalidInputError where two names disagree. `ways` are the sets of names of which one
    has to be there, where that is not simply what the model requires. `target` is the address that people see;
    `problems` holds a valid configuration against the address policy and against itself. Names are not looked up: they
    are judged when they are dialled.
    """

    name: str
    members: type[Members]
    model: type[Members]
    target: Callable[[Config], str]
    problems: Callable[[Config, Policy], Iterable[Detail]]
    aliases: Mapping[str, Mapping[str, Any]]
    ways: tuple[tuple[str, ...], ...]
    under_one_name: Callable[[dict[str, Any]], None]


def nothing_to_rename(_document: dict[str, Any]) -> None:
    """For kinds with one name for everything."""
