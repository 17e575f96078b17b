"""What is owed is handed over: in order, at its pace, at least once, and nobody waits for a stranger."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import Table, delete, select, text, update
from structlog.testing import capture_logs

from statuspulse.bus.bus import Topic
from statuspulse.delivery.channel import Delivered, Outcome
from statuspulse.domain.escalation import REACH, Timer, TimerKind
from statuspulse.domain.message import Action, Message
from statuspulse.domain.secret import Secret
from statuspulse.domain.times import DAY, MINUTE, SECOND
from statuspulse.storage import timers
from statuspulse.storage.outbox import LEASE, Ending, State
from statuspulse.storage.schema import channels, delivery_attempts, outbox, timeline
from statuspulse.storage.sealing import Keyring
from tests.delivery.receiver import OK, Hold, Trick
from tests.delivery.world import NOW, TEAM, World, running, turn
from tests.targets import http_answer, until

# PostgreSQL calls a table that is gone a defect, not an outage.
ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
ERROR = http_answer(500, b"broken", "Connection: close")


@dataclass
class Recorder:
    """A channel without a pace that keeps what it was given; while it is shut nothing gets through."""

    spacing_ms: int = 0
    groups: bool = False
    given: list[tuple[str, str]] = field(default_factory=list)
    under_way: int = 0
    most_under_way: int = 0
    open: asyncio.Event = field(default_factory=asyncio.Event)
    answered: asyncio.Event = field(default_factory=asyncio.Event)

    async def hand_over(self, address: Secret, message: Message, *, key: str) -> Outcome:  # noqa: ARG002
        assert address.reveal()
        self.given.append((message.incident_id, message.action.value))
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        await self.open.wait()
        self.under_way -= 1
        self.answered.set()
        return Delivered(200)


class Defective:
    """A channel with a defect that would give its address away."""

    spacing_ms = 0
    groups = False

    async def hand_over(self, address: Secret, message: Message, *, key: str) -> Outcome:
        raise ValueError(f"{address.reveal()} {message} {key}")


async def arrived(world: World, hook: str, count: int) -> None:
    await until(lambda: len(world.receiver.texts(hook)) == count)


def rows_of(world: World, table: Table) -> list[Any]:
    return list(world.database.read_now(lambda connection: connection.execute(select(table)).all()))


async def test_a_delivered_message_is_written_down_everywhere(world: World) -> None:
    channel, incident, dispatcher = world.channel(), world.incident(), world.dispatcher()
    world.owe(incident, channel)
    await turn(dispatcher)
    assert world.receiver.texts() == ["DOWN: Checkout"]
    row = world.row(incident)
    assert (row.state, row.attempts, row.provider_status, row.finished_at) == (State.DELIVERED, 1, 200, NOW)
    (delivery,) = world.deliveries(row)
    assert (delivery.started_at, delivery.ending, delivery.error) == (NOW, Ending.DELIVERED, None)
    assert 0 <= delivery.latency_ms < 5000
    stored = world.stored_channel(channel)
    assert (stored.health, stored.last_error, stored.last_success_at) == ("ok", None, NOW)
    (entry,) = world.timeline(incident)
    assert (entry.type, entry.at, entry.actor.type) == ("notified", NOW, "system")
    masked = "slack://hooks/T0A1B2C3D/B0X9Y8Z7W/***"
    assert entry.detail == {"channel_id": channel, "channel": masked, "attempts": 1}
    assert world.counted("notifications") == {("slack", State.DELIVERED): 1}
    assert world.counted("delivery_attempts") == {("slack", Ending.DELIVERED): 1}


async def test_a_sick_receiver_is_asked_again_by_the_table_until_it_is_well(world: World) -> None:
    channel, incident, dispatcher = world.channel(), world.incident(), world.dispatcher()
    world.receiver.scripts["abc123"] = [ERROR, ERROR, ERROR]
    world.owe(incident, channel)
    for attempt, wait in enumerate((5 * SECOND, 15 * SECOND, MINUTE), start=1):
        await turn(dispatcher)
        row = world.row(incident)
        assert (row.state, row.attempts, row.next_attempt_at) == (State.PENDING, attempt, world.clock.at + wait)
        assert world.stored_channel(channel).health == "failing"
        world.clock.at = row.next_attempt_at - 1
        await turn(dispatcher)
        assert len(world.receiver.arrivals) == attempt
        world.clock.at += 1
    await turn(dispatcher)
    row = world.row(incident)
    assert (row.state, row.attempts) == (State.DELIVERED, 4)
    assert [delivery.error for delivery in world.deliveries(row)] == ["http_500", "http_500", "http_500", None]
    assert world.stored_channel(channel).health == "ok"
    first, last = world.timeline(incident)
    assert (first.type, first.detail["attempts"], first.detail["final"]) == ("notification_failed", 1, False)
    assert first.detail["cause"] == 'the receiver answered 500 "Internal Server Error"'
    assert (last.type, last.detail["attempts"]) == ("notified", 4)
    assert world.counted("delivery_attempts") == {("slack", Ending.RETRY): 3, ("slack", Ending.DELIVERED): 1}
    bodies = world.receiver.bodies()
    assert bodies == [bodies[0]] * 4


async def test_a_receiver_that_asks_for_time_gets_it_for_all_its_messages(world: World) -> None:
    channel, incident, other, dispatcher = world.channel(), world.incident(), world.incident(), world.dispatcher()
    world.receiver.scripts["abc123"] = [http_answer(429, b"rate_limited", "Retry-After: 7", "Connection: close")]
    world.owe(incident, channel)
    await turn(dispatcher)
    assert world.row(incident).next_attempt_at == NOW + 7 * SECOND
    world.owe(other, channel)
    world.clock.at = NOW + 7 * SECOND - 1
    await turn(dispatcher)
    assert len(world.receiver.arrivals) == 1
    world.clock.at += 1
    await turn(dispatcher)
    assert len(world.receiver.arrivals) == 2


async def test_a_date_to_wait_for_is_measured_by_the_receivers_clock(world: World) -> None:
    channel, incident = world.channel(), world.incident()
    world.receiver.scripts["abc123"] = [
        http_answer(
            503,
            b"",
            "Date: Thu, 01 Jan 2026 00:00:00 GMT",
            "Retry-After: Thu, 01 Jan 2026 00:01:30 GMT",
            "Connection: close",
        )
    ]
    world.owe(incident, channel)
    await turn(world.dispatcher())
    assert world.row(incident).next_attempt_at == NOW + 90 * SECOND


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (http_answer(404, b"no_service"), "no_service"),
        (http_answer(410, b"channel_is_archived"), "channel_is_archived"),
    ],
)
async def test_a_refusal_that_will_not_heal_ends_it_at_once(world: World, answer: bytes, error: str) -> None:
    channel, incident, dispatcher = world.channel(), world.incident(), world.dispatcher()
    world.receiver.scripts["abc123"] = [answer]
    world.owe(incident, channel)
    await turn(dispatcher)
    world.clock.at += DAY
    await turn(dispatcher)
    assert len(world.receiver.arrivals) == 1
    row = world.row(incident)
    assert (row.state, row.attempts, row.last_error) == (State.DEAD, 1, error)
    assert [delivery.ending for delivery in world.deliveries(row)] == [Ending.REFUSED]
    stored = world.stored_channel(channel)
    assert (stored.health, stored.last_error) == ("failing", error)
    (entry,) = world.timeline(incident)
    assert entry.type == "notification_failed"
    assert (entry.detail["error"], entry.detail["final"]) == (error, True)
    assert world.counted("notifications") == {("slack", State.DEAD): 1}


@pytest.mark.parametrize(
    "reply",
    [
        Trick.RESET,
        http_answer(200, b"fine", "Connection: close"),
        http_answer(302, b"", "Location: /elsewhere", "Connection: close"),
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + b"ok" * 500_000,
        b"nonsense",
    ],
    ids=["reset", "other body", "redirect", "huge", "no HTTP"],
)
async def test_what_is_no_clear_yes_is_tried_again(world: World, reply: bytes | Trick) -> None:
    channel, incident, dispatcher = world.channel(), world.incident(), world.dispatcher()
    world.receiver.scripts["abc123"] = [reply]
    world.owe(incident, channel)
    await turn(dispatcher)
    assert (world.row(incident).state, world.row(incident).attempts) == (State.PENDING, 1)
    world.clock.at = world.row(incident).next_attempt_at
    await turn(dispatcher)
    assert world.row(incident).state is State.DELIVERED
    first, second = world.receiver.bodies()
    assert first == second


async def test_a_resolve_never_comes_before_its_trigger(world: World) -> None:
    channel, incident, dispatcher = world.channel(), world.incident(), world.dispatcher()
    world.receiver.scripts["abc123"] = [ERROR, OK, ERROR]
    for action in (Action.TRIGGER, Action.ACKNOWLEDGE, Action.RESOLVE):
        world.owe(incident, channel, action)
    while any(row.state is State.PENDING for row in world.rows(incident)):
        await turn(dispatcher)
        world.clock.at += SECOND
    words = [text.split(":")[0] for text in world.receiver.texts()]
    assert words == ["DOWN", "DOWN", "ACKNOWLEDGED", "ACKNOWLEDGED", "UP"]
    shown = [entry.type for entry in world.timeline(incident)]
    assert shown == [*["notification_failed", "notified"] * 2, "notified"]


async def test_a_refusal_that_will_not_heal_lets_the_next_step_be_looked_at_at_once(world: World) -> None:
    channel, incident, dispatcher = world.channel(), world.incident(), world.dispatcher()
    waiting = [Timer(kind=kind, due_at=NOW + REACH) for kind in (TimerKind.REACH, TimerKind.STEP)]
    world.write(lambda connection: timers.replace_all(connection, TEAM, incident.id, waiting))
    world.receiver.scripts["abc123"] = [ERROR, http_answer(404, b"no_service", "Connection: close")]
    world.owe(incident, channel)
    await turn(dispatcher)
    assert world.database.read_now(timers.next_due_at) == NOW + REACH
    world.clock.at += 10 * SECOND
    await turn(dispatcher)
    due = world.database.read_now(lambda connection: timers.due(connection, world.clock.at, 9))
    assert [(one.incident_id, one.due_at) for one in due] == [(incident.id, world.clock.at)]


async def test_the_log_says_once_that_a_channel_fails_and_once_that_it_works_again(world: World) -> None:
    channel, dispatcher = world.channel(), world.dispatcher()
    world.receiver.scripts["abc123"] = [ERROR] * 3
    for _ in range(2):
        world.owe(world.incident(), channel)
    with capture_logs() as logs:
        for _ in range(3):
            await turn(dispatcher)
            world.clock.at += SECOND
        assert [(one["event"], one["log_level"]) for one in logs] == [("delivery.failing", "warning")]
        for _ in range(30):
            await turn(dispatcher)
            world.clock.at += SECOND
    failing, well = logs
    assert (failing["channel"], failing["kind"]) == (channel, "slack")
    assert failing["cause"] == 'the receiver answered 500 "Internal Server Error"'
    assert (well["event"], well["channel"]) == ("delivery.works_again", channel)


async def test_an_incident_shows_a_failing_channel_once_whatever_it_owes_it(world: World) -> None:
    channel, other, incident, dispatcher = world.channel(), world.channel("well"), world.incident(), world.dispatcher()
    world.receiver.scripts["abc123"] = [http_answer(404, b"no_service", "Connection: close"), ERROR]
    world.owe(incident, channel)
    world.owe(incident, other)
    await turn(dispatcher)
    world.owe(incident, channel, Action.RESOLVE)
    world.clock.at += SECOND
    await turn(dispatcher)
    shown = [entry.detail["final"] for entry in world.timeline(incident) if entry.type == "notification_failed"]
    assert shown == [True]
    assert len(world.receiver.texts("abc123")) == 2


async def test_a_message_ends_dead_when_a_day_has_passed(world: World) -> None:
    channel, incident, dispatcher = world.channel(), world.incident(), world.dispatcher()
    world.receiver.scripts["abc123"] = [ERROR] * 200
    world.owe(incident, channel)
    while (row := world.row(incident)).state is State.PENDING:
        world.clock.at = max(world.clock.at + SECOND, row.next_attempt_at)
        await turn(dispatcher)
    assert DAY <= (row.finished_at or 0) - NOW <= DAY + 5 * MINUTE
    assert len(world.receiver.arrivals) == row.attempts
    first, entry = world.timeline(incident)
    assert (first.detail["attempts"], first.detail["final"], entry.detail["final"]) == (1, False, True)
    assert (entry.type, entry.detail["error"], entry.detail["attempts"]) == (
        "notification_failed",
        "http_500",
        row.attempts,
    )


async def test_a_hanging_receiver_delays_no_other(world: World) -> None:
    slow, quick = world.channel("slow"), world.channel("quick")
    world.receiver.scripts["slow"] = [Trick.HANG] * 10
    for _ in range(6):
        world.owe(world.incident(), slow)
    async with running(world.dispatcher()):
        await until(lambda: world.receiver.texts("slow"))
        for count in range(1, 4):
            begun = time.monotonic()
            world.owe(world.incident(), quick)
            world.pass_time(SECOND)
            await arrived(world, "quick", count)
            assert time.monotonic() - begun < 3
    assert 1 < len(world.receiver.texts("slow")) <= 4


async def test_one_destination_has_four_places(world: World) -> None:
    recorder = Recorder()
    channel, other = world.channel(), world.channel("other")
    owed = [world.incident() for _ in range(10)]
    for incident in owed:
        world.owe(incident, channel)
    world.owe(world.incident(), other)
    async with running(world.dispatcher(kinds={"slack": recorder})):
        await until(lambda: len(recorder.given) == 5)
        recorder.open.set()
        await until(lambda: all(world.row(incident).state is State.DELIVERED for incident in owed))
    assert recorder.most_under_way == 5


async def test_a_chat_channel_gets_one_message_a_second(world: World) -> None:
    channel, other, dispatcher = world.channel(), world.channel("other"), world.dispatcher()
    for destination in (channel, channel, channel, other):
        world.owe(world.incident(), destination)
    assert await turn(dispatcher) == pytest.approx(1.0)
    assert (len(world.receiver.texts("abc123")), len(world.receiver.texts("other"))) == (1, 1)
    world.clock.at += SECOND - 1
    await turn(dispatcher)
    assert len(world.receiver.texts("abc123")) == 1
    for count in (2, 3):
        world.clock.at = NOW + (count - 1) * SECOND
        await turn(dispatcher)
        assert len(world.receiver.texts("abc123")) == count


async def test_behind_an_open_breaker_rows_wait_and_lose_no_attempt(world: World) -> None:
    channel, dispatcher = world.channel(), world.dispatcher()
    world.receiver.scripts["abc123"] = [ERROR] * 6
    owed = [world.incident() for _ in range(12)]
    for incident in owed:
        world.owe(incident, channel)
    for _ in range(5):
        await turn(dispatcher)
        world.clock.at += SECOND
    opened = world.clock.at - SECOND
    world.clock.at = opened + 30 * SECOND - 1
    await turn(dispatcher)
    assert len(world.receiver.arrivals) == 5
    assert sum(world.row(incident).attempts for incident in owed) == 5
    world.clock.at = opened + 30 * SECOND
    await turn(dispatcher)
    assert len(world.receiver.arrivals) == 6
    world.clock.at += MINUTE - 1
    await turn(dispatcher)
    assert len(world.receiver.arrivals) == 6
    while any(world.row(incident).state is State.PENDING for incident in owed):
        world.clock.at += SECOND
        await turn(dispatcher)
    assert sum(world.row(incident).attempts for incident in owed) == 12 + 6


async def test_what_waits_a_day_behind_an_open_breaker_ends_dead(world: World) -> None:
    channel, dispatcher = world.channel(), world.dispatcher()
    world.receiver.scripts["abc123"] = [ERROR] * 6
    owed = [world.incident() for _ in range(8)]
    for incident in owed:
        world.owe(incident, channel)
    for _ in range(5):
        await turn(dispatcher)
        world.clock.at += SECOND
    world.clock.at = NOW + DAY
    young = world.incident()
    world.owe(young, channel)
    await turn(dispatcher)
    world.clock.at += 1
    assert len(world.receiver.arrivals) == 6
    await turn(dispatcher)
    assert world.row(young).state is State.PENDING
    world.clock.at = NOW + DAY + MINUTE
    world.receiver.scripts["abc123"] = [ERROR]
    await turn(dispatcher)
    rows = [world.row(incident) for incident in owed]
    assert {row.state for row in rows} == {State.DEAD}
    untried = [incident for incident in owed if world.row(incident).attempts == 0]
    assert untried
    for incident in untried:
        assert world.row(incident).last_error == "expired"
        (entry,) = world.timeline(incident)
        assert (entry.type, entry.detail["attempts"]) == ("notification_failed", 0)
    assert world.counted("notifications") == {("slack", State.DEAD): len(owed)}


async def test_what_is_cancelled_under_way_is_sent_again_by_the_next_at_once(world: World) -> None:
    channel, incident = world.channel(), world.incident()
    world.receiver.scripts["abc123"] = [Trick.HANG]
    world.owe(incident, channel)
    async with running(world.dispatcher("one")):
        await until(lambda: world.receiver.arrivals)
    assert (world.row(incident).state, world.row(incident).attempts) == (State.PENDING, 0)
    await turn(world.dispatcher("two"))
    assert world.row(incident).state is State.DELIVERED
    first, second = world.receiver.bodies()
    assert first == second


async def test_an_answer_that_came_before_the_stop_is_written_down(world: World) -> None:
    channel, incident, recorder = world.channel(), world.incident(), Recorder()
    world.owe(incident, channel)
    async with running(world.dispatcher(kinds={"slack": recorder})) as task:
        await until(lambda: recorder.given)
        recorder.open.set()
        await recorder.answered.wait()
        task.cancel()
    world.write(lambda _connection: None)  # behind what the dispatcher has submitted
    assert world.row(incident).state is State.DELIVERED


@asynccontextmanager
async def killed_under_way(world: World, owner: str) -> AsyncIterator[None]:
    """The dispatcher has sent its message and is gone before it can write down anything."""
    async with asyncio.TaskGroup() as tasks:
        victim = tasks.create_task(turn(world.dispatcher(owner)))
        await until(lambda: world.receiver.arrivals)
        victim.cancel()
    yield


async def test_killed_between_send_and_record_the_message_is_sent_again(world: World) -> None:
    channel, incident = world.channel(), world.incident()
    world.receiver.scripts["abc123"] = [Trick.HANG]
    world.owe(incident, channel)
    event = world.row(incident).event_id
    async with killed_under_way(world, "one"):
        other = world.dispatcher("two")
        assert await turn(other) == pytest.approx(LEASE / 1000)
        assert len(world.receiver.arrivals) == 1
        world.clock.at += LEASE
        await turn(other)
    row = world.row(incident)
    assert (row.state, row.attempts, row.event_id) == (State.DELIVERED, 1, event)
    first, second = world.receiver.bodies()
    assert first == second


async def test_started_again_under_its_name_it_waits_for_no_lease(world: World) -> None:
    channel, incident = world.channel(), world.incident()
    world.receiver.scripts["abc123"] = [Trick.HANG]
    world.owe(incident, channel)
    async with killed_under_way(world, "one"), running(world.dispatcher("one")):
        await until(lambda: world.row(incident).state is State.DELIVERED)
    assert len(world.receiver.arrivals) == 2


async def test_who_was_overtaken_writes_down_nothing(world: World) -> None:
    channel, incident = world.channel(), world.incident()
    hold = Hold(ERROR)
    world.receiver.scripts["abc123"] = [hold]
    world.owe(incident, channel)
    slow, quick = world.dispatcher("slow"), world.dispatcher("quick")
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(turn(slow))
        await until(lambda: world.receiver.arrivals)
        world.clock.at += LEASE
        await turn(quick)
        hold.let_go()
    row = world.row(incident)
    assert (row.state, row.attempts) == (State.DELIVERED, 1)
    assert [delivery.ending for delivery in world.deliveries(row)] == [Ending.DELIVERED]
    assert [entry.type for entry in world.timeline(incident)] == ["notified"]
    assert world.stored_channel(channel).health == "ok"
    assert world.counted("delivery_attempts") == {("slack", "delivered"): 1}


async def test_who_has_a_row_in_hand_does_not_take_it_again(world: World) -> None:
    channel, incident, recorder = world.channel(), world.incident(), Recorder()
    world.owe(incident, channel)
    dispatcher = world.dispatcher(kinds={"slack": recorder})
    async with asyncio.TaskGroup() as tasks:
        await dispatcher.turn(tasks)
        await until(lambda: recorder.given)
        world.clock.at += 2 * LEASE
        assert await dispatcher.turn(tasks) == 30.0
        recorder.open.set()
    assert len(recorder.given) == 1
    assert world.row(incident).state is State.DELIVERED


async def test_two_dispatchers_share_the_work_and_double_nothing(world: World) -> None:
    recorder = Recorder()
    recorder.open.set()
    owed = [world.incident() for _ in range(20)]
    for incident in owed:
        for action in (Action.TRIGGER, Action.RESOLVE):
            world.owe(incident, world.channel("one"), action)
            world.owe(incident, world.channel("two"), action)
    kinds = {"slack": recorder}
    async with running(world.dispatcher("one", kinds)), running(world.dispatcher("two", kinds)):
        await until(lambda: len(recorder.given) >= 80)
        await until(lambda: all(row.state is State.DELIVERED for incident in owed for row in world.rows(incident)))
    assert len(recorder.given) == 80
    for incident in owed:
        actions = [action for key, action in recorder.given if key == incident.id]
        assert actions.index("resolve") > 0
        assert actions[-1] == "resolve"


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (delete(channels), "channel_deleted"),
        (update(channels).values(enabled=False), "channel_disabled"),
        (update(channels).values(type="pigeon"), "channel_type_unknown"),
        (update(channels).values(url_sealed=b"cut"), "wrong_key"),
    ],
)
async def test_what_has_no_receiver_any_more_is_dead_with_the_reason(world: World, change: Any, error: str) -> None:
    channel, incident, dispatcher = world.channel(), world.incident(), world.dispatcher()
    world.owe(incident, channel)
    world.write(lambda connection: connection.execute(change))
    await turn(dispatcher)
    row = world.row(incident)
    assert (row.state, row.attempts, row.last_error) == (State.DEAD, 0, error)
    assert world.receiver.connections == 0
    (entry,) = world.timeline(incident)
    assert (entry.type, entry.detail["error"], entry.detail["attempts"]) == ("notification_failed", error, 0)
    assert sum(world.counted("notifications").values()) == 1
    assert not world.counted("delivery_attempts")


async def test_a_url_of_another_key_stops_nobody_else(world: World) -> None:
    lost, good = world.incident(), world.incident()
    world.keyring, own = Keyring(b"o" * 32), world.keyring
    world.owe(lost, world.channel("lost"))
    world.keyring = own
    world.owe(good, world.channel("good"))
    dispatcher = world.dispatcher()
    await turn(dispatcher)
    assert (world.row(lost).state, world.row(lost).last_error) == (State.DEAD, "wrong_key")
    assert world.row(good).state is State.DELIVERED


async def test_a_defect_of_a_channel_is_tried_again_and_gives_nothing_away(world: World) -> None:
    channel, incident = world.channel(), world.incident()
    world.owe(incident, channel)
    with capture_logs() as logs:
        await turn(world.dispatcher(kinds={"slack": Defective()}))
    row = world.row(incident)
    assert (row.state, row.attempts, row.last_error) == (State.PENDING, 1, "internal: ValueError")
    assert [entry["event"] for entry in logs] == ["delivery.defect", "delivery.failing"]
    assert "abc123" not in json.dumps(logs)


async def test_a_body_that_cannot_be_read_stops_nobody_else(world: World) -> None:
    lost, good = world.incident(), world.incident()
    world.owe(lost, world.channel("lost"))
    world.write(lambda connection: connection.execute(update(outbox).values(body="{}")))
    world.owe(good, world.channel("good"))
    await turn(world.dispatcher())
    assert world.row(lost).last_error == "internal: KeyError"
    assert world.row(good).state is State.DELIVERED


async def test_the_secret_of_a_channel_is_neither_stored_nor_logged(world: World) -> None:
    channel, dispatcher = world.channel(), world.dispatcher()
    path = b"/services/T0A1B2C3D/B0X9Y8Z7W/abc123"
    world.receiver.scripts["abc123"] = [
        http_answer(404, b"no route " + path, "Connection: close"),
        http_answer(302, path, f"Location: {path.decode()}", "Connection: close"),
        http_answer(429, b"rate_limited " + path, f"Retry-After: {path.decode()}", "Connection: close"),
        Trick.RESET,
        b"HTTP/1.1 abc123",
    ]
    with capture_logs() as logs:
        for _ in range(6):
            world.owe(world.incident(), channel)
            await turn(dispatcher)
            world.clock.at += 10 * SECOND
    assert len(world.receiver.arrivals) >= 6
    for table in (outbox, delivery_attempts, timeline, channels):
        content = repr(rows_of(world, table))
        assert "nch_" in content or "http_" in content
        assert "abc123" not in content
    assert "abc123" not in repr(logs)


async def test_a_message_is_sent_as_soon_as_it_is_owed(world: World) -> None:
    channel, incident = world.channel(), world.incident()
    async with running(world.dispatcher()):
        await asyncio.sleep(0.05)
        world.owe(incident, channel)
        begun = time.monotonic()
        world.bus.wake(Topic.OUTBOX)
        await until(lambda: world.row(incident).state is State.DELIVERED)
    assert time.monotonic() - begun < 3


async def test_what_becomes_due_is_sent_without_a_wake_up(world: World) -> None:
    channel, incident = world.channel(), world.incident()
    world.clock.at = time.time_ns() // 1_000_000 + 300
    world.owe(incident, channel)
    dispatcher = world.dispatcher(now=lambda: time.time_ns() // 1_000_000)
    async with running(dispatcher):
        await until(lambda: world.row(incident).state is State.DELIVERED)
    assert world.deliveries(world.row(incident))[0].started_at >= world.clock.at


async def test_with_nothing_to_do_it_rests(world: World) -> None:
    dispatcher = world.dispatcher()
    assert await turn(dispatcher) == 30.0
    world.owe(world.incident(), world.channel())
    await turn(dispatcher)
    world.clock.at += SECOND
    assert await turn(dispatcher) == 30.0


@ON_SQLITE
async def test_without_its_database_it_waits_and_goes_on(world: World) -> None:
    channel, incident = world.channel(), world.incident()
    world.owe(incident, channel)
    world.write(lambda connection: connection.execute(text("ALTER TABLE outbox RENAME TO gone")))
    with capture_logs() as logs:
        async with running(world.dispatcher()):
            await until(lambda: logs)
            world.write(lambda connection: connection.execute(text("ALTER TABLE gone RENAME TO outbox")))
            await until(lambda: world.row(incident).state is State.DELIVERED)
    assert {entry["event"] for entry in logs} == {"dispatcher.database_unavailable"}


@ON_SQLITE
async def test_an_answer_waits_for_the_database_and_the_receiver_is_not_asked_again(world: World) -> None:
    channel, incident, recorder = world.channel(), world.incident(), Recorder()
    world.owe(incident, channel)
    with capture_logs() as logs:
        async with running(world.dispatcher(kinds={"slack": recorder})):
            await until(lambda: recorder.given)
            world.write(lambda connection: connection.execute(text("ALTER TABLE outbox RENAME TO gone")))
            recorder.open.set()
            await until(lambda: logs)
            world.clock.at += 2 * LEASE
            world.write(lambda connection: connection.execute(text("ALTER TABLE gone RENAME TO outbox")))
            world.bus.wake(Topic.OUTBOX)
            await until(lambda: world.row(incident).state is State.DELIVERED)
    assert len(recorder.given) == 1
    assert world.row(incident).attempts == 1


class Passing:
    """A clock by which time passes whenever somebody looks, once it is set going."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.step = 0

    def __call__(self) -> int:
        self.world.clock.at += self.step
        return self.world.clock()


@pytest.mark.parametrize("left", range(1, 6))
async def test_a_pace_that_ends_while_the_rows_are_asked_lets_nobody_wait(world: World, left: int) -> None:
    """The lane may be closed when the rows are asked and open when they have answered."""
    recorder, now, channel = Recorder(spacing_ms=200), Passing(world), world.channel()
    recorder.open.set()
    dispatcher = world.dispatcher(kinds={"slack": recorder}, now=now)
    world.owe(world.incident(), channel)
    await turn(dispatcher)
    world.owe(world.incident(), channel)
    world.clock.at += 200 - left
    now.step = 1
    rest = await turn(dispatcher)
    assert len(recorder.given) == 2 or rest < 1
