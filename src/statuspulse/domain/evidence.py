"""What a failed check leaves for people to look at: a document in the form of JSON, bounded and without secrets."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from statuspulse.domain.secret import MASK

LIMIT = 16 << 10
BODY_LIMIT = 4096
_LONGEST_TEXT = 512
_MOST_HEADERS = 50
# Of a shorter one every occurrence would be found, in words that have nothing to do with it.
_SHORTEST_SECRET = 4


class Mask:
    """Covers secrets wherever they turn up, for example where a target echoes what it was sent."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = sorted({text for text in secrets if len(text) >= _SHORTEST_SECRET}, key=len, reverse=True)

    def over(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, MASK)
        return text


def excerpt(text: str, limit: int = _LONGEST_TEXT) -> str:
    """The beginning of a text from outside; line ends stay, other control characters do not."""
    return "".join(
        char if char.isprintable() or char in "\r\n\t" else "\N{REPLACEMENT CHARACTER}" for char in text[:limit]
    )


def fitted(evidence: dict[str, Any]) -> dict[str, Any]:
    """The same within the limit: the body gives way first, then headers, then the hops in the middle."""
    if headers := evidence.get("headers"):
        evidence["headers"] = headers[:_MOST_HEADERS]
    while _size(evidence) > LIMIT:
        if evidence.get("body"):
            evidence["body"] = evidence["body"][: len(evidence["body"]) // 2]
        elif evidence.get("headers"):
            evidence["headers"] = evidence["headers"][: len(evidence["headers"]) // 2]
        elif len(evidence.get("hops", ())) > 1:
            del evidence["hops"][len(evidence["hops"]) // 2]
        else:
            return {"error": evidence.get("error")}
    return evidence


def _size(evidence: dict[str, Any]) -> int:
    return len(json.dumps(evidence, ensure_ascii=False, separators=(",", ":")).encode())
