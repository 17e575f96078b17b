"""What a monitor depends on: whether that can be, and what becomes of it when one of them goes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection

from statuspulse.catalog.refusals import Detail
from statuspulse.domain.dependence import MOST_LEVELS, circle, longest_chain
from statuspulse.storage import dependencies, monitors
from statuspulse.storage.monitors import Monitor

# What stands for a monitor that has no id yet.
_NEW = "this monitor"


def problems(connection: Connection, team_id: str, stored: Monitor | None, wanted: Sequence[str]) -> Iterator[Detail]:
    """What is wrong with it: another team's monitor is refused like one that does not exist."""
    if not wanted or (stored is not None and wanted == stored.config["depends_on"]):
        return
    graph, child = dependencies.locked_graph(connection, team_id), _NEW if stored is None else stored.id
    unknown = [place for place, text in enumerate(wanted) if monitors.get(connection, team_id, text) is None]
    for place in unknown:
        yield Detail(code="reference_not_found", path=("depends_on", place), message="names no monitor of this team")
    if unknown:
        return
    way = circle(graph, child, wanted)
    if way is not None:
        message = f"would go in a circle: {_shown(way)}; take one of these dependencies away first"
        yield Detail(code="parameter_conflict", path=("depends_on", wanted.index(way[1])), message=message)
        return
    chain = longest_chain(graph, child, wanted)
    if len(chain) > MOST_LEVELS:
        message = f"would make a chain of {len(chain)} monitors, and {MOST_LEVELS} is the limit: {_shown(chain)}"
        yield Detail(code="parameter_conflict", path=("depends_on",), message=message)


def _shown(way: Sequence[str]) -> str:
    return " → ".join(way)
