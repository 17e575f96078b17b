"""Channels as configurations name them: one per canonical URL and team, its secret sealed (`API.md` A8)."""

from __future__ import annotations

from sqlalchemy import Connection

from statuspulse.catalog.identifiers import fresh_id
from statuspulse.domain.channel_url import parse_channel_url
from statuspulse.storage import channels
from statuspulse.storage.channels import Channel, place_of
from statuspulse.storage.sealing import Keyring

_PURPOSE = "channel_url"


def provide(connection: Connection, team_id: str, text: str, keyring: Keyring, now: int) -> str:
    """The id of the channel with the URL, made where the team has none; raises ChannelUrlError."""
    url = parse_channel_url(text)
    canonical = url.canonical.reveal()
    digest = keyring.digest(_PURPOSE, canonical)
    known = channels.id_by_digest(connection, team_id, digest)
    if known is not None:
        return known
    channel_id = fresh_id(connection, "nch", channels.exists)
    channel = Channel(
        id=channel_id,
        team_id=team_id,
        type=url.type.value,
        url_masked=url.masked,
        url_sealed=keyring.seal(place_of(channel_id, team_id), canonical),
        name=url.name,
        created_at=now,
    )
    channels.insert(connection, channel, digest)
    return channel_id
