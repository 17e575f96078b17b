"""Lists of monitors."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.api.server import PUBLIC_URL, STRANGER, WRITER, Api, running

MONITORS: list[dict[str, Any]] = [
    {"name": "Checkout", "type": "http", "url": "https://shop.example/checkout", "tags": ["prod", "shop"]},
    {"name": "Orders database", "type": "tcp", "host": "db.example", "port": 5432, "tags": ["prod"]},
    {"name": "Mail", "type": "dns", "host": "mail.example", "tags": ["prod:eu"]},
    {"name": "Caf\u00e9", "type": "http", "url": "https://cafe.example/", "escalation_policy": "prod"},
    {"name": "Archive 50%", "type": "http", "url": "https://archive.example/", "paused": True},
]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """An API of its own with five monitors, created a second apart."""
    folder: Path = tmp_path_factory.mktemp("list")
    with running(folder) as api:
        for body in MONITORS:
            api.clock.at += 1000
            assert api.call("POST", "/v1/monitors", body).status_code == 201
        yield api


def names(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [item["name"] for item in answer.json()["data"]]


def test_the_newest_comes_first(shop: Api) -> None:
    assert names(shop.call("GET", "/v1/monitors")) == [body["name"] for body in reversed(MONITORS)]


def test_an_item_is_the_monitor_without_the_envelope(shop: Api) -> None:
    item = shop.call("GET", "/v1/monitors?limit=1").json()["data"][0]
    alone = shop.call("GET", f"/v1/monitors/{item['id']}").json()
    for name in ("request_id", "message", "warnings"):
        alone.pop(name)
    assert alone == item


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("type=tcp", ["Orders database"]),
        ("tag=prod", ["Orders database", "Checkout"]),
        ("tag=prod&tag=shop", ["Checkout"]),
        ("tag=prod&tag=none", []),
        ("q=CHECK", ["Checkout"]),
        ("q=db.example", ["Orders database"]),
        ("q=CAF%C3%89", ["Caf\u00e9"]),
        ("q=0%25", ["Archive 50%"]),
        ("q=c_eckout", []),
        ("paused=true", ["Archive 50%"]),
        ("paused=false&type=http", ["Caf\u00e9", "Checkout"]),
        ("state=paused", ["Archive 50%"]),
        ("state=paused,pending&type=http", ["Archive 50%", "Caf\u00e9", "Checkout"]),
        ("state=up", []),
        ("region=local&type=dns", ["Mail"]),
        ("region=loc", []),
        ("escalation_policy=prod", ["Caf\u00e9"]),
        ("updated_since=2026-11-23T06:20:05.412Z", ["Archive 50%"]),
        ("updated_since=2026-11-23T08:20:05.412%2B02:00", ["Archive 50%"]),
    ],
)
def test_a_list_is_narrowed(shop: Api, query: str, expected: list[str]) -> None:
    assert names(shop.call("GET", f"/v1/monitors?{query}")) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("sort=created_at&order=asc", [body["name"] for body in MONITORS]),
        ("sort=name", ["Archive 50%", "Caf\u00e9", "Checkout", "Mail", "Orders database"]),
        ("sort=name&order=desc", ["Orders database", "Mail", "Checkout", "Caf\u00e9", "Archive 50%"]),
    ],
)
def test_a_list_is_sorted(shop: Api, query: str, expected: list[str]) -> None:
    assert names(shop.call("GET", f"/v1/monitors?{query}")) == expected


def test_sorted_by_state_the_most_urgent_come_first(shop: Api) -> None:
    listed = shop.call("GET", "/v1/monitors?sort=state").json()["data"]
    assert [item["state"] for item in listed] == ["pending"] * 4 + ["paused"]


@pytest.mark.parametrize("query", ["", "sort=name", "sort=state&order=desc", "sort=created_at&order=asc", "tag=prod"])
def test_pages_together_are_the_list_whole_and_in_order(shop: Api, query: str) -> None:
    whole = names(shop.call("GET", f"/v1/monitors?{query}"))
    collected: list[str] = []
    path = f"/v1/monitors?{query}&limit=2"
    for _ in range(5):
        answer = shop.call("GET", path)
        collected += names(answer)
        document = answer.json()
        assert document["has_more"] is (document["next_cursor"] is not None)
        if not document["has_more"]:
            assert "Link" not in answer.headers
            break
        link = answer.headers["Link"]
        assert link.startswith(f"<{PUBLIC_URL}/v1/monitors?")
        assert link.endswith('>; rel="next"')
        parts = urlsplit(link[1 : link.index(">")])
        path = f"{parts.path}?{parts.query}"
    assert collected == whole


def test_a_page_size_may_change_on_the_way(shop: Api) -> None:
    first = shop.call("GET", "/v1/monitors?limit=2").json()
    rest = shop.call("GET", f"/v1/monitors?limit=100&cursor={first['next_cursor']}")
    assert names(rest) == ["Mail", "Orders database", "Checkout"]


def test_a_cursor_fits_only_its_own_list(shop: Api) -> None:
    cursor = shop.call("GET", "/v1/monitors?limit=1").json()["next_cursor"]
    tampered = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))[:-1] + b"x"
    for path, token in (
        (f"/v1/monitors?type=http&cursor={cursor}", WRITER),
        (f"/v1/monitors?sort=name&cursor={cursor}", WRITER),
        (f"/v1/monitors?order=asc&cursor={cursor}", WRITER),
        (f"/v1/escalation-policies?cursor={cursor}", WRITER),
        (f"/v1/monitors?cursor={cursor}", STRANGER),
        (f"/v1/monitors?cursor={base64.urlsafe_b64encode(tampered).decode()}", WRITER),
        ("/v1/monitors?cursor=x", WRITER),
        ("/v1/monitors?cursor=%C3%A9", WRITER),
        ("/v1/monitors?cursor=", WRITER),
    ):
        answer = shop.call("GET", path, token=token)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_cursor"), path


def test_a_total_is_there_only_when_asked_for(shop: Api) -> None:
    assert "total" not in shop.call("GET", "/v1/monitors").json()
    assert shop.call("GET", "/v1/monitors?include=total&limit=1").json()["total"] == 5
    assert shop.call("GET", "/v1/monitors?include=total&tag=prod").json()["total"] == 2
    assert shop.call("GET", "/v1/escalation-policies?include=total").json()["total"] == 1
