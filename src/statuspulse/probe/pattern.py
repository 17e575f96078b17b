"""Patterns that users write, on RE2: linear time whatever they hold."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import re2

PATTERN_LIMIT = 512
_REMEMBERED = 1000


@lru_cache(_REMEMBERED)
def compiled(pattern: str) -> Any:
    """A pattern for bytes; ValueError says in RE2's words what is wrong with it."""
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern.encode(), options)
    except re2.error as error:
        reason = error.args[0] if error.args else b""
        raise ValueError(reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)) from None
