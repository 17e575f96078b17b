"""Log lines on standard error: for people on a terminal, JSON for everything else."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic

import structlog

LEFT_OUT = "left_out"
_PASSING = 5
_WINDOW_SECONDS = 60.0
# Texts that differ each time are kinds of their own; more than so many are forgotten.
_KINDS = 200


def configure() -> None:
    """One line per event; uvicorn and the libraries are heard from warnings on, in the same form and with a limit."""
    on_terminal = sys.stderr.isatty()
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer() if on_terminal else structlog.processors.JSONRenderer()
    )
    processors: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if not on_terminal:
        processors.append(structlog.processors.format_exc_info)
    structlog.configure(
        processors=[*processors, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(handlers=[_foreign(processors, renderer)], level=logging.WARNING)


def _foreign(processors: Sequence[structlog.typing.Processor], renderer: structlog.typing.Processor) -> logging.Handler:
    """Takes what goes through the standard module."""
    handler = logging.StreamHandler(sys.stderr)
    named = (structlog.stdlib.add_logger_name, structlog.stdlib.ExtraAdder(allow=[LEFT_OUT]))
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*processors, *named],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    handler.addFilter(Sparing(monotonic))
    return handler


class Sparing(logging.Filter):
    """Lets some warnings of one kind through in a minute; the next one after it says how many were left out.

    Anyone who reaches the port can make the HTTP server warn as often as he likes. Errors always pass.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        super().__init__()
        self._monotonic = monotonic
        self._seen: dict[tuple[str, str], _Window] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno > logging.WARNING:
            return True
        now, kind = self._monotonic(), (record.name, str(record.msg))
        window = self._seen.get(kind)
        if window is None or now >= window.until:
            if len(self._seen) >= _KINDS:
                self._seen.clear()
            left_out = 0 if window is None else window.count - _PASSING
            self._seen[kind] = _Window(until=now + _WINDOW_SECONDS, count=1)
            if left_out > 0:
                setattr(record, LEFT_OUT, left_out)
            return True
        window.count += 1
        return window.count <= _PASSING


@dataclass(slots=True)
class _Window:
    """How often one kind came until when."""

    until: float
    count: int
