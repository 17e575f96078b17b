"""Hands one mail to a server (RFC 5321), over TLS unless the operator says otherwise, through the guarded dial."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from statuspulse.delivery.channel import ATTEMPT_SECONDS, Delivered, Outcome, Refused, Retry
from statuspulse.domain.failure import Failure, FailureClass
from statuspulse.domain.mail_server import MailServer
from statuspulse.egress.deadline import Deadline
from statuspulse.egress.dial import Stream, connect
from statuspulse.egress.gate import Gate
from statuspulse.egress.literals import literal_address
from statuspulse.egress.policy import Purpose

_LINE_LIMIT = 4096
_REPLY_LINES = 100
_OWN_NAME = "statuspulse.invalid"  # RFC 2606: a greeting needs a name and we have none to tell
_CHUNK = 4096


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server says to a command, its lines without their code."""

    code: int
    lines: tuple[str, ...]


class UnwillingError(Exception):
    """The server does not take the mail; `permanent` tells whether it may ever."""

    def __init__(self, error: str, status: int | None, *, permanent: bool) -> None:
        super().__init__(error)
        self.outcome: Outcome = Refused(error=error, status=status) if permanent else Retry(error=error, status=status)


class Smtp:
    """Sends mail by one server; each mail has a connection of its own."""

    def __init__(self, gate: Gate, server: MailServer) -> None:
        self._gate = gate
        self._server = server

    async def send(self, recipient: str, mail: bytes) -> Outcome:
        """`mail` is the whole message with CRLF line ends. A connection cut after it was sent is tried again."""
        deadline = Deadline.after(int(ATTEMPT_SECONDS * 1000))
        stream = await self._dial(deadline)
        if isinstance(stream, Failure):
            return _unreachable(stream)
        talk = _Talk(stream)
        try:
            await self._sign_in(talk)
            await _hand_in(talk, self._server.sender, recipient, mail)
        except UnwillingError as error:
            return error.outcome
        except TimeoutError:
            return Retry(error="timeout")
        except (OSError, EOFError):
            return Retry(error="connect")
        except ValueError:
            return Retry(error="protocol")
        finally:
            stream.close()
        return Delivered(250)

    async def _dial(self, deadline: Deadline) -> Stream | Failure:
        host, port = self._server.host, self._server.port
        ip = literal_address(host)
        if ip is not None:
            located = self._gate.guard.judge(ip, port, Purpose.DELIVERY_SMTP)
        else:
            located = await self._gate.locate(host, port, Purpose.DELIVERY_SMTP, deadline)
        if isinstance(located, Failure):
            return located
        stream = await connect(located, port, deadline)
        if isinstance(stream, Failure) or not self._server.implicit_tls:
            return stream
        failure = await stream.start_tls(self._gate.tls, host, verify=True)
        if failure is not None:
            stream.close()
            return failure
        return stream

    async def _sign_in(self, talk: _Talk) -> None:
        expect(await talk.reply(), 220, "greeting")
        offered = await talk.ask(f"EHLO {_OWN_NAME}", 250, "ehlo")
        if self._server.starttls:
            if "STARTTLS" not in {line.upper() for line in offered.lines}:
                raise UnwillingError("no_starttls", None, permanent=False)
            await talk.ask("STARTTLS", 220, "starttls")
            await talk.start_tls(self._gate, self._server.host)
            offered = await talk.ask(f"EHLO {_OWN_NAME}", 250, "ehlo")
        if self._server.user is not None and self._server.password is not None:
            pair = f"\0{self._server.user}\0{self._server.password.reveal()}".encode()
            await talk.ask(f"AUTH PLAIN {base64.b64encode(pair).decode()}", 235, "auth")


class _Talk:
    """Commands and replies over one stream."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._read = bytearray()

    async def ask(self, command: str, code: int, name: str) -> Reply:
        """Raises UnwillingError for another code."""
        await self.send(f"{command}\r\n".encode())
        return expect(await self.reply(), code, name)

    async def send(self, data: bytes) -> None:
        await self._stream.send(data)

    async def reply(self) -> Reply:
        """ValueError for what is no reply of this protocol (RFC 5321, 4.2)."""
        lines: list[str] = []
        while len(lines) < _REPLY_LINES:
            line = (await self._line()).decode("ascii", "replace")
            if not line[:3].isdecimal():
                raise ValueError("no reply code")
            lines.append(line[4:].strip())
            if line[3:4] != "-":
                return Reply(int(line[:3]), tuple(lines))
        raise ValueError("a reply without end")

    async def start_tls(self, gate: Gate, host: str) -> None:
        if self._read:  # what is slipped in here would be taken for a part of the encrypted session
            raise ValueError("it went on in plain text")
        failure = await self._stream.start_tls(gate.tls, host, verify=True)
        if failure is not None:
            raise UnwillingError("tls", None, permanent=False)

    async def _line(self) -> bytes:
        while (end := self._read.find(b"\n")) < 0:
            if len(self._read) > _LINE_LIMIT:
                raise ValueError("a line without end")
            data = await self._stream.receive(_CHUNK)
            if not data:
                raise EOFError
            self._read += data
        line = bytes(self._read[:end])
        del self._read[: end + 1]
        return line


async def _hand_in(talk: _Talk, sender: str, recipient: str, mail: bytes) -> None:
    await talk.ask(f"MAIL FROM:<{sender}>", 250, "mail_from")
    await talk.ask(f"RCPT TO:<{recipient}>", 250, "rcpt_to")
    await talk.ask("DATA", 354, "data")
    await talk.send(stuffed(mail) + b".\r\n")
    expect(await talk.reply(), 250, "content")


def stuffed(mail: bytes) -> bytes:
    """Ends with a line end; a line that begins with a dot has one more (RFC 5321, 4.5.2)."""
    whole = mail if mail.endswith(b"\r\n") else mail + b"\r\n"
    doubled = whole.replace(b"\r\n.", b"\r\n..")
    return b"." + doubled if doubled.startswith(b".") else doubled


def expect(reply: Reply, code: int, name: str) -> Reply:
    """5xx is for good, except where it is the greeting or the sign-in: that is ours to mend, and mail waits."""
    if reply.code == code:
        return reply
    permanent = 500 <= reply.code < 600 and name in {"rcpt_to", "content", "mail_from"}
    raise UnwillingError(f"smtp_{name}_{reply.code}", reply.code, permanent=permanent)


def _unreachable(failure: Failure) -> Retry:
    words = {
        FailureClass.DNS_ERROR: "dns",
        FailureClass.CONNECT_REFUSED: "connect_refused",
        FailureClass.BLOCKED_BY_POLICY: "blocked_by_policy",
        FailureClass.TLS_ERROR: "tls",
        FailureClass.TLS_EXPIRED: "tls",
        FailureClass.CONNECT_TIMEOUT: "timeout",
        FailureClass.TIMEOUT: "timeout",
    }
    return Retry(error=words.get(failure.kind, "connect"))
