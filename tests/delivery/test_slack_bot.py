"""The Slack bot against the Web API as its documents have it: one message and one thread per incident."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from itertools import cycle
from pathlib import Path

import pytest

from statuspulse.catalog import channels as catalog
from statuspulse.catalog.instance import Instance
from statuspulse.delivery.channel import Delivered, Outcome, Refused, Retry
from statuspulse.delivery.channels.slack_bot import SlackBotChannel
from statuspulse.domain.backoff import RetryAfter
from statuspulse.domain.message import Action, Message
from statuspulse.domain.secret import Secret
from statuspulse.domain.times import MINUTE, SECOND
from statuspulse.egress.gate import Gate
from statuspulse.egress.http_client import HttpClient
from statuspulse.egress.policy import Policy
from statuspulse.storage.database import Database
from statuspulse.storage.outbox import State
from tests.delivery.receiver import Receiver
from tests.delivery.slack_api import NAME, TOKEN, SlackApi
from tests.delivery.test_slack import ACKNOWLEDGED, DOWN, PUBLIC_URL, UP
from tests.delivery.world import TEAM, World, turn

ADDRESS = Secret(f"slack://{TOKEN}/#{NAME}")


@pytest.fixture
def slack() -> Iterator[SlackApi]:
    with SlackApi() as made:
        yield made


@pytest.fixture
async def channel(slack: SlackApi) -> AsyncIterator[SlackBotChannel]:
    gate = Gate(Policy.parse(probe_deny="", delivery_allow="127.0.0.0/8", operator_urls=()))
    yield SlackBotChannel(HttpClient(gate), base_url=slack.url, public_url=PUBLIC_URL)
    gate.close()


async def hand_over(channel: SlackBotChannel, message: Message, key: str = "evt_1") -> Outcome:
    return await channel.hand_over(ADDRESS, message, key=key)


async def test_an_incident_is_one_message_that_shows_how_things_are_and_a_thread(
    slack: SlackApi, channel: SlackBotChannel
) -> None:
    first = await hand_over(channel, DOWN)
    assert isinstance(first, Delivered)
    for number, message in enumerate((ACKNOWLEDGED, UP)):
        assert await hand_over(channel, replace(message, thread=first.thread), f"evt_{number}") == Delivered(200)
    [root] = slack.roots
    assert root["text"].startswith("UP: Checkout")
    assert root["attachments"][0]["color"] == "#079455"
    words = [one["text"].split(":")[0] for one in slack.replies(root)]
    assert words == ["ACKNOWLEDGED", "UP"]
    assert not any(one["reply_broadcast"] for one in slack.replies(root))
    again = await hand_over(channel, replace(DOWN, thread=first.thread), "evt_9")
    assert again == Delivered(200)
    assert slack.replies(root)[-1]["reply_broadcast"] is True


async def test_what_is_about_no_incident_begins_no_thread(slack: SlackApi, channel: SlackBotChannel) -> None:
    notice = Message.without_incident(Action.TEST, "Try-out", at=DOWN.at, actor="ops")
    assert await hand_over(channel, notice) == Delivered(200)
    assert len(slack.roots) == 1


async def test_a_first_message_that_somebody_deleted_is_written_again(
    slack: SlackApi, channel: SlackBotChannel
) -> None:
    gone = replace(UP, thread="C0123ABCD/1.2")
    outcome = await hand_over(channel, gone)
    assert isinstance(outcome, Delivered)
    assert outcome.thread is not None
    assert [one["text"].split(":")[0] for one in slack.roots] == ["UP"]


async def test_a_first_message_that_may_not_be_changed_stays_and_the_thread_goes_on(
    slack: SlackApi, channel: SlackBotChannel
) -> None:
    first = await hand_over(channel, DOWN)
    assert isinstance(first, Delivered)
    slack.script = ["edit_window_closed"]
    assert await hand_over(channel, replace(UP, thread=first.thread), "evt_2") == Delivered(200)
    [root] = slack.roots
    assert (root["text"][:4], len(slack.replies(root))) == ("DOWN", 1)


@pytest.mark.parametrize("word", ["channel_not_found", "not_in_channel", "invalid_auth", "is_archived"])
async def test_what_will_not_heal_is_told_apart(slack: SlackApi, channel: SlackBotChannel, word: str) -> None:
    slack.script = [word]
    assert await hand_over(channel, DOWN) == Refused(error=word, status=200)


async def test_a_limit_is_waited_for_and_unknown_words_are_not_taken_over(
    slack: SlackApi, channel: SlackBotChannel
) -> None:
    slack.script = ["ratelimited"]
    limited = await hand_over(channel, DOWN)
    assert isinstance(limited, Retry)
    assert (limited.error, limited.status) == ("ratelimited", 429)
    assert isinstance(limited.retry_after, RetryAfter)
    assert limited.retry_after.text == "7"
    slack.script = ["the token xoxb-1 is no good"]
    assert await hand_over(channel, DOWN) == Retry(error="unexpected_answer", status=200)


async def test_without_the_right_to_read_a_copy_is_sent_rather_than_nothing(
    slack: SlackApi, channel: SlackBotChannel
) -> None:
    slack.may_read = False
    assert isinstance(await hand_over(channel, replace(DOWN, is_copy=True)), Delivered)
    assert len(slack.roots) == 1


async def test_the_token_stands_in_a_header_alone(slack: SlackApi, channel: SlackBotChannel) -> None:
    await hand_over(channel, DOWN)
    assert TOKEN not in json.dumps([[one.what, one.body.decode()] for one in slack.arrivals])


async def test_every_incident_is_one_message_although_answers_get_lost(
    sqlite_database: Database, slack: SlackApi, channel: SlackBotChannel, tmp_path: Path
) -> None:
    """Of the calls that write every third is carried out, and its answer never arrives."""
    with Receiver() as unused:
        world = World(sqlite_database, unused, {"slack_bot": channel})
        instance = Instance(keyring=world.keyring, policy=Policy(), min_interval_seconds=10)
        destination = world.write(
            lambda connection: catalog.provide(connection, TEAM, ADDRESS.reveal(), instance, world.clock())
        )
        dispatcher, slack.loses = world.dispatcher(), cycle((False, False, True))
        incidents = [world.incident(f"Shop {number}") for number in range(20)]
        for incident in incidents:
            for action in (Action.TRIGGER, Action.ACKNOWLEDGE, Action.RESOLVE):
                world.owe(incident, destination, action)
                for _ in range(6):
                    await turn(dispatcher)
                    if all(row.state is State.DELIVERED for row in world.rows(incident)):
                        break
                    world.pass_time(20 * MINUTE)
                # Calm enough that nothing is grouped.
                world.pass_time(13 * SECOND)
        assert all(row.state is State.DELIVERED for incident in incidents for row in world.rows(incident))
        assert any(row.attempts > 1 for incident in incidents for row in world.rows(incident))
    assert len(slack.roots) == len(incidents)
    for root in slack.roots:
        assert [one["text"].split(":")[0] for one in slack.replies(root)] == ["ACKNOWLEDGED", "UP"]
        assert root["text"].startswith("UP: ")
