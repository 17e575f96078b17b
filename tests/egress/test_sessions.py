"""What is remembered of handshakes, and what follows from it for the next one."""

from __future__ import annotations

import pytest

from statuspulse.egress.sessions import Sessions

ENDPOINT = ("shop.example", "192.0.2.1", 443)


def heard(words: bytes) -> Sessions:
    sessions = Sessions()
    sessions.hear(ENDPOINT, words)
    return sessions


def test_version_and_cipher_are_those_that_were_heard() -> None:
    sessions = heard(b"SSL connection using TLSv1.3 / TLS_AES_256_GCM_SHA384 / x25519 / id-ecPublicKey\n")
    assert sessions.of(ENDPOINT) == ("TLSv1.3", "TLS_AES_256_GCM_SHA384")


@pytest.mark.parametrize("name", [b"x25519", b"X25519"])
def test_a_server_that_took_x25519_is_offered_no_hybrid_again(name: bytes) -> None:
    sessions = heard(b"SSL connection using TLSv1.3 / TLS_AES_256_GCM_SHA384 / " + name + b" / id-ecPublicKey\n")
    groups = sessions.groups(ENDPOINT)
    assert groups is not None
    assert groups.startswith("X25519:")
    assert "MLKEM" not in groups


@pytest.mark.parametrize(
    "words",
    [
        b"SSL connection using TLSv1.3 / TLS_AES_256_GCM_SHA384 / X25519MLKEM768 / id-ecPublicKey\n",
        b"SSL connection using TLSv1.3 / TLS_AES_256_GCM_SHA384 / secp256r1 / id-ecPublicKey\n",
        b"SSL connection using TLSv1.3 / TLS_AES_256_GCM_SHA384\n",
        b"Connected to shop.example\n",
    ],
)
def test_any_other_server_is_offered_everything(words: bytes) -> None:
    assert heard(words).groups(ENDPOINT) is None


def test_after_a_failure_everything_is_offered_again() -> None:
    sessions = heard(b"SSL connection using TLSv1.3 / TLS_AES_256_GCM_SHA384 / x25519 / id-ecPublicKey\n")
    sessions.forget(ENDPOINT)
    assert sessions.groups(ENDPOINT) is None


def test_after_five_minutes_everything_is_offered_again(monkeypatch: pytest.MonkeyPatch) -> None:
    sessions = heard(b"SSL connection using TLSv1.3 / TLS_AES_256_GCM_SHA384 / x25519 / id-ecPublicKey\n")
    assert sessions.groups(ENDPOINT) is not None
    monkeypatch.setattr("statuspulse.egress.sessions.monotonic", lambda: float("inf"))
    assert sessions.groups(ENDPOINT) is None
