"""Channels as configurations name them: one per canonical URL and team, its secrets sealed."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from statuspulse.catalog.identifiers import fresh_id
from statuspulse.catalog.instance import Instance
from statuspulse.delivery.channels import apprise
from statuspulse.domain.channel_addresses import ChannelUrlError
from statuspulse.domain.channel_url import NATIVE, ChannelType, ChannelUrl, parse_channel_url
from statuspulse.domain.secret import Secret
from statuspulse.domain.webhook import new_secret
from statuspulse.egress.policy import Policy, Purpose, literal_verdict
from statuspulse.egress.urls import parse_url
from statuspulse.storage import channels
from statuspulse.storage.channels import Channel, place_of, secret_place_of

_PURPOSE = "channel_url"


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A channel; `secret` is there where one has just been made that signs what is sent to it."""

    channel: Channel
    is_new: bool
    secret: Secret | None = None


def provide(connection: Connection, team_id: str, text: str, instance: Instance, now: int) -> str:
    """The id of the channel with the URL, made where the team has none; raises ChannelUrlError."""
    return make(connection, team_id, text, instance, now).channel.id


def make(connection: Connection, team_id: str, text: str, instance: Instance, now: int) -> Made:
    """The channel with the URL, made where the team has none; raises ChannelUrlError."""
    url, keyring = _parsed(text, instance), instance.keyring
    _check(url, instance)
    canonical = url.canonical.reveal()
    digest = keyring.digest(_PURPOSE, canonical)
    known = channels.by_digest(connection, team_id, digest)
    if known is not None:
        return Made(channel=known, is_new=False)
    channel_id = fresh_id(connection, "nch", channels.exists)
    secret = new_secret() if url.type is ChannelType.WEBHOOK else None
    channel = Channel(
        id=channel_id,
        team_id=team_id,
        type=url.type.value,
        url_masked=url.masked,
        url_sealed=keyring.seal(place_of(channel_id, team_id), canonical),
        name=url.name,
        secret_sealed=None if secret is None else keyring.seal(secret_place_of(channel_id, team_id), secret),
        created_at=now,
        updated_at=now,
    )
    channels.insert(connection, channel, digest)
    return Made(channel=channel, is_new=True, secret=None if secret is None else Secret(secret))


def _parsed(text: str, instance: Instance) -> ChannelUrl:
    """Raises ChannelUrlError, which names everything that this instance delivers to."""
    try:
        return parse_channel_url(text)
    except ChannelUrlError as error:
        if error.code != "scheme_unsupported" or not instance.apprise:
            raise
        raise ChannelUrlError(error.code, f"{error}; by Apprise also {_listed(instance)}") from None


def _listed(instance: Instance) -> str:
    return ", ".join(f"{scheme}://" for scheme in sorted(instance.apprise))


def _check_apprise(url: ChannelUrl, instance: Instance) -> None:
    text = url.canonical.reveal()
    if text.partition("://")[0] not in instance.apprise:
        also = f", and by Apprise {_listed(instance)}" if instance.apprise else ""
        cure = (
            "its operator lists it in STATUSPULSE_APPRISE_SCHEMES"
            if also
            else "its operator installs the extra apprise"
        )
        message = f"names a kind of channel that this instance does not deliver to; it knows {NATIVE}{also}; {cure}"
        raise ChannelUrlError("scheme_unsupported", message)
    if not apprise.is_readable(text):
        raise ChannelUrlError("parameter_invalid_format", "is no URL of its scheme in the words of Apprise")


def _check(url: ChannelUrl, instance: Instance) -> None:
    """Raises ChannelUrlError for what this instance cannot, or may not, deliver to."""
    if url.type is ChannelType.APPRISE:
        _check_apprise(url, instance)
    if url.type is ChannelType.EMAIL and not instance.sends_mail:
        message = "names a mail address, and this instance has no mail server; its operator sets STATUSPULSE_SMTP_URL"
        raise ChannelUrlError("scheme_unsupported", message)
    if url.dialled is not None:
        _check_address(url.dialled.reveal(), instance.policy)


def _check_address(text: str, policy: Policy) -> None:
    """A literal address is judged at once, a name when it is dialled; plain http goes to listed addresses alone."""
    try:
        url = parse_url(text)
    except ValueError as error:
        raise ChannelUrlError("parameter_invalid_format", f"cannot be used: {error}") from None
    purpose = policy.effective(Purpose.DELIVERY_WEBHOOK, url.host, url.port)
    verdict = literal_verdict(url.host, url.port, purpose, policy)
    if verdict is not None and not verdict.allowed:
        raise ChannelUrlError("url_blocked", f"is refused: {verdict.text}")
    if url.scheme == "https" or purpose is Purpose.CONTROL or policy.lists(url.ip):
        return
    message = "has to be reached over https; http is for addresses that STATUSPULSE_DELIVERY_ALLOW lists"
    raise ChannelUrlError("scheme_unsupported", message)
