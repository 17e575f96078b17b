"""The operator's choices: what they add, what they open, and what they never touch."""

from __future__ import annotations

import pytest

from statuspulse.egress.addresses import AddressClass
from statuspulse.egress.policy import FLOOR, Policy, Purpose, Verdict, literal_verdict, verdict


def policy(*, deny: str = "", allow: str = "", urls: tuple[str, ...] = ()) -> Policy:
    return Policy.parse(probe_deny=deny, delivery_allow=allow, operator_urls=urls)


def test_no_setting_lowers_the_floor() -> None:
    assert policy(deny="").probe_deny == FLOOR
    for ip in ("169.254.169.254", "169.254.0.1", "0.0.0.0"):
        assert not verdict(ip, 80, Purpose.CHECK_HTTP, policy(deny="")).allowed
        assert not verdict(ip, 80, Purpose.CHECK_HTTP, Policy(probe_deny=frozenset())).allowed


def test_named_classes_are_added() -> None:
    strict = policy(deny=" Private , loopback,")
    assert not verdict("10.0.0.1", 80, Purpose.CHECK_TCP, strict).allowed
    assert not verdict("127.0.0.1", 80, Purpose.CHECK_RESOLVER, strict).allowed
    assert verdict("8.8.8.8", 53, Purpose.CHECK_RESOLVER, strict).allowed


def test_an_unknown_class_is_an_error_in_words() -> None:
    with pytest.raises(ValueError, match='"internal" is no class of addresses; known are link-local, metadata'):
        policy(deny="loopback,internal")


@pytest.mark.parametrize("port", [25, 465, 587])
def test_mail_ports_are_denied_to_checks_if_named(port: int) -> None:
    strict = policy(deny="mail")
    assert verdict("8.8.8.8", port, Purpose.CHECK_TCP, strict) == Verdict(False, AddressClass.MAIL)
    assert verdict("8.8.8.8", port, Purpose.CHECK_TCP, policy()).allowed
    assert verdict("8.8.8.8", port, Purpose.DELIVERY_SMTP, strict).allowed
    assert verdict("8.8.8.8", 443, Purpose.CHECK_HTTP, strict).allowed


def test_a_stricter_class_shows_on_a_mail_port() -> None:
    strict = policy(deny="mail,loopback")
    assert verdict("127.0.0.1", 25, Purpose.CHECK_TCP, strict).address_class is AddressClass.LOOPBACK


def test_deliveries_reach_listed_networks() -> None:
    listed = policy(allow="10.1.0.0/16, fd00:1::/64 127.0.0.1")
    for ip in ("10.1.2.3", "fd00:1::5", "127.0.0.1", "::ffff:10.1.2.3", "64:ff9b::a01:203"):
        assert verdict(ip, 443, Purpose.DELIVERY_WEBHOOK, listed).allowed
    for ip in ("10.2.0.1", "fd00:2::5", "127.0.0.2"):
        assert not verdict(ip, 443, Purpose.DELIVERY_WEBHOOK, listed).allowed


def test_listing_metadata_opens_it_to_deliveries_only() -> None:
    listed = policy(allow="169.254.169.254/32")
    assert verdict("169.254.169.254", 80, Purpose.DELIVERY_WEBHOOK, listed).allowed
    assert not verdict("169.254.169.254", 80, Purpose.CHECK_HTTP, listed).allowed


def test_listing_everything_does_not_open_what_is_never_allowed() -> None:
    listed = policy(allow="0.0.0.0/0 ::/0")
    for ip in ("0.0.0.0", "224.0.0.1", "255.255.255.255", "::", "ff02::1", "::ffff:0.0.0.0"):
        assert not verdict(ip, 80, Purpose.DELIVERY_WEBHOOK, listed).allowed


def test_a_broken_network_is_an_error_in_words() -> None:
    with pytest.raises(ValueError, match="is no network; write it like"):
        policy(allow="10.1.0.0/8")


def test_an_endpoint_of_the_operator_is_open_for_exactly_that_host_and_port() -> None:
    named = policy(urls=("http://127.0.0.1:9000/services", "https://slack.internal/x", "smtp://u:p@10.0.0.5?from=a@b"))
    assert named.named == {("127.0.0.1", 9000), ("slack.internal", 443), ("10.0.0.5", 25)}
    assert named.effective(Purpose.DELIVERY_SLACK, "127.0.0.1", 9000) is Purpose.CONTROL
    assert named.effective(Purpose.DELIVERY_SLACK, "127.0.0.1", 9001) is Purpose.DELIVERY_SLACK
    assert named.effective(Purpose.CHECK_HTTP, "127.0.0.1", 9000) is Purpose.CHECK_HTTP
    allowed = literal_verdict("127.1", 9000, Purpose.DELIVERY_SLACK, named)
    assert allowed is not None
    assert allowed.allowed


@pytest.mark.parametrize("url", ["ftp://10.0.0.1", "10.0.0.1:80", "http://", "http://a:99999", "http://[::1"])
def test_a_broken_endpoint_is_an_error(url: str) -> None:
    with pytest.raises(ValueError):
        policy(urls=(url,))


def test_nobody_dials_our_own_database() -> None:
    protecting = Policy(protected=frozenset({("10.0.0.7", 5432)}))
    for ip in ("10.0.0.7", "::ffff:10.0.0.7", "64:ff9b::a00:7"):
        assert verdict(ip, 5432, Purpose.CHECK_TCP, protecting) == Verdict(False, AddressClass.NEVER)
        assert not verdict(ip, 5432, Purpose.CONTROL, protecting).allowed
        assert verdict(ip, 5433, Purpose.CHECK_TCP, protecting).allowed


def test_the_text_of_a_refusal_names_the_class_and_never_the_address() -> None:
    refused = verdict("10.1.2.3", 80, Purpose.DELIVERY_WEBHOOK, Policy())
    assert refused.text == "the address policy denies private addresses"
    assert verdict("8.8.8.8", 25, Purpose.CHECK_TCP, policy(deny="mail")).text == "the address policy denies mail ports"
