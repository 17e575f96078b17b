"""Keys of acknowledge links: each follows from one message and the instance's secret, so that none has to be stored."""

from __future__ import annotations

import hmac
import re

from statuspulse.storage.sealing import Keyring

_PURPOSE = "ack_link"
_MAC_BYTES = 16
_FORM = re.compile(r"([0-9a-hjkmnp-tv-z]{26})([0-9a-f]{32})")
_PREFIX = "ntf_"


def key_of(keyring: Keyring, notification_id: str) -> str:
    """The key that goes with a notification: whoever shows it was told."""
    return notification_id.removeprefix(_PREFIX) + _mac(keyring, notification_id)


def notification_of(keyring: Keyring, key: str) -> str | None:
    """The id of the notification that the key went with; None for what is no key of ours."""
    form = _FORM.fullmatch(key)
    if form is None:
        return None
    notification_id = _PREFIX + form[1]
    return notification_id if hmac.compare_digest(form[2], _mac(keyring, notification_id)) else None


def _mac(keyring: Keyring, notification_id: str) -> str:
    return keyring.digest(_PURPOSE, notification_id)[:_MAC_BYTES].hex()
