"""Slack's incoming webhooks against a receiver on loopback that behaves like Slack, and worse."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from time import monotonic
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statuspulse.delivery.channel import Delivered, Outcome, Refused, Retry
from statuspulse.delivery.channels.slack import SlackChannel, judge, render
from statuspulse.delivery.wording import summary
from statuspulse.domain.backoff import RetryAfter
from statuspulse.domain.message import Action, Facts, Message, Subject
from statuspulse.domain.secret import Secret
from statuspulse.domain.times import MINUTE, SECOND, from_text
from statuspulse.egress.gate import Gate
from statuspulse.egress.http_client import Answer, HttpClient
from statuspulse.egress.policy import Policy
from tests.targets import HttpTarget, Mood, http_answer

PUBLIC_URL = "https://status.acme.example"
ADDRESS = Secret("slack://hooks/T0A1B2C3D/B0X9Y8Z7W/abc123")
PATH = "/services/T0A1B2C3D/B0X9Y8Z7W/abc123"
SINCE = from_text("2026-11-23T06:24:31.879Z")
SUBJECT = Subject(
    id="mon_9x2k4p7q",
    name="Checkout Service Gateway",
    type="http",
    target="https://api.acmecorp.com/v2/health",
    runbook_url="https://wiki.acme.example/checkout",
)
DOWN = Message(
    action=Action.TRIGGER,
    at=SINCE + 12 * SECOND,
    incident_id="inc_4m8n2v5w",
    number=12,
    title="Checkout Service Gateway is down",
    severity="critical",
    state="triggered",
    actor="statuspulse",
    assignee=None,
    facts=Facts(
        subject=SUBJECT,
        since=SINCE,
        reason="got 503, expected 200",
        failing_regions=("us-east", "eu-west"),
        region_count=3,
    ),
)


def about(message: Message = DOWN, **changes: Any) -> Message:
    """The message with other facts."""
    return replace(message, facts=replace(message.facts, **changes))


UP = replace(
    about(reason=None, failing_regions=(), downtime_ms=4 * MINUTE + 12 * SECOND),
    action=Action.RESOLVE,
    state="resolved",
)
ACKNOWLEDGED = replace(
    DOWN, action=Action.ACKNOWLEDGE, state="acknowledged", actor="ops", assignee="maya@acme.example", facts=Facts()
)


def test_a_flapping_monitor_is_told_of_as_such_and_told_of_again_when_it_has_settled() -> None:
    begins, settles = about(flapping=True), replace(about(flapping=False), action=Action.UPDATE)
    assert [header(begins), header(replace(begins, action=Action.UPDATE))] == ["FLAPPING: Checkout Service Gateway"] * 2
    assert "the next message comes when it has settled" in summary(begins)
    assert header(settles) == "DOWN: Checkout Service Gateway"
    assert summary(settles) == (
        "DOWN: Checkout Service Gateway (got 503, expected 200; 2 of 3 regions; it has settled)"
    )
    assert header(about(UP, flapping=False)) == "UP: Checkout Service Gateway"
    shown = [block["text"]["text"] for block in blocks(settles) if "text" in block]
    assert "it has settled" in shown
    # Without a monitor that was seen there is no more to say than that something is new.
    assert header(replace(settles, facts=Facts())) == "UPDATED: Checkout Service Gateway is down"


def blocks(message: Message) -> list[dict[str, Any]]:
    attachment = render(message, PUBLIC_URL)["attachments"][0]
    found: list[dict[str, Any]] = attachment["blocks"]
    return found


def header(message: Message) -> str:
    text: str = blocks(message)[0]["text"]["text"]
    return text


def fields(message: Message) -> dict[str, str]:
    """What the fields show, by name."""
    texts = [field["text"] for block in blocks(message) for field in block.get("fields", [])]
    return {name.strip("*"): text for name, text in (text.split("\n", 1) for text in texts)}


def buttons(message: Message) -> dict[str, str]:
    rows = [block["elements"] for block in blocks(message) if block["type"] == "actions"]
    assert all(rows)
    return {button["text"]["text"]: button["url"] for row in rows for button in row}


def test_a_message_has_the_form_of_the_documentation() -> None:
    body = render(DOWN, PUBLIC_URL)
    assert body["text"] == "DOWN: Checkout Service Gateway (got 503, expected 200; 2 of 3 regions)"
    assert body["attachments"][0]["color"] == "#d92d20"
    assert blocks(DOWN)[0] == {
        "type": "header",
        "text": {"type": "plain_text", "text": "DOWN: Checkout Service Gateway"},
    }
    shown = fields(DOWN)
    assert shown["Incident"] == "inc_4m8n2v5w"
    assert shown["Since"] == f"<!date^{SINCE // 1000}^{{date_short}} {{time_secs}}|06:24:31Z>"
    assert shown["Failing"] == "2 of 3 regions: us-east, eu-west"
    assert (shown["Severity"], shown["Target"]) == ("critical", SUBJECT.target)
    assert buttons(DOWN) == {"Runbook": "https://wiki.acme.example/checkout"}


def test_a_recovery_says_how_long_it_took() -> None:
    body = render(UP, PUBLIC_URL)
    assert body["text"] == "UP: Checkout Service Gateway (down for 4 minutes 12 seconds)"
    assert fields(UP)["Downtime"] == "4 minutes 12 seconds"
    assert header(UP) == "UP: Checkout Service Gateway"


def test_an_acknowledgement_names_who_has_it() -> None:
    assert header(ACKNOWLEDGED) == "ACKNOWLEDGED: Checkout Service Gateway is down"
    assert render(ACKNOWLEDGED, PUBLIC_URL)["text"].endswith("(by maya@acme.example)")
    assert (fields(ACKNOWLEDGED)["By"], fields(ACKNOWLEDGED)["Assignee"]) == ("ops", "maya@acme.example")


def test_each_action_has_a_colour_of_its_own() -> None:
    colours = {render(message, PUBLIC_URL)["attachments"][0]["color"] for message in (DOWN, UP, ACKNOWLEDGED)}
    assert len(colours) == 3


def test_only_what_was_seen_is_called_down_or_up() -> None:
    by_hand = replace(DOWN, facts=Facts(subject=SUBJECT))
    assert header(by_hand) == "TRIGGERED: Checkout Service Gateway is down"
    assert header(replace(by_hand, action=Action.RESOLVE)) == "RESOLVED: Checkout Service Gateway is down"
    assert "Since" not in fields(by_hand)
    assert fields(by_hand)["At"].startswith(f"<!date^{DOWN.at // 1000}^")


def test_one_region_is_not_counted() -> None:
    alone = about(region_count=1, failing_regions=("local",))
    assert render(alone, PUBLIC_URL)["text"] == "DOWN: Checkout Service Gateway (got 503, expected 200)"
    assert "Failing" not in fields(alone)


def test_a_message_without_a_monitor_has_no_runbook() -> None:
    assert list(buttons(about(subject=None))) == []
    assert list(buttons(about(subject=replace(SUBJECT, runbook_url=None)))) == []


def test_a_target_cannot_page_the_company() -> None:
    hostile = "<!channel> <@U012AB3CD> <https://evil.example|click> & more"
    escaped = "&lt;!channel&gt; &lt;@U012AB3CD&gt; &lt;https://evil.example|click&gt; &amp; more"
    message = replace(
        about(reason=hostile, note=hostile, subject=replace(SUBJECT, name=hostile, target=hostile)),
        title=hostile,
        assignee=hostile,
        actor=hostile,
    )
    for action in Action:
        text = json.dumps(render(replace(message, action=action), PUBLIC_URL))
        assert re.findall(r"<(?!!date\^)[^>]*>", text) == []
        assert escaped in text
    assert all(
        field["verbatim"] for block in blocks(message) for field in block.get("fields", []) if field["type"] == "mrkdwn"
    )


ROGUE = st.text(max_size=6000) | st.sampled_from(["<", "&", '"', "\\", "\x00", "\ud800", "😀"]).map(
    lambda char: char * 6000
)


@given(action=st.sampled_from(Action), rogue=ROGUE, downtime=st.none() | st.integers(0, 10**12))
def test_no_text_breaks_slacks_limits(action: Action, rogue: str, downtime: int | None) -> None:
    subject = Subject(id=rogue, name=rogue, type="http", target=rogue, runbook_url="https://wiki.example/" + "x" * 1900)
    facts = Facts(
        subject=subject,
        since=SINCE,
        reason=rogue,
        failing_regions=(rogue,) * 5,
        region_count=20,
        downtime_ms=downtime,
        note=rogue,
    )
    message = replace(DOWN, action=action, title=rogue, severity=rogue, actor=rogue, assignee=rogue, facts=facts)
    body = render(message, PUBLIC_URL)
    assert len(json.dumps(body, ensure_ascii=False).encode().decode()) < 13_000
    assert body["text"]
    assert 0 < len(header(message)) <= 150
    for block in blocks(message):
        assert len(block.get("fields", [])) <= 10
        for text in (
            *block.get("fields", []),
            *([block["text"]] if block["type"] == "section" and "text" in block else []),
        ):
            assert 0 < len(text["text"]) <= 2000
            assert not re.search(r"&(?!amp;|lt;|gt;)", text["text"])


def test_what_is_cut_says_so_and_ends_whole() -> None:
    assert header(about(subject=replace(SUBJECT, name="x" * 500))) == "DOWN: " + "x" * 143 + "…"
    cut = header(about(subject=replace(SUBJECT, name="&" * 500)))
    assert cut == "DOWN: " + "&amp;" * 28 + "…"
    assert header(about(subject=replace(SUBJECT, name="x" * 144))) == "DOWN: " + "x" * 144


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, b"ok", Delivered(200)),
        (200, b"", Retry(error="unexpected_answer", status=200)),
        (200, b"<html>sign in</html>", Retry(error="unexpected_answer", status=200)),
        (200, b"no_service", Refused(error="no_service", status=200)),
        (201, b"ok", Retry(error="http_201", status=201)),
        (302, b"ok", Retry(error="http_302", status=302)),
        (400, b"invalid_blocks", Refused(error="invalid_blocks", status=400)),
        (400, b"rate_limited", Retry(error="rate_limited", status=400)),
        (401, b"", Refused(error="http_401", status=401)),
        (403, b"invalid_token", Refused(error="invalid_token", status=403)),
        (404, b"no_service", Refused(error="no_service", status=404)),
        (404, b"abc123 is not here", Refused(error="http_404", status=404)),
        (410, b"channel_is_archived", Refused(error="channel_is_archived", status=410)),
        (413, b"", Retry(error="http_413", status=413)),
        (429, b"rate_limited", Retry(error="rate_limited", status=429)),
        (500, b"rollup_error", Retry(error="rollup_error", status=500)),
        (500, b"no_team", Refused(error="no_team", status=500)),
        (503, b"\xff\xfe", Retry(error="http_503", status=503)),
    ],
)
def test_an_answer_means_what_slack_means_by_it(status: int, body: bytes, expected: Outcome) -> None:
    assert judge(Answer(status=status, headers={}, body=body, elapsed_ms=1)) == expected


def test_a_wish_to_wait_is_passed_on_with_the_answers_own_date() -> None:
    headers = {"retry-after": "7", "date": "Mon, 23 Nov 2026 06:24:43 GMT"}
    outcome = judge(Answer(status=429, headers=headers, body=b"rate_limited", elapsed_ms=1))
    assert isinstance(outcome, Retry)
    assert outcome.retry_after == RetryAfter(text="7", answered="Mon, 23 Nov 2026 06:24:43 GMT")


@pytest.fixture
def receiver() -> Iterator[HttpTarget]:
    with HttpTarget() as made:
        made.routes[PATH] = http_answer(200, b"ok")
        yield made


@pytest.fixture
async def client() -> AsyncIterator[HttpClient]:
    gate = Gate(Policy.parse(probe_deny="", delivery_allow="127.0.0.0/8", operator_urls=()))
    yield HttpClient(gate)
    gate.close()


async def hand_over(client: HttpClient, receiver: HttpTarget, address: Secret = ADDRESS) -> Outcome:
    channel = SlackChannel(client, base_url=f"{receiver.url}/", public_url=PUBLIC_URL)
    return await channel.hand_over(address, DOWN, key="inc_4m8n2v5w")


async def test_the_hook_of_the_documentation_gets_the_message(client: HttpClient, receiver: HttpTarget) -> None:
    assert await hand_over(client, receiver) == Delivered(200)
    arrival = receiver.arrivals[0]
    assert arrival.what == f"POST {PATH} HTTP/1.1"
    assert arrival.headers["content-type"].startswith("application/json")
    assert json.loads(arrival.body) == json.loads(json.dumps(render(DOWN, PUBLIC_URL)))


async def test_a_redirect_is_not_followed(client: HttpClient, receiver: HttpTarget) -> None:
    receiver.routes[PATH] = http_answer(302, b"", "Location: /elsewhere")
    assert await hand_over(client, receiver) == Retry(error="http_302", status=302)
    assert len(receiver.arrivals) == 1


async def test_a_huge_answer_is_not_read_to_its_end(client: HttpClient, receiver: HttpTarget) -> None:
    receiver.routes[PATH] = b"HTTP/1.1 200 Answer\r\n\r\n" + b"ok" * 20_000_000
    begun = monotonic()
    assert await hand_over(client, receiver) == Retry(error="unexpected_answer", status=200)
    assert monotonic() - begun < 5


async def test_a_receiver_that_breaks_off_may_get_it_again(client: HttpClient, receiver: HttpTarget) -> None:
    receiver.mood = Mood.CUTTING
    outcome = await hand_over(client, receiver)
    assert isinstance(outcome, Retry)
    assert outcome.status is None
    receiver.mood = Mood.REFUSING
    assert await hand_over(client, receiver) == Retry(error="connect_refused")


async def test_an_address_that_policy_denies_gets_nothing(receiver: HttpTarget) -> None:
    gate = Gate(Policy.parse(probe_deny="", delivery_allow="", operator_urls=()))
    assert await hand_over(HttpClient(gate), receiver) == Retry(error="blocked_by_policy")
    assert receiver.connections == 0
    gate.close()


async def test_a_base_url_that_the_operator_named_is_reached(receiver: HttpTarget) -> None:
    gate = Gate(Policy.parse(probe_deny="", delivery_allow="", operator_urls=(receiver.url,)))
    assert await hand_over(HttpClient(gate), receiver) == Delivered(200)
    gate.close()


async def test_an_address_of_another_kind_is_refused_unsent(client: HttpClient, receiver: HttpTarget) -> None:
    assert await hand_over(client, receiver, Secret("discord://1/abc123")) == Refused(error="address_invalid")
    assert receiver.connections == 0
