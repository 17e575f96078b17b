"""What scopes and tokens are made of."""

from __future__ import annotations

import pytest

from statuspulse.domain.access import (
    PROBE_KEY_PREFIX,
    TOKEN_PREFIX,
    make_token,
    may_be_given,
    may_be_token,
    shown_parts,
)
from statuspulse.domain.scope import BUNDLES, SCOPES, expand, is_scope


def test_the_read_bundle_has_every_reading_scope_but_those_of_tokens_and_audit() -> None:
    expected = {scope for scope in SCOPES if scope.endswith(":read")} - {"tokens:read", "audit:read"}
    assert expected == expand(["read"], of_first_team=True)


def test_the_write_bundle_adds_every_writing_scope_but_those_of_teams_tokens_and_probes() -> None:
    written = {scope for scope in expand(["write"], of_first_team=True) if scope.endswith(":write")}
    assert {scope for scope in SCOPES if scope.endswith(":write")} - written == {
        "teams:write",
        "tokens:write",
        "probes:write",
    }


def test_admin_has_all() -> None:
    assert expand(["admin"], of_first_team=True) == SCOPES


@pytest.mark.parametrize(
    ("given", "implied"),
    [("incidents:write", "incidents:read"), ("monitors:read", "status:read"), ("monitors:write", "status:read")],
)
def test_a_scope_brings_what_it_implies(given: str, implied: str) -> None:
    assert implied in expand([given], of_first_team=True)


def test_reading_does_not_bring_writing() -> None:
    assert expand(["incidents:read"], of_first_team=True) == {"incidents:read"}


def test_elsewhere_than_in_the_first_team_even_admin_may_not_write_probes() -> None:
    assert SCOPES - expand(["admin", "probes:write"], of_first_team=False) == {"probes:write"}


def test_unknown_names_give_nothing() -> None:
    assert expand(["everything", "monitors:delete"], of_first_team=True) == frozenset()


def test_scopes_and_bundles_may_be_given_and_nothing_else() -> None:
    assert all(is_scope(name) for name in [*SCOPES, *BUNDLES])
    assert not any(is_scope(name) for name in ["", "monitors", "status:write", "audit:write", "events:write"])


def test_a_made_token_has_prefix_body_and_a_checksum_that_holds() -> None:
    token = make_token()
    assert token.startswith(TOKEN_PREFIX)
    assert len(token) == len(TOKEN_PREFIX) + 38
    assert may_be_token(token)


@pytest.mark.parametrize("prefix", [TOKEN_PREFIX, PROBE_KEY_PREFIX])
def test_one_wrong_character_breaks_the_checksum(prefix: str) -> None:
    token = make_token(prefix)
    for place in range(len(prefix), len(token)):
        other = "A" if token[place] != "A" else "B"
        assert not may_be_token(token[:place] + other + token[place + 1 :])


@pytest.mark.parametrize(
    "text", ["sk_live_8f3a9c2d1e4b7f6a", "a-token-of-the-operator", "sk_live_" + "x" * 37, "sk_live_" + "x" * 39]
)
def test_a_body_of_another_length_carries_no_checksum(text: str) -> None:
    assert may_be_token(text)


@pytest.mark.parametrize("text", ["", "two words", "sk_live_ümlaut", "tab\there", "line\n", "x" * 256, "\x00" * 20])
def test_what_cannot_be_a_token_is_not_looked_up(text: str) -> None:
    assert not may_be_token(text)


@pytest.mark.parametrize(
    ("text", "allowed"),
    [("x" * 15, False), ("x" * 16, True), ("x" * 255, True), ("x" * 256, False), ("x" * 20 + " ", False)],
)
def test_an_operator_may_choose_16_to_255_printable_characters(text: str, allowed: bool) -> None:
    assert may_be_given(text) is allowed


def test_prefix_and_end_are_what_is_shown_of_a_token() -> None:
    assert shown_parts("sk_live_8f3a9c2d1e4b7f6a") == ("sk_live_", "7f6a")
    assert shown_parts("prb_live_0123456789abcdef") == ("prb_live_", "cdef")
    assert shown_parts("a-token-of-the-operator") == ("", "ator")
