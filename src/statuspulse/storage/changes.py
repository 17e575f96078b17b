"""What has been committed since a moment: whoever keeps something that he has read learns whether it still holds."""

from __future__ import annotations

import threading
from collections.abc import Collection


class Changes:
    """Counts commits: those about a few monitors for these alone, any other for everything.

    A mark is a count. The writer's thread counts, others ask.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0
        self._of_everything = 0
        self._of: dict[int, int] = {}

    def mark(self) -> int:
        """Taken before something is read: what is committed later may be missing in it."""
        with self._lock:
            return self._last

    def note(self, monitor_keys: Collection[int] | None) -> None:
        """A commit was about these monitors; about anything, where None."""
        with self._lock:
            self._last += 1
            if monitor_keys is None:
                self._of_everything = self._last
                self._of.clear()
            else:
                self._of.update(dict.fromkeys(monitor_keys, self._last))

    def none_since(self, mark: int, monitor_key: int) -> bool:
        """Whether all that was committed since the mark was about other monitors."""
        with self._lock:
            return max(self._of_everything, self._of.get(monitor_key, 0)) <= mark
