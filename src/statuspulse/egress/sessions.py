"""Version of TLS and cipher by endpoint: libcurl tells them only in words, to those who listen to everything.

That costs a check some 50 µs, and they hardly ever change; so a check listens if nobody has for five minutes.
"""

from __future__ import annotations

from time import monotonic

Endpoint = tuple[str, str, int]

_FRESH_SECONDS = 300.0
_REMEMBERED = 20_000
_INTRODUCTION = b"SSL connection using "


class Sessions:
    """What was heard last about each endpoint: the name asked for, address and port."""

    def __init__(self) -> None:
        self._heard: dict[Endpoint, tuple[float, bytes]] = {}

    def is_fresh(self, endpoint: Endpoint) -> bool:
        heard = self._heard.get(endpoint)
        return heard is not None and heard[0] > monotonic()

    def hear(self, endpoint: Endpoint, words: bytes) -> None:
        """Takes one of libcurl's messages; nearly all of them are about something else."""
        if words.startswith(_INTRODUCTION):
            if len(self._heard) >= _REMEMBERED:
                self._heard.clear()
            self._heard[endpoint] = (monotonic() + _FRESH_SECONDS, words[len(_INTRODUCTION) :])

    def forget(self, endpoint: Endpoint) -> None:
        """Something went wrong there: the next check listens."""
        self._heard.pop(endpoint, None)

    def of(self, endpoint: Endpoint) -> tuple[str | None, str | None]:
        """Version and cipher, as in `TLSv1.3 / TLS_AES_256_GCM_SHA384 / x25519 / id-ecPublicKey`."""
        _, words = self._heard.get(endpoint, (0.0, b""))
        version, _, rest = words.decode("latin-1").partition(" / ")
        return version or None, rest.partition(" / ")[0] or None
