"""Discord's webhooks: one embed for each change (discord.com/developers "Execute Webhook")."""

from __future__ import annotations

import re
from typing import Any

from statuspulse.delivery import posting
from statuspulse.delivery.channel import Outcome, Refused, Retry
from statuspulse.delivery.posting import Post
from statuspulse.delivery.wording import details, headline, line, links, remarks, summary
from statuspulse.domain.channel_addresses import ChannelUrlError, DiscordHook
from statuspulse.domain.message import Action, Message
from statuspulse.domain.secret import Secret
from statuspulse.domain.times import SECOND, to_text
from statuspulse.egress.http_client import HttpClient
from statuspulse.egress.policy import Purpose

_COLOURS = {Action.ACKNOWLEDGE: 0xF79009, Action.RESOLVE: 0x079455, Action.TEST: 0x667085, Action.NOTICE: 0xF79009}
_RED = 0xD92D20
# Discord counts 6000 characters over all of an embed; escapes double what is below.
_TITLE_LIMIT = 120
_CONTENT_LIMIT = 500
_FIELD_LIMIT = 200
_REMARKS_LIMIT = 350
_DIGEST_LIMIT = 1600
_MARKUP = re.compile(r"([\\*_~`|>#\[\]()<:@-])")


class DiscordChannel:
    """Posts to hooks below `base_url`; messages link to pages below `public_url`."""

    # Five in two seconds for each hook, and thirty a minute for each channel.
    spacing_ms = 2 * SECOND
    groups = True

    def __init__(self, client: HttpClient, *, base_url: str, public_url: str) -> None:
        self._client = client
        self._base_url = base_url.rstrip("/")
        self._public_url = public_url.rstrip("/")

    async def hand_over(self, address: Secret, message: Message, *, key: str) -> Outcome:  # noqa: ARG002
        """Discord knows no keys: a copy is a second message."""
        try:
            hook = DiscordHook.of(address.reveal())
        except ChannelUrlError:
            return Refused(error="address_invalid")
        url = f"{self._base_url}/api/webhooks/{hook.hook}/{hook.token}?wait=true"
        post = Post.of(url, render(message, self._public_url), Purpose.DELIVERY_DISCORD)
        answer = await posting.send(self._client, post)
        if isinstance(answer, Retry):
            return answer
        told = posting.seconds(posting.said(answer).get("retry_after")) if answer.status == 429 else None
        return posting.judge(answer, told)


def render(message: Message, public_url: str) -> dict[str, Any]:
    """The body of the request. Nothing in it mentions anybody, and every text is data."""
    ways = links(message, public_url)
    limit = _DIGEST_LIMIT if message.action is Action.DIGEST else _REMARKS_LIMIT
    embed: dict[str, Any] = {
        "title": _plain(headline(message), _TITLE_LIMIT),
        **({"url": ways[0][1]} if ways else {}),
        "color": _COLOURS.get(message.action, _RED),
        "timestamp": to_text(message.facts.since or message.at),
        "fields": [
            {"name": name, "value": _plain(text, _FIELD_LIMIT) or "–", "inline": len(text) <= 40}
            for name, text in details(message)
        ],
    }
    description = [_plain_lines(text, limit) for text in remarks(message)]
    # A link in angle brackets is not looked up, so that the runbook's host hears of nothing.
    description += [f"{label}: <{url}>" for label, url in ways[1:] if len(url) <= 1000]
    if description:
        embed["description"] = "\n".join(description)
    return {"content": _plain(summary(message), _CONTENT_LIMIT), "embeds": [embed], "allowed_mentions": {"parse": []}}


def _plain(text: str, limit: int) -> str:
    """Shows as it is: what would be markup is escaped."""
    return _MARKUP.sub(r"\\\1", line(text, limit))


def _plain_lines(text: str, limit: int) -> str:
    return "\n".join(_plain(one, limit) for one in text[:limit].split("\n"))
