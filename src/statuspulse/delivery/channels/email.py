"""Mail: one thread per incident, and a copy that any reader knows for one (RFC 5322, 3.6.4)."""

from __future__ import annotations

import hashlib
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from html import escape
from urllib.parse import urlsplit

from statuspulse.delivery.channel import Outcome, Refused
from statuspulse.delivery.smtp import Smtp
from statuspulse.delivery.wording import details, headline, line, links, remarks, summary
from statuspulse.domain.channel_addresses import ChannelUrlError, Mailbox
from statuspulse.domain.message import Message
from statuspulse.domain.secret import Secret
from statuspulse.domain.times import to_datetime

_SUBJECT_LIMIT = 200
_TEXT_LIMIT = 4000


class EmailChannel:
    """Sends by the server of the instance."""

    spacing_ms = 0
    groups = True

    def __init__(self, smtp: Smtp, *, sender: str, public_url: str) -> None:
        self._smtp = smtp
        self._sender = sender
        self._public_url = public_url.rstrip("/")

    async def hand_over(self, address: Secret, message: Message, *, key: str) -> Outcome:
        try:
            recipient = Mailbox.of(address.reveal()).name
        except ChannelUrlError:
            return Refused(error="address_invalid")
        mail = render(message, key, self._sender, recipient, self._public_url)
        return await self._smtp.send(recipient, mail.as_bytes(policy=SMTP.clone(cte_type="7bit")))


def render(message: Message, key: str, sender: str, recipient: str, public_url: str) -> EmailMessage:
    """The mail in plain text and HTML. Nothing from outside can begin a header or a tag."""
    host = urlsplit(public_url).hostname or "statuspulse.invalid"
    mail = EmailMessage()
    mail["From"] = Address("StatusPulse", addr_spec=sender)
    mail["To"] = Address(addr_spec=recipient)
    mail["Subject"] = line(headline(message), _SUBJECT_LIMIT)
    mail["Date"] = format_datetime(to_datetime(message.at))
    to_whom = hashlib.sha256(recipient.encode()).hexdigest()[:12]
    mail["Message-ID"] = f"<{key}.{to_whom}@{host}>"
    if message.action.is_of_incident:
        thread = f"<{message.incident_id}@{host}>"
        mail["In-Reply-To"] = thread
        mail["References"] = thread
    mail["List-Id"] = f"StatusPulse <alerts.{host}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    mail.set_content(_text(message, public_url))
    mail.add_alternative(_html(message, public_url), subtype="html")
    return mail


def _text(message: Message, public_url: str) -> str:
    lines = [line(summary(message), _TEXT_LIMIT), "", *_remark_lines(message)]
    lines += [f"{name}: {line(text, _TEXT_LIMIT)}" for name, text in details(message)]
    lines += ["", *(f"{label}: {url}" for label, url in links(message, public_url))]
    return "\n".join(lines) + "\n"


def _html(message: Message, public_url: str) -> str:
    said = "".join(f"<p>{escape(text)}</p>" for text in _remark_lines(message))
    rows = "".join(
        f'<tr><th align="left">{escape(name)}</th><td>{escape(line(text, _TEXT_LIMIT))}</td></tr>'
        for name, text in details(message)
    )
    ways = " · ".join(f'<a href="{escape(url)}">{escape(label)}</a>' for label, url in links(message, public_url))
    title = escape(line(summary(message), _TEXT_LIMIT))
    return f"<html><body><h3>{title}</h3>{said}<table>{rows}</table><p>{ways}</p></body></html>"


def _remark_lines(message: Message) -> list[str]:
    return [line(one, _TEXT_LIMIT) for text in remarks(message) for one in text.split("\n")]
