"""Brings the issue of an incident to where the incident is: found or created once, moved, commented on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from statuspulse.delivery.channel import Delivered, Outcome, Refused, Retry
from statuspulse.delivery.posting import said
from statuspulse.delivery.providers.jira import creation, issue, workflow
from statuspulse.delivery.providers.jira.settings import DONE, Settings
from statuspulse.delivery.providers.jira.site import Site, SiteError, meaning
from statuspulse.delivery.providers.jira.workflow import Status
from statuspulse.domain.backoff import RetryAfter
from statuspulse.domain.incident import IncidentState
from statuspulse.domain.message import Action, Message
from statuspulse.domain.times import SECOND
from statuspulse.egress.http_client import Answer

# From "to do" over "in progress" to "done", and one for a work flow with a stage more.
_STEPS_LIMIT = 3


class Operation(StrEnum):
    """What a push was about when it ended, in the words of `incident.sync_failed`."""

    CREATE_ISSUE = "create_issue"
    TRANSITION = "transition"
    COMMENT = "comment"
    LINK = "link"


class Memory(Protocol):
    """What is remembered of the issue of one incident; each is stored before it returns."""

    @property
    def key(self) -> str | None:
        """The issue, once it is known."""

    @property
    def begun_at(self) -> int | None:
        """When a creation was begun of which nobody knows yet what became (ms)."""

    async def begin(self, at: int) -> None:
        """A creation begins: from now on there may be an issue."""

    async def forget(self) -> None:
        """The creation that was begun made no issue."""

    async def bind(self, key: str) -> None:
        """This is the issue."""


@dataclass(frozen=True, slots=True)
class Pushed:
    """How a push ended, and what it was about then."""

    outcome: Outcome
    operation: Operation


class Push:
    """One attempt to tell Jira of one change. It may be made again at any time, and changes nothing that is done."""

    def __init__(
        self,
        site: Site,
        settings: Settings,
        memory: Memory,
        *,
        public_url: str,
        now: Callable[[], int],
    ) -> None:
        self._site = site
        self._settings = settings
        self._memory = memory
        self._public_url = public_url
        self._now = now
        self._operation = Operation.CREATE_ISSUE

    async def run(self, message: Message, mark: str, *, again: bool) -> Pushed:
        """`mark` is the same at each attempt; `again` says that there may have been one before."""
        try:
            outcome = await self._run(message, mark, again=again)
        except SiteError as error:
            outcome = error.outcome
        return Pushed(outcome, self._operation)

    async def _run(self, message: Message, mark: str, *, again: bool) -> Outcome:
        key = self._memory.key
        if key is None:
            if message.action is not Action.TRIGGER:
                return Refused(error="issue_missing")
            return await self._provide(message)
        self._operation = Operation.LINK
        fields = await self._site.issue(key)
        labels = fields.get("labels")
        is_ours = issue.incident_of(labels if isinstance(labels, list) else ()) == message.incident_id
        if message.action is Action.TRIGGER and is_ours:  # it tells of the incident itself
            return Delivered(200)
        if not is_ours:
            await self._site.mark(key, issue.INCIDENT_PROPERTY, issue.mark_of(message))
        refused = await self._move(key, workflow.status_of(fields.get("status")), message)
        if refused is not None:
            return refused
        await self._comment(key, message, mark, again=again)
        return Delivered(200)

    async def _provide(self, message: Message) -> Outcome:
        """Looks for the issue, and creates one only where there can be none."""
        query = issue.jql(self._settings.project_key, message.incident_id)
        found = await self._site.find(query)
        if found is not None:
            await self._memory.bind(found)
            return Delivered(200)
        now = self._now()
        if not creation.may_create(self._memory.begun_at, now):
            return _in_doubt((self._memory.begun_at or 0) + creation.SETTLING - now)
        await self._memory.begin(now)
        answer = await self._site.create(issue.new_issue(message, self._settings, self._public_url))
        outcome = meaning(answer)
        if isinstance(outcome, Delivered):
            assert isinstance(answer, Answer)
            key = said(answer).get("key")
            if isinstance(key, str) and key:
                await self._memory.bind(key)
                return outcome
            return Retry(error="answer_unreadable", status=answer.status)  # there is one: it will be found
        if not creation.is_in_doubt(answer):
            await self._memory.forget()
        return outcome

    async def _move(self, key: str, status: Status | None, message: Message) -> Outcome | None:
        """None where the issue stands where it should."""
        state = IncidentState(message.state)
        wanted = workflow.target_of(self._settings, state)
        if message.action is Action.UPDATE or status is None:
            return None
        if state is IncidentState.TRIGGERED and status.category != DONE:
            return None  # an acknowledgement that was withdrawn takes no work away from anybody
        self._operation = Operation.TRANSITION
        for _ in range(_STEPS_LIMIT):
            if workflow.needs_none(status, wanted, state):
                return None
            ways = workflow.transitions_of(await self._site.transitions(key))
            chosen = workflow.choose(ways, status, wanted)
            if chosen is None:
                return Refused(error="no_transition")
            await self._site.transition(key, chosen.document())
            if workflow.is_at(chosen.to, wanted) or workflow.is_named(chosen, wanted):
                return None
            status = chosen.to
        return Refused(error="no_transition")

    async def _comment(self, key: str, message: Message, mark: str, *, again: bool) -> None:
        self._operation = Operation.COMMENT
        if again and any(issue.bears(comment, mark) for comment in await self._site.comments(key)):
            return
        await self._site.comment(key, issue.new_comment(message, mark))


def _in_doubt(wait_ms: int) -> Retry:
    """Looked for in vain, and it is too early to believe it."""
    seconds = -(-wait_ms // SECOND)
    return Retry(error="creation_in_doubt", retry_after=RetryAfter(text=str(min(seconds, 30)), answered=None))
