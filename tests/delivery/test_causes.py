"""What people read when a receiver took nothing."""

from __future__ import annotations

import pytest

from statuspulse.delivery.causes import cause_of
from statuspulse.delivery.channels import slack, slack_bot
from statuspulse.egress.http_client import UnreachableKind


@pytest.mark.parametrize(
    ("error", "status", "text"),
    [
        ("timeout", None, "the receiver did not answer within 15 s"),
        ("http_500", 500, 'the receiver answered 500 "Internal Server Error"'),
        ("http_799", 799, "the receiver answered 799"),
        ("no_service", 404, 'the receiver answered 404 "no_service"'),
        ("smtp_auth_535", 535, "the mail server answered 535 to the sign-in"),
        ("internal: KeyError", None, "a fault of StatusPulse (KeyError)"),
        ("something_new", None, 'it ended with "something_new"'),
    ],
)
def test_a_word_for_machines_becomes_words_for_people(error: str, status: int | None, text: str) -> None:
    cause = cause_of(error, status)
    assert cause.text == text
    assert cause.cure.endswith(".")


def test_a_redirect_is_told_apart_from_a_refusal() -> None:
    assert "Redirects are not followed" in cause_of("http_302", 302).cure
    assert "tried again" in cause_of("http_503", 503).cure
    assert "make another" in cause_of("http_401", 401).cure


@pytest.mark.parametrize("kind", list(UnreachableKind))
def test_each_way_not_to_be_reached_has_words_of_its_own(kind: UnreachableKind) -> None:
    assert kind.value not in cause_of(kind.value, None).text.split('"')


@pytest.mark.parametrize("word", sorted(slack._REFUSALS | slack_bot._REFUSALS))
def test_a_word_of_a_vendor_stays_to_be_looked_up(word: str) -> None:
    assert f'"{word}"' in cause_of(word, 200).text
