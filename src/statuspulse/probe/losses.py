"""What a spool had to drop, told in few words: for each monitor a gap from the first lost slot to the last.

The words take the last of the numbers that the dropped records had, so that they stand where these stood: behind all
that was committed, before all that is left, and in the way of nothing that is committed in between.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import msgspec

from statuspulse.domain.failure import MissReason
from statuspulse.domain.result import ResultKind
from statuspulse.probe.segment import Record
from statuspulse.protocol.documents import Item

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Item).decode


@dataclass(frozen=True, slots=True)
class Loss:
    """What one dropped record leaves: the slots that it was about, where it was about any.

    `is_result`: it was a result itself, and not already a word about missed ones.
    """

    seq: int
    at: int
    is_result: bool
    gap: Item | None


def losses_in(records: Iterable[Record]) -> list[Loss]:
    """One for each record, in their order; what is no slot of the schedule leaves no gap."""
    return [_loss(record) for record in records]


def told(losses: Sequence[Loss], through: int) -> list[Record]:
    """The gaps of losses that follow each other, the last of which has the number `through`; never more than losses."""
    gaps: dict[tuple[str, str | None], Item] = {}
    for loss in losses:
        if loss.gap is not None:
            key = (loss.gap.monitor_id, loss.gap.reason)
            gaps[key] = _joined(gaps.get(key), loss.gap)
    first = through + 1 - len(gaps)
    at = max((loss.at for loss in losses), default=0)
    return [
        Record(seq, at, _encode(msgspec.structs.replace(gap, seq=seq))) for seq, gap in enumerate(gaps.values(), first)
    ]


def _loss(record: Record) -> Loss:
    loss = Loss(record.seq, record.at, is_result=True, gap=None)
    try:
        item = _decode(record.content)
    except msgspec.MsgspecError:  # of another version
        return loss
    if item.kind == "gap":
        return replace(loss, is_result=False, gap=item)
    if item.kind != ResultKind.SCHEDULED.value or item.scheduled_at is None:
        return loss
    gap = Item(
        seq=record.seq,
        kind="gap",
        monitor_id=item.monitor_id,
        from_at=item.scheduled_at,
        to_at=item.scheduled_at,
        count=1,
        reason=MissReason.SPOOL_OVERFLOW.value,
    )
    return replace(loss, gap=gap)


def _joined(one: Item | None, other: Item) -> Item:
    if one is None:
        return other
    return msgspec.structs.replace(
        one,
        from_at=min(_known(one.from_at), _known(other.from_at)),
        to_at=max(_known(one.to_at), _known(other.to_at)),
        count=(one.count or 0) + (other.count or 0),
    )


def _known(at: datetime | None) -> datetime:
    """A gap that this probe has written has both its ends."""
    assert at is not None
    return at
