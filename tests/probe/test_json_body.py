"""JSON from outside: bounds come before anything is made of it."""

from __future__ import annotations

from time import thread_time

import pytest

from statuspulse.probe.json_body import NoJsonError, TooMuchJsonError, parse_json


@pytest.mark.parametrize(
    ("content", "document"),
    [
        (b'{"a": [1, 2.5, true, null, "x"]}', {"a": [1, 2.5, True, None, "x"]}),
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        (b'"[[[\\"{{{,,,\\\\"', '[[["{{{,,,\\'),
        (b"[" * 64 + b"]" * 64, None),
        (b"[" + b"1," * 99_998 + b"1]", None),
        ('{"größe": "ä"}'.encode(), {"größe": "ä"}),
    ],
)
def test_what_is_within_the_bounds_is_read(content: bytes, document: object) -> None:
    read = parse_json(content)
    assert document is None or read == document


@pytest.mark.parametrize(
    "content",
    [
        b"[" * 65 + b"]" * 65,
        b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
        b"[" + b"1," * 100_000 + b"1]",
        b"[" + b"{}," * 60_000 + b"1]",
        b'["' + b'","' * 300_000 + b'"]',
    ],
)
def test_what_is_too_deep_or_too_much_is_refused(content: bytes) -> None:
    begun = thread_time()
    with pytest.raises(TooMuchJsonError):
        parse_json(content)
    assert thread_time() - begun < 0.1


@pytest.mark.parametrize(
    "content",
    [b"", b"<html>", b"{", b"[1", b"[" * 10_000, b'{"a": NaN}', b'"\xff"', b"1" * 1_000_000, b"{'a': 1}", b"[1]]"],
)
def test_what_is_no_json_is_named_so(content: bytes) -> None:
    begun = thread_time()
    with pytest.raises((NoJsonError, TooMuchJsonError)):
        parse_json(content)
    assert thread_time() - begun < 0.1
