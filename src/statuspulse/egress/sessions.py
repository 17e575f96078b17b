"""What was agreed in the handshakes of TLS, by endpoint: libcurl tells it only in words, to those who listen.

That costs a check some 50 µs, and they hardly ever change; so a check listens if nobody has for five minutes.
"""

from __future__ import annotations

from time import monotonic

Endpoint = tuple[str, str, int]

_FRESH_SECONDS = 300.0
_REMEMBERED = 20_000
_INTRODUCTION = b"SSL connection using "
_TAKEN = b"x25519"
_CLASSICAL = "X25519:P-256:X448:P-384:P-521"


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

    def groups(self, endpoint: Endpoint) -> str | None:
        """The groups to offer for the exchange of keys there; None for all that OpenSSL knows.

        Making a share for a hybrid with ML-KEM is a tenth of our work in a handshake. A server that lately took X25519
        from a hello with both has no use for it; it costs the same round trips without.
        """
        until, words = self._heard.get(endpoint, (0.0, b""))
        taken = words.lower().split(b" / ")[2:3]
        return _CLASSICAL if taken == [_TAKEN] and until > monotonic() else None

    def of(self, endpoint: Endpoint) -> tuple[str | None, str | None]:
        """Version and cipher, as in `TLSv1.3 / TLS_AES_256_GCM_SHA384 / x25519 / id-ecPublicKey`."""
        _, words = self._heard.get(endpoint, (0.0, b""))
        version, _, rest = words.decode("latin-1").partition(" / ")
        return version or None, rest.partition(" / ")[0] or None
