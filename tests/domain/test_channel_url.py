"""The URLs by which people name channels."""

from __future__ import annotations

import pytest

from statuspulse.domain.channel_addresses import ChannelUrlError, SlackHook
from statuspulse.domain.channel_url import ChannelType, parse_channel_url

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


TOKEN = "t0k3n-" * 5
BOT = "slack://xoxb-123456-abcdefghij"
KEY = "0123456789abcdef0123456789abcdef"
FLOW = "https://prod-1.westeurope.logic.azure.com/workflows/1/triggers/manual/paths/invoke?sig=s3cret"


@pytest.mark.parametrize(
    ("text", "kind", "canonical", "masked"),
    [
        (f"pagerduty://{KEY}", "pagerduty", f"pagerduty://{KEY}", "pagerduty://***"),
        (f"PagerDuty://{KEY}?region=us", "pagerduty", f"pagerduty://{KEY}", "pagerduty://***"),
        (f"pagerduty://{KEY}/?region=eu", "pagerduty", f"pagerduty://{KEY}?region=eu", "pagerduty://***?region=eu"),
        (f"{BOT}/#alerts", "slack_bot", f"{BOT}/#alerts", "slack://xoxb-***/#alerts"),
        (f"{BOT}/alerts", "slack_bot", f"{BOT}/#alerts", "slack://xoxb-***/#alerts"),
        (f"{BOT}/C0123ABCD", "slack_bot", f"{BOT}/C0123ABCD", "slack://xoxb-***/C0123ABCD"),
        (f"discord://123456/{TOKEN}", "discord", f"discord://123456/{TOKEN}", "discord://123456/***"),
        (
            f"https://discord.com/api/webhooks/123456/{TOKEN}",
            "discord",
            f"discord://123456/{TOKEN}",
            "discord://123456/***",
        ),
        (
            f"https://discordapp.com/api/v10/webhooks/123456/{TOKEN}",
            "discord",
            f"discord://123456/{TOKEN}",
            "discord://123456/***",
        ),
        (FLOW, "teams", f"teams+{FLOW}", "teams+https://prod-1.westeurope.logic.azure.com/***"),
        (
            FLOW.replace("https", "workflows"),
            "teams",
            f"teams+{FLOW}",
            "teams+https://prod-1.westeurope.logic.azure.com/***",
        ),
        (f"tgram://123456:{TOKEN}/-1001", "telegram", f"tgram://123456:{TOKEN}/-1001", "tgram://123456:***/-1001"),
        ("mailto:Ana@Acme.Example", "email", "mailto:Ana@acme.example", "mailto:Ana@acme.example"),
        ("ntfy://alerts", "ntfy", "ntfys://ntfy.sh/alerts", "ntfys://ntfy.sh/***"),
        ("ntfys://tk_abc@ntfy.acme.example/alerts", "ntfy", None, "ntfys://ntfy.acme.example/***"),
        ("ntfy://ana:pass@10.0.0.1:8080/alerts", "ntfy", None, "ntfy://10.0.0.1:8080/***"),
        ("https://ops.example:8443/hook?key=s3cret", "webhook", None, "https://ops.example:8443/***"),
        ("http://hooks.slack.com/services/T0/B0/abc", "webhook", None, "http://hooks.slack.com/***"),
        (
            "https://hooks.slack.com.evil.example/services/T0/B0/abc",
            "webhook",
            None,
            "https://hooks.slack.com.evil.example/***",
        ),
    ],
)
def test_a_url_is_one_channel_that_shows_no_secret(text: str, kind: str, canonical: str | None, masked: str) -> None:
    url = parse_channel_url(text)
    assert (url.type.value, url.canonical.reveal(), url.masked) == (kind, canonical or text, masked)
    again = parse_channel_url(url.canonical.reveal())
    assert (again.canonical, again.masked) == (url.canonical, url.masked)
    for secret in (TOKEN, KEY, "s3cret", "tk_abc", "pass@"):
        assert secret not in f"{url!r} {url.masked} {url.name}"


@pytest.mark.parametrize(
    "text",
    [
        "pagerduty://tooshort",
        f"pagerduty://{KEY}?region=mars",
        "discord://123456/short",
        f"https://discord.com/api/webhooks/123456/{TOKEN}/../slack",
        f"tgram://{TOKEN}/1",
        "mailto:a@b@c",
        "mailto:a@b.c?bcc=d@e.f",
        "mailto:a@b.c\r\nBcc: d@e.f",
        "https://user:password@ops.example/",
        "https://[::1",
        "https://[x]/",
        "https://a]b/",
        "https://ex\u2100mple.com/",
        "teams+https://[x/",
        "https://ops.example/#there",
        "https://",
        "teams+https://",
        "ntfys://host/topic/more",
    ],
)
def test_what_only_looks_like_a_channel_is_refused_without_being_quoted(text: str) -> None:
    with pytest.raises(ChannelUrlError) as refusal:
        parse_channel_url(text)
    assert refusal.value.code == "parameter_invalid_format"
    assert TOKEN not in str(refusal.value)


@pytest.mark.parametrize(
    "text", ["msteams://a/b/c", "https://outlook.office.com/webhook/1", "https://acme.webhook.office.com/webhookb2/1"]
)
def test_a_retired_connector_is_refused_with_the_way_out(text: str) -> None:
    with pytest.raises(ChannelUrlError, match="make a flow") as refusal:
        parse_channel_url(text)
    assert refusal.value.code == "scheme_unsupported"


@pytest.mark.parametrize("text", ["gopher://a/b", "slack:hooks/T0A1B2C3D/B0X9Y8Z7W/abc123", "", "ops.example"])
def test_other_kinds_of_receiver_are_refused_with_those_that_there_are(text: str) -> None:
    with pytest.raises(ChannelUrlError, match="pagerduty://") as refusal:
        parse_channel_url(text)
    assert refusal.value.code == "scheme_unsupported"
