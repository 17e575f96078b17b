"""ntfy: one push message for each change (docs.ntfy.sh "Publish as JSON")."""

from __future__ import annotations

import base64
import json
from typing import Any

from statuspulse.delivery import posting
from statuspulse.delivery.channel import Outcome, Refused
from statuspulse.delivery.posting import Post
from statuspulse.delivery.wording import details, headline, line, links, remarks, summary
from statuspulse.domain.channel_addresses import ChannelUrlError, NtfyTopic
from statuspulse.domain.message import Action, Message
from statuspulse.domain.secret import Secret
from statuspulse.domain.times import SECOND
from statuspulse.egress.http_client import HttpClient
from statuspulse.egress.policy import Purpose

_TITLE_LIMIT = 200
_DETAIL_LIMIT = 200
_REMARKS_LIMIT = 2000
_MESSAGE_BYTES = 4096
_PRIORITIES = {"critical": 5, "error": 4, "warning": 3, "info": 2}
_TAGS = {Action.TRIGGER: "rotating_light", Action.UPDATE: "rotating_light", Action.RESOLVE: "white_check_mark"}


class NtfyChannel:
    """Publishes to the server that the topic's URL names."""

    spacing_ms = SECOND
    groups = True

    def __init__(self, client: HttpClient, *, public_url: str) -> None:
        self._client = client
        self._public_url = public_url.rstrip("/")

    async def hand_over(self, address: Secret, message: Message, *, key: str) -> Outcome:  # noqa: ARG002
        """ntfy knows no keys: a copy is a second message."""
        try:
            topic = NtfyTopic.of(address.reveal())
        except ChannelUrlError:
            return Refused(error="address_invalid")
        body = json.dumps(render(message, topic.topic, self._public_url), ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json", **_signs_in(topic)}
        return await posting.deliver(self._client, Post(topic.url, body, headers, Purpose.DELIVERY_WEBHOOK))


def render(message: Message, topic: str, public_url: str) -> dict[str, Any]:
    """The body of the request; the text is plain, since `markdown` is left out."""
    lines = [line(summary(message), _REMARKS_LIMIT)]
    lines += [line(one, _DETAIL_LIMIT) for text in remarks(message) for one in text[:_REMARKS_LIMIT].split("\n")]
    lines += [f"{name}: {line(text, _DETAIL_LIMIT)}" for name, text in details(message)]
    ways = links(message, public_url)
    return {
        "topic": topic,
        "title": line(headline(message), _TITLE_LIMIT),
        # A longer message becomes a file that nobody opens at night.
        "message": "\n".join(lines).encode()[:_MESSAGE_BYTES].decode(errors="ignore"),
        "priority": _PRIORITIES[message.severity] if message.action is Action.TRIGGER else 3,
        "tags": [_TAGS.get(message.action, "information_source")],
        **({"click": ways[0][1]} if ways else {}),
        "actions": [{"action": "view", "label": label, "url": url} for label, url in ways],
    }


def _signs_in(topic: NtfyTopic) -> dict[str, str]:
    if topic.token:
        return {"Authorization": f"Bearer {topic.token}"}
    if topic.user:
        pair = base64.b64encode(f"{topic.user}:{topic.password}".encode()).decode()
        return {"Authorization": f"Basic {pair}"}
    return {}
