"""Slack's incoming webhooks: one message per change of an incident (api.slack.com/messaging/webhooks)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from statuspulse.delivery.channel import ANSWER_BYTES, ATTEMPT_SECONDS, Delivered, Outcome, Refused, Retry
from statuspulse.delivery.wording import flapping, headline, links, region_share, summary
from statuspulse.domain.backoff import RetryAfter
from statuspulse.domain.channel_addresses import ChannelUrlError, SlackHook
from statuspulse.domain.durations import duration
from statuspulse.domain.message import Action, Message
from statuspulse.domain.secret import Secret
from statuspulse.domain.times import SECOND, to_datetime
from statuspulse.egress.http_client import Answer, HttpClient, Unreachable
from statuspulse.egress.policy import Purpose

_COLOURS = {
    Action.TRIGGER: "#d92d20",
    Action.ACKNOWLEDGE: "#f79009",
    Action.RESOLVE: "#079455",
    Action.UPDATE: "#d92d20",
    Action.TEST: "#667085",
    Action.DIGEST: "#d92d20",
    Action.NOTICE: "#f79009",
}
_HEADERS = {"Content-Type": "application/json; charset=utf-8", "Accept": "text/plain"}

# Slack takes a header of 150 characters, sections of 3000 and 10 fields of 2000, but of the whole message only about
# 13,000: these keep the sum of what a target or a user can fill below that, escapes included.
_SUMMARY_LIMIT = 600
_HEADER_LIMIT = 150
_TEXT_LIMIT = 700
_FIELD_LIMIT = 250
_DIGEST_LIMIT = 1900
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}

# Words by which Slack refuses for good, whatever the status beside them.
_REFUSALS = frozenset(
    {
        "action_prohibited",
        "channel_is_archived",
        "channel_not_found",
        "invalid_blocks",
        "invalid_payload",
        "invalid_token",
        "missing_text_or_fallback_or_attachments",
        "msg_blocks_too_long",
        "no_active_hooks",
        "no_service",
        "no_team",
        "no_text",
        "posting_to_general_channel_denied",
        "too_many_attachments",
        "user_not_found",
    }
)
_DELAYS = frozenset({"rate_limited", "rollup_error"})
_REFUSING_STATUSES = frozenset({400, 401, 403, 404, 410})


class SlackChannel:
    """Posts to hooks below `base_url`; messages link to pages below `public_url`."""

    # About one message a second and hook; lasting excess can get the app disabled.
    spacing_ms = SECOND
    groups = True

    def __init__(self, client: HttpClient, *, base_url: str, public_url: str) -> None:
        self._client = client
        self._base_url = base_url.rstrip("/")
        self._public_url = public_url.rstrip("/")

    async def hand_over(self, address: Secret, message: Message, *, key: str) -> Outcome:  # noqa: ARG002
        """Slack knows no keys: a copy is a second message."""
        try:
            hook = SlackHook.of(address.reveal())
        except ChannelUrlError:
            return Refused(error="address_invalid")
        answer = await self._client.request(
            method="POST",
            url=self._base_url + hook.path,
            headers=_HEADERS,
            body=json.dumps(render(message, self._public_url), ensure_ascii=False).encode(),
            purpose=Purpose.DELIVERY_SLACK,
            timeout_s=ATTEMPT_SECONDS,
            max_bytes=ANSWER_BYTES,
        )
        return Retry(error=answer.kind.value) if isinstance(answer, Unreachable) else judge(answer)


def judge(answer: Answer) -> Outcome:
    """What an answer means. Slack's own words decide before the status; no other text of an answer is taken over."""
    said = answer.body.strip().decode("ascii", "replace")
    if answer.status == 200 and said == "ok":
        return Delivered(answer.status)
    if said in _REFUSALS:
        return Refused(error=said, status=answer.status)
    error = said if said in _DELAYS else f"http_{answer.status}"
    if answer.status in _REFUSING_STATUSES and said not in _DELAYS:
        return Refused(error=error, status=answer.status)
    if answer.status == 200:
        error = "unexpected_answer"
    told = answer.headers.get("retry-after")
    retry_after = None if told is None else RetryAfter(text=told, answered=answer.headers.get("date"))
    return Retry(error=error, status=answer.status, retry_after=retry_after)


def render(message: Message, public_url: str) -> dict[str, Any]:
    """The body of the request. Every text is data: what looks like a mention or a link in it stays text."""
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": _escaped(headline(message), _HEADER_LIMIT)}}
    ]
    note_limit = _DIGEST_LIMIT if message.action is Action.DIGEST else _TEXT_LIMIT
    blocks += (
        {"type": "section", "text": _markup(_lines(text, limit))}
        for text, limit in (
            (message.facts.reason, _TEXT_LIMIT),
            (flapping(message.facts), _TEXT_LIMIT),
            (message.facts.note, note_limit),
        )
        if text
    )
    blocks.append({"type": "section", "fields": list(_fields(message))})
    if buttons := list(_buttons(message, public_url)):
        blocks.append({"type": "actions", "elements": buttons})
    return {
        # What phones and screen readers show.
        "text": _escaped(summary(message), _SUMMARY_LIMIT),
        "attachments": [{"color": _COLOURS[message.action], "blocks": blocks}],
        "unfurl_links": False,
        "unfurl_media": False,
    }


def _fields(message: Message) -> Iterable[dict[str, Any]]:
    """At most eight."""
    facts = message.facts
    if message.action.is_of_incident:
        yield _field("Incident", message.incident_id)
    yield _markup(f"*{'At' if facts.since is None else 'Since'}*\n{_moment(facts.since or message.at)}")
    if facts.subject is not None:
        yield _field("Monitor", facts.subject.name)
        yield _field("Target", facts.subject.target)
    if message.action is Action.TRIGGER:
        yield _field("Severity", message.severity)
    if (share := region_share(facts)) is not None:
        yield _field("Failing", f"{share}: {', '.join(facts.failing_regions)}")
    if message.action is Action.RESOLVE and facts.downtime_ms is not None:
        yield _field("Downtime", duration(facts.downtime_ms))
    if message.action in (Action.ACKNOWLEDGE, Action.RESOLVE):
        yield _field("By", message.actor)
    if message.assignee is not None:
        yield _field("Assignee", message.assignee)


def _buttons(message: Message, public_url: str) -> Iterable[dict[str, Any]]:
    """Slack takes no block of actions without any."""
    for label, url in links(message, public_url):
        yield _button(label, url)


def _button(label: str, url: str) -> dict[str, Any]:
    return {"type": "button", "text": {"type": "plain_text", "text": label}, "url": url}


def _field(name: str, text: str) -> dict[str, Any]:
    return _markup(f"*{name}*\n{_escaped(text, _FIELD_LIMIT)}")


def _markup(text: str) -> dict[str, Any]:
    """Verbatim: names of people and channels and bare addresses are not made into mentions and links."""
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _moment(at: int) -> str:
    """The instant in each reader's own zone; the last part is for clients that cannot."""
    return f"<!date^{at // SECOND}^{{date_short}} {{time_secs}}|{to_datetime(at):%H:%M:%SZ}>"


def _lines(text: str, limit: int) -> str:
    """As `_escaped`, and line ends stay."""
    shown: list[str] = []
    for one in text.split("\n"):
        room = limit - sum(len(known) + 1 for known in shown)
        if room <= 1:
            break
        shown.append(_escaped(one, room))
    return "\n".join(shown)


def _escaped(text: str, limit: int) -> str:
    """At most `limit` characters of Slack's text that show as the given one; never ends inside an escape."""
    shown: list[str] = []
    room = limit
    for char in text:
        escaped = _ESCAPES.get(char, char if char.isprintable() else " ")
        room -= len(escaped)
        if room < 0:
            return _marked_cut(shown, limit)
        shown.append(escaped)
    return "".join(shown)


def _marked_cut(shown: list[str], limit: int) -> str:
    """Makes room for the mark that something is missing."""
    size = sum(map(len, shown))
    while size >= limit:
        size -= len(shown.pop())
    return "".join(shown) + "…"
