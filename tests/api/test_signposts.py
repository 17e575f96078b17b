"""A call finds its route in one look, and it is the one that the framework would have found."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi.routing import iter_route_contexts
from starlette.routing import Match, Route

from statuspulse.api.signposts import Signposts
from tests.api.server import Api, running

METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with running(tmp_path_factory.mktemp("signposts")) as started:
        yield started


def scope_of(method: str, path: str) -> dict[str, object]:
    return {"type": "http", "method": method, "path": path, "root_path": "", "path_params": {}}


def test_every_operation_is_found_at_once(api: Api) -> None:
    signposts, *others = api.app.routes
    assert isinstance(signposts, Signposts)
    seen = 0
    for context in iter_route_contexts(others):
        path = "/".join(f"some_{step[1:-1]}" if step.startswith("{") else step for step in str(context.path).split("/"))
        for method in context.methods or ():
            match, child = signposts.matches(scope_of(method, path))
            assert match is Match.FULL, f"{method} {path}"
            assert child["endpoint"] is context.endpoint, f"{method} {path}"
            assert child["path_params"] == {
                step[1:-1]: f"some_{step[1:-1]}" for step in str(context.path).split("/") if step.startswith("{")
            }
            seen += 1
    assert seen > 60


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/status/"),
        ("GET", "/v1//status"),
        ("GET", "/v1/status/mon_1/more"),
        ("GET", "/nothing"),
    ],
)
def test_what_leads_nowhere_is_left_to_the_framework(api: Api, method: str, path: str) -> None:
    assert api.app.routes[0].matches(scope_of(method, path)) == (Match.NONE, {})


async def answer(_request: object) -> None:
    """An endpoint."""


def test_a_name_goes_before_a_parameter_and_the_first_route_before_the_second() -> None:
    named, either, later = (Route(path, answer, methods=["GET"]) for path in ("/a/test", "/a/{id}", "/a/{other}"))
    signposts = Signposts([("/v1", either), ("/v1", named), ("/v1", later)])
    assert signposts.matches(scope_of("GET", "/v1/a/test"))[1]["route"] is named
    child = signposts.matches(scope_of("GET", "/v1/a/b"))[1]
    assert (child["route"], child["path_params"]) == (either, {"id": "b"})


def test_a_path_that_takes_other_methods_is_no_path_of_another_route(api: Api) -> None:
    """Of every operation: `/v1/monitors/bulk` is not the monitor with that id."""
    operations = api.call("GET", "/v1/openapi.json", token=None).json()["paths"]
    taken = {f"/v1{path}".rstrip("/"): {name.upper() for name in item} & METHODS for path, item in operations.items()}
    shadowing = 0
    for path, methods in taken.items():
        url = "/".join(f"some_{step[1:-1]}" if step.startswith("{") else step for step in path.split("/"))
        for method in METHODS - methods:
            answer = api.call(method, url, token=None)
            assert (answer.status_code, answer.json()["error"]["code"]) == (405, "method_not_allowed"), (method, url)
            allowed = methods | ({"HEAD"} if "GET" in methods else set())
            assert answer.headers["Allow"] == ", ".join(sorted(allowed)), (method, url)
        shadowing += any(_fits(other, url) for other in taken if other != path)
    assert shadowing >= 5


def _fits(pattern: str, url: str) -> bool:
    pairs = list(zip(pattern.split("/"), url.split("/"), strict=False))
    return pattern.count("/") == url.count("/") and all(one == step or one.startswith("{") for one, step in pairs)


def test_a_parameter_that_takes_slashes_is_left_to_the_framework() -> None:
    signposts = Signposts([("", Route("/files/{rest:path}", answer, methods=["GET"]))])
    assert signposts.matches(scope_of("GET", "/files/a")) == (Match.NONE, {})
