"""Finds tokens by their text, with a small cache: a revoked one works for a second at most."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from statuspulse.api.errors import ApiError
from statuspulse.domain.access import PROBE_KEY_PREFIX, PROBE_KEY_PURPOSE, TOKEN_PURPOSE, may_be_token
from statuspulse.domain.times import MINUTE
from statuspulse.storage import probes, tokens
from statuspulse.storage.database import Database, of_no_monitor
from statuspulse.storage.probes import Probe
from statuspulse.storage.sealing import Keyring
from statuspulse.storage.tokens import FoundToken, Token

REALM = 'Bearer realm="statuspulse"'

_LIFETIME_SECONDS = 0.9
_LIFETIME_OF_A_LOOK_SECONDS = 0.4
_CAPACITY = 4096
_SALT_BYTES = 32


@dataclass(frozen=True, slots=True)
class _Entry:
    found: FoundToken
    read_at: float


class TokenCache:
    """Looks tokens up by digest. Only found ones are kept, so that a new token works at once."""

    def __init__(
        self, database: Database, keyring: Keyring, *, now: Callable[[], int], monotonic: Callable[[], float]
    ) -> None:
        self._database = database
        self._keyring = keyring
        self._now = now
        self._monotonic = monotonic
        # No text of a token is kept. The keyring's digests would do, but each lets other threads go first.
        self._salt = secrets.token_bytes(_SALT_BYTES)
        self._entries: dict[bytes, _Entry] = {}
        self._noted: dict[str, int] = {}

    async def living(self, text: str) -> FoundToken:
        """The token with the text; raises 401 for what is none or none any more, 403 for the key of a probe."""
        found = await self._find(text) if may_be_token(text) else None
        if found is None:
            if await self.probe(text) is not None:
                raise wrong_credential()
            raise unauthorized("token_invalid", "The token is not valid.")
        return self._alive(found)

    async def living_secret(self, digest: bytes) -> FoundToken:
        """The token by the digest of its text, as it was half a second ago at most; raises 401 as `living` does."""
        found = await self._cached(digest, lambda: digest, _LIFETIME_OF_A_LOOK_SECONDS)
        if found is None:
            raise unauthorized("token_invalid", "The token is not valid.")
        return self._alive(found)

    def _alive(self, found: FoundToken) -> FoundToken:
        if found.token.revoked_at is not None:
            raise unauthorized("token_revoked", "The token was revoked.")
        now = self._now()
        if found.token.expires_at is not None and found.token.expires_at <= now:
            raise unauthorized("token_expired", "The token has expired.")
        if found.secret_ends_at is not None and found.secret_ends_at <= now:
            raise unauthorized("token_expired", "The token was rotated and this secret of it has ended.")
        return found

    async def probe(self, key: str) -> Probe | None:
        """The probe that the key belongs to."""
        if not key.startswith(PROBE_KEY_PREFIX) or not may_be_token(key):
            return None
        digest = self._keyring.digest(PROBE_KEY_PURPOSE, key)
        return await self._database.glance(lambda connection: probes.by_digest(connection, digest, self._now()))

    def note_use(self, token: Token, ip: str | None) -> None:
        """Has a use remembered, once a minute and without the call waiting for it."""
        now = self._now()
        last = max(token.last_used_at or 0, self._noted.get(token.id, 0))
        if last <= now - MINUTE:
            self._noted[token.id] = now
            self._database.submit(partial(tokens.note_use, token_id=token.id, at=now, ip=ip), about=of_no_monitor)

    def forget(self) -> None:
        """A token has changed: what this process knows of all of them is asked for anew."""
        self._entries.clear()

    async def _find(self, text: str) -> FoundToken | None:
        mark = hashlib.blake2b(text.encode(), key=self._salt).digest()
        return await self._cached(mark, lambda: self._keyring.digest(TOKEN_PURPOSE, text), _LIFETIME_SECONDS)

    async def _cached(self, mark: bytes, digest_of: Callable[[], bytes], lifetime_seconds: float) -> FoundToken | None:
        entry = self._entries.get(mark)
        read_at = self._monotonic()
        if entry is not None and read_at - entry.read_at < lifetime_seconds:
            return entry.found
        digest = digest_of()
        found = await self._database.glance(lambda connection: tokens.by_digest(connection, digest))
        if len(self._entries) >= _CAPACITY:
            self._entries.clear()
            self._noted.clear()
        if found is None:
            self._entries.pop(mark, None)
        else:
            self._entries[mark] = _Entry(found, read_at)
        return found


def unauthorized(code: str, message: str) -> ApiError:
    """401 with the challenge of RFC 6750; without a credential it names no error."""
    challenge = REALM if code == "token_missing" else f'{REALM}, error="invalid_token"'
    return ApiError(code, message, headers={"WWW-Authenticate": challenge})


def wrong_credential() -> ApiError:
    """403: a good credential of the other kind, probe key or token."""
    return forbidden("scope_insufficient", "This kind of credential does not open this route.")


def forbidden(code: str, message: str) -> ApiError:
    """403 for something that no scope would give."""
    return ApiError(code, message, headers={"WWW-Authenticate": f'{REALM}, error="insufficient_scope"'})
