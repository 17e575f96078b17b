"""What the URLs of channels hold, one class for each kind; `canonical` is the one spelling that is stored, sealed.

Of every class: `of` reads the canonical form and raises ChannelUrlError, `masked` may be shown, `name` is for people.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from statuspulse.domain.apprise_schemes import HOSTED, PLUGINS
from statuspulse.domain.secret import MASK

_SLACK = re.compile(
    r"(?:slack://(?:hooks/)?|https://hooks\.slack\.com/services/)(T[A-Z0-9]+)/(B[A-Z0-9]+)/([A-Za-z0-9]+)"
)
# Slack's own names: lower case, and no character that would begin something else in a URL.
_SLACK_BOT = re.compile(
    r"slack://(xoxb-[A-Za-z0-9-]{10,250})/(?:([CG][A-Z0-9]{8,20})|#?([a-z0-9_\-.\u0080-\uffff]{1,80}))"
)
_PAGERDUTY = re.compile(r"pagerduty://([A-Za-z0-9]{32})/?(?:\?region=(us|eu))?")
_DISCORD = re.compile(
    r"(?:discord://|https://(?:(?:ptb|canary)\.)?discord(?:app)?\.com/api/(?:v[0-9]+/)?webhooks/)"
    r"([0-9]{5,24})/([A-Za-z0-9_-]{20,120})"
)
_TELEGRAM = re.compile(r"tgram://([0-9]{3,20}):([A-Za-z0-9_-]{20,64})/(-?[0-9]{1,20}|@[A-Za-z0-9_]{3,64})/?")
_MAILBOX = re.compile(
    r"mailto:([A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64})@([A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?)"
)
_WEB = re.compile(r"https?://[^\s/?#@\\]+(?:[/?][^\s#\\]*)?")
_APPRISE = re.compile(r"[a-z0-9]+://[^\s\\]+")
_NTFY = re.compile(
    r"(ntfys?)://(?:(?:(?:(tk_[A-Za-z0-9]+)|([^\s:/@]+):([^\s/@]+))@)?([^\s/?#@\\]+)/)?([A-Za-z0-9_-]{1,64})/?"
)
_NTFY_HOST = "ntfy.sh"
_INVALID = "parameter_invalid_format"


class ChannelUrlError(ValueError):
    """Not the URL of a channel; the text goes on from the name of the member and never quotes the URL."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class SlackHook:
    """The three parts of an incoming webhook; the last one is what lets anyone post."""

    team: str
    hook: str
    token: str = field(repr=False)

    FORM = "slack://hooks/T…/B…/…"

    @classmethod
    def of(cls, canonical: str) -> SlackHook:
        return cls(*_read(_SLACK, canonical, cls.FORM))

    @property
    def canonical(self) -> str:
        return f"slack://hooks/{self.team}/{self.hook}/{self.token}"

    @property
    def masked(self) -> str:
        return f"slack://hooks/{self.team}/{self.hook}/{MASK}"

    @property
    def name(self) -> str:
        return f"Slack {self.team}/{self.hook}"

    @property
    def path(self) -> str:
        return f"/services/{self.team}/{self.hook}/{self.token}"


@dataclass(frozen=True, slots=True)
class SlackBot:
    """The token of a bot, and the conversation that it writes to: its id, or its name behind a #."""

    token: str = field(repr=False)
    channel: str

    FORM = "slack://xoxb-…/#channel"

    @classmethod
    def of(cls, canonical: str) -> SlackBot:
        token, conversation, name = _read(_SLACK_BOT, canonical, cls.FORM)
        return cls(token, conversation or f"#{name}")

    @property
    def canonical(self) -> str:
        return f"slack://{self.token}/{self.channel}"

    @property
    def masked(self) -> str:
        return f"slack://xoxb-{MASK}/{self.channel}"

    @property
    def name(self) -> str:
        return f"Slack {self.channel}"


@dataclass(frozen=True, slots=True)
class PagerDutyKey:
    """The routing key of a service (Events API v2), and in which of PagerDuty's regions it lives."""

    key: str = field(repr=False)
    region: str = "us"

    FORM = "pagerduty://{routing key of 32 characters}[?region=eu]"

    @classmethod
    def of(cls, canonical: str) -> PagerDutyKey:
        key, region = _read(_PAGERDUTY, canonical, cls.FORM)
        return cls(key, region or "us")

    @property
    def canonical(self) -> str:
        return f"pagerduty://{self.key}{self._query}"

    @property
    def masked(self) -> str:
        return f"pagerduty://{MASK}{self._query}"

    @property
    def name(self) -> str:
        return "PagerDuty" if self.region == "us" else "PagerDuty EU"

    @property
    def _query(self) -> str:
        return "" if self.region == "us" else f"?region={self.region}"


@dataclass(frozen=True, slots=True)
class DiscordHook:
    """A webhook of a Discord channel."""

    hook: str
    token: str = field(repr=False)

    FORM = "discord://{id}/{token}"

    @classmethod
    def of(cls, canonical: str) -> DiscordHook:
        return cls(*_read(_DISCORD, canonical, cls.FORM))

    @property
    def canonical(self) -> str:
        return f"discord://{self.hook}/{self.token}"

    @property
    def masked(self) -> str:
        return f"discord://{self.hook}/{MASK}"

    @property
    def name(self) -> str:
        return f"Discord {self.hook}"


@dataclass(frozen=True, slots=True)
class TelegramChat:
    """A bot with its token, and the chat that it writes to: a number, or the @name of a public channel."""

    bot: str
    token: str = field(repr=False)
    chat: str

    FORM = "tgram://{bot id}:{token}/{chat}"

    @classmethod
    def of(cls, canonical: str) -> TelegramChat:
        return cls(*_read(_TELEGRAM, canonical, cls.FORM))

    @property
    def canonical(self) -> str:
        return f"tgram://{self.bot}:{self.token}/{self.chat}"

    @property
    def masked(self) -> str:
        return f"tgram://{self.bot}:{MASK}/{self.chat}"

    @property
    def name(self) -> str:
        return f"Telegram {self.chat}"


@dataclass(frozen=True, slots=True)
class Mailbox:
    """One address; its domain in lower case."""

    local: str
    domain: str

    FORM = "mailto:ana@example.com"

    @classmethod
    def of(cls, canonical: str) -> Mailbox:
        local, domain = _read(_MAILBOX, canonical, cls.FORM)
        return cls(local, domain.lower())

    @property
    def canonical(self) -> str:
        return f"mailto:{self.name}"

    @property
    def masked(self) -> str:
        """Nobody can do anything with it that a stranger could not."""
        return self.canonical

    @property
    def name(self) -> str:
        return f"{self.local}@{self.domain}"


@dataclass(frozen=True, slots=True)
class HttpsReceiver:
    """A server of the user's own, told in signed JSON. `keys` sign: one, or two while one takes over from the other."""

    url: str = field(repr=False)
    keys: tuple[str, ...] = field(repr=False, default=())

    FORM = "https://…"

    @classmethod
    def of(cls, canonical: str) -> HttpsReceiver:
        """Of the canonical URL, and below it a line for each key where it has any."""
        url, *keys = canonical.split("\n")
        if _WEB.fullmatch(url) is None or not _is_readable(url):
            raise ChannelUrlError(_INVALID, "has to be a URL with a host and neither user name nor fragment")
        return cls(url, tuple(keys))

    @property
    def canonical(self) -> str:
        return "\n".join((self.url, *self.keys))

    @property
    def masked(self) -> str:
        return f"{_origin(self.url)}/{MASK}"

    @property
    def name(self) -> str:
        return urlsplit(self.url).netloc


@dataclass(frozen=True, slots=True)
class TeamsWorkflow:
    """The URL that starts a flow of Power Automate; its query holds the signature that lets anyone start it."""

    url: str = field(repr=False)

    FORM = "teams+https://…"

    @classmethod
    def of(cls, canonical: str) -> TeamsWorkflow:
        return cls(HttpsReceiver.of(canonical.removeprefix("teams+")).url)

    @property
    def canonical(self) -> str:
        return f"teams+{self.url}"

    @property
    def masked(self) -> str:
        return f"teams+{_origin(self.url)}/{MASK}"

    @property
    def name(self) -> str:
        return "Teams"


@dataclass(frozen=True, slots=True)
class NtfyTopic:
    """A topic, which whoever knows its name can read, and what lets us write to it where anything has to."""

    scheme: str
    host: str
    topic: str = field(repr=False)
    token: str = field(repr=False, default="")
    user: str = field(repr=False, default="")
    password: str = field(repr=False, default="")

    FORM = "ntfys://[token@|user:password@]host/topic"

    @classmethod
    def of(cls, canonical: str) -> NtfyTopic:
        scheme, token, user, password, host, topic = _read(_NTFY, canonical, cls.FORM)
        if not host:
            return cls("ntfys", _NTFY_HOST, topic)
        return cls(scheme, host, topic, token or "", user or "", password or "")

    @property
    def canonical(self) -> str:
        signs_in = f"{self.token}@" if self.token else f"{self.user}:{self.password}@" if self.user else ""
        return f"{self.scheme}://{signs_in}{self.host}/{self.topic}"

    @property
    def masked(self) -> str:
        return f"{self.scheme}://{self.host}/{MASK}"

    @property
    def name(self) -> str:
        return f"ntfy {self.host}"

    @property
    def url(self) -> str:
        """What is posted to; the topic stands in the body."""
        return f"{'https' if self.scheme == 'ntfys' else 'http'}://{self.host}/"


@dataclass(frozen=True, slots=True)
class AppriseUrl:
    """A URL in the words of Apprise. Only its plugin knows what in it is secret, so nothing but a host is shown."""

    url: str = field(repr=False)

    FORM = "one of the schemes of Apprise"

    @classmethod
    def of(cls, canonical: str) -> AppriseUrl:
        if _APPRISE.fullmatch(canonical) is None or canonical.partition("://")[0] not in PLUGINS:
            raise ChannelUrlError(_INVALID, "has to be a URL of Apprise without spaces and backslashes")
        if not _is_readable(canonical) and canonical.partition("://")[0] in HOSTED:
            raise ChannelUrlError(_INVALID, "has to name a host behind its scheme")
        return cls(canonical)

    @property
    def scheme(self) -> str:
        return self.url.partition("://")[0]

    @property
    def canonical(self) -> str:
        return self.url

    @property
    def masked(self) -> str:
        return f"{self.scheme}://{self._place}{MASK}"

    @property
    def name(self) -> str:
        return f"{self.scheme} {self._place.rstrip('/')}".rstrip()

    @property
    def dialled(self) -> str | None:
        """The web address that the user chose himself; None where the plugin knows it."""
        if not self._place:
            return None
        return f"{'https' if self.scheme.endswith('s') else 'http'}://{self._place}"

    @property
    def _place(self) -> str:
        if self.scheme not in HOSTED:
            return ""
        parts = urlsplit(self.url)
        return f"{parts.netloc.rpartition('@')[2]}/"


def _read(form: re.Pattern[str], text: str, shown: str) -> tuple[str, ...]:
    found = form.fullmatch(text)
    if found is None:
        raise ChannelUrlError(_INVALID, f"has to be of the form {shown}")
    return found.groups()


def _is_readable(url: str) -> bool:
    """Brackets that hold no address, and letters that would turn into others, are found only by reading it."""
    try:
        return bool(urlsplit(url).hostname)
    except ValueError:
        return False


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
