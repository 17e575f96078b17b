"""JSON without liberties."""

from __future__ import annotations

import pytest

from statuspulse.api.strict_json import InvalidJsonError, parse


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"{", "line 1"),
        (b"", "it is empty"),
        (b" \n", "it is empty"),
        (b"{'a': 1}", "line 1"),
        (b'{"a": 1} x', "line 1"),
        (b'{"a": 1,}', "line 1"),
        (b'{"a": 01}', "line 1"),
        (b'{"a": 1, "a": 2}', "same key twice"),
        (b'{"x": [{"a": 1, "a": 1}]}', "same key twice"),
        ('{"\u00e9": 1, "e\u0301": 2}'.encode(), "same key twice"),
        (b'{"a": NaN}', "NaN and Infinity"),
        (b'{"a": Infinity}', "NaN and Infinity"),
        (b'{"a": -Infinity}', "NaN and Infinity"),
        (b'{"a": 1e999}', "too large"),
        (b'{"a": ' + b"9" * 5000 + b"}", "too many digits"),
        (b'{"a": "\xff"}', "not UTF-8 at byte 7"),
        (b'\xef\xbb\xbf{"a": 1}', "byte order mark"),
        (b'{"a": "\\ud800"}', "surrogate"),
        (b'{"\\udc00": 1}', "surrogate"),
        (b'{"a": "\\u0000"}', "NUL"),
        (b'{"a": "\x01"}', "line 1"),
        (b"[" * 21 + b"]" * 21, "20 levels"),
        (b'{"a":' * 21 + b"1" + b"}" * 21, "20 levels"),
        (b"[" * 100_000, "20 levels"),
    ],
)
def test_what_parsers_read_differently_is_refused(raw: bytes, why: str) -> None:
    with pytest.raises(InvalidJsonError, match=why):
        parse(raw)


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b'{"a": 30.0}', {"a": 30}),
        (b'{"a": 1e2}', {"a": 100}),
        (b'{"a": -0.0}', {"a": 0}),
        (b'{"a": 0.5}', {"a": 0.5}),
        (b'{"a": true}', {"a": True}),
        (b'"\\ud83d\\ude00"', "\U0001f600"),
        ('"e\u0301"'.encode(), "\u00e9"),
        (b"[" * 20 + b"]" * 20, None),
    ],
)
def test_integral_floats_become_integers_and_texts_are_normalised(raw: bytes, value: object) -> None:
    parsed = parse(raw)
    if value is not None:
        assert (parsed, str(parsed)) == (value, str(value))


def test_a_float_beyond_exact_integers_stays_a_float() -> None:
    assert isinstance(parse(b"1e300"), float)


def test_the_reason_never_repeats_what_was_sent() -> None:
    with pytest.raises(InvalidJsonError) as caught:
        parse(b'{"token": "hunter2", "token": "hunter2"}')
    assert "hunter2" not in str(caught.value)
