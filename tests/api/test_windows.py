"""`from` and `to` mean the same in every call that has them."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

from statuspulse.domain.times import DAY, to_text
from tests.api.server import ADMIN, Api

WINDOWS = ("results", "uptime", "latency")


@pytest.fixture(scope="module")
def monitor(api: Api) -> str:
    body = {"name": "Shop", "type": "http", "url": "https://shop.example/"}
    return str(api.call("POST", "/v1/monitors", body).json()["id"])


def get(api: Api, path: str, **query: str) -> Any:
    return api.call("GET", f"{path}?{urlencode(query)}", token=ADMIN)


@pytest.mark.parametrize("name", WINDOWS)
@pytest.mark.parametrize("end", ["9999-12-31T00:00:00Z", "2030-01-01T00:00:00Z"])
def test_a_window_ends_now_at_the_latest_and_says_so(api: Api, monitor: str, name: str, end: str) -> None:
    path = f"/v1/monitors/{monitor}/{name}"
    answer = get(api, path, to=end)
    assert answer.status_code == 200
    [warning] = [one for one in answer.json()["warnings"] if one["param"] == "to"]
    assert warning["code"] == "window_cut"
    assert not [one for one in get(api, path).json()["warnings"] if one["param"] == "to"]


@pytest.mark.parametrize("name", WINDOWS)
def test_a_window_that_begins_ahead_is_refused(api: Api, monitor: str, name: str) -> None:
    later = to_text(api.clock() + DAY)
    answer = get(api, f"/v1/monitors/{monitor}/{name}", **{"from": later, "to": "9999-12-31T00:00:00Z"})
    assert (answer.status_code, answer.json()["error"]["param"]) == (422, "from")
    assert answer.json()["message"] == "from must be earlier than now."


@pytest.mark.parametrize("name", [*WINDOWS, "transitions", "/v1/audit-log", "/v1/incidents"])
@pytest.mark.parametrize(
    ("begin", "told"),
    [
        ("2026-11-23T06:20:00Z", "must be earlier than to"),
        ("2026-11-20T06:20:00 01:00", "a + in a query is written %2B"),
        ("2026-11-20T06:20:00", "needs an offset"),
        ("yesterday", "must be a time such as"),
    ],
)
def test_what_is_no_window_is_told_in_the_same_words(api: Api, monitor: str, name: str, begin: str, told: str) -> None:
    path = name if name.startswith("/") else f"/v1/monitors/{monitor}/{name}"
    answer = get(api, path, **{"from": begin, "to": "2026-11-22T06:20:00Z"})
    assert (answer.status_code, answer.json()["error"]["param"]) == (422, "from")
    assert told in answer.json()["message"]


def test_a_single_time_is_told_in_them_too(api: Api) -> None:
    answer = get(api, "/v1/monitors", updated_since="2026-11-20T06:20:00 01:00")
    assert "a + in a query is written %2B" in answer.json()["message"]


@pytest.mark.parametrize("name", [*WINDOWS, "/v1/incidents/stats"])
def test_a_window_that_ends_before_there_was_anything_is_refused(api: Api, monitor: str, name: str) -> None:
    path = name if name.startswith("/") else f"/v1/monitors/{monitor}/{name}"
    answer = get(api, path, to="0001-01-01T00:00:00Z")
    detail = answer.json()["error"]["details"][0]
    assert (answer.status_code, detail["code"], detail["param"]) == (422, "parameter_out_of_range", "to")
