"""Microsoft Teams by a flow of Power Automate that posts an adaptive card (adaptivecards.io, version 1.4)."""

from __future__ import annotations

import re
from typing import Any

from statuspulse.delivery import posting
from statuspulse.delivery.channel import Outcome, Refused
from statuspulse.delivery.posting import Post
from statuspulse.delivery.wording import details, headline, line, links, remarks, summary
from statuspulse.domain.channel_addresses import ChannelUrlError, TeamsWorkflow
from statuspulse.domain.message import Action, Message
from statuspulse.domain.secret import Secret
from statuspulse.domain.times import SECOND
from statuspulse.egress.http_client import HttpClient
from statuspulse.egress.policy import Purpose

_STYLES = {
    Action.ACKNOWLEDGE: "warning",
    Action.RESOLVE: "good",
    Action.TEST: "default",
    Action.NOTICE: "warning",
}
_TITLE_LIMIT = 200
_SUMMARY_LIMIT = 600
_DETAIL_LIMIT = 400
_REMARKS_LIMIT = 2500
# Text blocks and facts of a card read a subset of Markdown.
_MARKUP = re.compile(r"([\\*_\[\]()#`<>~|-])")


class TeamsChannel:
    """Starts the flow. Its answer says that it has begun, no more: what a flow does with a card we do not see."""

    # Four a second for each flow.
    spacing_ms = SECOND // 4
    groups = True

    def __init__(self, client: HttpClient, *, public_url: str) -> None:
        self._client = client
        self._public_url = public_url.rstrip("/")

    async def hand_over(self, address: Secret, message: Message, *, key: str) -> Outcome:  # noqa: ARG002
        """A flow knows no keys: a copy is a second card."""
        try:
            flow = TeamsWorkflow.of(address.reveal())
        except ChannelUrlError:
            return Refused(error="address_invalid")
        document = render(message, self._public_url)
        return await posting.deliver(self._client, Post.of(flow.url, document, Purpose.DELIVERY_WEBHOOK))


def render(message: Message, public_url: str) -> dict[str, Any]:
    """The message with its one card, far below the 28 KB that Teams takes."""
    title = {
        "type": "TextBlock",
        "text": _plain(headline(message), _TITLE_LIMIT),
        "weight": "Bolder",
        "size": "Large",
        "wrap": True,
    }
    body: list[dict[str, Any]] = [
        {"type": "Container", "style": _STYLES.get(message.action, "attention"), "bleed": True, "items": [title]}
    ]
    body += ({"type": "TextBlock", "text": _lines(text), "wrap": True} for text in remarks(message))
    facts = [{"title": name, "value": _plain(text, _DETAIL_LIMIT)} for name, text in details(message)]
    body.append({"type": "FactSet", "facts": facts})
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "fallbackText": _plain(summary(message), _SUMMARY_LIMIT),
        "msteams": {"width": "Full"},
        "body": body,
        "actions": [
            {"type": "Action.OpenUrl", "title": label, "url": url} for label, url in links(message, public_url)
        ],
    }
    return {
        "type": "message",
        "attachments": [
            {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
        ],
    }


def _plain(text: str, limit: int) -> str:
    return _MARKUP.sub(r"\\\1", line(text, limit))


def _lines(text: str) -> str:
    """A line end of a text block is two of ours."""
    return "\n\n".join(_plain(one, _REMARKS_LIMIT) for one in text[:_REMARKS_LIMIT].split("\n"))
