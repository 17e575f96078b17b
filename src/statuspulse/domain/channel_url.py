"""The URLs by which people name notification channels, and what each becomes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from statuspulse.domain.apprise_schemes import PLUGINS
from statuspulse.domain.channel_addresses import (
    AppriseUrl,
    ChannelUrlError,
    DiscordHook,
    HttpsReceiver,
    Mailbox,
    NtfyTopic,
    PagerDutyKey,
    SlackBot,
    SlackHook,
    TeamsWorkflow,
    TelegramChat,
)
from statuspulse.domain.secret import Secret


class ChannelType(StrEnum):
    """The kinds of receiver that there are."""

    SLACK = "slack"
    SLACK_BOT = "slack_bot"
    PAGERDUTY = "pagerduty"
    DISCORD = "discord"
    TEAMS = "teams"
    TELEGRAM = "telegram"
    EMAIL = "email"
    NTFY = "ntfy"
    WEBHOOK = "webhook"
    APPRISE = "apprise"


Address = (
    SlackHook
    | SlackBot
    | PagerDutyKey
    | DiscordHook
    | TeamsWorkflow
    | TelegramChat
    | Mailbox
    | NtfyTopic
    | HttpsReceiver
    | AppriseUrl
)

# The first whose beginning fits decides; what is left and is a web address is a receiver of the user's own.
_KINDS: tuple[tuple[re.Pattern[str], ChannelType, type[Address]], ...] = (
    (re.compile(r"slack://xoxb-"), ChannelType.SLACK_BOT, SlackBot),
    (re.compile(r"slack://|https://hooks\.slack\.com/"), ChannelType.SLACK, SlackHook),
    (re.compile(r"pagerduty://"), ChannelType.PAGERDUTY, PagerDutyKey),
    (
        re.compile(r"discord://|https://(?:(?:ptb|canary)\.)?discord(?:app)?\.com/"),
        ChannelType.DISCORD,
        DiscordHook,
    ),
    (re.compile(r"teams\+https?://"), ChannelType.TEAMS, TeamsWorkflow),
    (re.compile(r"tgram://"), ChannelType.TELEGRAM, TelegramChat),
    (re.compile(r"mailto:"), ChannelType.EMAIL, Mailbox),
    (re.compile(r"ntfys?://"), ChannelType.NTFY, NtfyTopic),
    (re.compile(r"https?://"), ChannelType.WEBHOOK, HttpsReceiver),
    (re.compile(rf"(?:{'|'.join(sorted(PLUGINS))})://"), ChannelType.APPRISE, AppriseUrl),
)
# What every instance has of its own.
NATIVE = ", ".join(form.FORM for _, kind, form in _KINDS if kind is not ChannelType.APPRISE)
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_POWER_AUTOMATE = re.compile(r"https://[^/?#@\\]+\.(?:logic\.azure\.com|api\.powerplatform\.com)(?::443)?/")
_RETIRED = re.compile(r"msteams://|https://outlook\.office(?:365)?\.com/|https://[^/?#@\\]+\.webhook\.office\.com/")
_RETIRED_HINT = (
    "is a connector of Office 365, which Microsoft has retired; make a flow with the trigger "
    '"When a Teams webhook request is received" and send its URL'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelUrl:
    """One channel: `canonical` is the same for every spelling and holds its secret, `masked` may be shown.

    `dialled` is the web address that the user chose himself, None where the kind of channel settles it.
    """

    type: ChannelType
    canonical: Secret
    masked: str
    name: str
    dialled: Secret | None = None


def parse_channel_url(text: str) -> ChannelUrl:
    """The channel that a URL names; raises ChannelUrlError. The scheme may be in any case, the rest counts as it is."""
    spelled = _respelled(text)
    if _RETIRED.match(spelled):
        raise ChannelUrlError("scheme_unsupported", _RETIRED_HINT)
    for beginning, kind, form in _KINDS:
        if beginning.match(spelled):
            return _channel(kind, form.of(spelled))
    message = f"names a kind of channel that this version does not deliver to; it knows {NATIVE}"
    raise ChannelUrlError("scheme_unsupported", message)


def _respelled(text: str) -> str:
    """The scheme in lower case, and flows in the one form that they have here."""
    scheme = _SCHEME.match(text)
    spelled = text if scheme is None else scheme[0].lower() + text[scheme.end() :]
    if spelled.startswith("workflows://"):
        return "teams+https://" + spelled.removeprefix("workflows://")
    return f"teams+{spelled}" if _POWER_AUTOMATE.match(spelled) else spelled


def _channel(kind: ChannelType, address: Address) -> ChannelUrl:
    chosen = address.url if isinstance(address, HttpsReceiver | TeamsWorkflow | NtfyTopic) else None
    if isinstance(address, AppriseUrl):
        chosen = address.dialled
    return ChannelUrl(
        type=kind,
        canonical=Secret(address.canonical),
        masked=address.masked,
        name=address.name,
        dialled=None if chosen is None else Secret(chosen),
    )
