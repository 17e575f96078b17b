"""Which addresses may be dialled for what: one pure function on the numeric address, never on a name or a URL."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_network
from typing import NamedTuple

from statuspulse.egress.addresses import Address, AddressClass, Network, classify, parse_address, unwrap
from statuspulse.egress.literals import literal_address
from statuspulse.egress.urls import endpoint_of

# No setting lowers this: a check never reaches them.
FLOOR = frozenset({AddressClass.NEVER, AddressClass.METADATA, AddressClass.LINK_LOCAL})
_DENIABLE = (
    AddressClass.LINK_LOCAL,
    AddressClass.METADATA,
    AddressClass.LOOPBACK,
    AddressClass.PRIVATE,
    AddressClass.MAIL,
)
_MAIL_PORTS = frozenset({25, 465, 587})
_STRICTEST_FIRST = tuple(AddressClass)


class Purpose(StrEnum):
    """Why a connection is opened. It decides by which column of the table its address is judged."""

    CHECK_HTTP = "check.http"
    CHECK_TCP = "check.tcp"
    CHECK_ICMP = "check.icmp"
    CHECK_RESOLVER = "check.resolver"  # a name server that a user chose: a sink like any other target
    CHECK_DNS = "check.dns"  # the name server of this host: its operator chose it, as he did for `control`
    DELIVERY_WEBHOOK = "delivery.webhook"
    DELIVERY_SLACK = "delivery.slack"
    DELIVERY_DISCORD = "delivery.discord"
    DELIVERY_TELEGRAM = "delivery.telegram"
    DELIVERY_PAGERDUTY = "delivery.pagerduty"
    DELIVERY_JIRA = "delivery.jira"
    DELIVERY_APPRISE = "delivery.apprise"
    DELIVERY_SMTP = "delivery.smtp"
    HEARTBEAT_OUT = "heartbeat.out"  # who watches us: the operator chose him
    CONTROL = "control"  # an endpoint that the operator of this process named himself

    # An enum's own hash is a function in Python, and every dial looks verdicts up by purpose.
    __hash__ = str.__hash__


_CHOSEN_BY_OPERATOR = frozenset({Purpose.CHECK_DNS, Purpose.CONTROL, Purpose.HEARTBEAT_OUT})
_CHECKS = frozenset({Purpose.CHECK_HTTP, Purpose.CHECK_TCP, Purpose.CHECK_ICMP, Purpose.CHECK_RESOLVER})


class Verdict(NamedTuple):
    """Whether an address may be dialled, and the class that decided."""

    allowed: bool
    address_class: AddressClass

    @property
    def text(self) -> str:
        """For people: names the class, never the address."""
        if self.address_class is AddressClass.MAIL:
            return "the address policy denies mail ports"
        return f"the address policy denies {self.address_class} addresses"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The operator's choices. `protected` are (address, port) of our own database and bus: nobody may dial them."""

    probe_deny: frozenset[AddressClass] = FLOOR
    delivery_allow: tuple[Network, ...] = ()
    named: frozenset[tuple[str, int]] = frozenset()
    protected: frozenset[tuple[str, int]] = frozenset()

    @classmethod
    def parse(cls, *, probe_deny: str, delivery_allow: str, operator_urls: tuple[str, ...]) -> Policy:
        """Reads the settings; ValueError says what is wrong in words for the operator."""
        return cls(
            probe_deny=FLOOR | _deny_classes(probe_deny),
            delivery_allow=_allowed_networks(delivery_allow),
            named=frozenset(endpoint_of(url) for url in operator_urls),
        )

    def effective(self, purpose: Purpose, host: str, port: int) -> Purpose:
        """A delivery to exactly a host and port that the operator set himself is judged as his choice."""
        if purpose not in _CHECKS and (host, port) in self.named:
            return Purpose.CONTROL
        return purpose

    def lists(self, ip: str | None) -> bool:
        """Whether the operator named the address for deliveries; a name, which is None, is never listed."""
        return ip is not None and any(parse_address(ip) in network for network in self.delivery_allow)


def verdict(ip: str, port: int, purpose: Purpose, policy: Policy) -> Verdict:
    """Allow or deny one numeric address. Of several embedded addresses the strictest decides."""
    if _is_protected(ip, port, policy):
        return Verdict(allowed=False, address_class=AddressClass.NEVER)
    address = parse_address(ip)
    verdicts = [_judge(address, inner, port, purpose, policy) for inner in unwrap(address)]
    return min(verdicts, key=_strictness)


def literal_verdict(host: str, port: int, purpose: Purpose, policy: Policy) -> Verdict | None:
    """The verdict on a host written as an address, in any spelling; None for a name. No DNS question is asked.

    Raises ValueError for a host that is neither.
    """
    ip = literal_address(host)
    if ip is None:
        return None
    return verdict(ip, port, policy.effective(purpose, ip, port), policy)


def _judge(outer: Address, inner: Address, port: int, purpose: Purpose, policy: Policy) -> Verdict:
    address_class = classify(inner)
    if address_class is AddressClass.NEVER:
        allowed = False
    elif purpose in _CHOSEN_BY_OPERATOR:
        allowed = True
    elif purpose in _CHECKS:
        if port in _MAIL_PORTS and AddressClass.MAIL in policy.probe_deny and address_class not in policy.probe_deny:
            address_class = AddressClass.MAIL
        allowed = address_class not in policy.probe_deny | FLOOR
    else:
        listed = any(inner in network or outer in network for network in policy.delivery_allow)
        allowed = address_class is AddressClass.PUBLIC or listed
    return Verdict(allowed, address_class)


def _strictness(judged: Verdict) -> tuple[bool, int]:
    return judged.allowed, _STRICTEST_FIRST.index(judged.address_class)


def _is_protected(ip: str, port: int, policy: Policy) -> bool:
    if not policy.protected:
        return False
    inner = unwrap(parse_address(ip))
    return any(port == at and parse_address(host) in inner for host, at in policy.protected)


def _deny_classes(text: str) -> frozenset[AddressClass]:
    words = [word.strip().lower() for word in text.split(",") if word.strip()]
    known = {str(address_class): address_class for address_class in _DENIABLE}
    for word in words:
        if word not in known:
            raise ValueError(f'"{word}" is no class of addresses; known are {", ".join(known)}')
    return frozenset(known[word] for word in words)


def _allowed_networks(text: str) -> tuple[Network, ...]:
    networks = []
    for word in text.replace(",", " ").split():
        try:
            networks.append(ip_network(word))
        except ValueError:
            raise ValueError(f'"{word}" is no network; write it like 10.1.0.0/16 or fd00:1::/64') from None
    return tuple(networks)
