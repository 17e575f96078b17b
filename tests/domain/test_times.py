"""Instants: milliseconds inside, RFC 3339 at the edge."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statuspulse.domain.times import DAY, HOUR, MINUTE, SECOND, from_datetime, from_text, to_datetime, to_text

FIRST, LAST = from_text("0001-01-01T00:00:00Z"), from_text("9999-12-31T23:59:59.999Z")


def test_the_units_are_milliseconds() -> None:
    assert (SECOND, MINUTE, HOUR, DAY) == (1000, 60_000, 3_600_000, 86_400_000)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:00.001Z", 1),
        ("1969-12-31T23:59:59.999Z", -1),
        ("2026-11-23T06:20:00.412Z", 1795414800412),
        ("2026-11-23T08:20:00.412+02:00", 1795414800412),
        ("2026-11-22T22:20:00.412-08:00", 1795414800412),
        ("2026-11-23t06:20:00.412z", 1795414800412),
        ("2026-11-23T06:20:00.412999999Z", 1795414800412),
        ("2026-11-23T06:20:00Z", 1795414800000),
        ("2026-11-23T06:20:00-00:00", 1795414800000),
    ],
)
def test_a_time_with_an_offset_is_read(text: str, at: int) -> None:
    assert from_text(text) == at


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-11-23",
        "2026-11-23T06:20Z",
        "2026-11-23 06:20:00Z",
        "20261123T062000Z",
        "2026-W48-1T06:20:00Z",
        "2026-11-23T06:20:00,5Z",
        "2026-11-23T06:20:00+0200",
        "2026-11-23T06:20:00+02:00:30",
        "2026-11-23T06:20:00Z\n",
        "2026-02-30T06:20:00Z",
        "2026-11-23T24:00:00Z",
        "2026-11-23T06:20:60Z",
        "2026-11-23T06:20:00+24:00",
        "٢٠٢٦-11-23T06:20:00Z",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
    ],
)
def test_anything_else_is_no_time(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        from_text(text)


def test_a_naive_time_is_told_what_it_lacks() -> None:
    with pytest.raises(ValueError, match="needs an offset"):
        from_text("2026-11-23T06:20:00.5")


@given(st.integers(FIRST, LAST))
def test_what_is_written_is_read_back(at: int) -> None:
    text = to_text(at)
    assert from_text(text) == at
    assert len(text) == len("2026-11-23T06:20:00.412Z")
    assert from_datetime(to_datetime(at)) == at


def test_early_years_have_four_digits() -> None:
    assert to_text(FIRST) == "0001-01-01T00:00:00.000Z"
    assert to_text(-1) == "1969-12-31T23:59:59.999Z"


def test_a_datetime_is_rounded_down_whatever_its_zone() -> None:
    moment = datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
    assert from_datetime(moment) == -1
    assert from_datetime(moment.astimezone(timezone(timedelta(hours=5)))) == -1
