"""Tokens and who they stand for: their form, their checksum, and the principal of a call (`API.md` B.8)."""

from __future__ import annotations

import re
import secrets
import string
import zlib
from dataclasses import dataclass

from statuspulse.domain.actor import Actor, Origin
from statuspulse.domain.grant import Grant
from statuspulse.domain.team_settings import TeamSettings

TOKEN_PREFIX = "sk_live_"  # noqa: S105 - what every token begins with, no secret
PROBE_KEY_PREFIX = "prb_live_"
# Under which purpose the keyring digests each of them.
TOKEN_PURPOSE = "token"  # noqa: S105 - names a use of the pepper
PROBE_KEY_PURPOSE = "probe_key"
PING_KEY_PURPOSE = "ping_key"
TICKET_PREFIX = "tkt_"
TICKET_PURPOSE = "stream_ticket"
INTEGRATION_SECRET_PURPOSE = "integration_secret"  # noqa: S105 - names a use of the pepper

_BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
_RANDOM_LENGTH = 32
_CHECKSUM_LENGTH = 6
_FORM = re.compile(r"[!-~]{1,255}")
_BOOTSTRAP_FORM = re.compile(r"[!-~]{16,255}")
_SHOWN_AT_THE_END = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """A team that a token belongs to; only the first one's tokens may change what serves the whole instance."""

    id: str
    slug: str
    is_first: bool
    settings: TeamSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Whose token a call carries and what it may do there.

    `team` is the one that the call is about, out of `teams`; `scopes` hold there, by the names that
    the token was given; `grant` is all that it has.
    """

    token_id: str
    label: str
    team: Team
    teams: tuple[Team, ...]
    scope_names: tuple[str, ...]
    scopes: frozenset[str]
    grant: Grant
    origin: Origin

    @property
    def team_id(self) -> str:
        return self.team.id

    @property
    def actor(self) -> Actor:
        return Actor("token", self.token_id, self.label, self.origin)


def make_token(prefix: str = TOKEN_PREFIX) -> str:
    """A new secret: prefix, 32 random characters, and the checksum by which scanners and servers refuse typos."""
    body = "".join(secrets.choice(_BASE62) for _ in range(_RANDOM_LENGTH))
    return prefix + body + _checksum(body)


def may_be_token(text: str) -> bool:
    """Whether a text is worth looking up. The checksum is asked only of bodies of exactly the made length.

    Tokens that an operator gave may have any other length and carry none.
    """
    if _FORM.fullmatch(text) is None:
        return False
    body = text.removeprefix(PROBE_KEY_PREFIX if text.startswith(PROBE_KEY_PREFIX) else TOKEN_PREFIX)
    if body == text or len(body) != _RANDOM_LENGTH + _CHECKSUM_LENGTH:
        return True
    return _checksum(body[:_RANDOM_LENGTH]) == body[_RANDOM_LENGTH:]


def may_be_given(text: str) -> bool:
    """Whether an operator may choose this text as a token."""
    return _BOOTSTRAP_FORM.fullmatch(text) is not None


def shown_parts(token: str) -> tuple[str, str]:
    """Prefix and last characters, by which people tell tokens apart."""
    prefix = next((known for known in (TOKEN_PREFIX, PROBE_KEY_PREFIX) if token.startswith(known)), "")
    return prefix, token[-_SHOWN_AT_THE_END:]


def _checksum(body: str) -> str:
    number = zlib.crc32(body.encode())
    digits = ""
    for _ in range(_CHECKSUM_LENGTH):
        number, digit = divmod(number, len(_BASE62))
        digits = _BASE62[digit] + digits
    return digits
