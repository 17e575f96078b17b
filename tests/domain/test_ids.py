"""Identifiers: their forms, their order in time, and what makes two of them equal."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statuspulse.domain.ids import ALPHABET, is_id, new_id, new_ulid, result_id

instants = st.integers(0, (1 << 48) - 1)


def test_ids_use_the_alphabet_without_letters_that_look_alike() -> None:
    assert len(set(ALPHABET)) == 32
    assert not set("ilou") & set(ALPHABET)


def test_a_configured_object_has_a_short_random_id() -> None:
    made = {new_id("mon") for _ in range(1000)}
    assert len(made) == 1000
    assert all(re.fullmatch(rf"mon_[{ALPHABET}]{{8}}", text) for text in made)


@given(instants, instants)
def test_ids_of_what_happens_sort_by_time(one: int, two: int) -> None:
    first, second = new_ulid("evt", one), new_ulid("evt", two)
    assert len(first) == len("evt_") + 26
    if one != two:
        assert (first < second) == (one < two)


def test_two_things_of_one_instant_have_two_ids() -> None:
    assert len({new_ulid("evt", 1000) for _ in range(1000)}) == 1000


def test_the_time_in_an_id_is_that_of_a_ulid() -> None:
    """The example of the ULID specification: 01ARYZ6S41 is 1469918176385."""
    assert new_ulid("evt", 1469918176385).startswith("evt_01aryz6s41")
    assert new_ulid("evt", 0).startswith("evt_0000000000")


@given(instants)
def test_a_result_has_the_id_of_its_identity(at: int) -> None:
    made = result_id("mon_9x2k4p7q", "eu-west", at)
    assert made == result_id("mon_9x2k4p7q", "eu-west", at)
    assert made != result_id("mon_9x2k4p7q", "us-east", at)
    assert made != result_id("mon_9x2k4p7r", "eu-west", at)
    assert made[:14] == new_ulid("res", at)[:14]
    assert is_id(made, "res")


@pytest.mark.parametrize(
    ("text", "prefix", "expected"),
    [
        ("mon_9x2k4p7q", "mon", True),
        ("mon_9x2k4p", "mon", True),
        ("mon_9x2k4", "mon", False),
        ("mon_" + "0" * 32, "mon", True),
        ("mon_" + "0" * 33, "mon", False),
        ("mon_9X2K4P7Q", "mon", False),
        ("inc_9x2k4p7q", "mon", False),
        ("mon_9x2k4p7q\n", "mon", False),
        ("mon_٩٩٩٩٩٩", "mon", False),
        ("9x2k4p7q", "mon", False),
        ("", "mon", False),
    ],
)
def test_an_id_is_known_by_its_form(text: str, prefix: str, expected: bool) -> None:
    assert is_id(text, prefix) is expected
