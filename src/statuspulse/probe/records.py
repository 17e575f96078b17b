"""What a probe has to tell, encoded once: the same bytes lie in the spool and travel to the control plane."""

from __future__ import annotations

import msgspec

from statuspulse.domain.result import Gap, Result
from statuspulse.protocol.conversion import gap_item, item_of
from statuspulse.protocol.documents import Item

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Item).decode


def result_record(seq: int, result: Result, job_id: str | None = None) -> bytes:
    return _encode(item_of(seq, result, job_id))


def gap_record(seq: int, gap: Gap) -> bytes:
    return _encode(gap_item(seq, gap))


def renumbered(record: bytes, seq: int) -> bytes:
    """The same under another number."""
    return _encode(msgspec.structs.replace(_decode(record), seq=seq))
