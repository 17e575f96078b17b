"""What a kind of monitor tells of itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from statuspulse.catalog.members.common import Members
from statuspulse.catalog.members.monitor import CommonMembers
from statuspulse.catalog.refusals import Detail, Path
from statuspulse.egress.policy import Policy

Config = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretMember:
    """Where a secret text stands in a configuration, and by what it is known again in another one of the monitor."""

    path: Path
    identity: tuple[str, ...]


def no_secrets(_config: Config) -> Iterable[SecretMember]:
    """For kinds whose members may all be read again."""
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind. `members` are those beside the common ones; `model` is the closed object of a request.

    `aliases` are other names by which callers may say the same, and `under_one_name` takes a document with them to one
    without, in place; it raises InvalidInputError where two names disagree. `ways` are the sets of names of which one
    has to be there, where that is not simply what the model requires. `target` is the address that people see;
    `problems` holds a valid configuration against the address policy and against itself. Names are not looked up: they
    are judged when they are dialled. `secrets` finds the members of a valid configuration that are sealed where it is
    stored and never shown again. `own` are the common members that the kind has, `answered` those of an answer where it
    has more than `members`.
    """

    name: str
    members: type[Members]
    model: type[Members]
    target: Callable[[Config], str]
    problems: Callable[[Config, Policy], Iterable[Detail]]
    aliases: Mapping[str, Mapping[str, Any]]
    ways: tuple[tuple[str, ...], ...]
    under_one_name: Callable[[dict[str, Any]], None]
    secrets: Callable[[Config], Iterable[SecretMember]] = no_secrets
    own: type[Members] = CommonMembers
    answered: type[Members] | None = None


def nothing_to_rename(_document: dict[str, Any]) -> None:
    """For kinds with one name for everything."""
