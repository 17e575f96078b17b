"""Keeps the issue of an incident where the incident is: found or created once, moved, commented on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from statuspulse.delivery.channel import Delivered, Outcome, Refused, Retry
from statuspulse.delivery.posting import said
from statuspulse.delivery.provider import Account, Push, Pushed
from statuspulse.delivery.providers.jira import creation, issue
from statuspulse.delivery.providers.jira.site import Shown, Site, SiteError, meaning
from statuspulse.domain.integration import Operation
from statuspulse.domain.jira import labels, workflow
from statuspulse.domain.jira.settings import DONE, NEW, Settings
from statuspulse.domain.secret import Secret
from statuspulse.domain.times import SECOND
from statuspulse.egress.http_client import Answer, HttpClient

# From "to do" over "in progress" to "done", and the look after it.
_STEPS_LIMIT = 3
_NEEDED = ("BROWSE_PROJECTS", "CREATE_ISSUES", "TRANSITION_ISSUES", "ADD_COMMENTS")
# Kept with an issue that we made: one that people made and linked has none.
_OURS = Secret("created")


class JiraProvider:
    """Issues link to pages below `public_url`; `clock` gives seconds of any monotonic clock."""

    # Jira asks for moderation in bursts, and limits the writes to one issue (developer.atlassian.com "Rate limiting").
    spacing_ms = SECOND // 5

    def __init__(self, client: HttpClient, *, public_url: str, clock: Callable[[], float]) -> None:
        self._client = client
        self._public_url = public_url.rstrip("/")
        self._clock = clock

    async def push(self, account: Account, push: Push) -> Outcome:
        try:
            task = _Task(self._site(account), Settings.of(account.config), push, self._public_url)
            return await task.run()
        except SiteError as error:
            return error.outcome

    async def test(self, account: Account, *, key: str, at: int) -> Outcome:  # noqa: ARG002 - nothing is written
        """Whether we are let in, may do what is needed in the project, and the project has such issues."""
        site, settings = self._site(account), Settings.of(account.config)
        try:
            author = await site.account_id()
            held = await site.permissions(settings.project_key, _NEEDED)
            for permission in _NEEDED:
                if permission not in held:
                    return Refused(error=f"permission_missing: {permission}", status=200)
            if settings.issue_type.casefold() not in await site.issue_types(settings.project_key):
                return Refused(error="issue_type_unknown", status=200)
        except SiteError as error:
            return error.outcome
        return Pushed(200, author=author)

    async def incidents_of(self, account: Account, external_id: str) -> Sequence[str]:
        """By its label: an issue that was moved to another project has another key."""
        try:
            incident_id = (await self._site(account).issue(external_id)).incident_id
        except SiteError:
            return ()
        return () if incident_id is None else (incident_id,)

    def _site(self, account: Account) -> Site:
        return Site(self._client, Settings.of(account.config), account.secrets["api_token"], clock=self._clock)


@dataclass(frozen=True, slots=True)
class _Task:
    """One push. It may be made again at any time, and changes nothing that is done. Raises SiteError."""

    site: Site
    settings: Settings
    asked: Push
    public_url: str

    async def run(self) -> Outcome:
        key = self.asked.known.external_id
        match self.asked.operation:
            case Operation.TRIGGER if key is None:
                return await self._provide()
            case _ if key is None:
                return Refused(error="issue_missing")
            case Operation.TRIGGER | Operation.LINK:
                return await self._greet(key)
            case _:
                return await self._follow(key)

    async def _provide(self) -> Outcome:
        """Looks for the issue, and creates one only where there can be none."""
        message = self.asked.message
        found = await self.site.find(labels.jql(self.settings.project_key, message.incident_id))
        if found is not None:
            return await self._is(found, Delivered(200))
        if not creation.may_create(self.asked.tried, self.asked.at):
            return Retry(error=creation.AWAITED, status=200)
        answer = await self.site.create(issue.new_issue(message, self.settings, self.public_url))
        outcome = meaning(answer)
        if isinstance(outcome, Delivered):
            assert isinstance(answer, Answer)
            key = said(answer).get("key")
            if isinstance(key, str) and key:
                return await self._is(key, outcome)
            return Retry(error=creation.UNANSWERED, status=answer.status)
        if creation.is_in_doubt(answer):
            assert isinstance(outcome, Retry)
            return replace(outcome, error=creation.UNANSWERED)
        return outcome

    async def _is(self, key: str, outcome: Delivered) -> Pushed:
        """Found or made; who we are is worth a look, since what we do there comes back as webhooks."""
        try:
            author = await self.site.account_id()
        except SiteError:
            author = None
        return Pushed(
            outcome.status, external_id=key, url=self.settings.browse_url(key), keep=_OURS, author=author or None
        )

    async def _greet(self, key: str) -> Outcome:
        """An issue that is known before we have made one: people linked theirs, or a webhook told us of ours."""
        shown = await self.site.issue(key)
        if shown.incident_id == self.asked.message.incident_id:
            return await self._is(shown.key, Delivered(200))
        await self.site.mark(shown.key, issue.INCIDENT_PROPERTY, issue.mark_of(self.asked.message))
        return await self._comment(shown.key)

    async def _follow(self, key: str) -> Outcome:
        shown = await self.site.issue(key)
        refused = await self._move(shown)
        return await self._comment(shown.key) if refused is None else refused

    async def _move(self, shown: Shown) -> Refused | None:
        """None where the issue stands where it should."""
        wanted, status = self._wanted(), shown.status
        for _ in range(_STEPS_LIMIT):
            if wanted is None or status is None or self._is_enough(status, wanted):
                return None
            ways = workflow.transitions_of(await self.site.transitions(shown.key))
            chosen = workflow.choose(ways, status, wanted)
            if chosen is None and self.asked.repeated and status.category != NEW:
                return None  # a transition that is asked for by its name was made by the try before
            if chosen is None:
                break
            await self.site.transition(shown.key, chosen.document())
            if workflow.is_named(chosen, wanted):
                return None
            status = chosen.to
        return Refused(error="no_transition", status=200)

    def _wanted(self) -> str | None:
        """Where the issue belongs. An acknowledgement that is withdrawn takes no work away from anybody."""
        match self.asked.operation:
            case Operation.ACKNOWLEDGE:
                return self.settings.acknowledged
            case Operation.RESOLVE:
                return self.settings.resolved
            case Operation.REOPEN:
                return NEW
            case _:
                return None

    def _is_enough(self, status: workflow.Status, wanted: str) -> bool:
        """What people have finished is not begun again for them, and what they began again needs no more."""
        if self.asked.operation is Operation.REOPEN:
            return status.category != DONE
        return workflow.is_at(status, wanted) or status.category == DONE

    async def _comment(self, key: str) -> Pushed:
        mark = self.asked.key
        url = self.settings.browse_url(key)
        if self.asked.repeated and any(issue.bears(one, mark) for one in await self.site.comments(key)):
            return Pushed(200, external_id=key, url=url)
        author = await self.site.comment(key, issue.new_comment(self.asked.operation, self.asked.message, mark))
        return Pushed(201, external_id=key, url=url, author=author)
