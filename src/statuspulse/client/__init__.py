"""The Python client: `Client` for threads, `AsyncClient` for asyncio. It uses nothing else of this package.

Its names are given again here, for programs that import it: this is its face to the world.
"""

from __future__ import annotations

from statuspulse.client.asynchronous.client import AsyncClient
from statuspulse.client.blocking.client import Client
from statuspulse.client.errors import (
    ApiError,
    AuthenticationError,
    ConflictError,
    InvalidCallError,
    NotFoundError,
    PermissionDeniedError,
    PreconditionFailedError,
    RateLimitedError,
    StatusPulseError,
    UnavailableError,
    UnexpectedAnswerError,
    UnreachableError,
    UsageError,
)
from statuspulse.client.retries import Retries

__all__ = [
    "ApiError",
    "AsyncClient",
    "AuthenticationError",
    "Client",
    "ConflictError",
    "InvalidCallError",
    "NotFoundError",
    "PermissionDeniedError",
    "PreconditionFailedError",
    "RateLimitedError",
    "Retries",
    "StatusPulseError",
    "UnavailableError",
    "UnexpectedAnswerError",
    "UnreachableError",
    "UsageError",
]
