"""Many messages in one: what a chat is told in a storm."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from statuspulse.delivery.wording import line, summary
from statuspulse.domain.actor import SYSTEM
from statuspulse.domain.message import Action, Message

_MOST_LINES = 20
_LINE_LIMIT = 110
_WORDS = {
    Action.TRIGGER: "triggered",
    Action.ACKNOWLEDGE: "acknowledged",
    Action.RESOLVE: "resolved",
    Action.UPDATE: "updated",
    Action.NOTICE: "other",
}


def digest(messages: Sequence[Message], at: int) -> Message:
    """One message that says of how many it stands, and lists the first; the rest are in the incidents' timelines."""
    counts = Counter(_WORDS[message.action] for message in messages)
    said = ", ".join(f"{counts[word]} {word}" for word in _WORDS.values() if counts[word])
    lines = [line(summary(message), _LINE_LIMIT) for message in messages[:_MOST_LINES]]
    if len(messages) > _MOST_LINES:
        lines.append(f"and {len(messages) - _MOST_LINES} more")
    title = f"{len(messages)} messages: {said}"
    return Message.without_incident(Action.DIGEST, title, at=at, actor=SYSTEM.label, note="\n".join(lines))
