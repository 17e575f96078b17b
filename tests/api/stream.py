"""A reader of server-sent events, frame by frame, and the means to make the server look at once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import requests

Frame = dict[str, str]


@dataclass
class Stream:
    """One open stream; a frame is its fields by name, a comment stands under the empty one."""

    answer: requests.Response
    _text: str = ""
    _parts: Iterator[bytes] = field(init=False)

    def __post_init__(self) -> None:
        self._parts = self.answer.iter_content(None)

    def next(self) -> Frame:
        """Waits for it; raises StopIteration at the end of the stream."""
        while "\n\n" not in self._text:
            self._text += next(self._parts).decode()
        frame, _, self._text = self._text.partition("\n\n")
        fields = (line.partition(":") for line in frame.split("\n"))
        return {name: value.removeprefix(" ") for name, _, value in fields}

    def event(self) -> dict[str, Any]:
        """The next one, whose frame says the same thrice."""
        frame = self.next()
        assert frame.keys() == {"id", "event", "data"}, frame
        told: dict[str, Any] = json.loads(frame["data"])
        assert (frame["id"], frame["event"]) == (told["id"], told["type"])
        return told

    @property
    def has_ended(self) -> bool:
        return next(self._parts, None) is None and not self._text


@contextmanager
def streamed(url: str, token: str | None, query: str = "", headers: dict[str, str] | None = None) -> Iterator[Stream]:
    """A stream whose first frame is still to come."""
    sent = {} if token is None else {"Authorization": f"Bearer {token}"}
    with requests.get(
        f"{url}/v1/events/stream{query}", headers={**sent, **(headers or {})}, stream=True, timeout=20
    ) as answer:
        assert answer.status_code == 200, answer.text
        yield Stream(answer)
