"""Paths into JSON: what they find, and what is refused with which words."""

from __future__ import annotations

from typing import Any

import pytest

from statuspulse.domain.json_path import JsonPathError, parse_path

DOCUMENT: Any = {
    "status": "ok",
    "checks": [{"name": "db", "ms": 3}, {"name": "queue", "ms": 5}],
    "a b": {"it's": 1, 'say "x"': 2, "back\\slash": 3},
    "größe": None,
    "x-y_1": [],
}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("$", [DOCUMENT]),
        ("$.status", ["ok"]),
        ("$['status']", ["ok"]),
        ('$["status"]', ["ok"]),
        ("$.checks[0].name", ["db"]),
        ("$.checks[-1].ms", [5]),
        ("$.checks[*].name", ["db", "queue"]),
        ("$.checks[*]", DOCUMENT["checks"]),
        ("$['a b'][*]", [1, 2, 3]),
        (r"$['a b']['it\'s']", [1]),
        (r'$["a b"]["say \"x\""]', [2]),
        (r"$['a b']['back\\slash']", [3]),
        ("$.größe", [None]),
        ("$.x-y_1", [[]]),
        ("$.x-y_1[*]", []),
        ("$.missing", []),
        ("$.missing.deeper[0]", []),
        ("$.checks[2]", []),
        ("$.checks[-3]", []),
        ("$.checks.name", []),
        ("$.status[0]", []),
        ("$[0]", []),
    ],
)
def test_a_path_finds_what_it_leads_to(path: str, found: list[Any]) -> None:
    assert parse_path(path).find(DOCUMENT) == found


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("", "begin with"),
        ("status", "begin with"),
        ("$status", "only .name"),
        ("$.", "dot without a name"),
        ("$..name", "dot without a name"),
        ("$.1a", "dot without a name"),
        ("$.a b", "only .name"),
        ("$[", "closing bracket"),
        ("$[0", "closing bracket"),
        ("$['a'", "closing bracket"),
        ("$['a", "closing quote"),
        ("$['a\\n']", "backslash"),
        ("$['a\\", "backslash"),
        ("$[]", "no filters"),
        ("$[?(@.a)]", "no filters"),
        ("$[0:2]", "no filters"),
        ("$[1e3]", "no filters"),
        ("$[²]", "no filters"),
        ("$[12345678901]", "no filters"),
        ("$[*].a[*]", r"only one \[\*\]"),
        ("$" + ".a" * 300, "at most 512"),
    ],
)
def test_what_is_no_path_is_refused_in_words(path: str, words: str) -> None:
    with pytest.raises(JsonPathError, match=words):
        parse_path(path)


def test_only_a_path_with_a_wildcard_is_plural() -> None:
    assert parse_path("$.a[*]").is_plural
    assert not parse_path("$.a[0]").is_plural
