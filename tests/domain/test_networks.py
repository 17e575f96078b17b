"""Networks, and which address a call comes from behind trusted proxies (RFC 7239)."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from statuspulse.domain.networks import caller_address, holds, parse_address, parse_network, within

PROXY = "10.0.0.1"
TRUSTED = (ip_network("10.0.0.0/8"), ip_network("2001:db8:1::/48"))


def caller(peer: str | None = PROXY, *, forwarded: list[str] | None = None, chain: list[str] | None = None) -> str:
    return str(caller_address(peer, forwarded or [], chain or [], TRUSTED))


@pytest.mark.parametrize("text", ["192.0.2.0/24", "192.0.2.7", "2001:db8::/32", "::1"])
def test_networks_and_single_addresses_are_read(text: str) -> None:
    assert parse_address(text.partition("/")[0]) in parse_network(text)


@pytest.mark.parametrize("text", ["", "192.0.2", "192.0.2.0/33", "shop.example", "0x7f000001", "192.0.2.0/24 "])
def test_what_is_no_network_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match=r"such as 192\.0\.2\.0/24"):
        parse_network(text)


def test_bits_behind_the_prefix_are_refused_with_the_network_that_is_meant() -> None:
    with pytest.raises(ValueError, match=r"192\.0\.2\.0/24 is meant"):
        parse_network("192.0.2.7/24")


def test_ipv4_written_as_ipv6_is_in_the_networks_of_ipv4() -> None:
    assert holds([ip_network("192.0.2.0/24")], parse_address("::ffff:192.0.2.7"))
    assert not holds([ip_network("192.0.2.0/24")], parse_address("2001:db8::1"))
    assert not holds([ip_network("0.0.0.0/0")], None)


def test_a_network_lies_within_a_larger_one_of_its_family() -> None:
    assert within(ip_network("192.0.2.0/25"), [ip_network("2001:db8::/32"), ip_network("192.0.2.0/24")])
    assert not within(ip_network("192.0.2.0/23"), [ip_network("192.0.2.0/24")])
    assert within(ip_network("2001:db8::/48"), [ip_network("2001:db8::/32")])
    assert not within(ip_network("2001:db8::/48"), [ip_network("0.0.0.0/0")])


def test_without_a_trusted_proxy_headers_say_nothing() -> None:
    assert caller("203.0.113.9", forwarded=["for=192.0.2.1"], chain=["192.0.2.1"]) == "203.0.113.9"
    assert caller(None, chain=["192.0.2.1"]) == "None"


@pytest.mark.parametrize(
    ("forwarded", "expected"),
    [
        (["for=192.0.2.1"], "192.0.2.1"),
        (["For=192.0.2.1;proto=https;by=10.0.0.2"], "192.0.2.1"),
        (['for="192.0.2.1:4711"'], "192.0.2.1"),
        (['for="[2001:db8::7]:4711"'], "2001:db8::7"),
        (["for=198.51.100.1, for=192.0.2.1"], "192.0.2.1"),
        (["for=198.51.100.1", "for=192.0.2.1"], "192.0.2.1"),
        (["for=192.0.2.1, for=10.9.9.9"], "192.0.2.1"),
        (["for=10.8.8.8, for=10.9.9.9"], "10.8.8.8"),
        (["for=unknown"], "None"),
        (["for=_hidden"], "None"),
        (["for=192.0.2.1, proto=https"], "None"),
        (['for="192.0.2.1, for=203.0.113.5"'], "None"),
        ([""], PROXY),
        ([", ,"], PROXY),
    ],
)
def test_forwarded_is_read_from_the_right_up_to_the_first_that_is_not_trusted(
    forwarded: list[str], expected: str
) -> None:
    assert caller(forwarded=forwarded) == expected


@pytest.mark.parametrize(
    ("chain", "expected"),
    [
        (["192.0.2.1"], "192.0.2.1"),
        (["192.0.2.1:4711"], "192.0.2.1"),
        (["2001:db8::7"], "2001:db8::7"),
        (["[2001:db8::7]:4711"], "2001:db8::7"),
        (["::ffff:192.0.2.1"], "192.0.2.1"),
        (["198.51.100.1, 192.0.2.1"], "192.0.2.1"),
        (["198.51.100.1", "192.0.2.1, 10.0.0.7"], "192.0.2.1"),
        (["198.51.100.1, nonsense"], "None"),
        (["198.51.100.1, 10.0.0.7, 2001:db8:1::9"], "198.51.100.1"),
        ([""], PROXY),
    ],
)
def test_x_forwarded_for_is_read_from_the_right_too(chain: list[str], expected: str) -> None:
    assert caller(chain=chain) == expected


def test_of_two_headers_that_disagree_neither_is_believed() -> None:
    assert caller(forwarded=["for=192.0.2.1"], chain=["192.0.2.1"]) == "192.0.2.1"
    assert caller(forwarded=["for=10.0.0.5"], chain=["192.0.2.1"]) == "None"
