"""Secrets at rest: digests to find them by, sealed texts to use them by, all from one key file."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from statuspulse.domain.secret import Secret

KEY_BYTES = 32

_NONCE_BYTES = 12
_KEY_ID_BYTES = 4
_FINGERPRINT = "fingerprint"
_SEALING = "seal"


class WrongKeyError(Exception):
    """What was sealed was not sealed with this key, or belongs to another place."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a sealed text stands; moved to any other place it does not open."""

    table: str
    row: str
    column: str
    team_id: str

    @property
    def associated_data(self) -> bytes:
        return f"{self.table}\0{self.row}\0{self.column}\0{self.team_id}".encode()


class Keyring:
    """Derives a key of its own for each purpose from the instance's one secret."""

    def __init__(self, master: bytes) -> None:
        if len(master) != KEY_BYTES:
            raise ValueError(f"the secret key needs {KEY_BYTES} bytes")
        self._master = master
        self._derived: dict[str, bytes] = {}
        self._cipher = AESGCM(self._key(_SEALING))
        self._key_id = self._key(_FINGERPRINT)[:_KEY_ID_BYTES]

    @property
    def fingerprint(self) -> str:
        """Tells keys apart and gives nothing away of them."""
        return self._key(_FINGERPRINT).hex()[:16]

    def digest(self, purpose: str, text: str) -> bytes:
        """HMAC-SHA-256: equal texts have equal digests, and a stolen digest leads to no text."""
        return hmac.digest(self._key(f"digest:{purpose}"), text.encode(), hashlib.sha256)

    def seal(self, place: Place, text: str) -> bytes:
        """AES-256-GCM bound to its place: key id, nonce, ciphertext with tag."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return self._key_id + nonce + self._cipher.encrypt(nonce, text.encode(), place.associated_data)

    def open(self, place: Place, sealed: bytes) -> Secret:
        """The text that was sealed for this place; raises WrongKeyError."""
        nonce = sealed[_KEY_ID_BYTES : _KEY_ID_BYTES + _NONCE_BYTES]
        if sealed[:_KEY_ID_BYTES] != self._key_id:
            raise WrongKeyError("it was sealed with another key")
        try:
            text = self._cipher.decrypt(nonce, sealed[_KEY_ID_BYTES + _NONCE_BYTES :], place.associated_data)
        except (InvalidTag, ValueError):  # the latter for what is too short to hold a nonce
            raise WrongKeyError("it was changed, or sealed for another place") from None
        return Secret(text.decode())

    def _key(self, purpose: str) -> bytes:
        key = self._derived.get(purpose)
        if key is None:
            key = self._derived[purpose] = hmac.digest(self._master, f"statuspulse:{purpose}".encode(), hashlib.sha256)
        return key
