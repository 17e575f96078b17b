"""Where the services of others are reached: their own addresses, unless the operator names a proxy or an emulator."""

from __future__ import annotations

from dataclasses import dataclass

from statuspulse.delivery.channels.pagerduty import US_URL
from statuspulse.delivery.providers.pagerduty import US_API


@dataclass(frozen=True, slots=True, kw_only=True)
class Vendors:
    """Base URLs; PagerDuty's is the whole address of its events."""

    slack: str = "https://hooks.slack.com"
    discord: str = "https://discord.com"
    telegram: str = "https://api.telegram.org"
    pagerduty: str = US_URL
    pagerduty_api: str = US_API
