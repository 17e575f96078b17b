"""Finds the route of a call by the steps of its path; the framework would try every route, one after the other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from starlette.routing import BaseRoute, Match, Route
from starlette.types import Receive, Scope, Send

from statuspulse.api.errors import ApiError

_METHODS = "signposts.methods"


@dataclass(frozen=True, slots=True)
class _Goal:
    """A route and the names of the parameters in its path, in their order."""

    route: Route
    parameters: tuple[str, ...]


@dataclass(slots=True)
class _Fork:
    """Where a path may go on: by a name, or by whatever stands there. `goals` are those that end here, by method."""

    names: dict[str, _Fork] = field(default_factory=dict)
    whatever: _Fork | None = None
    goals: dict[str, _Goal] = field(default_factory=dict)

    def add(self, steps: Sequence[str], goal: _Goal) -> None:
        if not steps:
            self.goals = {**dict.fromkeys(goal.route.methods or (), goal), **self.goals}
        elif steps[0].startswith("{"):
            self.whatever = self.whatever or _Fork()
            self.whatever.add(steps[1:], goal)
        else:
            self.names.setdefault(steps[0], _Fork()).add(steps[1:], goal)


class Signposts(BaseRoute):
    """Leads a call straight to one of the routes that it is given, each with what stands in front of its path.

    A path that takes other methods is refused here: to the framework `/monitors/bulk` would be the monitor of that id.
    What leads nowhere goes the long way through the framework.
    """

    def __init__(self, routes: Iterable[tuple[str, BaseRoute]]) -> None:
        self._root = _Fork()
        for prefix, route in routes:
            if isinstance(route, Route) and ":" not in route.path:  # a parameter with a form of its own
                steps = (prefix + route.path).split("/")
                parameters = tuple(step[1:-1] for step in steps if step.startswith("{"))
                self._root.add(steps, _Goal(route, parameters))

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        found = self._find(scope["path"]) if scope["type"] == "http" else None
        if found is None:
            return Match.NONE, {}
        goals, values = found
        goal = goals.get(scope["method"])
        if goal is None:
            route = next(iter(goals.values())).route
            return Match.FULL, {"endpoint": route.endpoint, "route": route, _METHODS: tuple(goals)}
        path_params = dict(zip(goal.parameters, values, strict=True))
        return Match.FULL, {"endpoint": goal.route.endpoint, "path_params": path_params, "route": goal.route}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        if _METHODS in scope:
            raise wrong_method(scope[_METHODS])
        await scope["route"].app(scope, receive, send)

    def _find(self, path: str) -> tuple[dict[str, _Goal], list[str]] | None:
        """What a path leads to, by method, and what stands in the place of its parameters."""
        fork = self._root
        values: list[str] = []
        for step in path.split("/"):
            onward = fork.names.get(step)
            if onward is None:
                onward = fork.whatever if step else None
                values.append(step)
            if onward is None:
                return None
            fork = onward
        return (fork.goals, values) if fork.goals else None


def wrong_method(taken: Iterable[str]) -> ApiError:
    """405 with the methods that the path takes; HEAD wherever GET is (RFC 9110, 15.5.6)."""
    methods = {*taken, "HEAD"} if "GET" in taken else set(taken)
    allowed = ", ".join(sorted(methods))
    return ApiError("method_not_allowed", f"This path takes {allowed}.", headers={"Allow": allowed})
