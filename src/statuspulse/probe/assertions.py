"""Holds an answer against the rules of its monitor, within a bound on what that may cost."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from time import thread_time_ns
from typing import Any

import msgspec
import re2

from statuspulse.domain.assertion import Assertion, Operator, Scalar, Source
from statuspulse.domain.evidence import Mask
from statuspulse.domain.failure import Failure, FailureClass
from statuspulse.domain.json_path import JsonPath, parse_path
from statuspulse.probe.json_body import NoJsonError, TooMuchJsonError, parse_json

_CPU_NS = 50_000_000
_PATTERN_BYTES = 256 << 10
_COMPILED = 512
_SHOWN = 100
_COMPARISONS: dict[Operator, Callable[[Any, Any], bool]] = {
    Operator.LT: operator.lt,
    Operator.LTE: operator.le,
    Operator.GT: operator.gt,
    Operator.GTE: operator.ge,
}
# These hold for what is not there: nothing is different from something and does not contain it.
_HOLD_FOR_NOTHING = frozenset({Operator.NOT_EXISTS, Operator.NE, Operator.NOT_CONTAINS})
# Python knows others, some of which are no encodings of text and some of which take their time.
_CHARSETS = frozenset(
    {
        *("utf-8", "utf8", "utf-16", "utf-16le", "utf-16be", "us-ascii", "ascii", "latin1", "koi8-r", "koi8-u"),
        *(f"iso-8859-{part}" for part in range(1, 16)),
        *(f"windows-125{part}" for part in range(9)),
        *("shift_jis", "euc-jp", "euc-kr", "gbk", "gb2312", "gb18030", "big5"),
    }
)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the rules look at. `days_left` is None without a certificate."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes | bytearray
    latency_us: int
    days_left: int | None

    @cached_property
    def text(self) -> str:
        """The body in the encoding that it names, otherwise in UTF-8."""
        content_type = ", ".join(self.header("content-type")).lower()
        charset = content_type.partition("charset=")[2].partition(";")[0].strip(" \"'")
        return self.body.decode(charset if charset in _CHARSETS else "utf-8", "replace")

    @cached_property
    def document(self) -> Any:
        return parse_json(self.body)

    def header(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]


def judge(assertions: tuple[Assertion, ...], answer: Answer, mask: Mask) -> Failure | None:
    """The failure of the first rule that does not hold, in words that name rule, expectation and finding."""
    begun = thread_time_ns()
    for assertion in assertions:
        try:
            found = _found(assertion, answer)
            holds = _holds(assertion, found)
        except NoJsonError as error:
            return Failure.of(FailureClass.ASSERTION_FAILED, f"{_rule(assertion, mask)} does not hold: {error}")
        except TooMuchJsonError as error:
            return Failure.of(FailureClass.BODY_TOO_LARGE, str(error))
        except (ValueError, re2.error) as error:
            return Failure.of(FailureClass.PROBE_ERROR, f"assertion_invalid: {_rule(assertion, mask)}: {error}")
        if not holds:
            text = f"{_rule(assertion, mask)} does not hold: {_finding(assertion, found, mask)}"
            return Failure.of(FailureClass.ASSERTION_FAILED, text)
        if thread_time_ns() - begun > _CPU_NS:
            text = f"the assertions could not be judged within {_CPU_NS // 1_000_000} ms of processor time"
            return Failure(FailureClass.BODY_TOO_LARGE, text)
    return None


def _found(assertion: Assertion, answer: Answer) -> list[Any]:
    """The values that a rule speaks of; none if there is nothing of the kind."""
    match assertion.source:
        case Source.STATUS:
            return [answer.status]
        case Source.HEADER:
            values = answer.header(assertion.property or "")
            return [", ".join(values)] if values else []
        case Source.BODY:
            return [answer.text]
        case Source.JSON:
            return _path(assertion.property or "").find(answer.document)
        case Source.LATENCY_MS:
            return [answer.latency_us / 1000]
        case Source.TLS_DAYS_LEFT:
            return [] if answer.days_left is None else [answer.days_left]


def _holds(assertion: Assertion, found: list[Any]) -> bool:
    """With a wildcard in the path every value has to comply, and there has to be one."""
    if assertion.operator is Operator.EXISTS:
        return bool(found)
    if assertion.operator is Operator.NOT_EXISTS or not found:
        return not found and assertion.operator in _HOLD_FOR_NOTHING
    return all(_complies(assertion.operator, actual, assertion.value) for actual in found)


def _complies(rule: Operator, actual: Any, value: Scalar) -> bool:
    if rule is Operator.EQ:
        return _equal(actual, value)
    if rule is Operator.NE:
        return not _equal(actual, value)
    if rule in _COMPARISONS:
        return _is_number(actual) and _is_number(value) and _COMPARISONS[rule](actual, value)
    if rule is Operator.CONTAINS:
        return _contains(actual, value)
    if rule is Operator.NOT_CONTAINS:
        return not _contains(actual, value)
    text = actual if isinstance(actual, str) else _json(actual)
    return bool(_pattern(str(value)).search(text[:_PATTERN_BYTES].encode("utf-8", "replace")[:_PATTERN_BYTES]))


def _contains(actual: Any, value: Scalar) -> bool:
    if isinstance(actual, list):
        return any(_equal(element, value) for element in actual)
    return isinstance(actual, str) and isinstance(value, str) and value in actual


def _equal(actual: Any, value: Scalar) -> bool:
    """As in JSON: true is not 1, 1 is 1.0, and "1" is neither."""
    if _is_number(actual) and _is_number(value):
        return bool(actual == value)
    return type(actual) is type(value) and bool(actual == value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


@lru_cache(_COMPILED)
def _path(text: str) -> JsonPath:
    return parse_path(text)


@lru_cache(_COMPILED)
def _pattern(text: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    return re2.compile(text, options)


def _rule(assertion: Assertion, mask: Mask) -> str:
    subject = str(assertion.source) if assertion.property is None else f"{assertion.source} {assertion.property}"
    if assertion.operator in {Operator.EXISTS, Operator.NOT_EXISTS}:
        return f"{subject} {assertion.operator}"
    return f"{subject} {assertion.operator} {_shown(assertion.value, mask)}"


def _finding(assertion: Assertion, found: list[Any], mask: Mask) -> str:
    if not found:
        return "there is none"
    if assertion.operator is Operator.NOT_EXISTS:
        return f"there is {_shown(found[0], mask)}"
    wrong = next(actual for actual in found if not _complies(assertion.operator, actual, assertion.value))
    return f"{'it' if len(found) == 1 else f'one of {len(found)}'} is {_shown(wrong, mask)}"


def _shown(value: Any, mask: Mask) -> str:
    """The beginning of a value as JSON; masked before it is cut, so that no half of a secret is left."""
    if isinstance(value, str):
        return _json(_cut(mask.over(value)))
    return _cut(mask.over(_json(value)))


def _cut(text: str) -> str:
    return text[:_SHOWN] + "…" if len(text) > _SHOWN else text


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
