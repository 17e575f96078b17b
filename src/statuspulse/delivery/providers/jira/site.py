"""The calls to a Jira site: each one request, its answer read or its outcome told."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from statuspulse.delivery.channel import ATTEMPT_SECONDS, Delivered, Outcome, Refused, Retry
from statuspulse.delivery.posting import judge, said
from statuspulse.domain.jira.labels import incident_of
from statuspulse.domain.jira.settings import Settings
from statuspulse.domain.jira.workflow import Status, status_of
from statuspulse.domain.secret import Secret
from statuspulse.egress.http_client import Answer, HttpClient, Unreachable, UnreachableKind
from statuspulse.egress.policy import Purpose

_API = "/rest/api/3"
# A mark stands among the newest comments: it is looked for minutes after it was written.
_COMMENTS = 20
# Transitions come with every value that their fields allow, comments with all that people wrote.
_LONG_ANSWER_BYTES = 1 << 18


class SiteError(Exception):
    """A call that gave nothing to go on with; `outcome` says whether it is worth another."""

    def __init__(self, outcome: Retry | Refused) -> None:
        super().__init__(outcome.error)
        self.outcome = outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """An issue as it is now; `incident_id` is what its label names."""

    key: str
    status: Status | None
    incident_id: str | None


class Site:
    """One Jira, spoken to as one user, for as long as one attempt may take. All but `create` raise SiteError.

    `clock` gives seconds of any monotonic clock.
    """

    def __init__(
        self, client: HttpClient, settings: Settings, api_token: Secret, *, clock: Callable[[], float]
    ) -> None:
        self._client = client
        self._base_url = settings.base_url
        pair = f"{settings.email}:{api_token.reveal()}".encode()
        self._authorization = "Basic " + base64.b64encode(pair).decode()
        self._clock = clock
        self._deadline = clock() + ATTEMPT_SECONDS

    async def account_id(self) -> str:
        """Who we are there."""
        found = (await self._get("/myself")).get("accountId")
        return found if isinstance(found, str) else ""

    async def permissions(self, project_key: str, wanted: tuple[str, ...]) -> set[str]:
        """Which of the permissions we have in the project."""
        query = urlencode({"projectKey": project_key, "permissions": ",".join(wanted)})
        answered = (await self._get(f"/mypermissions?{query}")).get("permissions")
        found = answered if isinstance(answered, dict) else {}
        return {name for name in wanted if isinstance(found.get(name), dict) and found[name].get("havePermission")}

    async def issue_types(self, project_key: str) -> set[str]:
        """The ids of the project's types of issue, and their names in lower case."""
        answered = (await self._get(f"/issue/createmeta/{project_key}/issuetypes")).get("issueTypes")
        found = [each for each in answered if isinstance(each, dict)] if isinstance(answered, list) else []
        return {str(each.get(name, "")).casefold() for each in found for name in ("id", "name")}

    async def find(self, jql: str) -> str | None:
        """The key of the first issue that the index knows."""
        answer = await self._read("POST", "/search/jql", {"jql": jql, "fields": ["key"], "maxResults": 2})
        issues = answer.get("issues")
        first = issues[0] if isinstance(issues, list) and issues else None
        key = first.get("key") if isinstance(first, dict) else None
        return key if isinstance(key, str) else None

    async def create(self, document: Mapping[str, Any]) -> Answer | Unreachable:
        """As it was answered: what an answer means for a second try is not for the call to say."""
        return await self._call("POST", "/issue", document)

    async def issue(self, key: str) -> Shown:
        """Where an issue stands; one that was moved to another project is found by its old key, and has a new one."""
        answer = await self._get(f"/issue/{quote(key, safe='')}?fields=status,labels")
        found = answer.get("fields")
        fields = found if isinstance(found, dict) else {}
        labels, current = fields.get("labels"), answer.get("key")
        return Shown(
            key=current if isinstance(current, str) and current else key,
            status=status_of(fields.get("status")),
            incident_id=incident_of(labels if isinstance(labels, list) else ()),
        )

    async def transitions(self, key: str) -> Mapping[str, Any]:
        """The ways on, with what they demand."""
        return await self._get(f"/issue/{quote(key, safe='')}/transitions?expand=transitions.fields")

    async def transition(self, key: str, document: Mapping[str, Any]) -> None:
        await self._read("POST", f"/issue/{quote(key, safe='')}/transitions", document)

    async def comment(self, key: str, document: Mapping[str, Any]) -> str | None:
        """Answers who wrote it, where Jira says so: that is us."""
        author = (await self._read("POST", f"/issue/{quote(key, safe='')}/comment", document)).get("author")
        found = author.get("accountId") if isinstance(author, dict) else None
        return found if isinstance(found, str) else None

    async def comments(self, key: str) -> list[object]:
        """The newest ones, with their properties."""
        query = urlencode({"orderBy": "-created", "expand": "properties", "maxResults": _COMMENTS})
        found = (await self._get(f"/issue/{quote(key, safe='')}/comment?{query}")).get("comments")
        return found if isinstance(found, list) else []

    async def mark(self, key: str, name: str, value: Mapping[str, Any]) -> None:
        """Sets a property of an issue, which people do not see and other programs find."""
        await self._read("PUT", f"/issue/{quote(key, safe='')}/properties/{quote(name, safe='')}", value)

    async def _call(self, method: str, path: str, document: Mapping[str, Any] | None = None) -> Answer | Unreachable:
        left = self._deadline - self._clock()
        if left <= 0:
            return Unreachable(kind=UnreachableKind.TIMEOUT, text="the attempt had no time left")
        headers = {"Authorization": self._authorization, "Accept": "application/json"}
        body = None
        if document is not None:
            headers["Content-Type"] = "application/json"
            body = json.dumps(document, ensure_ascii=False).encode()
        return await self._client.request(
            method=method,
            url=self._base_url + _API + path,
            headers=headers,
            body=body,
            purpose=Purpose.DELIVERY_JIRA,
            timeout_s=left,
            max_bytes=_LONG_ANSWER_BYTES,
        )

    async def _get(self, path: str) -> dict[str, Any]:
        return await self._read("GET", path)

    async def _read(self, method: str, path: str, document: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The object of an answer, empty where a success says nothing: some of 201 and 204 do not."""
        answer = await self._call(method, path, document)
        outcome = meaning(answer)
        if isinstance(outcome, Retry | Refused):
            raise SiteError(outcome)
        assert isinstance(answer, Answer)
        return said(answer)


def meaning(answer: Answer | Unreachable) -> Outcome:
    """What an answer of Jira means. A refusal names the fields that were refused, and no other word of the answer."""
    if isinstance(answer, Unreachable):
        return Retry(error=answer.kind.value)
    outcome = judge(answer)
    if isinstance(outcome, Delivered) or answer.status != 400:
        return outcome
    named = said(answer).get("errors")
    fields = sorted(_KNOWN_FIELDS & set(named)) if isinstance(named, dict) else []
    return Refused(error=f"field_refused: {', '.join(fields)}" if fields else "http_400", status=400)


_KNOWN_FIELDS = frozenset(
    {"comment", "description", "issuetype", "labels", "priority", "project", "properties", "resolution", "summary"}
)
