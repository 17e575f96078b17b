"""The acknowledge link of a message: looking changes nothing, the button acts once."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from statuspulse.storage import ack_keys
from statuspulse.storage.schema import outbox
from tests.api.server import STRANGER, Api

SLACK = "slack://hooks/T0A1B2C3D/B0X9Y8Z7W/abc123"


def an_incident(api: Api, title: str = "Redis is full") -> dict[str, Any]:
    monitor = {"name": "Shop", "type": "http", "url": "https://shop.example/", "notifications": [SLACK]}
    monitor_id = api.call("POST", "/v1/monitors", monitor).json()["id"]
    document: dict[str, Any] = api.call("POST", "/v1/incidents", {"title": title, "monitor_id": monitor_id}).json()
    return document


def keys(api: Api, incident: dict[str, Any]) -> list[str]:
    """The keys of the triggers that were sent, the oldest first."""
    query = select(outbox.c.id).where(outbox.c.incident_id == incident["id"], outbox.c.action == "trigger")
    ids = api.database.read_now(lambda connection: list(connection.scalars(query.order_by(outbox.c.seq))))
    return [ack_keys.key_of(api.keyring, one) for one in ids]


def state(api: Api, incident: dict[str, Any]) -> str:
    return str(api.call("GET", f"/v1/incidents/{incident['id']}").json()["state"])


def test_looking_changes_nothing_and_the_button_acknowledges(api: Api) -> None:
    incident = an_incident(api, "<script>alert(1)</script> & more")
    [key] = keys(api, incident)
    shown = api.call("GET", f"/ack/{key}", token=None)
    assert (shown.status_code, state(api, incident)) == (200, "triggered")
    assert "<form" in shown.text
    assert "<script" not in shown.text
    assert "&lt;script&gt;" in shown.text
    wakes = len(api.wakes)
    done = api.call("POST", f"/ack/{key}", token=None)
    assert (done.status_code, state(api, incident), len(api.wakes)) == (200, "acknowledged", wakes + 1)
    assert "<form" not in done.text
    by = api.call("GET", f"/v1/incidents/{incident['id']}").json()["acknowledged_by"]
    assert by["type"] == "integration"


def test_a_link_is_used_once(api: Api) -> None:
    incident = an_incident(api)
    [first] = keys(api, incident)
    assert api.call("POST", f"/ack/{first}", token=None).status_code == 200
    version = api.call("GET", f"/v1/incidents/{incident['id']}").json()["version"]
    api.call("POST", f"/ack/{first}", token=None)
    assert api.call("GET", f"/v1/incidents/{incident['id']}").json()["version"] == version
    api.clock.at += 1000
    api.call("POST", "/v1/incidents", {"incident_id": incident["id"], "state": "triggered"})
    again = api.call("POST", f"/ack/{first}", token=None)
    assert "used up" in again.text
    assert state(api, incident) == "triggered"
    assert api.call("POST", f"/ack/{keys(api, incident)[-1]}", token=None).status_code == 200
    assert state(api, incident) == "acknowledged"


def test_a_link_ends_with_its_incident(api: Api) -> None:
    incident = an_incident(api)
    [key] = keys(api, incident)
    api.call("POST", "/v1/incidents", {"incident_id": incident["id"], "state": "resolved"})
    assert "<form" not in api.call("GET", f"/ack/{key}", token=None).text
    api.call("POST", f"/ack/{key}", token=None)
    assert state(api, incident) == "resolved"


@pytest.mark.parametrize("place", [0, 25, 26, 57])
def test_a_key_that_is_changed_opens_nothing(api: Api, place: int) -> None:
    incident = an_incident(api)
    [key] = keys(api, incident)
    wrong = key[:place] + ("1" if key[place] == "0" else "0") + key[place + 1 :]
    for method in ("GET", "POST"):
        assert api.call(method, f"/ack/{wrong}", token=None).status_code == 404
    assert api.call("GET", "/ack/x", token=STRANGER).status_code == 404
    assert state(api, incident) == "triggered"


def test_the_page_runs_nothing_and_is_kept_nowhere(api: Api) -> None:
    [key] = keys(api, an_incident(api))
    headers = api.call("GET", f"/ack/{key}", token=None).headers
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
