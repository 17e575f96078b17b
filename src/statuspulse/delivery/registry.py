"""Which kinds of receiver and provider there are; a new one is one file and one line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from statuspulse.delivery.channel import Channel
from statuspulse.delivery.channels.discord import DiscordChannel
from statuspulse.delivery.channels.email import EmailChannel
from statuspulse.delivery.channels.https import HttpsChannel
from statuspulse.delivery.channels.ntfy import NtfyChannel
from statuspulse.delivery.channels.pagerduty import PagerDutyChannel
from statuspulse.delivery.channels.slack import SlackChannel
from statuspulse.delivery.channels.teams import TeamsChannel
from statuspulse.delivery.channels.telegram import TelegramChannel
from statuspulse.delivery.provider import Provider
from statuspulse.delivery.providers.jira.provider import JiraProvider
from statuspulse.delivery.providers.pagerduty import PagerDutyProvider
from statuspulse.delivery.smtp import Smtp
from statuspulse.delivery.vendors import Vendors
from statuspulse.domain.channel_url import ChannelType
from statuspulse.domain.integration import Kind
from statuspulse.domain.mail_server import MailServer
from statuspulse.egress.gate import Gate
from statuspulse.egress.http_client import HttpClient


def providers(gate: Gate, *, public_url: str, vendors: Vendors, clock: Callable[[], float]) -> Mapping[str, Provider]:
    """The provider of each kind of integration that incidents are pushed to, by the kind's name as it is stored."""
    client = HttpClient(gate)
    found: dict[Kind, Provider] = {
        Kind.PAGERDUTY: PagerDutyProvider(
            client, events_url=vendors.pagerduty, api_url=vendors.pagerduty_api, public_url=public_url, clock=clock
        ),
        Kind.JIRA: JiraProvider(client, public_url=public_url, clock=clock),
    }
    return {kind.value: provider for kind, provider in found.items()}


def channels(
    gate: Gate,
    *,
    public_url: str,
    now: Callable[[], int],
    vendors: Vendors,
    mail_server: MailServer | None = None,
) -> Mapping[str, Channel]:
    """The channel of each type, by the type's name as it is stored; no mail without a server for it."""
    client = HttpClient(gate)
    found: dict[ChannelType, Channel] = {
        ChannelType.SLACK: SlackChannel(client, base_url=vendors.slack, public_url=public_url),
        ChannelType.PAGERDUTY: PagerDutyChannel(client, events_url=vendors.pagerduty, public_url=public_url),
        ChannelType.DISCORD: DiscordChannel(client, base_url=vendors.discord, public_url=public_url),
        ChannelType.TELEGRAM: TelegramChannel(client, base_url=vendors.telegram, public_url=public_url),
        ChannelType.TEAMS: TeamsChannel(client, public_url=public_url),
        ChannelType.NTFY: NtfyChannel(client, public_url=public_url),
        ChannelType.WEBHOOK: HttpsChannel(client, public_url=public_url, now=now),
    }
    if mail_server is not None:
        found[ChannelType.EMAIL] = EmailChannel(
            Smtp(gate, mail_server), sender=mail_server.sender, public_url=public_url
        )
    return {kind.value: channel for kind, channel in found.items()}
