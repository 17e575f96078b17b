"""Mail by a real SMTP server on loopback, with TLS and sign-in, and servers that behave badly."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP as MAIL
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from statuspulse.delivery.channel import Delivered, Outcome, Refused, Retry
from statuspulse.delivery.channels.email import EmailChannel
from statuspulse.delivery.smtp import Smtp, stuffed
from statuspulse.domain.mail_server import MailServer
from statuspulse.domain.secret import Secret
from statuspulse.egress.gate import Gate
from statuspulse.egress.policy import Policy
from tests.certificates import good
from tests.delivery.test_slack import ACKNOWLEDGED, DOWN, PUBLIC_URL, UP, about

EVENT = "evt_01m83h82v9n9zddwg375pc8fqs"


class Postmaster:
    """Keeps what it takes; `says` stands for one command in place of its usual answer."""

    def __init__(self) -> None:
        self.envelopes: list[Envelope] = []
        self.signed_in: list[bytes] = []
        self.says: dict[str, str] = {}

    @property
    def mails(self) -> list[EmailMessage]:
        return [message_from_bytes(one.original_content or b"", policy=MAIL) for one in self.envelopes]

    async def handle_RCPT(  # noqa: N802 - the library's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if "RCPT" in self.says:
            return self.says["RCPT"]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.envelopes.append(envelope)
        return self.says.get("DATA", "250 OK")

    def sign_in(self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.signed_in.append(data.login)
        return AuthResult(success=data.password == b"s3cret:/", handled=False)


@asynccontextmanager
async def office(master: Postmaster, *, tls: ssl.SSLContext | None = None, **options: Any) -> AsyncIterator[int]:
    """The port of a server; `tls` is spoken from the first byte."""
    loop = asyncio.get_running_loop()
    served = await loop.create_server(lambda: SMTP(master, loop=loop, **options), "127.0.0.1", 0, ssl=tls)
    try:
        yield served.sockets[0].getsockname()[1]
    finally:
        served.close()


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
async def gate(authority: trustme.CA, tmp_path: Path) -> AsyncIterator[Gate]:
    bundle = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    made = Gate(Policy.parse(probe_deny="", delivery_allow="127.0.0.0/8", operator_urls=()), ca_file=str(bundle))
    yield made
    made.close()


@pytest.fixture
def master() -> Postmaster:
    return Postmaster()


async def mail(gate: Gate, url: str, message: Any = DOWN, to: str = "mailto:ana@acme.example") -> Outcome:
    server = MailServer.parse(url)
    channel = EmailChannel(Smtp(gate, server), sender=server.sender, public_url=PUBLIC_URL)
    return await channel.hand_over(Secret(to), message, key=EVENT)


def plain(port: int) -> str:
    return f"smtp://127.0.0.1:{port}?from=alerts@acme.example&tls=none"


async def test_an_incident_is_one_thread_and_a_copy_is_known_for_one(gate: Gate, master: Postmaster) -> None:
    async with office(master) as port:
        for message in (DOWN, DOWN, ACKNOWLEDGED, UP):
            assert await mail(gate, plain(port), message) == Delivered(250)
    first, copy, *_ = mails = master.mails
    assert {one["References"] for one in mails} == {"<inc_4m8n2v5w@status.acme.example>"}
    assert first["Message-ID"] == copy["Message-ID"]
    assert str(first["Message-ID"]).startswith(f"<{EVENT}.")
    assert (first["From"], first["To"]) == ("StatusPulse <alerts@acme.example>", "ana@acme.example")
    assert first["Subject"] == "DOWN: Checkout Service Gateway"
    assert first["Auto-Submitted"] == "auto-generated"
    assert [part.get_content_type() for part in first.walk()] == ["multipart/alternative", "text/plain", "text/html"]
    assert (master.envelopes[0].mail_from, master.envelopes[0].rcpt_tos) == (
        "alerts@acme.example",
        ["ana@acme.example"],
    )


async def test_the_password_goes_over_tls(gate: Gate, master: Postmaster, authority: trustme.CA) -> None:
    context = good(authority)
    options: dict[str, Any] = {"authenticator": master.sign_in, "auth_required": True}
    async with office(master, tls_context=context, require_starttls=True, **options) as port:
        url = f"smtp://ana:s3cret%3A%2F@127.0.0.1:{port}?from=alerts@acme.example"
        assert await mail(gate, url) == Delivered(250)
        wrong = await mail(gate, url.replace("s3cret", "guess"))
    assert wrong == Retry(error="smtp_auth_535", status=535)
    assert master.signed_in == [b"ana", b"ana"]
    async with office(master, tls=context) as port:
        assert await mail(gate, f"smtps://127.0.0.1:{port}?from=alerts@acme.example") == Delivered(250)


async def test_without_tls_nothing_is_sent_unless_the_operator_said_so(gate: Gate, master: Postmaster) -> None:
    async with office(master) as port:
        assert await mail(gate, f"smtp://127.0.0.1:{port}?from=a@acme.example") == Retry(error="no_starttls")
    async with office(master, tls_context=stranger(), require_starttls=True) as port:
        assert await mail(gate, f"smtp://127.0.0.1:{port}?from=a@acme.example") == Retry(error="tls")
    assert master.envelopes == []


async def test_a_refusal_is_for_good_or_for_now_as_the_server_says(gate: Gate, master: Postmaster) -> None:
    async with office(master) as port:
        for command, reply, outcome in (
            ("RCPT", "550 no such user", Refused(error="smtp_rcpt_to_550", status=550)),
            ("RCPT", "450 greylisted", Retry(error="smtp_rcpt_to_450", status=450)),
            ("DATA", "554 spam", Refused(error="smtp_content_554", status=554)),
            ("DATA", "451 later", Retry(error="smtp_content_451", status=451)),
        ):
            master.says = {command: reply}
            assert await mail(gate, plain(port)) == outcome
    assert await mail(gate, plain(port)) == Retry(error="connect_refused")


async def test_no_line_of_a_target_becomes_a_header_or_an_end(gate: Gate, master: Postmaster) -> None:
    nasty = "x\r\nBcc: eve@evil.example\r\n\r\n.\r\nQUIT\r\n" + "é" * 2000
    message = replace(about(reason=nasty, note=f".\r\n..\r\n{nasty}"), title=nasty)
    message = replace(message, facts=replace(message.facts, subject=None))
    async with office(master) as port:
        assert await mail(gate, plain(port), message) == Delivered(250)
    (taken,) = master.mails
    assert taken["Bcc"] is None
    assert master.envelopes[0].rcpt_tos == ["ana@acme.example"]
    assert taken["To"] == "ana@acme.example"
    body = taken.get_body(("plain",))
    assert body is not None
    assert "Bcc: eve@evil.example" in body.get_content()


async def test_a_denied_server_gets_nothing(master: Postmaster) -> None:
    closed = Gate(Policy.parse(probe_deny="", delivery_allow="", operator_urls=()))
    async with office(master) as port:
        assert await mail(closed, plain(port)) == Retry(error="blocked_by_policy")
    closed.close()


def test_lines_with_a_dot_are_stuffed() -> None:
    assert stuffed(b".a\r\n.\r\nb") == b"..a\r\n..\r\nb\r\n"


@pytest.mark.parametrize(
    "url",
    [
        "mail.example.com",
        "http://mail.example.com?from=a@b.c",
        "smtp://mail.example.com",
        "smtp://mail.example.com?from=nobody",
        "smtp://ana@mail.example.com?from=a@b.c",
        "smtp://mail.example.com:99999?from=a@b.c",
        "smtp://mail.example.com?from=a@b.c&tls=perhaps",
        "smtp://mail.example.com/inbox?from=a@b.c",
        "smtp://mail.example.com?from=a@b.c%0d%0aRCPT",
    ],
)
def test_a_setting_that_names_no_server_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"must be|needs"):
        MailServer.parse(url)


def stranger() -> ssl.SSLContext:
    return good(trustme.CA())
