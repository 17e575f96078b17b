"""Which kinds of receiver there are; a new one is one file and one line here."""

from __future__ import annotations

from collections.abc import Mapping

from statuspulse.delivery.channel import Channel
from statuspulse.delivery.channels.slack import SlackChannel
from statuspulse.domain.channel_url import ChannelType
from statuspulse.egress.http_client import HttpClient


def channels(client: HttpClient, *, slack_base_url: str) -> Mapping[str, Channel]:
    """The channel of each type, by the type's name as it is stored."""
    return {ChannelType.SLACK.value: SlackChannel(client, base_url=slack_base_url)}
