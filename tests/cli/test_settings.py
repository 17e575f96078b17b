"""Settings: each good and bad, the environment before the file, and names that nobody knows."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path

import pytest

from statuspulse.delivery.vendors import Vendors
from statuspulse.domain.apprise_schemes import PLUGINS
from statuspulse.domain.mail_server import MailServer
from statuspulse.domain.secret import Secret
from statuspulse.domain.throttle import DEFAULTS, Limit
from statuspulse.egress.addresses import AddressClass
from statuspulse.egress.anchors import root_servers
from statuspulse.egress.policy import Policy
from statuspulse.settings import Settings, SettingsError, default_data_dir, load, probe_anchors, probe_policy


def _load(folder: Path, **given: str) -> Settings:
    return load({f"STATUSPULSE_{name}": value for name, value in given.items()}, folder)


def _write(folder: Path, text: str) -> None:
    (folder / "statuspulse.toml").write_text(text)


def test_without_any_setting_everything_has_a_default(tmp_path: Path) -> None:
    settings = load({"HOME": str(tmp_path), "OTHER_LISTEN": "x"}, tmp_path)
    assert settings == Settings(
        data_dir=default_data_dir({}),
        host="127.0.0.1",
        port=8080,
        public_url=None,
        bootstrap_token=None,
        min_interval_seconds=10,
        policy=Policy(),
        vendors=Vendors(),
        mail_server=None,
        apprise=frozenset(PLUGINS),
        runs_probe=True,
        trusted_proxies=(),
        rate_limits=DEFAULTS,
        flap_damping=True,
        heartbeat_url=None,
        heartbeat_seconds=60,
        remarks=(),
    )


@pytest.mark.parametrize(
    ("name", "text", "member", "expected"),
    [
        ("DATA_DIR", "./data", "data_dir", Path("data")),
        ("LISTEN", "0.0.0.0:9000", "host", "0.0.0.0"),
        ("LISTEN", "localhost:0", "port", 0),
        ("LISTEN", "[::1]:65535", "host", "::1"),
        ("PUBLIC_URL", "https://status.example.com/", "public_url", "https://status.example.com"),
        ("PUBLIC_URL", "http://127.0.0.1:8080/watch", "public_url", "http://127.0.0.1:8080/watch"),
        ("MIN_INTERVAL_SECONDS", "1", "min_interval_seconds", 1),
        ("MIN_INTERVAL_SECONDS", "86400", "min_interval_seconds", 86_400),
        (
            "SLACK_BASE_URL",
            "http://127.0.0.1:9999/",
            "vendors",
            Vendors(slack="http://127.0.0.1:9999", slack_api="http://127.0.0.1:9999"),
        ),
        ("DISCORD_BASE_URL", "http://127.0.0.1:9999", "vendors", Vendors(discord="http://127.0.0.1:9999")),
        ("TELEGRAM_BASE_URL", "http://127.0.0.1:9999", "vendors", Vendors(telegram="http://127.0.0.1:9999")),
        (
            "PAGERDUTY_EVENTS_URL",
            "http://127.0.0.1:9/v2/enqueue",
            "vendors",
            Vendors(pagerduty="http://127.0.0.1:9/v2/enqueue"),
        ),
        ("PAGERDUTY_API_URL", "http://127.0.0.1:9", "vendors", Vendors(pagerduty_api="http://127.0.0.1:9")),
        (
            "SMTP_URL",
            "smtps://mail.acme.example?from=a@acme.example",
            "mail_server",
            MailServer.parse("smtps://mail.acme.example?from=a@acme.example"),
        ),
        ("ROLES", "api, engine,dispatcher", "runs_probe", False),
        ("FLAP_DAMPING", "off", "flap_damping", False),
        (
            "HEARTBEAT_URL",
            "https://up.example/push/k?status=up",
            "heartbeat_url",
            Secret("https://up.example/push/k?status=up"),
        ),
        ("HEARTBEAT_SECONDS", "3600", "heartbeat_seconds", 3600),
        ("ROLES", "api,engine,dispatcher,probe", "runs_probe", True),
        ("RATE_LIMITS", "api=6000/60,writes=0", "rate_limits", {**DEFAULTS, "api": Limit(6000, 60), "writes": None}),
        ("TRUSTED_PROXIES", "10.0.0.0/8, ::1,", "trusted_proxies", (ip_network("10.0.0.0/8"), ip_network("::1"))),
    ],
)
def test_a_good_setting_is_taken(tmp_path: Path, name: str, text: str, member: str, expected: object) -> None:
    assert getattr(_load(tmp_path, **{name: text}), member) == expected


def test_a_token_of_the_operator_s_own_is_taken_and_never_shown(tmp_path: Path) -> None:
    settings = _load(tmp_path, BOOTSTRAP_TOKEN="sk_live_8f3a9c2d1e4b7f6a")
    assert settings.bootstrap_token is not None
    assert settings.bootstrap_token.reveal() == "sk_live_8f3a9c2d1e4b7f6a"
    assert "8f3a9c2d1e4b7f6a" not in repr(settings)


def test_denied_classes_are_added_to_the_floor(tmp_path: Path) -> None:
    settings = _load(tmp_path, PROBE_DENY="private, loopback")
    assert settings.policy.probe_deny == Policy().probe_deny | {AddressClass.PRIVATE, AddressClass.LOOPBACK}
    assert probe_policy({"STATUSPULSE_PROBE_DENY": "private, loopback"}, tmp_path) == settings.policy


def test_networks_that_deliveries_may_reach_are_taken(tmp_path: Path) -> None:
    settings = _load(tmp_path, DELIVERY_ALLOW="10.1.0.0/16,fd00:1::/64")
    assert [str(network) for network in settings.policy.delivery_allow] == ["10.1.0.0/16", "fd00:1::/64"]


def test_an_emulator_of_slack_that_the_operator_named_may_be_reached(tmp_path: Path) -> None:
    assert _load(tmp_path, SLACK_BASE_URL="http://127.0.0.1:9999").policy.named == {("127.0.0.1", 9999)}
    assert _load(tmp_path, SLACK_BASE_URL="https://hooks.slack.com").policy.named == frozenset()
    mail = _load(tmp_path, SMTP_URL="smtp://10.0.0.7:2525?from=a@acme.example&tls=none").policy
    assert mail.named == {("10.0.0.7", 2525)}


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("DATA_DIR", "a\nb", "must not hold line breaks"),
        ("RATE_LIMITS", "api=fast", "'api=fast' is no limit; write calls and seconds as in api=6000/60"),
        ("TRUSTED_PROXIES", "10.0.0.1/8", "10.0.0.1/8 has bits behind its prefix; 10.0.0.0/8 is meant"),
        ("TRUSTED_PROXIES", "proxy.example", "proxy.example must be an address or a network"),
        ("TRUSTED_PROXIES", "0.0.0.0/0", "0.0.0.0/0 would believe every caller"),
        ("DATA_DIR", "a\udc80b", "must not hold line breaks"),
        ("LISTEN", "8080", "must be an address and a port such as 127.0.0.1:8080"),
        ("LISTEN", ":8080", "must be an address and a port"),
        ("LISTEN", "127.0.0.1:", "must be an address and a port"),
        ("LISTEN", "127.0.0.1:65536", "must be an address and a port"),
        ("LISTEN", "127.0.0.1:-1", "must be an address and a port"),
        ("LISTEN", "127.0.0.1:٨٠", "must be an address and a port"),
        ("LISTEN", "127.0.0.1:" + "9" * 5000, "must be an address and a port"),
        ("PUBLIC_URL", "status.example.com", "has to begin with http:// or https://"),
        ("PUBLIC_URL", "ftp://status.example.com", "has to begin with http:// or https://"),
        ("PUBLIC_URL", "https://", "has no host"),
        ("PUBLIC_URL", "https://user:secret@status.example.com", "user name and password do not belong"),
        ("PUBLIC_URL", "https://status.example.com/?team=1", "must have neither query nor fragment"),
        ("BOOTSTRAP_TOKEN", "fifteen_letters", "needs 16 to 255 printable ASCII characters without spaces"),
        ("BOOTSTRAP_TOKEN", "sixteen letters with spaces", "needs 16 to 255"),
        ("BOOTSTRAP_TOKEN", "x" * 256, "needs 16 to 255"),
        ("MIN_INTERVAL_SECONDS", "0", "must be an integer between 1 and 86400"),
        ("MIN_INTERVAL_SECONDS", "86401", "must be an integer between 1 and 86400"),
        ("MIN_INTERVAL_SECONDS", "1.5", "must be an integer"),
        ("MIN_INTERVAL_SECONDS", "9" * 5000, "must be an integer"),
        ("PROBE_DENY", "everything", '"everything" is no class of addresses'),
        ("DELIVERY_ALLOW", "10.1.0.0/33", '"10.1.0.0/33" is no network'),
        ("SMTP_URL", "smtp://mail.acme.example", "needs ?from="),
        ("SLACK_BASE_URL", "http://[::1", "a bracket is missing"),
        ("SLACK_BASE_URL", "http://slack.example.com:99999", "the port has to be between 1 and 65535"),
        ("SLACK_BASE_URL", "http://slack..example.com", "part 2 of the host name is empty"),
        ("FLAP_DAMPING", "no", "must be on or off"),
        ("HEARTBEAT_URL", "ftp://up.example/key", "an example is https://hc.example.com/ping/key"),
        ("HEARTBEAT_URL", "https://up.example/#key", "must have no fragment"),
        ("HEARTBEAT_SECONDS", "0", "must be an integer between 1 and 3600"),
        ("HEARTBEAT_SECONDS", "3601", "must be an integer between 1 and 3600"),
        ("ANCHORS", "anchor.example.com:443", "write each as ADDRESS:PORT"),
        ("ROLES", "api,cook", "'cook' is no role; there are api, engine, dispatcher, probe"),
        ("ROLES", "probe", "run in one process in this version"),
        ("DATABASE_URL", "postgresql://localhost/statuspulse", "is not available in this version; unset it"),
        ("NATS_URL", "nats://localhost", "is not available in this version; unset it"),
    ],
)
def test_a_bad_setting_is_named_with_the_cure(tmp_path: Path, name: str, text: str, told: str) -> None:
    with pytest.raises(SettingsError) as caught:
        _load(tmp_path, **{name: text})
    message = str(caught.value)
    assert message.startswith(f"STATUSPULSE_{name}: ")
    assert told in message
    assert "\n" not in message
    assert name != "BOOTSTRAP_TOKEN" or text not in message


def test_the_environment_is_before_the_file(tmp_path: Path) -> None:
    _write(tmp_path, 'listen = "127.0.0.1:9000"\nmin_interval_seconds = 5\n')
    settings = _load(tmp_path, LISTEN="127.0.0.1:9001")
    assert (settings.port, settings.min_interval_seconds) == (9001, 5)


def test_an_empty_variable_is_none(tmp_path: Path) -> None:
    assert _load(tmp_path, LISTEN="", BOOTSTRAP_TOKEN="", DATABASE_URL="") == _load(tmp_path)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("listen = 127.0.0.1:8080", "statuspulse.toml: cannot be read"),
        ("port = " + "9" * 5000, "statuspulse.toml: cannot be read"),
        ("listen = ['127.0.0.1:8080']", "statuspulse.toml: listen must be a text or an integer"),
        ("roles = true", "statuspulse.toml: roles must be a text or an integer"),
        ('listen = "nowhere"', "statuspulse.toml: listen: must be an address and a port"),
        ('data_dir = "a\\u0000b"', "statuspulse.toml: data_dir: must not hold line breaks"),
    ],
)
def test_a_bad_file_is_named(tmp_path: Path, text: str, told: str) -> None:
    _write(tmp_path, text)
    with pytest.raises(SettingsError) as caught:
        _load(tmp_path)
    assert str(caught.value).startswith(told)


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "statuspulse.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match=r"^statuspulse\.toml: cannot be read"):
        _load(tmp_path)


def test_what_nobody_obeys_is_remarked_on(tmp_path: Path) -> None:
    _write(tmp_path, 'listn = "127.0.0.1:9000"\n')
    settings = _load(tmp_path, RATE_LIMITS="streams=5/60", TOKEN="sk_live_0123456789abcdef", COLOUR="blue")
    assert settings.remarks == (
        "STATUSPULSE_LISTN is not known; perhaps STATUSPULSE_LISTEN is meant",
        "STATUSPULSE_COLOUR is not known",
        "STATUSPULSE_RATE_LIMITS: streams has no effect in this version",
    )


def test_the_data_directory_follows_the_platform(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setenv("HOME", "/home/ops")
    assert default_data_dir({}) == Path("/home/ops/.local/share/statuspulse")
    assert default_data_dir({"XDG_DATA_HOME": "/data"}) == Path("/data/statuspulse")
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert default_data_dir({}) == Path("/var/lib/statuspulse")


def test_a_probe_asks_root_servers_unless_others_are_named_or_nobody(tmp_path: Path) -> None:
    assert probe_anchors({}, tmp_path) == root_servers()
    named = probe_anchors({"STATUSPULSE_ANCHORS": "10.0.0.1:443"}, tmp_path)
    assert named is not None
    assert [anchor.text for anchor in named] == ["10.0.0.1:443"]
    assert probe_anchors({"STATUSPULSE_ANCHORS": "off"}, tmp_path) is None
