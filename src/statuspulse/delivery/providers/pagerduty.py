"""PagerDuty: alerts of ours by Events API v2, everything else by its REST API.

Sources: developer.pagerduty.com "Send an Alert Event", "Update an incident", "Create a note on an incident".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from statuspulse.delivery import posting
from statuspulse.delivery.channel import ATTEMPT_SECONDS, Delivered, Outcome, Refused, Retry
from statuspulse.delivery.channels.pagerduty import EU_URL, US_URL, end, render
from statuspulse.delivery.posting import Post
from statuspulse.delivery.provider import Account, Push, Pushed
from statuspulse.domain.integration import Operation, mirrored
from statuspulse.domain.message import Action, Message
from statuspulse.domain.secret import Secret
from statuspulse.domain.times import MINUTE
from statuspulse.egress.http_client import Answer, HttpClient
from statuspulse.egress.policy import Purpose

US_API = "https://api.pagerduty.com"
EU_API = "https://api.eu.pagerduty.com"

_NOTE_LIMIT = 25_000
# Lists of notes and alerts are longer than what a channel answers.
_ANSWER_BYTES = 1 << 20
_ACTIONS = {Operation.ACKNOWLEDGE: "acknowledge", Operation.RESOLVE: "resolve"}
_STATUSES = {
    Operation.ACKNOWLEDGE: "acknowledged",
    Operation.RESOLVE: "resolved",
    Operation.UNACKNOWLEDGE: "triggered",
}
_MACHINE = "StatusPulse"


@dataclass(frozen=True, slots=True)
class _Rest:
    """The REST API for one attempt, which all of its calls share the time of."""

    client: HttpClient
    base: str
    token: Secret
    sender: str
    deadline: float
    clock: Callable[[], float]

    async def call(self, method: str, path: str, document: Mapping[str, Any] | None = None) -> dict[str, Any] | Outcome:
        """The object that was answered, or why there is none."""
        left = self.deadline - self.clock()
        if left <= 0:
            return Retry(error="timeout")
        headers = {
            "Accept": "application/vnd.pagerduty+json;version=2",
            "Authorization": f"Token token={self.token.reveal()}",
            "Content-Type": "application/json",
            "From": self.sender,
        }
        body = None if document is None else json.dumps(document, ensure_ascii=False).encode()
        post = Post(self.base + path, body, headers, Purpose.DELIVERY_PAGERDUTY, method)
        answer = await posting.send(self.client, post, timeout_s=left, max_bytes=_ANSWER_BYTES)
        if isinstance(answer, Retry):
            return answer
        outcome = posting.judge(answer, _asked_wait(answer))
        return posting.said(answer) if isinstance(outcome, Delivered) else outcome


class PagerDutyProvider:
    """Sends to `events_url` and `api_url`, or where those are PagerDuty's own to the ones of the account's region.

    `clock` gives seconds of the loop's time.
    """

    # 120 a minute for each routing key; above it events are refused for the rest of the minute.
    spacing_ms = MINUTE // 120

    def __init__(
        self, client: HttpClient, *, events_url: str, api_url: str, public_url: str, clock: Callable[[], float]
    ) -> None:
        self._client = client
        self._events_url = events_url
        self._api_url = api_url
        self._public_url = public_url.rstrip("/")
        self._clock = clock

    async def push(self, account: Account, push: Push) -> Outcome:
        if push.operation is Operation.NOTE:
            return await self._note(account, push)
        is_theirs = push.known.opened and push.known.kept is None
        if push.operation is Operation.REOPEN or not push.known.opened:
            return await self._trigger(account, push)
        if is_theirs or (push.operation is Operation.UNACKNOWLEDGE and push.known.external_id and _has_rest(account)):
            return await self._set_status(account, push)
        if push.operation is Operation.UNACKNOWLEDGE:
            return await self._trigger(account, push)
        return await self._end(account, push)

    async def test(self, account: Account, *, key: str, at: int) -> Outcome:
        """An alert of the lowest severity that is over at once, and with REST whether the sender is a user there."""
        message = Message.without_incident(Action.TEST, "StatusPulse works", at=at, actor=_MACHINE)
        routing_key = account.secrets["routing_key"].reveal()
        outcome = await self._send(account, render(message, routing_key, key, self._public_url))
        if isinstance(outcome, Delivered):
            outcome = await self._send(account, end(routing_key, key, "resolve"))
        if not isinstance(outcome, Delivered) or not _has_rest(account):
            return outcome
        sender = account.config["rest"]["from_email"]
        found = await self._rest(account).call("GET", f"/users?query={quote(sender)}&limit=100")
        if not isinstance(found, dict):
            return found
        for user in _objects(found, "users"):
            if str(user.get("email", "")).lower() == sender.lower():
                return Pushed(200, author=_text(user, "id"))
        return Refused(error="from_email_unknown", status=200)

    async def incidents_of(self, account: Account, external_id: str) -> Sequence[str]:
        """By the keys of its alerts: grouped and merged ones do not carry ours as the key of the incident."""
        if not _has_rest(account):
            return ()
        found = await self._rest(account).call("GET", f"/incidents/{quote(external_id, safe='')}/alerts")
        if not isinstance(found, dict):
            return ()
        return [key for alert in _objects(found, "alerts") if (key := _text(alert, "alert_key"))]

    async def _trigger(self, account: Account, push: Push) -> Outcome:
        """Opens an alert under the key that the account has now, which its end will need again."""
        routing_key = account.secrets["routing_key"]
        if push.operation is Operation.UNACKNOWLEDGE and push.known.kept is not None:
            routing_key = push.known.kept
        message = replace(push.message, action=Action.TRIGGER, severity=_severity(account, push.message.severity))
        outcome = await self._send(account, render(message, routing_key.reveal(), push.key, self._public_url))
        if not isinstance(outcome, Delivered):
            return outcome
        # An alert that is triggered again opens another incident there; what was linked before is history.
        is_new = push.operation is Operation.REOPEN
        return Pushed(outcome.status, keep=routing_key, detached=is_new)

    async def _end(self, account: Account, push: Push) -> Outcome:
        """PagerDuty drops in silence what comes under another key than the trigger's."""
        assert push.known.kept is not None
        event = end(push.known.kept.reveal(), push.message.incident_id, _ACTIONS[push.operation])
        outcome = await self._send(account, event)
        return Pushed(outcome.status) if isinstance(outcome, Delivered) else outcome

    async def _set_status(self, account: Account, push: Push) -> Outcome:
        """Looks first: an acknowledgement of what is resolved would open it again."""
        if not _has_rest(account) or push.known.external_id is None:
            return Refused(error="rest_missing")
        rest, wanted = self._rest(account), _STATUSES[push.operation]
        path = f"/incidents/{quote(push.known.external_id, safe='')}"
        found = await rest.call("GET", path)
        if not isinstance(found, dict):
            return found
        incident = _object(found, "incident")
        url = _text(incident, "html_url")
        if incident.get("status") in {wanted, "resolved"}:
            return Pushed(200, external_id=push.known.external_id, url=url)
        change = {"incident": {"type": "incident_reference", "status": wanted}}
        changed = await rest.call("PUT", path, change)
        if not isinstance(changed, dict):
            return changed
        by = _object(_object(changed, "incident"), "last_status_change_by")
        author = _text(by, "id") if by.get("type") == "user_reference" else None
        return Pushed(200, external_id=push.known.external_id, url=url, author=author)

    async def _note(self, account: Account, push: Push) -> Outcome:
        note = push.message.facts.note
        if note is None or not _has_rest(account):
            return Pushed(200)
        text = mirrored(note, push.message.actor)[:_NOTE_LIMIT]
        rest = self._rest(account)
        found = await self._external(rest, push)
        if not isinstance(found, Pushed):
            return found
        path = f"/incidents/{quote(found.external_id or '', safe='')}/notes"
        if push.repeated:
            notes = await rest.call("GET", path)
            if not isinstance(notes, dict):
                return notes
            if any(note.get("content") == text for note in _objects(notes, "notes")):
                return found
        made = await rest.call("POST", path, {"note": {"content": text}})
        if not isinstance(made, dict):
            return made
        return replace(found, author=_text(_object(_object(made, "note"), "user"), "id"))

    async def _external(self, rest: _Rest, push: Push) -> Outcome:
        """The incident there, an open one first; of those that are over the newest.

        An alert becomes one a moment after it was taken: it is looked for twice.
        """
        if push.known.external_id is not None:
            return Pushed(200, external_id=push.known.external_id)
        key = quote(push.message.incident_id, safe="")
        statuses = "&".join(f"statuses[]={status}" for status in ("triggered", "acknowledged", "resolved"))
        found = await rest.call("GET", f"/incidents?incident_key={key}&{statuses}&sort_by=created_at:desc")
        if not isinstance(found, dict):
            return found
        by_age = _objects(found, "incidents")
        for incident in sorted(by_age, key=lambda one: one.get("status") == "resolved"):
            if (external_id := _text(incident, "id")) is not None:
                return Pushed(200, external_id=external_id, url=_text(incident, "html_url"))
        error = "incident_not_found"
        return Refused(error=error, status=200) if push.repeated else Retry(error=error, status=200)

    async def _send(self, account: Account, event: dict[str, Any]) -> Outcome:
        is_own = self._events_url == US_URL
        url = EU_URL if is_own and account.config["region"] == "eu" else self._events_url
        return await posting.deliver(self._client, Post.of(url, event, Purpose.DELIVERY_PAGERDUTY))

    def _rest(self, account: Account) -> _Rest:
        is_own = self._api_url == US_API
        return _Rest(
            client=self._client,
            base=EU_API if is_own and account.config["region"] == "eu" else self._api_url,
            token=account.secrets["api_token"],
            sender=account.config["rest"]["from_email"],
            deadline=self._clock() + ATTEMPT_SECONDS,
            clock=self._clock,
        )


def _has_rest(account: Account) -> bool:
    return account.config["rest"] is not None


def _severity(account: Account, severity: str) -> str:
    mapped: str = account.config["severity_map"].get(severity, severity)
    return mapped


def _asked_wait(answer: Answer) -> Any:
    """A 429 names its wait in `ratelimit-reset`, in seconds, where it has no `Retry-After`."""
    reset = answer.headers.get("ratelimit-reset", "")
    if answer.status != 429 or "retry-after" in answer.headers or not (reset.isascii() and reset.isdecimal()):
        return None
    return posting.seconds(int(reset[:9]))


def _object(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = document.get(name)
    return found if isinstance(found, dict) else {}


def _objects(document: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    found = document.get(name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _text(document: Mapping[str, Any], name: str) -> str | None:
    found = document.get(name)
    return found if isinstance(found, str) and found else None
