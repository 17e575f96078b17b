"""Endpoints as people write them."""

from __future__ import annotations

import pytest

from statuspulse.egress.endpoints import Endpoint, parse_endpoint


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("9.9.9.9", Endpoint("9.9.9.9", 53, is_address=True)),
        ("9.9.9.9:5353", Endpoint("9.9.9.9", 5353, is_address=True)),
        ("127.1", Endpoint("127.0.0.1", 53, is_address=True)),
        ("2620:fe::fe", Endpoint("2620:fe::fe", 53, is_address=True)),
        ("[2620:FE::fe]", Endpoint("2620:fe::fe", 53, is_address=True)),
        ("[2620:fe::fe]:1", Endpoint("2620:fe::fe", 1, is_address=True)),
        ("NS1.Acme.example.", Endpoint("ns1.acme.example", 53, is_address=False)),
        ("ns1.acme.example:65535", Endpoint("ns1.acme.example", 65535, is_address=False)),
    ],
)
def test_an_endpoint_has_a_host_and_a_port(text: str, expected: Endpoint) -> None:
    assert parse_endpoint(text, 53) == expected


@pytest.mark.parametrize(
    "text",
    ["", ":53", "a:", "a:0", "a:65536", "a:x", "a:+5", "a:٣", "[::1", "[9.9.9.9]", "a b", "a..b", "::g", "http://a"],
)
def test_what_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"host|address|port"):
        parse_endpoint(text, 53)


def test_an_address_of_six_stands_in_brackets() -> None:
    assert parse_endpoint("::1", 53).text == "[::1]:53"
