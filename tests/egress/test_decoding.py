"""Content codings: one layer of what was offered, within bounds."""

from __future__ import annotations

import gzip
import zlib

import pytest

from statuspulse.domain.failure import Failure, FailureClass
from statuspulse.egress.decoding import decoded

TEXT = b'{"status": "ok", "build": "4f2a91"}'
LIMIT = 1 << 20


def raw_deflate(content: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return stream.compress(content) + stream.flush()


def failed(outcome: bytes | bytearray | Failure) -> FailureClass:
    assert isinstance(outcome, Failure)
    return outcome.kind


@pytest.mark.parametrize(
    ("coding", "coded"),
    [
        ("", TEXT),
        ("identity", TEXT),
        ("gzip", gzip.compress(TEXT)),
        ("X-GZIP", gzip.compress(TEXT)),
        ("gzip", gzip.compress(TEXT[:10]) + gzip.compress(TEXT[10:])),
        ("deflate", zlib.compress(TEXT)),
        (" Deflate ", raw_deflate(TEXT)),
    ],
)
def test_what_was_offered_is_undone(coding: str, coded: bytes) -> None:
    assert decoded(coded, coding, LIMIT) == TEXT


def test_an_empty_body_is_empty_whatever_it_claims() -> None:
    assert decoded(b"", "gzip", LIMIT) == b""


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, gzip", "deflate, gzip", "nonsense"])
def test_what_was_not_offered_is_an_error_of_the_server(coding: str) -> None:
    assert failed(decoded(gzip.compress(gzip.compress(TEXT)), coding, LIMIT)) is FailureClass.PROTOCOL_ERROR


@pytest.mark.parametrize(
    ("coding", "coded"),
    [
        ("gzip", gzip.compress(TEXT)[:-3]),
        ("gzip", gzip.compress(TEXT) + b"rest"),
        ("gzip", TEXT),
        ("deflate", zlib.compress(TEXT)[:-3]),
        ("deflate", b"\xff\xff\xff"),
        ("gzip", gzip.compress(b"x") * 17),
    ],
)
def test_what_is_cut_or_broken_is_an_error_of_the_server(coding: str, coded: bytes) -> None:
    assert failed(decoded(coded, coding, LIMIT)) is FailureClass.PROTOCOL_ERROR


@pytest.mark.parametrize(
    ("coding", "coded"),
    [
        ("gzip", gzip.compress(bytes(10 << 20))),
        ("deflate", zlib.compress(bytes(10 << 20))),
        ("deflate", raw_deflate(bytes(10 << 20))),
        ("gzip", gzip.compress(bytes(200_000))),  # within the limit, but a thousand times what was sent
        ("gzip", bytes(LIMIT // 4 + 1)),
    ],
)
def test_a_bomb_is_too_large(coding: str, coded: bytes) -> None:
    assert failed(decoded(coded, coding, LIMIT)) is FailureClass.BODY_TOO_LARGE


def test_the_limit_itself_is_allowed() -> None:
    content = bytes(range(256)) * 16
    assert decoded(gzip.compress(content), "gzip", len(content)) == content
    assert failed(decoded(gzip.compress(content), "gzip", len(content) - 1)) is FailureClass.BODY_TOO_LARGE
