"""Which idempotency keys belong to calls that wait for something and have not been answered."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from statuspulse.api.errors import ApiError

_RETRY_SECONDS = 1
_MESSAGE = "A call with this Idempotency-Key is still running; try again."


class Running:
    """Kept in memory: such a call changes nothing by itself, and one that ended with its process may be made again."""

    def __init__(self) -> None:
        self._digests: set[bytes] = set()

    @contextmanager
    def alone(self, digest: bytes) -> Iterator[None]:
        """Raises 409 while another call has the key."""
        if digest in self._digests:
            raise ApiError(
                "idempotency_in_progress", _MESSAGE, param="Idempotency-Key", retry_after_seconds=_RETRY_SECONDS
            )
        self._digests.add(digest)
        try:
            yield
        finally:
            self._digests.discard(digest)
