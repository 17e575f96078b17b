"""Which address of a host is dialled: family, way and turn."""

from __future__ import annotations

import pytest

from statuspulse.domain.failure import Failure, FailureClass
from statuspulse.egress.attempts import Ways, in_turn, of_family

V4, V4_TOO, V6, V6_TOO = "192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2"


class Known(Ways):
    """Ways that a test decides about."""

    def __init__(self, *families: int) -> None:
        super().__init__()
        self._families = families

    def exists(self, ip: str) -> bool:
        return (6 if ":" in ip else 4) in self._families


@pytest.mark.parametrize(
    ("addresses", "ways", "attempt", "first"),
    [
        ((V4,), (4, 6), 3, V4),
        ((V6, V4), (4, 6), 1, V6),
        ((V6, V4), (4, 6), 2, V4),
        ((V6, V4), (4, 6), 3, V6),
        ((V6, V4), (4,), 1, V4),
        ((V6, V4), (4,), 2, V4),
        ((V6, V4, V4_TOO), (4,), 2, V4_TOO),
        ((V6, V4), (), 1, V6),
        ((V6, V6_TOO), (4,), 2, V6_TOO),
    ],
)
def test_the_first_address_with_a_way_is_dialled_and_at_each_attempt_the_next(
    addresses: tuple[str, ...], ways: tuple[int, ...], attempt: int, first: str
) -> None:
    order = in_turn(addresses, attempt, Known(*ways))
    assert order[0] == first
    assert sorted(order) == sorted(addresses)


@pytest.mark.parametrize(("wanted", "fitting"), [("auto", (V6, V4, V6_TOO)), ("4", (V4,)), ("6", (V6, V6_TOO))])
def test_a_family_can_be_wanted(wanted: str, fitting: tuple[str, ...]) -> None:
    assert of_family("h", (V6, V4, V6_TOO), wanted) == fitting


def test_a_host_without_an_address_of_the_family_has_none() -> None:
    assert of_family("shop.example", (V4,), "6") == Failure(
        FailureClass.DNS_ERROR, "no_address: shop.example has no IPv6 address"
    )


def test_loopback_has_a_way() -> None:
    ways = Ways()
    assert ways.exists("127.0.0.1")
    assert ways.exists("127.0.0.1")
