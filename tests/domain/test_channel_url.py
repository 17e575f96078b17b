"""The URLs by which people name channels."""

from __future__ import annotations

import pytest

from statuspulse.domain.channel_url import ChannelType, ChannelUrlError, SlackHook, parse_channel_url

CANONICAL = "slack://hooks/T0A1B2C3D/B0X9Y8Z7W/abc123"


@pytest.mark.parametrize(
    "text",
    [
        CANONICAL,
        "slack://T0A1B2C3D/B0X9Y8Z7W/abc123",
        "SLACK://hooks/T0A1B2C3D/B0X9Y8Z7W/abc123",
        "https://hooks.slack.com/services/T0A1B2C3D/B0X9Y8Z7W/abc123",
        "Https://hooks.slack.com/services/T0A1B2C3D/B0X9Y8Z7W/abc123",
    ],
)
def test_every_spelling_of_a_hook_is_one_channel(text: str) -> None:
    url = parse_channel_url(text)
    assert (url.type, url.canonical.reveal()) == (ChannelType.SLACK, CANONICAL)
    assert (url.masked, url.name) == ("slack://hooks/T0A1B2C3D/B0X9Y8Z7W/***", "Slack T0A1B2C3D/B0X9Y8Z7W")


def test_the_hook_of_the_documentation_posts_where_slack_expects_it() -> None:
    assert SlackHook.of(CANONICAL).path == "/services/T0A1B2C3D/B0X9Y8Z7W/abc123"


def test_the_secret_shows_nowhere() -> None:
    url = parse_channel_url(CANONICAL)
    assert "abc123" not in f"{url} {url!r} {url.canonical} {url.masked} {url.name}"


@pytest.mark.parametrize(
    "text",
    [
        "slack://hooks/T0A1B2C3D/B0X9Y8Z7W",
        "slack://hooks/T0A1B2C3D/B0X9Y8Z7W/abc123/",
        "slack://hooks/T0A1B2C3D/B0X9Y8Z7W/abc123\n",
        "slack://hooks/t0a1b2c3d/B0X9Y8Z7W/abc123",
        "slack://hooks/T0A1B2C3D/X0X9Y8Z7W/abc123",
        "slack://hooks/T0A1B2C3D/B0X9Y8Z7W/abc-123",
        "slack://hooks/T0A1B2C3D/B0X9Y8Z7W/../../admin",
        "slack://HOOKS/T0A1B2C3D/B0X9Y8Z7W/abc123",
        "https://hooks.slack.com/services/T0A1B2C3D/B0X9Y8Z7W/abc123?x=1",
        "https://hooks.slack.com/other/T0A1B2C3D/B0X9Y8Z7W/abc123",
        "slack://",
    ],
)
def test_what_only_looks_like_a_hook_is_refused_without_being_quoted(text: str) -> None:
    with pytest.raises(ChannelUrlError) as refusal:
        parse_channel_url(text)
    assert refusal.value.code == "parameter_invalid_format"
    assert "T0A1B2C3D" not in str(refusal.value)


@pytest.mark.parametrize(
    "text",
    [
        "discord://123/token",
        "https://example.org/hook",
        "http://hooks.slack.com/services/T0A1B2C3D/B0X9Y8Z7W/abc123",
        "https://hooks.slack.com.evil.example/services/T0A1B2C3D/B0X9Y8Z7W/abc123",
        "mailto:a@b.c",
        "slack:hooks/T0A1B2C3D/B0X9Y8Z7W/abc123",
        "",
    ],
)
def test_other_kinds_of_receiver_are_not_known(text: str) -> None:
    with pytest.raises(ChannelUrlError) as refusal:
        parse_channel_url(text)
    assert refusal.value.code == "scheme_unsupported"
