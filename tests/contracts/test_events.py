"""The log of events on both engines: numbers follow commits, whoever writes at once."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Connection

from statuspulse.domain.actor import Origin
from statuspulse.domain.event import Event, EventType
from statuspulse.storage import events
from statuspulse.storage.database import Database
from statuspulse.storage.events import EventFilter, LoggedEvent
from tests.contracts.ground import OTHER, TEAM, Ground, lay

PING = {"endpoint": {"object": "webhook_endpoint", "id": "whk_8p2r4t6w", "url": "https://ops.example/hook"}}


@pytest.fixture
def ground(database: Database) -> Ground:
    return lay(database)


def an_event(at: int = 1000, **members: Any) -> Event:
    return Event(**{"type": EventType.ENDPOINT_PING, "team_id": TEAM, "at": at, "data": PING, **members})


def store(ground: Ground, event: Event) -> LoggedEvent:
    logged: LoggedEvent = ground.write(lambda connection: events.record(connection, event))
    return logged


def read(ground: Ground, wanted: EventFilter | None = None, *, team: str = TEAM) -> list[int]:
    """The times of the events, in their order."""
    found = ground.read(
        lambda connection: events.page(
            connection, team, wanted or EventFilter(), after=None, descending=False, limit=100
        )
    )
    return [event.at for event in found]


def test_events_are_read_in_the_order_in_which_they_were_stored_whatever_their_times(ground: Ground) -> None:
    for at in (3000, 1000, 2000):
        store(ground, an_event(at))
    assert read(ground) == [3000, 1000, 2000]


def test_an_event_is_kept_as_the_json_that_everybody_gets(ground: Ground) -> None:
    origin = Origin("req_01m83gs9k4r2t6w8y1a3c5e7g9", "192.0.2.17", "deploy-7")
    event = an_event(1_795_414_000_412, origin=origin)
    logged = store(ground, event)
    stored = ground.read(lambda connection: events.get(connection, TEAM, logged.id))
    assert stored == logged
    assert json.loads(stored.body) == {
        "object": "event",
        "id": logged.id,
        "type": "endpoint.ping",
        "api_version": "v1",
        "timestamp": "2026-11-23T06:06:40.412Z",
        "team_id": TEAM,
        "data": PING,
        "request": {"id": "req_01m83gs9k4r2t6w8y1a3c5e7g9", "idempotency_key": "deploy-7"},
    }


def test_what_is_rolled_back_leaves_no_event(ground: Ground) -> None:
    def fail(connection: Connection) -> None:
        events.record(connection, an_event())
        raise LookupError

    refused = ground.database.submit(fail).exception(10)
    assert isinstance(refused, LookupError)
    assert read(ground) == []


def test_a_list_is_narrowed_by_type_monitor_incident_and_time(ground: Ground) -> None:
    about = {"monitor_id": "mon_9x2k4p7q", "incident_id": "inc_4m8n2v5w"}
    store(ground, an_event(1000))
    store(ground, an_event(2000, **about))
    assert read(ground, EventFilter(types=("endpoint.",))) == [1000, 2000]
    assert read(ground, EventFilter(types=("endpoint",))) == []
    assert read(ground, EventFilter(types=("incident.", "endpoint.ping"))) == [1000, 2000]
    assert read(ground, EventFilter(monitor_id="mon_9x2k4p7q")) == [2000]
    assert read(ground, EventFilter(incident_id="inc_4m8n2v5w")) == [2000]
    assert read(ground, EventFilter(since=1000, until=2000)) == [1000]


def test_another_team_sees_none_of_it(ground: Ground) -> None:
    logged = store(ground, an_event())
    assert read(ground, team=OTHER) == []
    assert ground.read(lambda connection: events.get(connection, OTHER, logged.id)) is None


def test_old_events_go_and_their_numbers_never_come_back(ground: Ground) -> None:
    last = [store(ground, an_event(at)) for at in (1, 2, 3)][-1]
    assert ground.write(lambda connection: events.delete_older(connection, 4, 2)) == 2
    assert ground.write(lambda connection: events.delete_older(connection, 4, 2)) == 1
    assert not ground.read(lambda connection: events.is_kept(connection, TEAM, last.seq))
    following = store(ground, an_event())
    assert following.seq == last.seq + 1


def test_a_number_is_never_seen_before_a_lower_one(ground: Ground, database_url: str) -> None:
    """Two writers at once, as two processes on PostgreSQL: the second waits, or a reader would skip the first."""
    store(ground, an_event(1))
    stored, may_commit = threading.Event(), threading.Event()

    def slowly(connection: Connection) -> None:
        events.record(connection, an_event(2))
        stored.set()
        assert may_commit.wait(10)

    slow = ground.database.submit(slowly)
    assert stored.wait(10)
    beside = Database(database_url)
    try:
        quick = beside.submit(lambda connection: events.record(connection, an_event(3)))
        assert read(ground) == [1]
        may_commit.set()
        quick.result(10)
        slow.result(10)
    finally:
        beside.close()
    assert read(ground) == [1, 2, 3]


def test_what_is_too_long_gives_way_until_the_event_fits() -> None:
    seen = {"region": "local", "failure": {"class": "timeout", "detail": "x" * 500}}
    event = an_event(data={**PING, "observations": [seen] * 16, "note": {"text": "\N{SNOWMAN}" * 10_000}})
    document = event.document("evt_01m83h82v9n9zddwg375pc8fqs")
    assert len(json.dumps(document, ensure_ascii=False).encode()) < 20_000
    assert document["data"]["observations"] == []
    assert document["data"]["note"]["text"] == "\N{SNOWMAN}" * 5000
    small = replace(event, data={**PING, "observations": [seen] * 3})
    assert small.document("evt_01m83h82v9n9zddwg375pc8fqs")["data"]["observations"] == [seen] * 3


def test_a_place_in_the_log_is_the_last_number_and_the_last_event_of_a_team_before_it(ground: Ground) -> None:
    assert ground.read(events.last_number) == 0
    assert ground.read(lambda connection: events.newest(connection, TEAM, 0)) is None
    ours = store(ground, an_event(3000))
    store(ground, an_event(4000, team_id=OTHER))
    last: int = ground.read(events.last_number)
    assert last == ours.seq + 1
    assert ground.read(lambda connection: events.newest(connection, TEAM, last)) == ours
    assert ground.read(lambda connection: events.newest(connection, TEAM, ours.seq - 1)) is None


def test_from_an_instant_on_all_is_found_behind_a_number_though_what_came_later_is_older(ground: Ground) -> None:
    store(ground, an_event(1000))
    first = store(ground, an_event(3000))
    store(ground, an_event(2000))
    assert ground.read(lambda connection: events.number_before(connection, TEAM, 2500)) == first.seq - 1
    last: int = ground.read(events.last_number)
    assert ground.read(lambda connection: events.number_before(connection, TEAM, 3001)) == last
