# Written from `asynchronous/resources/resource.py` by `python -m tests.client.write_blocking`.
"""What the resources have in common."""

from __future__ import annotations

from statuspulse.client.blocking.caller import Caller


class Resource:
    """Some calls of the API that belong together."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
