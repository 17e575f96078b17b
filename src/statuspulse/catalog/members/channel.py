"""What callers say of a notification channel, as closed objects."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from statuspulse.catalog.members.common import Line, Members, Name, Omissible, OverlapSeconds


class ChannelRequest(Members):
    """A new channel; its URL is a secret and is never shown again."""

    url: Annotated[Line, Field(min_length=1, max_length=2048)]
    name: Omissible[Name] = None


class ChannelEdit(Members):
    """Members to change. Another URL is another channel: what was said of an incident would be lost to the old one."""

    name: Omissible[Name] = None
    enabled: Omissible[bool] = None


class ChannelSecretRotation(Members):
    """For so long the secret of before signs, too."""

    overlap_seconds: OverlapSeconds = 86_400
