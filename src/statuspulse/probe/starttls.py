"""How SMTP, IMAP, POP3, LDAP and PostgreSQL go over to TLS, up to the first byte of the handshake."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from statuspulse.domain.specs.tcp import Starttls
from statuspulse.probe.conversation import Conversation, shown

_SHOWN_BYTES = 100
# RFC 2606, 2: a name that nobody has; a greeting needs one and we have none to tell.
_OWN_NAME = b"statuspulse.invalid"
_IMAP_TAG = b"sp1"
# An extended request with message id 1 (RFC 4511, 4.14.1).
_LDAP_REQUEST = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037"
_LDAP_RESPONSE = 0x78
_SEQUENCE, _INTEGER, _ENUMERATED = 0x30, 0x02, 0x0A
# An SSLRequest: its length and its code (PostgreSQL, "Message Formats").
_POSTGRES_REQUEST = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"


class RefusedError(Exception):
    """The server speaks the protocol and will not go over to TLS; the text says how it put it."""


async def ask_for_tls(kind: Starttls, talk: Conversation) -> None:
    """After it the handshake may begin. A greeting that no step before has read is read here.

    Raises RefusedError, ValueError for an answer that is none in this protocol, and what the conversation raises.
    """
    await _WAYS[kind](talk)
    if talk.unread:
        # What an attacker slips in here would be taken for a part of the encrypted session.
        raise ValueError("it went on in plain text")


async def _smtp(talk: Conversation) -> None:
    is_new = not talk.received
    talk.return_to_line()
    greeting = await _smtp_reply(talk)
    if is_new and not greeting[-1].startswith(b"220"):
        raise _refused(greeting[-1])
    await talk.send(b"EHLO " + _OWN_NAME + b"\r\n")
    offered = await _smtp_reply(talk)
    if not offered[-1].startswith(b"250"):
        raise _refused(offered[-1])
    if not any(line[4:].strip().upper() == b"STARTTLS" for line in offered):
        raise RefusedError("the server does not offer STARTTLS")
    await talk.send(b"STARTTLS\r\n")
    answer = await _smtp_reply(talk)
    if not answer[-1].startswith(b"220"):
        raise _refused(answer[-1])


async def _smtp_reply(talk: Conversation) -> list[bytes]:
    """The lines of one reply (RFC 5321, 4.2.1)."""
    lines = [await talk.line()]
    while lines[-1][3:4] == b"-" and lines[-1][:3].isdigit():
        lines.append(await talk.line())
    if not lines[-1][:3].isdigit():
        raise ValueError(f"got {shown(lines[-1][:_SHOWN_BYTES])}")
    return lines


async def _imap(talk: Conversation) -> None:
    is_new = not talk.received
    talk.return_to_line()
    greeting = await talk.line()
    if not greeting.startswith(b"* "):
        if is_new:
            raise ValueError(f"got {shown(greeting[:_SHOWN_BYTES])}")
    elif is_new and not greeting.upper().startswith(b"* OK"):
        raise _refused(greeting)
    await talk.send(_IMAP_TAG + b" STARTTLS\r\n")
    answer = await talk.line()
    while not answer.startswith(_IMAP_TAG + b" "):
        answer = await talk.line()
    if not answer.upper().startswith(_IMAP_TAG.upper() + b" OK"):
        raise _refused(answer)


async def _pop3(talk: Conversation) -> None:
    talk.return_to_line()
    await _pop3_reply(talk)
    await talk.send(b"STLS\r\n")
    await _pop3_reply(talk)


async def _pop3_reply(talk: Conversation) -> None:
    line = await talk.line()
    if line.startswith(b"-ERR"):
        raise _refused(line)
    if not line.startswith(b"+OK"):
        raise ValueError(f"got {shown(line[:_SHOWN_BYTES])}")


async def _ldap(talk: Conversation) -> None:
    await talk.send(_LDAP_REQUEST)
    fields = _ldap_fields(await _ldap_message(talk))
    if len(fields) < 2 or fields[0][0] != _INTEGER or fields[1][0] != _LDAP_RESPONSE:
        raise ValueError("another message than an extended response")
    result = _ldap_fields(fields[1][1])
    if not result or result[0][0] != _ENUMERATED:
        raise ValueError("a response without result code")
    code = int.from_bytes(result[0][1], "big")
    if code:
        raise RefusedError(f"the server refuses STARTTLS: result code {code}")


async def _ldap_message(talk: Conversation) -> bytes:
    """The content of one message (X.690, 8.1)."""
    tag, size = await talk.exactly(2)
    if tag != _SEQUENCE:
        raise ValueError("no LDAP message")
    if size & 0x80:
        size = int.from_bytes(await talk.exactly(size & 0x7F), "big")
    return await talk.exactly(size)


def _ldap_fields(content: bytes) -> list[tuple[int, bytes]]:
    fields = []
    at = 0
    while at + 2 <= len(content):
        tag, size = content[at], content[at + 1]
        at += 2
        if size & 0x80:
            more = size & 0x7F
            size = int.from_bytes(content[at : at + more], "big")
            at += more
        fields.append((tag, content[at : at + size]))
        at += size
    return fields


async def _postgres(talk: Conversation) -> None:
    await talk.send(_POSTGRES_REQUEST)
    answer = await talk.exactly(1)
    if answer == b"N":
        raise RefusedError("the server does not offer TLS")
    if answer != b"S":
        raise ValueError(f"got {shown(answer)}")


def _refused(line: bytes) -> RefusedError:
    return RefusedError(f"the server refuses STARTTLS: got {shown(line[:_SHOWN_BYTES])}")


_WAYS: dict[Starttls, Callable[[Conversation], Awaitable[None]]] = {
    Starttls.SMTP: _smtp,
    Starttls.IMAP: _imap,
    Starttls.POP3: _pop3,
    Starttls.LDAP: _ldap,
    Starttls.POSTGRES: _postgres,
}
