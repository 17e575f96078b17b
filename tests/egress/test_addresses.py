"""The address matrix: every spelling of a forbidden address is refused, for every purpose, without a packet."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statuspulse.egress.addresses import AddressClass, classify, parse_address, unwrap
from statuspulse.egress.policy import Policy, Purpose, Verdict, literal_verdict, verdict

STRICT = Policy.parse(probe_deny="private,loopback,mail", delivery_allow="", operator_urls=())
DEFAULT = Policy()
CHECKS = (Purpose.CHECK_HTTP, Purpose.CHECK_TCP, Purpose.CHECK_RESOLVER)
DELIVERIES = tuple(purpose for purpose in Purpose if purpose.startswith("delivery."))

NEVER, METADATA, LINK_LOCAL = AddressClass.NEVER, AddressClass.METADATA, AddressClass.LINK_LOCAL
LOOPBACK, PRIVATE, PUBLIC = AddressClass.LOOPBACK, AddressClass.PRIVATE, AddressClass.PUBLIC

# Each spelling of a host and the class that has to be seen behind it.
MATRIX: dict[str, AddressClass] = {
    # loopback, in every way that some parser understands
    "127.0.0.1": LOOPBACK,
    "127.0.0.1.": LOOPBACK,
    "127.255.255.254": LOOPBACK,
    "127.1": LOOPBACK,
    "127.0.1": LOOPBACK,
    "127.0.257": LOOPBACK,
    "2130706433": LOOPBACK,
    "017700000001": LOOPBACK,
    "0x7f000001": LOOPBACK,
    "0X7F000001": LOOPBACK,
    "0x7f.1": LOOPBACK,
    "0x7f.0.0.1": LOOPBACK,
    "0177.0.0.1": LOOPBACK,
    "0177.0.0.01": LOOPBACK,
    "00000177.0x0.0.0x1": LOOPBACK,
    "127.0x0.0x0.0x1": LOOPBACK,
    "%31%32%37.0.0.1": LOOPBACK,
    "127%2e0%2e0%2e1": LOOPBACK,
    "１２７.０.０.１": LOOPBACK,
    "127。0。0。1": LOOPBACK,
    "①②⑦.⓪.⓪.①": LOOPBACK,
    "[::1]": LOOPBACK,
    "::1": LOOPBACK,
    "[0:0:0:0:0:0:0:1]": LOOPBACK,
    "[0000:0000:0000:0000:0000:0000:0000:0001]": LOOPBACK,
    "[::1%25lo]": LOOPBACK,
    "[::1%lo]": LOOPBACK,
    "[::0.0.0.1]": LOOPBACK,
    "[::ffff:127.0.0.1]": LOOPBACK,
    "[::ffff:7f00:1]": LOOPBACK,
    "[::FFFF:7F00:0001]": LOOPBACK,
    "[0:0:0:0:0:ffff:127.0.0.1]": LOOPBACK,
    "[::127.0.0.1]": LOOPBACK,
    "[::7f00:1]": LOOPBACK,
    "[::ffff:0:127.0.0.1]": LOOPBACK,
    "[::ffff:0:7f00:1]": LOOPBACK,
    "[64:ff9b::127.0.0.1]": LOOPBACK,
    "[64:ff9b::7f00:1]": LOOPBACK,
    "[64:ff9b:1::7f00:1]": LOOPBACK,
    "[2002:7f00:1::]": LOOPBACK,
    "[2002:7f00:1::1]": LOOPBACK,
    "[2002:7f00:0001:1234::5678]": LOOPBACK,
    # Teredo: the server in front, the client inverted at the end
    "[2001:0:7f00:1:0:0:f7f7:f7f7]": LOOPBACK,
    "[2001:0:808:808:0:0:80ff:fffe]": LOOPBACK,
    "[2001::80ff:fffe]": NEVER,  # its server is 0.0.0.0, which is stricter
    # metadata services
    "169.254.169.254": METADATA,
    "169.254.43518": METADATA,
    "2852039166": METADATA,
    "025177524776": METADATA,
    "0xa9fea9fe": METADATA,
    "0xA9.0xFE.0xA9.0xFE": METADATA,
    "0251.0376.0251.0376": METADATA,
    "[::ffff:169.254.169.254]": METADATA,
    "[::ffff:a9fe:a9fe]": METADATA,
    "[::a9fe:a9fe]": METADATA,
    "[::ffff:0:a9fe:a9fe]": METADATA,
    "[64:ff9b::a9fe:a9fe]": METADATA,
    "[64:ff9b:1::a9fe:a9fe]": METADATA,
    "[2002:a9fe:a9fe::]": METADATA,
    "[2001:0:a9fe:a9fe:0:0:f7f7:f7f7]": METADATA,
    "[2001:0:808:808:0:0:5601:5601]": METADATA,
    "[fd00:ec2::254]": METADATA,
    "[FD00:0EC2:0::0254]": METADATA,
    "[fd20:ce::254]": METADATA,
    "168.63.129.16": METADATA,
    "0xa83f8110": METADATA,
    "[::ffff:168.63.129.16]": METADATA,
    "100.100.100.200": METADATA,
    "[64:ff9b::6464:64c8]": METADATA,
    "192.0.0.192": METADATA,
    # link-local
    "169.254.0.1": LINK_LOCAL,
    "169.254.1": LINK_LOCAL,
    "[fe80::1]": LINK_LOCAL,
    "[fe80::1%25eth0]": LINK_LOCAL,
    "fe80::1%eth0": LINK_LOCAL,
    "[febf:ffff::1]": LINK_LOCAL,
    "[::ffff:169.254.1.1]": LINK_LOCAL,
    "[2002:a9fe:101::]": LINK_LOCAL,
    # never
    "0": NEVER,
    "0.0.0.0": NEVER,
    "0x0": NEVER,
    "00.0.0.0": NEVER,
    "0.1.2.3": NEVER,
    "[::]": NEVER,
    "::": NEVER,
    "[::ffff:0.0.0.0]": NEVER,
    "[::ffff:0:0]": NEVER,
    "[64:ff9b::]": NEVER,
    "[2002::]": NEVER,
    "224.0.0.1": NEVER,
    "239.255.255.250": NEVER,
    "[ff02::1]": NEVER,
    "[ff0e::101]": NEVER,
    "240.0.0.1": NEVER,
    "255.255.255.255": NEVER,
    "4294967295": NEVER,
    "0xffffffff": NEVER,
    "[fec0::1]": NEVER,
    "[::ffff:224.0.0.1]": NEVER,
    "[64:ff9b::ffff:ffff]": NEVER,
    # private and the like
    "10.0.0.1": PRIVATE,
    "10.1": PRIVATE,
    "167772161": PRIVATE,
    "0xa.1": PRIVATE,
    "012.1": PRIVATE,
    "172.16.0.1": PRIVATE,
    "172.31.255.255": PRIVATE,
    "192.168.1.1": PRIVATE,
    "192.168.257": PRIVATE,
    "3232235777": PRIVATE,
    "100.64.0.1": PRIVATE,
    "100.127.255.255": PRIVATE,
    "198.18.0.1": PRIVATE,
    "192.0.0.1": PRIVATE,
    "192.0.2.1": PRIVATE,
    "198.51.100.1": PRIVATE,
    "203.0.113.1": PRIVATE,
    "192.88.99.1": PRIVATE,
    "[fc00::1]": PRIVATE,
    "[fd12:3456::1]": PRIVATE,
    "[100::1]": PRIVATE,
    "[2001:2::1]": PRIVATE,
    "[2001:10::1]": PRIVATE,
    "[2001:db8::1]": PRIVATE,
    "[3fff::1]": PRIVATE,
    "[5f00::1]": PRIVATE,
    "[::ffff:10.0.0.1]": PRIVATE,
    "[::10.0.0.1]": PRIVATE,
    "[::ffff:0:a00:1]": PRIVATE,
    "[64:ff9b::a00:1]": PRIVATE,
    "[64:ff9b:1::a00:1]": PRIVATE,
    "[2002:c0a8:101::]": PRIVATE,
    "[2001:0:808:808::f5ff:fffe]": PRIVATE,
    # public: the controls
    "8.8.8.8": PUBLIC,
    "8.8.2056": PUBLIC,
    "134744072": PUBLIC,
    "0x08080808": PUBLIC,
    "172.32.0.1": PUBLIC,
    "100.128.0.1": PUBLIC,
    "128.0.0.1": PUBLIC,
    "[2606:4700::1111]": PUBLIC,
    "[2001:4860:4860::8888]": PUBLIC,
    "[2001:200::1]": PUBLIC,
    "[::ffff:8.8.8.8]": PUBLIC,
    "[64:ff9b::808:808]": PUBLIC,
    "[64:ff9b:1::808:808]": PUBLIC,
    "[2002:808:808::]": PUBLIC,
    "[2001:0:808:808::f7f7:f7f7]": PUBLIC,
}
DENIED = [(host, found) for host, found in MATRIX.items() if found is not PUBLIC]
FLOOR_ONLY = {NEVER, METADATA, LINK_LOCAL}


def test_the_matrix_is_as_large_as_promised() -> None:
    assert len(DENIED) >= 100


@pytest.mark.parametrize(("host", "found"), MATRIX.items())
def test_every_spelling_is_seen_through(host: str, found: AddressClass) -> None:
    for purpose in (*CHECKS, *DELIVERIES):
        expected = Verdict(allowed=found is PUBLIC, address_class=found)
        assert literal_verdict(host, 443, purpose, STRICT) == expected


@pytest.mark.parametrize(("host", "found"), MATRIX.items())
def test_by_default_checks_reach_what_lies_above_the_floor(host: str, found: AddressClass) -> None:
    for purpose in CHECKS:
        expected = Verdict(allowed=found not in FLOOR_ONLY, address_class=found)
        assert literal_verdict(host, 443, purpose, DEFAULT) == expected


@pytest.mark.parametrize(("host", "found"), MATRIX.items())
def test_what_the_operator_chose_is_refused_only_where_nobody_may_go(host: str, found: AddressClass) -> None:
    for purpose in (Purpose.CONTROL, Purpose.CHECK_DNS):
        expected = Verdict(allowed=found is not NEVER, address_class=found)
        assert literal_verdict(host, 443, purpose, STRICT) == expected


@pytest.mark.parametrize(
    "host",
    ["localhost", "example.com", "127.0.0.1.nip.io", "10.example", "1.2.3.4.example", "0xg", "a.b.c.d", "münchen.de"],
)
def test_a_name_has_no_verdict_before_it_is_resolved(host: str) -> None:
    assert literal_verdict(host, 80, Purpose.CHECK_HTTP, STRICT) is None


@pytest.mark.parametrize(
    "host",
    [
        "",
        ".",
        "a..b",
        "-" * 64 + ".example",
        "x." * 130,
        "256.1.1.1",
        "1.2.3.4.5",
        "1.2.3.256",
        "1.2.3.08",
        "4294967296",
        "0x100000000",
        "1.0x1000000",
        "foo.1",
        "foo.0x1",
        "[::1",
        "::1]",
        "[127.0.0.1]",
        "[v1.x]",
        "[:::1]",
        "[::ffff:1.2.3]",
        "a b",
        "a/b",
        "a@b",
        "a\\b",
        "a\tb",
        "a%00b",
        "a%zz",
        "%ff",
        "ⓔxample%40.com",
        "\ud800",
        "xn--\xff",
    ],
)
def test_what_is_neither_address_nor_name_is_an_error(host: str) -> None:
    with pytest.raises(ValueError):
        literal_verdict(host, 80, Purpose.CHECK_HTTP, STRICT)


# RFC 6052, 2.4 gives the forms of 192.0.2.33 under prefixes of these lengths; here they lie in 64:ff9b:1::/48.
@pytest.mark.parametrize(
    ("address", "embedded"),
    [
        ("64:ff9b:1:c000:2:2100::", "192.0.2.33"),
        ("64:ff9b:1:1c0:0:221::", "192.0.2.33"),
        ("64:ff9b:1:1:c0:2:2100:0", "192.0.2.33"),
        ("64:ff9b:1::192.0.2.33", "192.0.2.33"),
    ],
)
def test_every_place_of_a_local_translation_prefix_is_looked_into(address: str, embedded: str) -> None:
    assert IPv4Address(embedded) in unwrap(parse_address(address))


def test_a_reserved_octet_rules_the_other_places_out() -> None:
    assert unwrap(parse_address("64:ff9b:1:7f00:ff00:100::")) == (IPv4Address("0.0.0.0"),)


def test_the_strictest_of_several_embedded_addresses_decides() -> None:
    allowed_server_denied_client = "2001:0:808:808::5601:5601"
    assert verdict(allowed_server_denied_client, 80, Purpose.CHECK_HTTP, DEFAULT) == Verdict(False, METADATA)


@given(st.integers(0, 2**32 - 1))
def test_an_address_is_judged_alike_in_every_wrapping(number: int) -> None:
    inner = IPv4Address(number)
    expected = classify(inner)
    wrappings = [
        0xFFFF << 32 | number,
        0xFFFF << 48 | number,
        0x64FF9B << 96 | number,
        0x2002 << 112 | number << 80,
        0x20010000 << 96 | number << 64 | (~0x08080808 & 0xFFFFFFFF),
        0x20010000 << 96 | 0x08080808 << 64 | (~number & 0xFFFFFFFF),
    ]
    for wrapped in wrappings:
        judged = verdict(str(IPv6Address(wrapped)), 80, Purpose.DELIVERY_WEBHOOK, DEFAULT)
        assert judged == Verdict(expected is PUBLIC, expected)


@given(st.integers(0, 2**32 - 1))
def test_a_public_address_lies_in_no_network_of_the_table(number: int) -> None:
    address = IPv4Address(number)
    if address.is_private or address.is_multicast or address.is_reserved or address.is_link_local:
        assert classify(address) is not PUBLIC
