"""Cursors of lists: opaque, and signed over what they belong to, so that they fit no other list."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Sequence

import msgspec

from statuspulse.api.errors import ApiError
from statuspulse.storage.sealing import Keyring

_SIGNATURE_BYTES = 12
_PURPOSE = "cursor"


class Cursors:
    """Writes and reads cursors. `scope` is the text of everything that a page depends on but its place and length."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def write(self, scope: str, place: Sequence[int | str]) -> str:
        body = msgspec.json.encode(list(place))
        return base64.urlsafe_b64encode(self._signature(scope, body) + body).decode().rstrip("=")

    def read(self, scope: str, cursor: str) -> list[int | str]:
        """The place behind which to go on; raises 400 `invalid_cursor`."""
        try:
            raw = base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        except (UnicodeEncodeError, binascii.Error):
            raise _invalid() from None
        signature, body = raw[:_SIGNATURE_BYTES], raw[_SIGNATURE_BYTES:]
        if not hmac.compare_digest(signature, self._signature(scope, body)):
            raise _invalid()
        return msgspec.json.decode(body, type=list[int | str])

    def _signature(self, scope: str, body: bytes) -> bytes:
        return self._keyring.digest(_PURPOSE, f"{scope}\n{body.decode('latin-1')}")[:_SIGNATURE_BYTES]


def _invalid() -> ApiError:
    message = "cursor does not belong to this list; start again without it, with the same filters all along."
    return ApiError("invalid_cursor", message, param="cursor")
