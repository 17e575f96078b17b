"""The kinds of objects that commands are about, and how a word on the command line names one of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from statuspulse.cli.faults import WRONG_INPUT, fail
from statuspulse.cli.remote import NOT_FOUND

if TYPE_CHECKING:
    from statuspulse.client import Client

_ID = re.compile(r"([a-z]{3})_[0-9a-z]{8,26}")
_KEY = re.compile(r"[a-z]+_live_")


@dataclass(frozen=True, slots=True)
class Group:
    """One kind: the beginning of its ids, what people call one, and the command that shows it or lists them."""

    prefix: str
    noun: str
    command: str
    takes_id: bool = True


MONITORS = Group("mon", "monitor", "monitors get")
INCIDENTS = Group("inc", "incident", "incidents get")
SLOS = Group("slo", "objective", "slos get")
WINDOWS = Group("mwn", "maintenance window", "maintenance list", takes_id=False)
WEBHOOKS = Group("whk", "webhook endpoint", "webhooks deliveries")
INTEGRATIONS = Group("int", "integration", "integrations log")
TOKENS = Group("tok", "token", "tokens list", takes_id=False)
PROBES = Group("prb", "probe", "probes list", takes_id=False)
_BY_PREFIX = {
    group.prefix: group for group in (MONITORS, INCIDENTS, SLOS, WINDOWS, WEBHOOKS, INTEGRATIONS, TOKENS, PROBES)
}


def id_of(text: str, group: Group, listed: Callable[[], Iterable[Any]] | None = None) -> str:
    """The id that a word is, or that belongs to the one object of this very name among `listed`.

    Without a list only ids are known, and the server says what it thinks of other words. An id of another kind ends the
    command with a hint.
    """
    if _KEY.match(text):  # never repeated: it may be a good one
        fail(f"that is a key and not what names {_one(group)}; keys are no arguments", WRONG_INPUT)
    form = _ID.fullmatch(text)
    other = None if form is None else _BY_PREFIX.get(form[1])
    if other is group:
        return text
    if other is not None:
        argument = f" {text}" if other.takes_id else ""
        hint = f"{text} is {_one(other)} and not {_one(group)}"
        fail(f"{hint}; see: statuspulse {other.command}{argument}", WRONG_INPUT)
    return text if listed is None else _named(text, group, listed())


def monitor_id(client: Client, text: str) -> str:
    return id_of(text, MONITORS, lambda: client.monitors.list(q=text if len(text) > 1 else None))


def _named(text: str, group: Group, listed: Iterable[Any]) -> str:
    found = [one.id for one in listed if one.name == text]
    if not found:
        listing = group.command.partition(" ")[0]
        fail(f'no {group.noun} is called "{text}"; see statuspulse {listing} list', NOT_FOUND)
    if len(found) > 1:
        fail(f'several are called "{text}": {", ".join(found)}; name the {group.noun} by its id', WRONG_INPUT)
    return str(found[0])


def _one(group: Group) -> str:
    return f"{'an' if group.noun[0] in 'aeiou' else 'a'} {group.noun}"
