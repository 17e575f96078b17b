"""Patterns that people write: RE2, which takes linear time whatever they are."""

from __future__ import annotations

import re2

LONGEST_PATTERN = 512

_BACK_REFERENCES = ("\\k", "\\g", *(f"\\{digit}" for digit in range(1, 10)))
_NO_BACK_REFERENCES = "refers back to a group, which RE2 cannot do"
_LOOK_AROUND = frozenset({"(?=", "(?!", "(?<", "(?<=", "(?<!"})
_NO_LOOK_AROUND = "looks ahead or behind, which RE2 cannot do"
_TEXTS = {
    "invalid perl operator": "holds a group that RE2 does not know; it takes (…), (?:…), (?i), (?P<name>…)",
    "invalid escape sequence": "holds an escape that RE2 does not know",
    "invalid repetition size": "repeats something too often; RE2 takes at most 1000 times",
    "bad repetition operator": "repeats a repetition; RE2 has no possessive ones",
    "no argument for repetition operator": "repeats nothing",
    "missing )": "lacks a closing parenthesis",
    "unexpected )": "has a closing parenthesis too many",
    "missing ]": "lacks a closing bracket",
    "trailing \\": "ends in a backslash",
    "pattern too large - compile failed": "is too large once its repetitions are spelled out",
}
_WRONG = "is no regular expression of RE2"


class PatternError(ValueError):
    """The text goes on from the name of the member and does not quote the pattern."""


def check_pattern(pattern: str) -> None:
    """Compiles it as the probe will; raises PatternError."""
    options = re2.Options()
    options.log_errors = False
    try:
        re2.compile(pattern, options)
    except re2.error as error:
        raise PatternError(_text(error)) from None


def _text(error: Exception) -> str:
    """RE2's reason in our words: its own end with a piece of the pattern."""
    reason, _, piece = error.args[0].decode("utf-8", "replace").partition(": ")
    refers_back = reason == "invalid escape sequence" and piece.startswith(_BACK_REFERENCES)
    if refers_back or (reason == "invalid perl operator" and piece == "(?P"):
        return _NO_BACK_REFERENCES
    if reason == "invalid perl operator" and piece in _LOOK_AROUND:
        return _NO_LOOK_AROUND
    return _TEXTS.get(reason, _WRONG)
