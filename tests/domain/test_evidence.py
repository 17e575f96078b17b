"""Evidence is bounded and holds no secret."""

from __future__ import annotations

import json
from typing import Any

import pytest

from statuspulse.domain.evidence import LIMIT, Mask, excerpt, fitted


def size(evidence: dict[str, Any]) -> int:
    return len(json.dumps(evidence, ensure_ascii=False, separators=(",", ":")).encode())


def test_secrets_are_covered_wherever_they_turn_up() -> None:
    mask = Mask(["sk-12345", "sk-12345-long", "abc", ""])
    assert mask.over('{"echo": "sk-12345-long and sk-12345", "abc": 1}') == '{"echo": "*** and ***", "abc": 1}'


def test_an_excerpt_keeps_lines_and_loses_control_characters() -> None:
    assert excerpt("one\r\n\ttwo\x00\x1b[31m", 100) == "one\r\n\ttwo\ufffd\ufffd[31m"
    assert excerpt("x" * 1000) == "x" * 512


@pytest.mark.parametrize(
    "evidence",
    [
        {"error": "e", "body": "\N{PILE OF POO}" * 10_000, "headers": [["a", "b"]]},
        {"error": "e", "body": "b", "headers": [["n", "v" * 500]] * 100},
        {"error": "e", "hops": [{"url": "u" * 2000} for _ in range(21)]},
        {"error": "e", "certificate": {"sans": ["s" * 200] * 100}},
    ],
)
def test_whatever_was_seen_it_fits(evidence: dict[str, Any]) -> None:
    kept = fitted(evidence)
    assert size(kept) <= LIMIT
    assert kept["error"] == "e"


def test_what_fits_stays_as_it_is() -> None:
    evidence = {"error": "e", "body": "b" * 4096, "headers": [["a", "b"]], "hops": [{"url": "u"}]}
    assert fitted(dict(evidence)) == evidence
