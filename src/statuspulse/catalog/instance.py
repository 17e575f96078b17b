"""What the operator of the instance has settled, as far as changes of the configuration depend on it."""

from __future__ import annotations

from dataclasses import dataclass

from statuspulse.egress.policy import Policy
from statuspulse.storage.sealing import Keyring


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """`keyring` seals and digests secrets, `policy` says which addresses checks and deliveries may reach.

    `apprise` are the schemes that it delivers to by Apprise; none where the extra is not installed.
    """

    keyring: Keyring
    policy: Policy
    min_interval_seconds: int
    sends_mail: bool = False
    apprise: frozenset[str] = frozenset()
