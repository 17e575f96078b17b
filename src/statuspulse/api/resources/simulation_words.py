"""What a simulation says, in a sentence, and what its reader has to know of its window."""

from __future__ import annotations

from statuspulse.api.documents.simulation import differences
from statuspulse.catalog.refusals import SoftProblem
from statuspulse.domain.times import DAY, SECOND, to_text
from statuspulse.engine.backtest import MOST_CHANGES, MOST_RESULTS, Backtest, Cut
from statuspulse.engine.retention import RAW_KEPT

_CUTS = {
    Cut.CREATED: "The monitor did not exist before that.",
    Cut.EDITED: "Earlier results are of another target or of other rules of its answer.",
    Cut.RETENTION: f"Results are kept for {RAW_KEPT // DAY} days.",
    Cut.RESULTS: f"At most {MOST_RESULTS} results are replayed; ask for a shorter window to see earlier ones.",
}


def sentence(found: Backtest) -> str:
    """How often people would have been paged, and how soon the longest outage would have been noticed."""
    return f"{_rules(found)} you would have been paged {_pages(found)}{_longest(found)}."


def warnings(found: Backtest) -> tuple[SoftProblem, ...]:
    """Where the window is shorter than was asked for, and where a list is."""
    told = []
    if found.cut is not None:
        code = "beyond_retention" if found.cut is Cut.RETENTION else "window_cut"
        message = f"The window begins at {to_text(found.start)}. {_CUTS[found.cut]}"
        told.append(SoftProblem(code=code, message=message, param="from"))
    longest = max(max(one.change_count, len(one.outages)) for one in (found.actual, found.simulated))
    if longest > MOST_CHANGES:
        message = f"Lists end after {MOST_CHANGES} items; the counts are of all."
        told.append(SoftProblem(code="list_cut", message=message, param=None))
    return tuple(told)


def _rules(found: Backtest) -> str:
    changed = [_rule(name, found) for name in differences(found)]
    if not changed:
        return "Under its present rules"
    *others, last = changed
    return f"With {', '.join(others)} and {last}" if others else f"With {last}"


def _rule(name: str, found: Backtest) -> str:
    value = found.config[name]
    if value is None:
        return f"no {name}"
    # Names of regions can be many and long, and the answer has them.
    return f"{len(value)} of its regions" if isinstance(value, list) else f"{name} {value}"


def _pages(found: Backtest) -> str:
    would, did = found.simulated.pages, found.actual.pages
    if would == did:
        return f"{_times(would)}, as you were"
    return f"{_times(would)} instead of {did}"


def _times(count: int) -> str:
    return "1 time" if count == 1 else f"{count} times"


def _longest(found: Backtest) -> str:
    if found.longest_outage is None:
        return ""
    delay = found.longest_outage_delay
    if delay is None:
        return "; of the longest outage nobody would have heard"
    seconds = round(abs(delay) / SECOND)
    if seconds == 0:
        return "; the longest outage would have been noticed at the same moment"
    return f"; the longest outage would have been noticed {seconds} s {'later' if delay > 0 else 'earlier'}"
