"""What a token may hand to another."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import pytest

from statuspulse.domain.grant import Grant

OFFICE = ip_network("192.0.2.0/24")


def a_grant(**changes: Any) -> Grant:
    members: dict[str, Any] = {
        "team_ids": frozenset({"team_1"}),
        "scopes": frozenset({"monitors:read", "status:read"}),
        "expires_at": None,
        "networks": (),
    }
    return Grant(**{**members, **changes})


@pytest.mark.parametrize(
    ("maker", "other", "covered"),
    [
        ({}, {}, True),
        ({}, {"scopes": frozenset({"status:read"}), "expires_at": 5, "networks": (OFFICE,)}, True),
        ({}, {"scopes": frozenset({"status:read", "tokens:read"})}, False),
        ({}, {"team_ids": frozenset({"team_1", "team_2"})}, False),
        ({"team_ids": frozenset({"team_1", "team_2"})}, {}, True),
        ({"expires_at": 5}, {"expires_at": 5}, True),
        ({"expires_at": 5}, {"expires_at": 6}, False),
        ({"expires_at": 5}, {}, False),
        ({"networks": (OFFICE,)}, {"networks": (ip_network("192.0.2.8/29"),)}, True),
        ({"networks": (OFFICE,)}, {"networks": (ip_network("192.0.2.8/29"), ip_network("::1"))}, False),
        ({"networks": (OFFICE,)}, {}, False),
    ],
)
def test_a_grant_covers_what_is_nowhere_beyond_it(maker: dict[str, Any], other: dict[str, Any], covered: bool) -> None:
    assert a_grant(**maker).covers(a_grant(**other)) is covered


def test_the_scopes_that_lack_are_told_in_order() -> None:
    wanted = a_grant(scopes=frozenset({"tokens:read", "status:read", "audit:read"}))
    assert a_grant().missing_scopes(wanted) == ["audit:read", "tokens:read"]
