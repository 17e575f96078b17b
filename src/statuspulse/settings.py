"""The settings: environment before `statuspulse.toml`, checked once; the parts receive plain values."""

from __future__ import annotations

import difflib
import os
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from statuspulse.delivery.channels import apprise
from statuspulse.delivery.vendors import Vendors
from statuspulse.domain import apprise_schemes, throttle
from statuspulse.domain.access import may_be_given
from statuspulse.domain.mail_server import MailServer
from statuspulse.domain.networks import Network, parse_network
from statuspulse.domain.secret import Secret
from statuspulse.domain.throttle import Limits
from statuspulse.egress.anchors import parse_anchors, root_servers
from statuspulse.egress.endpoints import Endpoint
from statuspulse.egress.policy import Policy
from statuspulse.egress.urls import bracketed, endpoint_of, parse_url

PREFIX = "STATUSPULSE_"
FILE = "statuspulse.toml"

_DEFAULT_LISTEN = "127.0.0.1:8080"
_DEFAULT_MIN_INTERVAL = 10
_DEFAULT_PROBE_DENY = "link-local,metadata"
_LONGEST_MIN_INTERVAL = 86_400
_DEFAULT_HEARTBEAT = 60
_LONGEST_HEARTBEAT = 3600
_MOST_DIGITS = 9
_ROLES = ("api", "engine", "dispatcher", "probe")

KNOWN = frozenset(
    {
        "DATA_DIR",
        "LISTEN",
        "PUBLIC_URL",
        "BOOTSTRAP_TOKEN",
        "MIN_INTERVAL_SECONDS",
        "PROBE_DENY",
        "ANCHORS",
        "DELIVERY_ALLOW",
        "SLACK_BASE_URL",
        "DISCORD_BASE_URL",
        "TELEGRAM_BASE_URL",
        "PAGERDUTY_EVENTS_URL",
        "PAGERDUTY_API_URL",
        "SMTP_URL",
        "APPRISE_SCHEMES",
        "PROBE_KEY",
        "ROLES",
        "TRUSTED_PROXIES",
        "RATE_LIMITS",
        "FLAP_DAMPING",
        "HEARTBEAT_URL",
        "HEARTBEAT_SECONDS",
    }
)
# Names that are kept for what is to come; whoever sets one hears that nothing obeys it yet.
RESERVED = frozenset(
    {
        "DATABASE_URL",
        "NATS_URL",
        "CORS_ORIGINS",
        "TOKEN",
        "TEST_POSTGRES_URL",
    }
)
# Running on without these would do something else than what was asked for.
_REFUSED = {
    "DATABASE_URL": "serving from another database than SQLite is not available in this version",
    "NATS_URL": "serving over NATS is not available in this version",
}


class SettingsError(Exception):
    """Something is wrong with the settings: one line that names the setting and the cure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a process runs by. `remarks` are lines for the operator about settings without effect."""

    data_dir: Path
    host: str
    port: int
    public_url: str | None
    bootstrap_token: Secret | None
    min_interval_seconds: int
    policy: Policy
    vendors: Vendors
    mail_server: MailServer | None
    apprise: frozenset[str]
    runs_probe: bool
    trusted_proxies: tuple[Network, ...]
    flap_damping: bool
    rate_limits: Limits
    heartbeat_url: Secret | None
    heartbeat_seconds: int
    remarks: tuple[str, ...]

    @property
    def database_path(self) -> Path:
        return self.data_dir / "statuspulse.db"


def load(environment: Mapping[str, str], folder: Path) -> Settings:
    """Reads the environment and the file in the folder; raises SettingsError for the first thing that is wrong."""
    with _placed(environment):
        return _load(environment, folder)


def _load(environment: Mapping[str, str], folder: Path) -> Settings:
    values, remarks = _values(environment, folder)
    rate_limits, idle = _rate_limits(values.get("RATE_LIMITS", ""))
    host, port = _listen(values.get("LISTEN", _DEFAULT_LISTEN))
    _anchors(values.get("ANCHORS"))  # its probe reads it again, and would end where nobody looks
    vendors, mail_server = _vendors(values), _mail_server(values.get("SMTP_URL"))
    public_url = values.get("PUBLIC_URL")
    return Settings(
        data_dir=Path(values["DATA_DIR"]) if "DATA_DIR" in values else default_data_dir(environment),
        host=host,
        port=port,
        public_url=None if public_url is None else _url("PUBLIC_URL", public_url),
        bootstrap_token=_bootstrap_token(values.get("BOOTSTRAP_TOKEN")),
        min_interval_seconds=_min_interval(values.get("MIN_INTERVAL_SECONDS")),
        policy=_policy(values, _named_by_operator(vendors, mail_server)),
        vendors=vendors,
        mail_server=mail_server,
        apprise=_apprise(values.get("APPRISE_SCHEMES")),
        runs_probe=_runs_probe(values.get("ROLES")),
        trusted_proxies=tuple(_trusted_proxies(values.get("TRUSTED_PROXIES", ""))),
        flap_damping=_is_on("FLAP_DAMPING", values.get("FLAP_DAMPING", "on")),
        rate_limits=rate_limits,
        heartbeat_url=_heartbeat_url(values.get("HEARTBEAT_URL")),
        heartbeat_seconds=_heartbeat_seconds(values.get("HEARTBEAT_SECONDS")),
        remarks=(*remarks, *(f"{PREFIX}RATE_LIMITS: {policy} has no effect in this version" for policy in idle)),
    )


def probe_policy(environment: Mapping[str, str], folder: Path) -> Policy:
    """The address policy of a process that only checks."""
    with _placed(environment):
        values, _ = _values(environment, folder)
        return _policy(values, ())


def probe_anchors(environment: Mapping[str, str], folder: Path) -> tuple[Endpoint, ...] | None:
    """Whom a probe asks whether its own network works; None if it shall ask nobody."""
    with _placed(environment):
        values, _ = _values(environment, folder)
        return _anchors(values.get("ANCHORS"))


def default_data_dir(environment: Mapping[str, str]) -> Path:
    """Where this platform keeps the data of a program, for the user that runs it."""
    if sys.platform == "darwin":
        return Path.home() / "Library/Application Support/statuspulse"
    if os.geteuid() == 0:
        return Path("/var/lib/statuspulse")
    given = environment.get("XDG_DATA_HOME")
    return (Path(given) if given else Path.home() / ".local/share") / "statuspulse"


@contextmanager
def _placed(environment: Mapping[str, str]) -> Iterator[None]:
    """A complaint about a setting that stands in the file names the file and the member, not the variable."""
    try:
        yield
    except SettingsError as error:
        variable, separator, told = str(error).partition(":")
        name = variable.removeprefix(PREFIX)
        if not separator or variable in environment or name not in KNOWN | set(_REFUSED):
            raise
        raise SettingsError(f"{FILE}: {name.lower()}:{told}") from None


def _values(environment: Mapping[str, str], folder: Path) -> tuple[dict[str, str], list[str]]:
    """Every setting by its name without the prefix, and a line for each that nothing obeys."""
    named = {f"{PREFIX}{name}": (name, value) for name, value in _file_values(folder / FILE).items()}
    named |= {key: (key.removeprefix(PREFIX), value) for key, value in environment.items() if key.startswith(PREFIX)}
    values: dict[str, str] = {}
    remarks: list[str] = []
    for key, (name, value) in named.items():
        if not value.isprintable():
            raise SettingsError(f"{key}: must not hold line breaks or other control characters")
        if not value:
            continue
        if name in _REFUSED:
            raise SettingsError(f"{key}: {_REFUSED[name]}; unset it")
        if name in KNOWN:
            values[name] = value
        elif name in RESERVED and name not in {"TOKEN", "TEST_POSTGRES_URL"}:
            remarks.append(f"{key} has no effect in this version")
        elif name not in KNOWN | RESERVED:
            remarks.append(f"{key} is not known{_perhaps(name)}")
    return values, remarks


def _file_values(path: Path) -> dict[str, str]:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:  # bytes that are no text, text that is no TOML, numbers without end
        raise SettingsError(f"{path.name}: cannot be read: {error}") from None
    for name, value in document.items():
        if not isinstance(value, str | int) or isinstance(value, bool):
            raise SettingsError(f"{path.name}: {name} must be a text or an integer")
    return {name.upper(): str(value) for name, value in document.items()}


def _perhaps(name: str) -> str:
    near = difflib.get_close_matches(name, KNOWN, n=1)
    return f"; perhaps {PREFIX}{near[0]} is meant" if near else ""


def _listen(text: str) -> tuple[str, int]:
    host, separator, port = text.rpartition(":")
    host = host.strip("[]")
    if not separator or not host or not _is_integer(port, 0, 65535):
        raise SettingsError(f"{PREFIX}LISTEN: must be an address and a port such as {_DEFAULT_LISTEN}")
    return host, int(port)


def _url(name: str, text: str) -> str:
    try:
        parse_url(text)
    except ValueError as error:
        raise SettingsError(f"{PREFIX}{name}: {error}; an example is https://status.example.com") from None
    if "?" in text or "#" in text:
        raise SettingsError(f"{PREFIX}{name}: must have neither query nor fragment")
    return text.rstrip("/")


def _heartbeat_url(text: str | None) -> Secret | None:
    """It may have a query, as those of many who take heartbeats have."""
    if text is None:
        return None
    try:
        parse_url(text)
    except ValueError as error:
        raise SettingsError(f"{PREFIX}HEARTBEAT_URL: {error}; an example is https://hc.example.com/ping/key") from None
    if "#" in text:
        raise SettingsError(f"{PREFIX}HEARTBEAT_URL: must have no fragment")
    return Secret(text)


def _heartbeat_seconds(text: str | None) -> int:
    if text is None:
        return _DEFAULT_HEARTBEAT
    if not _is_integer(text, 1, _LONGEST_HEARTBEAT):
        raise SettingsError(f"{PREFIX}HEARTBEAT_SECONDS: must be an integer between 1 and {_LONGEST_HEARTBEAT}")
    return int(text)


def _bootstrap_token(text: str | None) -> Secret | None:
    if text is None:
        return None
    if not may_be_given(text):
        raise SettingsError(f"{PREFIX}BOOTSTRAP_TOKEN: needs 16 to 255 printable ASCII characters without spaces")
    return Secret(text)


def _min_interval(text: str | None) -> int:
    if text is None:
        return _DEFAULT_MIN_INTERVAL
    if not _is_integer(text, 1, _LONGEST_MIN_INTERVAL):
        raise SettingsError(f"{PREFIX}MIN_INTERVAL_SECONDS: must be an integer between 1 and {_LONGEST_MIN_INTERVAL}")
    return int(text)


def _is_on(name: str, text: str) -> bool:
    if text not in {"on", "off"}:
        raise SettingsError(f"{PREFIX}{name}: must be on or off")
    return text == "on"


def _is_integer(text: str, least: int, most: int) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS and least <= int(text) <= most


def _vendors(values: Mapping[str, str]) -> Vendors:
    own = Vendors()
    slack = _url("SLACK_BASE_URL", values.get("SLACK_BASE_URL", own.slack))
    return Vendors(
        slack=slack,
        slack_api=own.slack_api if slack == own.slack else slack,
        discord=_url("DISCORD_BASE_URL", values.get("DISCORD_BASE_URL", own.discord)),
        telegram=_url("TELEGRAM_BASE_URL", values.get("TELEGRAM_BASE_URL", own.telegram)),
        pagerduty=_url("PAGERDUTY_EVENTS_URL", values.get("PAGERDUTY_EVENTS_URL", own.pagerduty)),
        pagerduty_api=_url("PAGERDUTY_API_URL", values.get("PAGERDUTY_API_URL", own.pagerduty_api)),
    )


def _mail_server(text: str | None) -> MailServer | None:
    if text is None:
        return None
    try:
        server = MailServer.parse(text)
        endpoint_of(f"smtp://{bracketed(server.host)}:{server.port}")
    except ValueError as error:
        raise SettingsError(f"{PREFIX}SMTP_URL: {error}") from None
    return server


def _apprise(text: str | None) -> frozenset[str]:
    """Without a word of the operator everything that the extra brings, where it is installed."""
    if not apprise.is_installed():
        if text not in {None, "off"}:
            message = "needs the extra: pip install 'statuspulse[apprise]'"
            raise SettingsError(f"{PREFIX}APPRISE_SCHEMES: {message}")
        return frozenset()
    try:
        return apprise_schemes.chosen(text or "all")
    except ValueError as error:
        raise SettingsError(f"{PREFIX}APPRISE_SCHEMES: {error}") from None


def _named_by_operator(vendors: Vendors, mail_server: MailServer | None) -> tuple[str, ...]:
    """The addresses that deliveries may reach because he chose them himself."""
    own = asdict(Vendors())
    urls = [url for name, url in asdict(vendors).items() if url != own[name]]
    if mail_server is not None:
        urls.append(f"smtp://{bracketed(mail_server.host)}:{mail_server.port}")
    return tuple(urls)


def _policy(values: Mapping[str, str], urls: tuple[str, ...]) -> Policy:
    def parse(name: str, read: Callable[[], Policy]) -> Policy:
        try:
            return read()
        except ValueError as error:
            raise SettingsError(f"{PREFIX}{name}: {error}") from None

    deny = values.get("PROBE_DENY", _DEFAULT_PROBE_DENY)
    parse("PROBE_DENY", lambda: Policy.parse(probe_deny=deny, delivery_allow="", operator_urls=()))
    allow = values.get("DELIVERY_ALLOW", "")
    return parse("DELIVERY_ALLOW", lambda: Policy.parse(probe_deny=deny, delivery_allow=allow, operator_urls=urls))


def _anchors(text: str | None) -> tuple[Endpoint, ...] | None:
    if text is None:
        return root_servers()
    if text == "off":
        return None
    try:
        return parse_anchors(text)
    except ValueError as error:
        raise SettingsError(f"{PREFIX}ANCHORS: {error}") from None


def _trusted_proxies(text: str) -> Iterator[Network]:
    for word in filter(None, map(str.strip, text.split(","))):
        try:
            network = parse_network(word)
        except ValueError as error:
            raise SettingsError(f"{PREFIX}TRUSTED_PROXIES: {word} {error}") from None
        if network.prefixlen == 0:
            raise SettingsError(f"{PREFIX}TRUSTED_PROXIES: {word} would believe every caller; name your proxies")
        yield network


def _rate_limits(text: str) -> tuple[Limits, list[str]]:
    try:
        return throttle.overridden(text)
    except ValueError as error:
        raise SettingsError(f"{PREFIX}RATE_LIMITS: {error}") from None


def _runs_probe(text: str | None) -> bool:
    if text is None:
        return True
    roles = {word.strip() for word in text.split(",") if word.strip()}
    unknown = sorted(roles - set(_ROLES))
    if unknown:
        raise SettingsError(f"{PREFIX}ROLES: {unknown[0]!r} is no role; there are {', '.join(_ROLES)}")
    if not roles >= set(_ROLES) - {"probe"}:
        raise SettingsError(f"{PREFIX}ROLES: api, engine and dispatcher run in one process in this version")
    return "probe" in roles
