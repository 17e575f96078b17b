"""Secrets at rest."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from statuspulse.storage.sealing import Keyring, Place, WrongKeyError

TEXT = "slack://hooks/T0A1B2C3D/B0X9Y8Z7W/abc123"
PLACE = Place("channels", "nch_8k2m4p6q", "url", "team_1a2b3c4d")


@pytest.fixture
def keyring() -> Keyring:
    return Keyring(b"k" * 32)


def test_what_was_sealed_opens_in_its_place(keyring: Keyring) -> None:
    for text in (TEXT, "", "Zoë", "x" * 10_000):
        assert keyring.open(PLACE, keyring.seal(PLACE, text)).reveal() == text


def test_the_same_key_opens_after_a_restart(keyring: Keyring) -> None:
    assert Keyring(b"k" * 32).open(PLACE, keyring.seal(PLACE, TEXT)).reveal() == TEXT


@pytest.mark.parametrize(
    "other", [{"table": "tokens"}, {"row": "nch_00000000"}, {"column": "name"}, {"team_id": "team_00000000"}]
)
def test_moved_to_another_place_it_does_not_open(keyring: Keyring, other: dict[str, Any]) -> None:
    with pytest.raises(WrongKeyError):
        keyring.open(replace(PLACE, **other), keyring.seal(PLACE, TEXT))


def test_places_cannot_be_made_to_look_alike(keyring: Keyring) -> None:
    sealed = keyring.seal(Place("a", "b", "c", "d"), TEXT)
    with pytest.raises(WrongKeyError):
        keyring.open(Place("ab", "", "c", "d"), sealed)


def test_another_key_does_not_open_it(keyring: Keyring) -> None:
    with pytest.raises(WrongKeyError, match="another key"):
        Keyring(b"o" * 32).open(PLACE, keyring.seal(PLACE, TEXT))


def test_every_changed_byte_is_noticed(keyring: Keyring) -> None:
    sealed = keyring.seal(PLACE, TEXT)
    for at in range(len(sealed)):
        changed = sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]
        with pytest.raises(WrongKeyError):
            keyring.open(PLACE, changed)


@pytest.mark.parametrize("length", [0, 3, 4, 15, 16, 31])
def test_what_is_too_short_does_not_open(keyring: Keyring, length: int) -> None:
    with pytest.raises(WrongKeyError):
        keyring.open(PLACE, keyring.seal(PLACE, TEXT)[:length])


def test_equal_texts_are_sealed_differently(keyring: Keyring) -> None:
    assert keyring.seal(PLACE, TEXT) != keyring.seal(PLACE, TEXT)


def test_the_plain_text_shows_neither_sealed_nor_opened(keyring: Keyring) -> None:
    sealed = keyring.seal(PLACE, TEXT)
    opened = keyring.open(PLACE, sealed)
    assert b"abc123" not in sealed
    assert "abc123" not in f"{opened} {opened!r} {[opened]} {vars(keyring)}"


def test_digests_are_equal_for_equal_texts_of_one_purpose_and_key_only(keyring: Keyring) -> None:
    digest = keyring.digest("channel_url", TEXT)
    assert keyring.digest("channel_url", TEXT) == digest
    others = [keyring.digest("token", TEXT), keyring.digest("channel_url", TEXT + "4")]
    assert digest not in [*others, Keyring(b"o" * 32).digest("channel_url", TEXT)]
    assert b"abc123" not in digest


def test_a_fingerprint_tells_keys_apart_and_holds_no_key(keyring: Keyring) -> None:
    assert keyring.fingerprint == Keyring(b"k" * 32).fingerprint != Keyring(b"o" * 32).fingerprint
    assert (b"k" * 4).hex() not in keyring.fingerprint


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_key_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Keyring(b"k" * length)
