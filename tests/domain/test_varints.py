"""Numbers in as few bytes as they need."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statuspulse.domain import varints


@given(st.lists(st.integers(min_value=0, max_value=2**63)), st.binary(max_size=20))
def test_numbers_come_back_with_what_stands_behind_them(numbers: list[int], behind: bytes) -> None:
    out = bytearray()
    varints.append(out, numbers)
    assert varints.take(bytes(out) + behind, len(numbers)) == (numbers, behind)


@pytest.mark.parametrize(("number", "length"), [(0, 1), (127, 1), (128, 2), (16_383, 2), (16_384, 3)])
def test_a_number_takes_a_byte_for_every_seven_bits(number: int, length: int) -> None:
    out = bytearray()
    varints.append(out, [number])
    assert len(out) == length


@pytest.mark.parametrize("data", [b"", b"\x01", b"\x01\x80"])
def test_fewer_numbers_than_asked_for_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="cut short"):
        varints.take(data, 2)
