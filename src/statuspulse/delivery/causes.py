"""Why a receiver did not take a message, in words for people, and what helps."""

from __future__ import annotations

import re
from dataclasses import dataclass
from http import HTTPStatus

from statuspulse.delivery.channel import ATTEMPT_SECONDS, INTERNAL

_ASK_AGAIN = "It is tried again by itself; if that lasts, look at the receiver."
_NEW_ADDRESS = "Make the receiver's address anew there, and a channel with it here."
_LOOK_HERE = "Look at the log of StatusPulse."
_SIGN_IN = "Look at user and password in STATUSPULSE_SMTP_URL."


@dataclass(frozen=True, slots=True)
class Cause:
    """`text` is what happened, a clause without a full stop; `cure` is a sentence. Neither holds a secret."""

    text: str
    cure: str

    def __str__(self) -> str:
        return f"{self.text}. {self.cure}"


_KNOWN = {
    "dns": Cause(
        "the host of the receiver was not found", "Look at the host in its address, and at the DNS of this host."
    ),
    "connect_refused": Cause(
        "the receiver's host refused the connection",
        "Nothing listens at that port: start the receiver, or correct the port.",
    ),
    "connect": Cause("no connection to the receiver came about", "Look at its address, and at firewalls on the way."),
    "timeout": Cause(
        f"the receiver did not answer within {ATTEMPT_SECONDS:g} s",
        "Look whether it is overloaded, or a firewall drops the way.",
    ),
    "tls": Cause(
        "the certificate of the receiver is not trusted, or TLS was not agreed upon",
        "Look at the certificate's names, dates and issuer; `statuspulse check` with its https URL tells which.",
    ),
    "blocked_by_policy": Cause(
        "the address policy of StatusPulse forbids the receiver's address",
        "For a receiver in a private network the operator lists it in STATUSPULSE_DELIVERY_ALLOW.",
    ),
    "protocol": Cause(
        "what came back is not what such a receiver says",
        "Look whether its address and port lead to the right service.",
    ),
    "unexpected_answer": Cause(
        "the answer is not the one that such a receiver gives",
        "Look whether a proxy or another service answers in its place.",
    ),
    "no_starttls": Cause(
        "the mail server offers no STARTTLS",
        "Use smtps:// in STATUSPULSE_SMTP_URL, or tls=none for a relay on the same host.",
    ),
    "address_invalid": Cause("the stored address of the channel is no such address any more", _NEW_ADDRESS),
    "channel_deleted": Cause("the channel was deleted", "Name another channel where the message came from."),
    "channel_disabled": Cause("the channel is disabled", 'Enable it: PATCH /v1/channels/{id} with {"enabled": true}.'),
    "channel_type_unknown": Cause(
        "this server has no channels of that type",
        "Its operator sets up what the type needs (STATUSPULSE_SMTP_URL, apprise).",
    ),
    "wrong_key": Cause(
        "the channel's address was sealed with another secret key",
        "Put back the secret.key that belongs to the database.",
    ),
    "expired": Cause("the receiver took nothing for a day", "Mend it, then POST /v1/notifications/{id}/retry."),
    "not_attempted": Cause(
        "nobody has tried yet, since other messages wait before it",
        "Look at GET /v1/channels/{id}/deliveries in a minute.",
    ),
}
_STATUSES = {
    400: "The receiver takes no such message: look whether the address is of the right kind.",
    401: "Its key or token does not hold any more: make another there, and a channel with it here.",
    403: "Its key or token may not do this: give it leave there, or make another.",
    404: _NEW_ADDRESS,
    408: _ASK_AGAIN,
    410: _NEW_ADDRESS,
    429: "It asks for time; the message goes out later by itself.",
}
# What vendors say instead of a status.
_WORDS = {
    "no_service": _NEW_ADDRESS,
    "no_active_hooks": _NEW_ADDRESS,
    "no_team": _NEW_ADDRESS,
    "invalid_token": _NEW_ADDRESS,
    "invalid_auth": _STATUSES[401],
    "not_authed": _STATUSES[401],
    "token_revoked": _STATUSES[401],
    "account_inactive": _STATUSES[401],
    "missing_scope": "Give the bot the scopes that docs/channels.md names, and install it again.",
    "channel_not_found": "The room is not there, or the bot is not in it: invite it, or name another.",
    "not_in_channel": "Invite the bot to the room.",
    "not_found": "The room is not there, or the bot is not in it: invite it, or name another.",
    "channel_is_archived": "Take the room out of the archive, or name another.",
    "is_archived": "Take the room out of the archive, or name another.",
    "rate_limited": _STATUSES[429],
    "ratelimited": _STATUSES[429],
}
_SMTP = re.compile(r"smtp_([a-z_]+)_(\d{3})")
_SMTP_STEPS = {
    "greeting": ("the connection", _ASK_AGAIN),
    "ehlo": ("the greeting", _ASK_AGAIN),
    "starttls": ("STARTTLS", "Use smtps:// in STATUSPULSE_SMTP_URL."),
    "auth": ("the sign-in", _SIGN_IN),
    "mail_from": ("the sender", "Look at `from` in STATUSPULSE_SMTP_URL."),
    "rcpt_to": ("the recipient", "Look at the address of the channel."),
    "data": ("the mail", _ASK_AGAIN),
    "content": ("the mail's content", "The log of the mail server says why."),
}


def cause_of(error: str, status: int | None) -> Cause:
    """`error` is the word that a delivery ended with, `status` what the receiver answered, None for no answer."""
    known = _KNOWN.get(error)
    if known is not None:
        return known
    if error.startswith(INTERNAL):
        return Cause(f"a fault of StatusPulse ({error.removeprefix(INTERNAL)})", _LOOK_HERE)
    if smtp := _SMTP.fullmatch(error):
        what, cure = _SMTP_STEPS.get(smtp[1], ("the mail", _ASK_AGAIN))
        return Cause(f"the mail server answered {smtp[2]} to {what}", cure)
    if status is None:
        return Cause(f'it ended with "{error}"', _LOOK_HERE)
    if error == f"http_{status}":
        return Cause(f"the receiver answered {_named(status)}", _cure_of(status))
    return Cause(f'the receiver answered {status} "{error}"', _WORDS.get(error) or _cure_of(status))


def _named(status: int) -> str:
    try:
        return f'{status} "{HTTPStatus(status).phrase}"'
    except ValueError:
        return str(status)


def _cure_of(status: int) -> str:
    if 300 <= status < 400:
        return "Redirects are not followed: give the channel the address where it ends."
    return _STATUSES.get(status, _ASK_AGAIN if status >= 500 else "Look at the receiver, which says no.")
