"""Why a change of the configuration is refused: values that the API and the command line put into their own words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeVar

Path = tuple[str | int, ...]
T = TypeVar("T")

_SHOWN_PATH_LIMIT = 200
_LONGEST_VERSION = 18


class Versioned(Protocol):
    """Something of which every change makes another version, counted from 1."""

    @property
    def version(self) -> int: ...


V = TypeVar("V", bound=Versioned)


def param_of(path: Path) -> str | None:
    """A member as people write it, `retry.count` or `notifications[0]`; None for the whole body."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{_printable(step)}" if text else _printable(step)
    return text[:_SHOWN_PATH_LIMIT] or None


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """One thing that is wrong. `message` goes on from the name of the member: "must be at least 10".

    `extra` holds what helps a program: limit, known, required_scope, current_version. Values that the caller sent
    never stand in any of it. Only what is wrong in a body has a JSON pointer.
    """

    code: str
    path: Path
    message: str
    extra: dict[str, Any] = field(default_factory=dict)
    in_body: bool = True

    @property
    def param(self) -> str | None:
        """The member as people write it."""
        return param_of(self.path)

    @property
    def pointer(self) -> str | None:
        """The member as a JSON pointer (RFC 6901)."""
        return pointer(self.path)[:_SHOWN_PATH_LIMIT] if self.path and self.in_body else None

    @property
    def sentence(self) -> str:
        return f"{self.param or 'The body'} {self.message}."

    def below(self, path: Path) -> Detail:
        """The same as it stands in a larger document."""
        return replace(self, path=(*path, *self.path))


@dataclass(frozen=True, slots=True, kw_only=True)
class SoftProblem:
    """Something that was done and may not be what was meant; a warning beside a good answer."""

    code: str
    message: str
    param: str | None


class InvalidInputError(Exception):
    """What was sent can be read and does not hold; nothing was stored."""

    def __init__(self, details: Sequence[Detail]) -> None:
        super().__init__(details[0].sentence)
        self.details = tuple(details)


def check_identity(sent: Mapping[str, Any], holds: Mapping[str, Any]) -> None:
    """Members that never change may be sent back as they are; raises InvalidInputError for those that differ.

    Who sends another id means another object, and would take an answer of 200 for its change.
    """
    message = "is another one than that of the object in the path, and cannot be changed; leave it out"
    wrong = [name for name in holds if name in sent and sent[name] != holds[name]]
    if wrong:
        raise InvalidInputError([Detail(code="parameter_immutable", path=(name,), message=message) for name in wrong])


class MissingError(Exception):
    """The object of the call does not exist in this team."""


class PreconditionFailedError(Exception):
    """The object has another version than the caller expects; `was_current` where it had one of the expected before."""

    def __init__(self, current_version: int, expected: Iterable[str]) -> None:
        super().__init__(f"the current version is {current_version}")
        self.current_version = current_version
        self.was_current = any(_is_version(text) and int(text) < current_version for text in expected)


class RefusedError(Exception):
    """It is forbidden by how things are; the code is one that callers know, the message is for people."""

    def __init__(self, code: str, message: str, details: Sequence[Detail] = ()) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = tuple(details)


def existing(found: T | None) -> T:
    """What was looked for; raises MissingError where there is none."""
    if found is None:
        raise MissingError
    return found


def as_expected(found: V | None, if_match: frozenset[str] | None, *, is_needed: bool) -> V:
    """What is about to be changed or removed, in a version that the caller expects.

    `if_match` holds these versions, `*` for any; None sets no condition, which `is_needed` refuses. Raises
    MissingError, PreconditionFailedError, RefusedError.
    """
    stored = existing(found)
    check_precondition(stored.version, if_match, is_needed=is_needed)
    return stored


def check_precondition(version: int, if_match: frozenset[str] | None, *, is_needed: bool) -> None:
    """Raises PreconditionFailedError for a change that is made on another version, RefusedError without any."""
    if is_needed and if_match is None:
        message = (
            "This team wants every change to name the version it is made on; read the object and send its ETag as "
            "If-Match, or config_version in the body of a monitor."
        )
        raise RefusedError("precondition_required", message)
    if if_match is not None and not if_match & {"*", str(version)}:
        raise PreconditionFailedError(version, if_match)


def pointer(path: Path) -> str:
    return "".join("/" + _printable(str(step)).replace("~", "~0").replace("/", "~1") for step in path)


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else "?" for char in text)


def _is_version(text: str) -> bool:
    """Whether the text is a version number as we write it."""
    return text.isascii() and text.isdecimal() and len(text) <= _LONGEST_VERSION and not text.startswith("0")
