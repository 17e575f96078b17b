"""What a call can end with instead of an answer. No error holds a token, a body that was sent, or a query."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


class StatusPulseError(Exception):
    """Everything that the client raises about a call."""


class UsageError(StatusPulseError, ValueError):
    """The program uses the client in a way that means nothing; nothing was sent."""


class UnreachableError(StatusPulseError):
    """No answer came in time. `may_be_done`: a call was sent, and nobody can say whether it was done."""

    def __init__(self, message: str, *, may_be_done: bool) -> None:
        super().__init__(message)
        self.may_be_done = may_be_done


class UnexpectedAnswerError(StatusPulseError):
    """Something answered that is not StatusPulse, or not as this version of the client understands it."""

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """What the API tells of a refused call (`error` of its envelope)."""

    status: int
    code: str
    message: str
    param: str | None = None
    request_id: str | None = None
    doc_url: str | None = None
    details: tuple[Mapping[str, Any], ...] = field(default=())
    retry_after_seconds: float | None = None


class ApiError(StatusPulseError):
    """The API refused the call and says why.

    `after_silence`: an earlier attempt of the same call got no answer. It may have been done, and may be the reason.
    """

    def __init__(self, refusal: Refusal, *, after_silence: bool = False) -> None:
        super().__init__(_sentence(refusal))
        self.refusal = refusal
        self.after_silence = after_silence

    @property
    def status(self) -> int:
        return self.refusal.status

    @property
    def code(self) -> str:
        return self.refusal.code

    @property
    def message(self) -> str:
        return self.refusal.message

    @property
    def param(self) -> str | None:
        return self.refusal.param

    @property
    def request_id(self) -> str | None:
        return self.refusal.request_id

    @property
    def doc_url(self) -> str | None:
        return self.refusal.doc_url

    @property
    def details(self) -> tuple[Mapping[str, Any], ...]:
        return self.refusal.details

    @property
    def retry_after_seconds(self) -> float | None:
        return self.refusal.retry_after_seconds


class InvalidCallError(ApiError):
    """400, 405, 413, 415, 422: the call does not hold; `details` has every problem."""


class AuthenticationError(ApiError):
    """401: no token, or none that is valid."""


class PermissionDeniedError(ApiError):
    """403: the token may not do this."""

    @property
    def required_scope(self) -> str | None:
        return next((found["required_scope"] for found in self.details if found.get("required_scope")), None)


class NotFoundError(ApiError):
    """404, 410: there is no such object for this token."""


class ConflictError(ApiError):
    """409: the state of the object forbids it."""


class PreconditionFailedError(ApiError):
    """412, 428: the object has another version than the caller expects, or the team wants one to be named."""

    @property
    def current_version(self) -> int | None:
        return next((found["current_version"] for found in self.details if found.get("current_version")), None)


class RateLimitedError(ApiError):
    """429: too many calls, and no time left to wait for a free one."""


class UnavailableError(ApiError):
    """500 and above: the server cannot answer now."""


def error_of(refusal: Refusal, *, after_silence: bool = False) -> ApiError:
    """The error of the status."""
    kinds: dict[int, type[ApiError]] = {
        401: AuthenticationError,
        403: PermissionDeniedError,
        404: NotFoundError,
        409: ConflictError,
        410: NotFoundError,
        412: PreconditionFailedError,
        428: PreconditionFailedError,
        429: RateLimitedError,
    }
    usual = UnavailableError if refusal.status >= 500 else InvalidCallError
    return kinds.get(refusal.status, usual)(refusal, after_silence=after_silence)


def _sentence(refusal: Refusal) -> str:
    where = [refusal.code, *(f"{name} {value}" for name, value in _places(refusal) if value)]
    return f"{refusal.message} ({', '.join(where)})"


def _places(refusal: Refusal) -> tuple[tuple[str, str | None], ...]:
    return ("member", refusal.param), ("request", refusal.request_id)
