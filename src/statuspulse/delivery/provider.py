"""The seam to systems that hold incidents, too: what a provider owes, and what may come of a push."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from statuspulse.delivery.channel import Delivered, Outcome
from statuspulse.domain.integration import Operation
from statuspulse.domain.message import Message
from statuspulse.domain.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An integration as its provider uses it: `config` as it is stored, `secrets` opened, by their names."""

    config: Mapping[str, Any]
    secrets: Mapping[str, Secret] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of the incident there.

    `opened` tells that it exists there; without `kept` it was then made by somebody else, and linked to ours.
    `kept` is what the provider asked to keep when it was made.
    """

    external_id: str | None = None
    url: str | None = None
    opened: bool = False
    kept: Secret | None = field(repr=False, default=None)


@dataclass(frozen=True, slots=True)
class Tried:
    """An earlier try (ms), and the word for what came of it; None where nobody wrote that down."""

    at: int
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """One change of an incident. `message` is the incident as it was then; a note's text is its `facts.note`.

    `repeated` tells that an earlier try may have arrived without our having heard so: what cannot be done twice has to
    be looked for first; `tried` tells when those were, and what came of them. `key` is the same for every copy of the
    change, `at` is now (ms).
    """

    operation: Operation
    message: Message
    known: Known
    repeated: bool
    key: str
    at: int
    tried: tuple[Tried, ...] = ()


@dataclass(frozen=True, slots=True)
class Pushed(Delivered):
    """They have it, or had it before.

    `external_id` and `url` are told where they have become known. `detached` takes those of before away: what stands
    for the incident there is another object from now on. `keep` comes back as `Known.kept`. `author` is who we are
    there.
    """

    external_id: str | None = field(default=None, kw_only=True)
    url: str | None = field(default=None, kw_only=True)
    detached: bool = field(default=False, kw_only=True)
    keep: Secret | None = field(default=None, kw_only=True, repr=False)
    author: str | None = field(default=None, kw_only=True)


class Provider(Protocol):
    """One system. It does one change and tells what came of it: `Pushed`, `Retry` or `Refused`.

    As a channel it never raises, except when it is cancelled, has returned after ATTEMPT_SECONDS, however many calls
    it makes, and lets no secret and no text of the other side show in an outcome. `error` is a word such as
    `http_404`, `timeout` or one of its own.

    Pushes of one incident come one after the other and in order, those of different ones at once; only a note that
    failed comes again beside the changes that follow it. A push that ended
    with `Retry`, or with the end of the process, comes again with `repeated`. Nothing has to be remembered here
    between two calls: what a provider needs again is in `known`.
    """

    @property
    def spacing_ms(self) -> int:
        """The least time between two pushes to one integration, 0 for none."""

    async def push(self, account: Account, push: Push) -> Outcome:
        """Does the change; one that is done already is `Pushed`."""

    async def test(self, account: Account, *, key: str, at: int) -> Outcome:
        """Finds out whether everything that is configured works, and leaves nothing behind."""

    async def incidents_of(self, account: Account, external_id: str) -> Sequence[str]:
        """Ids of incidents of ours that the object stands for, where only the other side knows; none on a failure."""
