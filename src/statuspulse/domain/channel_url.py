"""The URLs by which people name notification channels, and what each becomes (`API.md` D.5)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from statuspulse.domain.secret import MASK, Secret

_SLACK = re.compile(
    r"(?:slack://(?:hooks/)?|https://hooks\.slack\.com/services/)(T[A-Z0-9]+)/(B[A-Z0-9]+)/([A-Za-z0-9]+)"
)
_SLACK_FORM = "slack://hooks/T…/B…/…"


class ChannelType(StrEnum):
    """The kinds of receiver that there are."""

    SLACK = "slack"


class ChannelUrlError(ValueError):
    """Not the URL of a channel; the text goes on from the name of the member and never quotes the URL."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelUrl:
    """One channel: `canonical` is the same for every spelling and holds its secret, `masked` may be shown."""

    type: ChannelType
    canonical: Secret
    masked: str
    name: str


@dataclass(frozen=True, slots=True)
class SlackHook:
    """The three parts of an incoming webhook; the last one is what lets anyone post."""

    team: str
    hook: str
    token: str

    @classmethod
    def of(cls, canonical: str) -> SlackHook:
        """Reads a canonical URL of type slack."""
        found = _SLACK.fullmatch(canonical)
        if found is None:
            raise ChannelUrlError("parameter_invalid_format", f"has to be of the form {_SLACK_FORM}")
        return cls(*found.groups())

    @property
    def path(self) -> str:
        return f"/services/{self.team}/{self.hook}/{self.token}"


def parse_channel_url(text: str) -> ChannelUrl:
    """The channel that a URL names; raises ChannelUrlError. The scheme may be in any case, the rest counts as it is."""
    scheme, separator, rest = text.partition("://")
    lowered = f"{scheme.lower()}{separator}{rest}"
    if not lowered.startswith(("slack://", "https://hooks.slack.com/")):
        message = f"names a kind of channel that this version does not deliver to; it knows {_SLACK_FORM}"
        raise ChannelUrlError("scheme_unsupported", message)
    hook = SlackHook.of(lowered)
    where = f"slack://hooks/{hook.team}/{hook.hook}"
    return ChannelUrl(
        type=ChannelType.SLACK,
        canonical=Secret(f"{where}/{hook.token}"),
        masked=f"{where}/{MASK}",
        name=f"Slack {hook.team}/{hook.hook}",
    )
