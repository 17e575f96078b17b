"""Events as they happen: frames, resumption, filters, bounds and ends."""

from __future__ import annotations

import asyncio
import json
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests

from statuspulse.api.dependencies import Services
from statuspulse.api.event_feed import EventStream, Feed, Start
from statuspulse.api.open_streams import STREAMS_PER_TOKEN
from statuspulse.bus.bus import Topic
from statuspulse.bus.local import LocalBus
from statuspulse.domain.event import Event, EventType
from statuspulse.domain.times import DAY, MINUTE, SECOND
from statuspulse.storage import events
from statuspulse.storage.database import Database
from statuspulse.storage.events import EventFilter
from tests.api.server import ADMIN, READER, STRANGER, WRITER, Api, running
from tests.api.stream import Stream, streamed
from tests.system.server import eventually

_PATIENCE_SECONDS = 10.0


def look(api: Api) -> None:
    """What the composition root does after a commit."""
    api.app.state.services.parts.bus.wake(Topic.OUTBOX)


@contextmanager
def listening(api: Api, query: str = "", **options: Any) -> Iterator[Stream]:
    """A stream behind its first frame."""
    with streamed(api.url, options.pop("token", WRITER), query, **options) as stream:
        assert stream.next()["retry"] == "3000"
        yield stream


def made(api: Api, name: str = "Shop", token: str = WRITER, **members: Any) -> str:
    body = {"name": name, "type": "http", "url": "https://shop.example/health", **members}
    monitor_id: str = api.call("POST", "/v1/monitors", body, token=token).json()["id"]
    look(api)
    return monitor_id


def changed(api: Api, monitor_id: str, name: str) -> None:
    assert api.call("PATCH", f"/v1/monitors/{monitor_id}", {"name": name}).status_code == 200
    look(api)


def names(stream: Stream, number: int) -> list[str]:
    return [stream.event()["data"]["monitor"]["name"] for _ in range(number)]


def ticket(api: Api, token: str = WRITER) -> str:
    answer = api.call("POST", "/v1/stream-tickets", token=token)
    assert (answer.status_code, answer.json()["expires_in_seconds"]) == (201, 60)
    text: str = answer.json()["ticket"]
    assert text.startswith("tkt_")
    return text


def test_an_event_is_a_frame_with_what_the_log_has(api: Api) -> None:
    with listening(api) as stream:
        headers = stream.answer.headers
        assert headers["Content-Type"] == "text/event-stream; charset=utf-8"
        assert (headers["Cache-Control"], headers["X-Accel-Buffering"]) == ("no-store", "no")
        assert "Content-Encoding" not in headers
        assert headers["Request-Id"].startswith("req_")
        monitor_id = made(api, "Café: 1")
        told = stream.event()
    assert [told] == api.call("GET", f"/v1/events?monitor_id={monitor_id}").json()["data"]


@pytest.mark.parametrize("way", ["header", "query", "both"])
def test_whoever_comes_back_goes_on_behind_the_last_event_he_heard(api: Api, way: str) -> None:
    with listening(api) as stream:
        monitor_id = made(api)
        for name in ("b", "c"):
            changed(api, monitor_id, name)
        first, second, _ = (stream.event()["id"] for _ in range(3))
    for number in range(30):
        changed(api, monitor_id, f"d{number}")
    query = {"header": "", "query": f"?last_event_id={second}", "both": f"?last_event_id={first}"}[way]
    headers = None if way == "query" else {"Last-Event-ID": second}
    with listening(api, query, headers=headers) as stream:
        assert names(stream, 31) == ["c", *(f"d{number}" for number in range(30))]


def test_whoever_is_cut_off_before_anything_happened_skips_nothing(api: Api) -> None:
    made(api)
    with streamed(api.url, WRITER) as stream:
        place = stream.next()["id"]
    made(api, "missed")
    with listening(api, headers={"Last-Event-ID": place}) as stream:
        assert names(stream, 1) == ["missed"]


def test_a_stream_may_begin_in_the_past(api: Api) -> None:
    made(api, "before")
    api.clock.at += MINUTE
    made(api, "after")
    text = api.call("GET", "/v1/events?limit=1").json()["data"][0]["timestamp"]
    with listening(api, f"?since={text}") as stream:
        assert names(stream, 1) == ["after"]


def test_what_cannot_be_gone_on_from_is_told_first_and_then_the_stream_goes_on(api: Api) -> None:
    made(api, "old")
    old = api.call("GET", "/v1/events?limit=1").json()["data"][0]
    theirs = made(api, "theirs", token=STRANGER)
    foreign = api.call("GET", f"/v1/events?monitor_id={theirs}", token=STRANGER).json()["data"][0]["id"]
    api.clock.at += 7 * DAY + 1
    for query in (
        f"?last_event_id={old['id']}",
        "?last_event_id=evt_zzzzzzzzzzzzzzzzzzzzzzzzzz",
        f"?last_event_id={foreign}",
        "?last_event_id=x",
        f"?since={old['timestamp']}",
    ):
        with listening(api, query) as stream:
            reset = stream.next()
            assert (reset["event"], json.loads(reset["data"])) == ("reset", {"reason": "cursor_expired"}), query
            made(api, "new")
            event = stream.event()
            assert event["data"]["monitor"]["name"] == "new"
        api.clock.at += 1


def test_filters_leave_out_what_is_not_asked_for(api: Api) -> None:
    shop, other = made(api, tags=["prod"]), made(api, "Other")
    with ExitStack() as stack:
        by_type = stack.enter_context(listening(api, "?type=incident.,monitor.paused"))
        by_monitor = stack.enter_context(listening(api, f"?type=incident.,monitor.paused&monitor_id={other}"))
        by_tag = stack.enter_context(listening(api, "?type=incident.,monitor.paused&tag=prod"))
        for monitor_id in (shop, other):
            api.call("POST", "/v1/incidents", {"monitor_id": monitor_id})
            api.call("POST", f"/v1/monitors/{monitor_id}/pause")
        look(api)

        def heard(stream: Stream, number: int) -> list[tuple[str, bool]]:
            told = [stream.event() for _ in range(number)]
            return [(event["type"], shop in json.dumps(event["data"])) for event in told]

        both = ["incident.triggered", "incident.resolved", "monitor.paused"]
        assert sorted(heard(by_type, 6)) == sorted((kind, ours) for kind in both for ours in (True, False))
        assert sorted(heard(by_monitor, 3)) == sorted((kind, False) for kind in both)
        assert sorted(heard(by_tag, 3)) == sorted((kind, True) for kind in both)


def test_a_quiet_stream_says_every_15_seconds_that_it_lives(api: Api) -> None:
    with listening(api) as stream:
        for _ in range(2):
            api.clock.at += 15 * SECOND
            look(api)
            assert stream.next() == {"": "ka"}
        made(api)
        assert stream.event()["type"] == "monitor.created"
        api.clock.at += 14 * SECOND
        look(api)
        made(api)
        assert stream.event()["type"] == "monitor.created"


def test_after_half_an_hour_it_ends_and_says_from_where_to_go_on(api: Api) -> None:
    with listening(api, "?type=incident.") as stream:
        made(api)
        api.call("POST", "/v1/incidents", {"title": "Redis"})
        look(api)
        heard = stream.event()["id"]
        api.clock.at += 30 * MINUTE
        look(api)
        ends = stream.next()
        while ends == {"": "ka"}:
            ends = stream.next()
        assert (ends["event"], json.loads(ends["data"])) == ("bye", {"reason": "time_limit"})
        assert ends["id"] == heard
        assert stream.has_ended
    made(api, "between")
    with listening(api, headers={"Last-Event-ID": ends["id"]}) as stream:
        assert names(stream, 1) == ["between"]


@pytest.mark.parametrize("by_ticket", [False, True])
def test_it_ends_with_its_token(api: Api, by_ticket: bool) -> None:
    issued = api.call("POST", "/v1/tokens", {"name": "short", "scopes": ["read"]}, token=ADMIN).json()
    query = f"?ticket={ticket(api, issued['token'])}" if by_ticket else ""
    with listening(api, query, token=None if by_ticket else issued["token"]) as stream:
        api.call("DELETE", f"/v1/tokens/{issued['id']}", token=ADMIN)
        ends = stream.next()
        assert (ends["event"], json.loads(ends["data"])) == ("bye", {"reason": "token_revoked"})
        assert stream.has_ended


def test_it_ends_when_the_process_stops(tmp_path: Path) -> None:
    stopping: list[bool] = []
    with running(tmp_path, is_stopping=lambda: bool(stopping)) as api, listening(api) as stream:
        stopping.append(True)
        assert json.loads(stream.next()["data"]) == {"reason": "shutdown"}
        assert stream.has_ended


def test_another_team_hears_nothing_of_ours(api: Api) -> None:
    ours = made(api)
    with listening(api, token=STRANGER) as stream, listening(api, f"?monitor_id={ours}", token=STRANGER) as narrowed:
        changed(api, ours, "secret")
        made(api, "theirs", token=STRANGER)
        assert names(stream, 1) == ["theirs"]
        api.clock.at += 15 * SECOND
        look(api)
        assert narrowed.next() == {"": "ka"}


@pytest.mark.parametrize(
    ("query", "status", "param"),
    [
        ("?type=incident", 422, "type"),
        ("?since=yesterday", 422, "since"),
        ("?limit=3", 422, "limit"),
        ("?ticket=tkt_none", 400, None),
    ],
)
def test_what_is_wrong_is_told_as_everywhere(api: Api, query: str, status: int, param: str | None) -> None:
    refused = api.call("GET", f"/v1/events/stream{query}")
    assert (refused.status_code, refused.json()["error"]["param"]) == (status, param)


def test_the_head_of_a_stream_is_answered_at_once(api: Api) -> None:
    answer = api.call("HEAD", "/v1/events/stream")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/event-stream; charset=utf-8")


def test_the_time_of_a_stream_is_no_time_that_a_call_took(api: Api) -> None:
    def taken() -> float:
        metrics = api.app.state.services.parts.metrics
        return float(metrics.api_duration.collect()[0].samples[-2].value)

    before = taken()
    with listening(api) as stream:
        api.clock.at += 30 * MINUTE
        look(api)
        while stream.next().get("event") != "bye":
            pass
        assert stream.has_ended
    api.call("GET", "/v1/me")
    assert taken() == before


def test_a_token_has_ten_streams_and_one_that_is_closed_makes_room(api: Api) -> None:
    with ExitStack() as stack:
        for _ in range(STREAMS_PER_TOKEN):
            stack.enter_context(listening(api, token=READER))
        refused = api.call("GET", "/v1/events/stream", token=READER)
        assert (refused.status_code, refused.json()["error"]["code"]) == (429, "concurrency_limited")
        assert "Retry-After" in refused.headers
        with listening(api):
            pass
    eventually(lambda: _opens(api))


def test_many_at_once_share_the_ten_streams_too(api: Api) -> None:
    ready, done = threading.Barrier(20), threading.Barrier(20)

    def one(_: int) -> int:
        headers = {"Authorization": f"Bearer {ADMIN}"}
        ready.wait(10)
        with requests.get(f"{api.url}/v1/events/stream", headers=headers, stream=True, timeout=10) as answer:
            done.wait(10)  # nobody leaves before everybody was answered
            return answer.status_code

    with ThreadPoolExecutor(20) as callers:
        assert Counter(callers.map(one, range(20))) == {200: STREAMS_PER_TOKEN, 429: 20 - STREAMS_PER_TOKEN}


def _opens(api: Api) -> bool:
    look(api)
    headers = {"Authorization": f"Bearer {READER}"}
    with requests.get(f"{api.url}/v1/events/stream", headers=headers, stream=True, timeout=10) as answer:
        return answer.status_code == 200


def test_a_ticket_opens_one_stream_without_a_token(api: Api) -> None:
    text = ticket(api)
    with listening(api, f"?ticket={text}", token=None) as stream:
        made(api, "heard")
        assert names(stream, 1) == ["heard"]
        again = requests.get(f"{api.url}/v1/events/stream?ticket={text}", timeout=10)
        assert (again.status_code, again.json()["error"]["code"]) == (401, "token_invalid")
    elsewhere = requests.get(f"{api.url}/v1/events?ticket={ticket(api)}", timeout=10)
    assert elsewhere.json()["error"]["code"] == "token_missing"


def test_a_ticket_ends_after_a_minute_and_is_not_stored_as_it_is(api: Api) -> None:
    text = ticket(api)
    path = Path(str(api.database.engines.writer.url.database))
    for file in path.parent.glob(f"{path.name}*"):
        assert text.encode() not in file.read_bytes()
    api.clock.at += 60 * SECOND
    late = requests.get(f"{api.url}/v1/events/stream?ticket={text}", timeout=10)
    assert late.status_code == 401
    ticket(api)
    rows = api.database.submit(lambda connection: connection.exec_driver_sql("SELECT * FROM stream_tickets").all())
    assert len(rows.result(10)) == 1


def test_a_ticket_is_worth_no_more_than_its_token(api: Api) -> None:
    issued = api.call("POST", "/v1/tokens", {"name": "short", "scopes": ["read"]}, token=ADMIN).json()
    text = ticket(api, issued["token"])
    api.call("DELETE", f"/v1/tokens/{issued['id']}", token=ADMIN)
    refused = requests.get(f"{api.url}/v1/events/stream?ticket={text}", timeout=10)
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "token_revoked")


async def test_what_a_reader_does_not_take_stays_in_the_log(tmp_path: Path) -> None:
    with running(tmp_path) as api:
        team_id = api.call("GET", "/v1/me").json()["team_id"]
        data = {"endpoint": {"object": "webhook_endpoint", "id": "whk_8p2r4t6w", "url": "https://ops.example/hook"}}

        def fill(connection: Any) -> None:
            for at in range(500):
                kind = EventType.ENDPOINT_PING
                events.record(connection, Event(type=kind, team_id=team_id, at=api.clock.at + at, data=data))

        api.write(fill)
        database = Database(api.database.engines.writer.url.render_as_string(hide_password=False))
        services = Services.of(replace(api.app.state.services.parts, database=database, bus=LocalBus()))
        digest = api.keyring.digest("token", WRITER)
        feed = Feed(
            services=services,
            team_id=team_id,
            token_id="tok_1",
            secret_digest=digest,
            wanted=EventFilter(),
            tag=None,
            number=0,
        )
        taken: list[bytes] = []
        blocked = asyncio.Event()

        async def send(message: Any) -> None:
            if len(taken) == 5:
                blocked.set()
                await asyncio.Event().wait()
            taken.append(message.get("body", b""))

        async def receive() -> Any:
            await asyncio.Event().wait()

        stream = EventStream(feed, Start(number=0, shown=None, is_reset=False))
        running_stream = asyncio.ensure_future(stream({"state": {"is_head": False}}, receive, send))
        try:
            await asyncio.wait_for(blocked.wait(), _PATIENCE_SECONDS)
            assert feed.number <= 12
        finally:
            running_stream.cancel()
            await asyncio.wait([running_stream])
            database.close()
