"""Telegram's bots: plain text, so that nothing in it can be markup (core.telegram.org "sendMessage")."""

from __future__ import annotations

from typing import Any

from statuspulse.delivery import posting
from statuspulse.delivery.channel import Delivered, Outcome, Refused, Retry
from statuspulse.delivery.posting import Post
from statuspulse.delivery.wording import details, line, links, remarks, summary
from statuspulse.domain.channel_addresses import ChannelUrlError, TelegramChat
from statuspulse.domain.message import Message
from statuspulse.domain.secret import Secret
from statuspulse.domain.times import SECOND
from statuspulse.egress.http_client import Answer, HttpClient
from statuspulse.egress.policy import Purpose

_SUMMARY_LIMIT = 600
_DETAIL_LIMIT = 300
_REMARKS_LIMIT = 2500
_TEXT_LIMIT = 4096
# A bare @name would call somebody, and a bare word with a dot would become a link.
_BREAKERS = str.maketrans({"@": "@\u2060", "/": "/\u2060"})


class TelegramChannel:
    """Calls bots below `base_url`. The token stands in the path, so that no URL of a call is ever shown."""

    spacing_ms = SECOND
    groups = True

    def __init__(self, client: HttpClient, *, base_url: str, public_url: str) -> None:
        self._client = client
        self._base_url = base_url.rstrip("/")
        self._public_url = public_url.rstrip("/")

    async def hand_over(self, address: Secret, message: Message, *, key: str) -> Outcome:  # noqa: ARG002
        """Telegram knows no keys: a copy is a second message."""
        try:
            chat = TelegramChat.of(address.reveal())
        except ChannelUrlError:
            return Refused(error="address_invalid")
        url = f"{self._base_url}/bot{chat.bot}:{chat.token}/sendMessage"
        post = Post.of(url, render(message, chat.chat, self._public_url), Purpose.DELIVERY_TELEGRAM)
        answer = await posting.send(self._client, post)
        return answer if isinstance(answer, Retry) else judge(answer)


def judge(answer: Answer) -> Outcome:
    """200 alone says nothing: the object has to say `ok`."""
    document = posting.said(answer)
    if answer.status == 200 and document.get("ok") is not True:
        return Retry(error="unexpected_answer", status=answer.status)
    parameters = document.get("parameters")
    told = parameters.get("retry_after") if isinstance(parameters, dict) else None
    outcome = posting.judge(answer, posting.seconds(told) if answer.status == 429 else None)
    return Delivered(answer.status) if isinstance(outcome, Delivered) else outcome


def render(message: Message, chat: str, public_url: str) -> dict[str, Any]:
    """The body of the request; no parse mode."""
    lines = [_plain(summary(message), _SUMMARY_LIMIT), ""]
    lines += [_plain(one, _DETAIL_LIMIT) for text in remarks(message) for one in text[:_REMARKS_LIMIT].split("\n")]
    lines += [f"{name}: {_plain(text, _DETAIL_LIMIT)}" for name, text in details(message)]
    ways = [f"{label}: {url}" for label, url in links(message, public_url) if len(url) <= _DETAIL_LIMIT]
    room = _TEXT_LIMIT - sum(len(one) + 1 for one in ways)
    text = "\n".join(["\n".join(lines)[:room], *ways])
    return {"chat_id": chat, "text": text, "link_preview_options": {"is_disabled": True}}


def _plain(text: str, limit: int) -> str:
    return line(text, limit).translate(_BREAKERS)
