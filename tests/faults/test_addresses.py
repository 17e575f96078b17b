"""Forbidden addresses in a network where every packet is seen."""

from __future__ import annotations

import pytest

from tests.faults.conftest import Record
from tests.faults.namespace import enclosed

_SHORT_AND_LONG = [pytest.param("50", id="short"), pytest.param("1000", id="long", marks=pytest.mark.faults)]


@pytest.mark.parametrize("policy", ["default", "strict"])
def test_no_spelling_of_a_denied_address_gets_a_packet_for_any_purpose(policy: str, record: Record) -> None:
    seen = enclosed("matrix", policy)
    record(**{name: seen[name] for name in ("denied_tries", "denied_names", "allowed_tries")})
    assert seen["denied_tries"] >= 1000
    assert seen["not_blocked"] == []
    assert seen["packets_at_denied"] == {}
    assert seen["questions_about_literals"] == 0
    assert all(text.startswith("the address policy denies ") for text in seen["texts"])
    assert not any(character.isdigit() for text in seen["texts"] for character in text)
    assert seen["allowed_tries"] >= 100
    assert (seen["not_served"], seen["not_reached"]) == ({}, [])


@pytest.mark.parametrize("count", _SHORT_AND_LONG)
def test_names_that_change_their_mind_reach_nothing_that_is_denied(count: str, record: Record) -> None:
    seen = enclosed("rebinding", count)
    record(**seen)
    assert seen["at_denied"] == {}
    assert seen["at_allowed"] > 0
    outcomes, rounds = seen["outcomes"], int(count)
    assert outcomes["flip"] == {"ok": rounds, "blocked_by_policy": rounds}
    for name in ("mixed", "six", "chain"):
        assert outcomes[name] == {"blocked_by_policy": 2 * rounds}
    assert outcomes["hop"] == {"blocked_by_policy": rounds}


def test_no_redirect_leads_to_a_denied_address_or_out_of_http(record: Record) -> None:
    seen = enclosed("redirects", "5")
    record(tries=seen["tries"])
    assert seen["tries"] >= 100
    assert (seen["not_blocked"], seen["at_denied"]) == ({}, {})
    assert set(seen["strange"].values()) == {"redirect_error"}
    assert seen["endless"] == ["redirect_error", "redirect_error"]
    assert seen["requests"] == 2 * (5 + 1)
